// SPDX-License-Identifier: Apache-2.0
// What a host reaches with itself, over loopback: no network will be faster than its own stack.
#pragma once

#include <cstddef>

#include "base/result.h"

namespace slowpath::probe {

/// Bits of payload a second, one stream between two threads, half a second long.
Result<double> measure_ceiling(std::size_t block_bytes, bool verify);

}  // namespace slowpath::probe

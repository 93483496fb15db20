// SPDX-License-Identifier: Apache-2.0
// Keeps the calling thread on one processor (iperf3's -A).
#pragma once

#include <cstdint>

#include "base/result.h"

namespace slowpath::probe::iperf3 {

/// Kind usage where this host has no such processor, or the thread may not use it.
Result<void> pin_to_processor(std::uint32_t number);

}  // namespace slowpath::probe::iperf3

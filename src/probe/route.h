// SPDX-License-Identifier: Apache-2.0
// Which interface of this host leads to another: where to capture.
#pragma once

#include <string>

#include "base/result.h"

namespace slowpath::probe {

/// The interface that the kernel routes `host` through, first address first. Sends nothing but a
/// name's question. Errors: no such name, no route (network).
Result<std::string> interface_towards(const std::string& host);

}  // namespace slowpath::probe

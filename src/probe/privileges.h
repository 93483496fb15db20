// SPDX-License-Identifier: Apache-2.0
// A server keeps no more rights than it needs once its port is open.
#pragma once

#include <string>

#include "base/result.h"

namespace slowpath::probe {

/// Where this process is root, it becomes `user` for good, without groups; and whoever it is, no
/// program that it starts can gain rights. Call while there is one thread.
Result<void> drop_privileges(const std::string& user);

}  // namespace slowpath::probe

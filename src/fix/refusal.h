// SPDX-License-Identifier: Apache-2.0
// What a refusal of the kernel means to who turns knobs.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace slowpath::fix {

/// The errno `code` in words. What to do about it: have the privilege, where that is what was
/// missing; else `hint`, which may be empty.
std::unexpected<Error> refused_by_kernel(ErrorKind kind, const std::string& attempt, int code,
                                         std::string_view hint = {});

}  // namespace slowpath::fix

// SPDX-License-Identifier: Apache-2.0
#include "fix/refusal.h"

#include <cerrno>
#include <cstring>

namespace slowpath::fix {

std::unexpected<Error> refused_by_kernel(ErrorKind kind, const std::string& attempt, int code,
                                         std::string_view hint) {
  const bool forbidden = code == EPERM || code == EACCES;
  return fail(kind, attempt, std::strerror(code),
              forbidden ? "this needs cap_net_admin: run it as root" : std::string(hint));
}

}  // namespace slowpath::fix

// SPDX-License-Identifier: Apache-2.0
#include "probe/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace slowpath::probe {

Result<void> drop_privileges(const std::string& user) {
  const auto refuse = [&](std::string cause, std::string hint = {}) {
    return fail(ErrorKind::environment, "cannot become user " + user, std::move(cause),
                std::move(hint));
  };
  if (geteuid() == 0) {
    const passwd* entry = getpwnam(user.c_str());
    if (entry == nullptr) return refuse("there is no such user", "name another with --user");
    if (setgroups(0, nullptr) != 0 || setgid(entry->pw_gid) != 0 || setuid(entry->pw_uid) != 0)
      return refuse(std::strerror(errno));
    // A set-user-ID that could be undone would be none.
    if (entry->pw_uid != 0 && setuid(0) == 0) return refuse("root could be regained");
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refuse(std::strerror(errno));
  return {};
}

}  // namespace slowpath::probe

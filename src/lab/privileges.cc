// SPDX-License-Identifier: Apache-2.0
// What this process may do, tried out in children that end at once; and a user namespace of our own
// where we are not root.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/core.h>

#include "base/descriptor.h"
#include "lab/command.h"
#include "lab/host.h"
#include "lab/host_namespace.h"

namespace slowpath::lab {
namespace {

/// Whether `attempt` succeeds in a child, which takes what it changed with it.
template <typename Attempt>
bool succeeds_in_child(Attempt attempt) {
  const pid_t child = fork();
  if (child == 0) _exit(attempt() ? 0 : 1);
  int status = 1;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// A namespace in which we may also configure: AppArmor lets some make them and do nothing inside.
bool can_make_namespaces() {
  return succeeds_in_child([] {
    if (unshare(CLONE_NEWNET) != 0) return false;
    const Descriptor any{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifreq request{};
    std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    return ioctl(any.get(), SIOCSIFFLAGS, &request) == 0;
  });
}

bool can_make_tap() {
  return succeeds_in_child([] {
    if (unshare(CLONE_NEWNET) != 0) return false;
    const Descriptor tun{open("/dev/net/tun", O_RDWR | O_CLOEXEC)};
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    return tun.is_open() && ioctl(tun.get(), TUNSETIFF, &request) == 0;
  });
}

bool write_text(const char* path, const std::string& text) {
  const Descriptor file{open(path, O_WRONLY | O_CLOEXEC)};
  return file.is_open() &&
         write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// We become root of a namespace in which nobody else is. user_namespaces(7), "Defining user and
/// group ID mappings".
Result<void> enter_user_namespace() {
  const auto uid = geteuid();
  const auto gid = getegid();
  const auto refuse = [](std::string cause) {
    return fail(ErrorKind::environment,
                "cannot make network namespaces: not root, and no user namespace either",
                std::move(cause),
                "run it with sudo, or allow user namespaces: sysctl -w "
                "kernel.unprivileged_userns_clone=1 (Debian) or "
                "kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)");
  };
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return refuse(std::strerror(errno));
  if (!write_text("/proc/self/setgroups", "deny") ||
      !write_text("/proc/self/uid_map", fmt::format("0 {} 1", uid)) ||
      !write_text("/proc/self/gid_map", fmt::format("0 {} 1", gid)))
    return refuse(std::strerror(errno));
  if (!can_make_namespaces()) return refuse("the system gives no rights in user namespaces");
  return {};
}

}  // namespace

Result<Privileges> gain_privileges() {
  Privileges privileges;
  if (!can_make_namespaces()) {
    if (auto entered = enter_user_namespace(); !entered) return std::unexpected(entered.error());
    privileges.in_user_namespace = true;
  }
  privileges.can_make_namespaces = true;
  privileges.has_tun = can_make_tap();
  for (const auto* program : {"ip", "ethtool", "nft", "tc"}) {
    if (!find_program(program))
      privileges.missing_programs.push_back(program_with_package(program));
  }
  return privileges;
}

}  // namespace slowpath::lab

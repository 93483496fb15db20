// SPDX-License-Identifier: Apache-2.0
// Network namespaces by unshare() and setns(), and the sysctls inside them.
#include "lab/host_namespace.h"

#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/core.h>

#include "base/assert.h"

namespace slowpath::lab {
namespace {

// Of the thread, not of the process: threads may be in different namespaces.
constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";

Result<Descriptor> open_own_namespace() {
  Descriptor fd{open(kOwnNamespace, O_RDONLY | O_CLOEXEC)};
  if (fd.is_open()) return fd;
  return fail(ErrorKind::environment, fmt::format("cannot open {}", kOwnNamespace),
              std::strerror(errno), "the lab needs a kernel with network namespaces, and /proc");
}

}  // namespace

Result<Descriptor> make_network_namespace() {
  auto home = open_own_namespace();
  if (!home) return home;
  if (unshare(CLONE_NEWNET) != 0) {
    return fail(ErrorKind::environment, "cannot make a network namespace", std::strerror(errno),
                "run as root, or allow user namespaces");
  }
  auto made = open_own_namespace();
  // We came from there a moment ago; a thread that stayed in the new one would act in the wrong
  // place ever after.
  SLOWPATH_ASSERT(setns(home->get(), CLONE_NEWNET) == 0);
  return made;
}

Result<NamespaceVisit> NamespaceVisit::enter(int namespace_fd) {
  auto home = open_own_namespace();
  if (!home) return std::unexpected(home.error());
  if (setns(namespace_fd, CLONE_NEWNET) != 0) {
    return fail(ErrorKind::environment, "cannot enter a network namespace", std::strerror(errno));
  }
  return NamespaceVisit{std::move(*home)};
}

NamespaceVisit::~NamespaceVisit() {
  if (home_.is_open()) SLOWPATH_ASSERT(setns(home_.get(), CLONE_NEWNET) == 0);
}

Result<void> write_sysctl(const std::string& name, const std::string& value) {
  auto path = "/proc/sys/" + name;
  std::ranges::replace(path, '.', '/');
  const Descriptor file{open(path.c_str(), O_WRONLY | O_CLOEXEC)};
  const auto attempt = fmt::format("cannot set {} = {}", name, value);
  if (!file.is_open()) {
    if (errno == ENOENT) return fail(ErrorKind::usage, attempt, "this kernel has no such sysctl");
    return fail(ErrorKind::environment, attempt, std::strerror(errno));
  }
  if (write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size()))
    return {};
  return fail(errno == EINVAL ? ErrorKind::usage : ErrorKind::environment, attempt,
              std::strerror(errno));
}

std::optional<std::string> read_whole(const std::string& path) {
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.is_open()) return std::nullopt;
  std::string text;
  std::array<char, 16384> buffer{};
  for (;;) {
    const auto count = read(file.get(), buffer.data(), buffer.size());
    if (count < 0) return std::nullopt;
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace slowpath::lab

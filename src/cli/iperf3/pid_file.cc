// SPDX-License-Identifier: Apache-2.0
#include "cli/iperf3/pid_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

namespace slowpath::cli::iperf3 {
namespace {

Error refusal(const std::string& path, std::string cause, std::string hint = {}) {
  return {ErrorKind::usage, "cannot write the pid file " + path, std::move(cause), std::move(hint)};
}

bool lives(pid_t process) {
  // One that has our own number is not there any more: we are.
  return process != getpid() && (kill(process, 0) == 0 || errno == EPERM);
}

/// Takes away what a process left that is no more.
Result<void> remove_stale(const std::string& path) {
  const Descriptor file{open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (!file.is_open()) {
    if (errno == ENOENT) return {};
    return std::unexpected(refusal(path, errno == ELOOP
                                             ? "it is a symbolic link, which is not followed"
                                             : std::strerror(errno)));
  }
  std::array<char, 32> text{};
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  std::string_view number(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  // iperf3 leaves a zero byte behind it.
  const std::size_t last = number.find_last_not_of(std::string_view{" \n\0", 3});
  number = number.substr(0, last == std::string_view::npos ? 0 : last + 1);
  pid_t process = 0;
  const char* const end = number.data() + number.size();
  const auto [read_to, error] = std::from_chars(number.data(), end, process);
  const bool is_number = error == std::errc{} && read_to == end && process > 0;
  // An empty one is what a process leaves that may not remove it.
  if (got < 0 || (!number.empty() && !is_number))
    return std::unexpected(refusal(path, "it is there, and holds no process number"));
  if (is_number && lives(process))
    return std::unexpected(refusal(path, fmt::format("process {} has it and is running", process),
                                   "name another file, or end that process first"));
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    return std::unexpected(refusal(path, std::strerror(errno)));
  return {};
}

}  // namespace

Result<PidFile> PidFile::write(const std::string& path) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  Descriptor file{open(path.c_str(), kFlags, 0644)};
  if (!file.is_open() && errno == EEXIST) {
    if (auto removed = remove_stale(path); !removed) return std::unexpected(removed.error());
    file.reset(open(path.c_str(), kFlags, 0644));
  }
  const std::string number = fmt::format("{}\n", getpid());
  if (!file.is_open() ||
      ::write(file.get(), number.data(), number.size()) != static_cast<ssize_t>(number.size()))
    return fail(ErrorKind::environment, "cannot write the pid file " + path, std::strerror(errno));
  return PidFile(path, std::move(file));
}

PidFile::~PidFile() {
  // Who has given up root may not remove it any more, but can take the number out.
  if (!file_.is_open() || ftruncate(file_.get(), 0) != 0) return;
  struct stat ours{}, named{};
  if (fstat(file_.get(), &ours) == 0 && lstat(path_.c_str(), &named) == 0 &&
      ours.st_dev == named.st_dev && ours.st_ino == named.st_ino) {
    unlink(path_.c_str());
  }
}

}  // namespace slowpath::cli::iperf3

// SPDX-License-Identifier: Apache-2.0
// fork, setns, and a message left in a memory file.
#include "lab/traffic_process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace slowpath::lab {
namespace {

void close_all_but(std::vector<int> keep) {
  std::ranges::sort(keep);
  unsigned from = 3;
  for (const int fd : keep) {
    if (fd < static_cast<int>(from)) continue;
    if (static_cast<unsigned>(fd) > from) close_range(from, static_cast<unsigned>(fd) - 1, 0);
    from = static_cast<unsigned>(fd) + 1;
  }
  close_range(from, ~0U, 0);
}

/// The parent's handlers are not ours. Ctrl-C goes to the whole group: the parent decides.
void reset_signals() {
  for (const int number : {SIGTERM, SIGHUP, SIGALRM, SIGCHLD, SIGUSR1, SIGUSR2})
    (void)signal(number, SIG_DFL);
  (void)signal(SIGINT, SIG_IGN);
  (void)signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool write_all(int fd, const std::vector<std::uint8_t>& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const auto count = write(fd, bytes.data() + done, bytes.size() - done);
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

[[noreturn]] void live(pid_t parent, int namespace_fd, std::vector<int> keep, int message,
                       const std::function<EndReport()>& run) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Had it died before, no signal would come.
  if (getppid() != parent) _exit(2);
  prctl(PR_SET_TIMERSLACK, 1000UL);  // ns: pacing is exact to microseconds
  reset_signals();
  if (setns(namespace_fd, CLONE_NEWNET) != 0) _exit(2);
  keep.push_back(message);
  close_all_but(std::move(keep));
  _exit(write_all(message, pack(run())) ? 0 : 2);
}

}  // namespace

EndProcess::EndProcess(pid_t pid, Descriptor pidfd, Descriptor message)
    : pid_(pid), pidfd_(std::move(pidfd)), message_(std::move(message)) {}

EndProcess::EndProcess(EndProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      message_(std::move(other.message_)) {}

EndProcess::~EndProcess() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<EndProcess> EndProcess::start(int namespace_fd, std::vector<int> keep,
                                     const std::function<EndReport()>& run) {
  const auto refuse = [] {
    return fail(ErrorKind::environment, "cannot start an end of a transfer", std::strerror(errno));
  };
  Descriptor message{memfd_create("transfer", MFD_CLOEXEC)};
  if (!message.is_open()) return refuse();
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return refuse();
  if (pid == 0) live(parent, namespace_fd, std::move(keep), message.get(), run);
  EndProcess process{pid, {}, std::move(message)};
  process.pidfd_.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process.pidfd_.is_open()) return refuse();
  return process;
}

bool EndProcess::has_ended() {
  if (pid_ < 0) return true;
  if (waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ < 0;
}

std::optional<EndReport> EndProcess::report() const {
  struct stat status{};
  if (fstat(message_.get(), &status) != 0) return std::nullopt;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size));
  if (pread(message_.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return std::nullopt;
  return unpack(bytes);
}

}  // namespace slowpath::lab

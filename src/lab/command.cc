// SPDX-License-Identifier: Apache-2.0
// fork, setns, exec, and reading until the program has ended.
#include "lab/command.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/assert.h"
#include "base/descriptor.h"

namespace slowpath::lab {
namespace {

constexpr std::size_t kMostOutput = 1U << 20U;  // what a command prints is read by people

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

Error failure(const Command& command, std::string cause, std::string hint = {}) {
  return Error{.kind = ErrorKind::environment,
               .attempt = fmt::format("cannot run \"{}\"", fmt::join(command.words, " ")),
               .cause = std::move(cause),
               .hint = std::move(hint)};
}

/// The child's half. Only calls that are safe after a fork; ends in exec or with 126.
[[noreturn]] void become(const char* path, char* const* arguments, int namespace_fd, int input,
                         int output, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const bool ready = getppid() == parent &&
                     (namespace_fd < 0 || setns(namespace_fd, CLONE_NEWNET) == 0) &&
                     dup2(input, 0) == 0 && dup2(output, 1) == 1 && dup2(output, 2) == 2;
  if (ready) {
    close_range(3, ~0U, 0);
    execv(path, arguments);
  }
  _exit(126);
}

void append_available(int fd, std::string& text) {
  std::array<char, 16384> buffer{};
  for (;;) {
    const auto count = read(fd, buffer.data(), buffer.size());
    if (count <= 0) return;
    const auto room = kMostOutput - std::min(kMostOutput, text.size());
    text.append(buffer.data(), std::min(room, static_cast<std::size_t>(count)));
  }
}

/// Reads until the process ends: one that left a child behind does not keep us waiting. False if
/// the limit came first.
bool read_until_end(int process, int output, Duration limit, std::string& text) {
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    std::array<pollfd, 2> ready{pollfd{.fd = process, .events = POLLIN, .revents = 0},
                                pollfd{.fd = output, .events = POLLIN, .revents = 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    (void)poll(ready.data(), ready.size(), static_cast<int>(left.count()));
    append_available(output, text);
    if ((ready[0].revents & POLLIN) != 0) {
      append_available(output, text);
      return true;
    }
    // A program that closed its outputs: only its end is of interest now.
    if ((ready[1].revents & POLLHUP) != 0) {
      (void)poll(ready.data(), 1, static_cast<int>(left.count()));
    }
  }
}

}  // namespace

Result<std::vector<std::string>> split_command_line(std::string_view line) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      in_word = false;
      continue;
    }
    if (!in_word) {
      words.emplace_back();
      in_word = true;
    }
    if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      words.back() += line[++i];
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else {
      words.back() += c;
    }
  }
  const auto attempt = fmt::format("cannot run \"{}\"", line);
  if (quote != 0) return fail(ErrorKind::usage, attempt, fmt::format("a {} is not closed", quote));
  if (words.empty()) return fail(ErrorKind::usage, attempt, "there is no program in it");
  return words;
}

std::optional<std::string> find_program(const std::string& name) {
  const auto runs = [](const std::string& path) { return access(path.c_str(), X_OK) == 0; };
  if (name.contains('/')) return runs(name) ? std::optional{name} : std::nullopt;
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  std::string folders = path ? path : "";
  folders += ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";
  for (std::size_t begin = 0; begin < folders.size();) {
    const auto end = std::min(folders.find(':', begin), folders.size());
    const auto candidate = folders.substr(begin, end - begin) + "/" + name;
    if (end > begin && runs(candidate)) return candidate;
    begin = end + 1;
  }
  return std::nullopt;
}

std::string program_with_package(const std::string& name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kPackages{
      {{"ip", "iproute2"},
       {"tc", "iproute2"},
       {"ss", "iproute2"},
       {"ethtool", "ethtool"},
       {"nft", "nftables"},
       {"ping", "iputils-ping"},
       {"conntrack", "conntrack"}}};
  for (const auto& [program, package] : kPackages) {
    if (program == name) return fmt::format("{} (Debian package {})", name, package);
  }
  return name;
}

Result<std::string> run_command(const Command& command) {
  SLOWPATH_ASSERT(!command.words.empty());
  const auto path = find_program(command.words.front());
  if (!path) {
    return std::unexpected(failure(command, "it is not installed",
                                   "install " + program_with_package(command.words.front())));
  }
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    return std::unexpected(failure(command, std::strerror(errno)));
  const Descriptor output{ends[0]};
  Descriptor output_of_child{ends[1]};
  fcntl(output.get(), F_SETFL, O_NONBLOCK);
  const Descriptor input{memfd_create("input", MFD_CLOEXEC)};
  if (!input.is_open() || pwrite(input.get(), command.input.data(), command.input.size(), 0) !=
                              static_cast<ssize_t>(command.input.size()))
    return std::unexpected(failure(command, std::strerror(errno)));
  std::vector<char*> arguments;
  for (const auto& word : command.words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);

  const pid_t self = getpid();
  const pid_t child = fork();
  if (child < 0) return std::unexpected(failure(command, std::strerror(errno)));
  if (child == 0) {
    become(path->c_str(), arguments.data(), command.namespace_fd, input.get(),
           output_of_child.get(), self);
  }
  output_of_child.reset();
  const Descriptor process{static_cast<int>(syscall(SYS_pidfd_open, child, 0))};
  std::string text;
  const bool ended = read_until_end(process.get(), output.get(), command.limit, text);
  if (!ended) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  text = trimmed(std::move(text));
  if (!ended) {
    return std::unexpected(failure(
        command, fmt::format("it did not end within {:.0f} s", to_seconds(command.limit)), text));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  if (text.empty()) {
    text = WIFEXITED(status) ? fmt::format("exit code {}", WEXITSTATUS(status))
                             : fmt::format("killed by signal {}", WTERMSIG(status));
  }
  return std::unexpected(failure(command, text));
}

}  // namespace slowpath::lab

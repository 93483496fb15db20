// SPDX-License-Identifier: Apache-2.0
// `slowpath lab shell`: a shell inside a host of a broken network, for trying one's own tools. All
// of it goes when the shell ends.
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/assert.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/lab/conduct.h"
#include "cli/lab/retell.h"
#include "cli/lab/scenarios.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "lab/host.h"
#include "report/lab_text.h"

namespace slowpath::cli {
namespace {

struct Options {
  std::string name;
  std::string host = "client";
  std::vector<std::string> settings, command;
  std::uint64_t seed = 1;
};

/// Addresses of a host on all its links.
std::string addresses_of(const lab::World& world, const std::string& host) {
  std::string text;
  for (std::uint32_t i = 0; i < world.links.size(); ++i) {
    const lab::WorldLink& link = world.links[i];
    for (const auto& [name, side] : {std::pair{link.a, 1U}, std::pair{link.b, 2U}}) {
      if (name == host) text += " " + lab::address_of(i + 1, side, world.ipv6);
    }
  }
  return text;
}

/// The shell variable that names a host's namespace: "SERVER".
std::string variable_of(std::string host) {
  std::ranges::transform(host, host.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '-' || c == '.' ? '_' : c;
  });
  return host;
}

std::string namespace_path(const lab::Host& host) {
  return fmt::format("/proc/{}/fd/{}", getpid(), host.namespace_fd());
}

std::string banner(const lab::World& world, const std::vector<const lab::Host*>& hosts,
                   const std::string& inside) {
  std::string text = fmt::format("This shell runs in {}. The network goes when it ends.\n", inside);
  for (const lab::Host* host : hosts) {
    text += fmt::format("  {:<10}{}", host->name(), addresses_of(world, host->name()));
    if (host->name() != inside) {
      text += fmt::format("   enter: nsenter --net=${} COMMAND", variable_of(host->name()));
    }
    text += "\n";
  }
  for (const lab::Host* host : hosts) {
    if (host->name() == inside) continue;
    text += fmt::format(
        "Traffic:   nsenter --net=${} iperf3 -s -D   then   iperf3 -c{}   (-R: the other way)\n",
        variable_of(host->name()), addresses_of(world, host->name()));
    break;
  }
  return text + "Look:      tcpdump -i eth0 -w x.pcap     ss -ti     nstat     ethtool -k eth0\n\n";
}

/// A process, its end as a descriptor.
class Guest {
 public:
  Guest() = default;
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest() {
    if (fd_ >= 0) close(fd_);
    end();
  }

  /// Hangs up on a shell that is still there, and waits for it. Its exit code; 128 and the signal
  /// that ended it.
  int end() {
    if (pid_ <= 0) return 0;
    int status = 0;
    kill(pid_, SIGHUP);
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  /// Starts `command`, or $SHELL where it is empty, in `host`. The descriptor is readable when it
  /// has ended, and stays ours.
  Result<int> start(const lab::Host& host, const std::vector<std::string>& command) {
    pid_ = fork();
    if (pid_ == 0) become(host, command);
    if (pid_ > 0) fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    if (fd_ >= 0) return fd_;
    return fail(ErrorKind::environment, "cannot start a shell", std::strerror(errno));
  }

 private:
  [[noreturn]] static void become(const lab::Host& host, const std::vector<std::string>& command) {
    prctl(PR_SET_PDEATHSIG, SIGHUP);
    if (!command.empty()) {
      std::vector<char*> words;
      for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
      words.push_back(nullptr);
      if (setns(host.namespace_fd(), CLONE_NEWNET) == 0) execvp(words[0], words.data());
      complain(fmt::format("cannot start {} in {}: {}", command.front(), host.name(),
                           std::strerror(errno)));
      _exit(127);
    }
    const char* shell = std::getenv("SHELL");
    if (shell == nullptr || *shell == '\0') shell = "/bin/sh";
    if (setns(host.namespace_fd(), CLONE_NEWNET) == 0) execlp(shell, shell, nullptr);
    complain(fmt::format("cannot start {} in {}: {}", shell, host.name(), std::strerror(errno)));
    _exit(127);
  }

  pid_t pid_ = -1;
  int fd_ = -1;
};

Result<lab::RunResult> run_shell(const Options& options, const lab::Scenario& scenario,
                                 const lab::Privileges& privileges, Guest& guest) {
  lab::RunOptions run;
  run.seed = options.seed;
  run.stopped = [] { return stop_requested().load(); };
  run.instead_of_transfers = [&](const std::vector<const lab::Host*>& hosts) -> Result<int> {
    for (const lab::Host* host : hosts) {
      // The descriptors are this process's, so the paths are made before there is another.
      setenv(variable_of(host->name()).c_str(), namespace_path(*host).c_str(), 1);
    }
    const auto inside = std::ranges::find(hosts, options.host, &lab::Host::name);
    SLOWPATH_ASSERT(inside != hosts.end());
    const ExitCode written = options.command.empty()
                                 ? write_answer(banner(scenario.broken, hosts, options.host))
                                 : ExitCode::answered;
    if (written != ExitCode::answered) {
      return fail(ErrorKind::environment, "cannot show what was built");
    }
    return guest.start(**inside, options.command);
  };
  // `guest` ends after run_world() where a signal came, and with it otherwise.
  return lab::run_world(scenario.broken, privileges, run);
}

Result<void> check_host(const std::string& name, const lab::World& world) {
  std::vector<std::string_view> names;
  for (const lab::HostSpec& host : world.hosts) names.emplace_back(host.name);
  if (std::ranges::find(names, name) != names.end()) return {};
  return fail(ErrorKind::usage, fmt::format("there is no host '{}'", name),
              fmt::format("there are {}", fmt::join(names, ", ")));
}

ExitCode run(const Options& options) {
  const Result<ScenarioSource> source = find_scenario(options.name);
  if (!source) return complain(source.error());
  const Result<Overrides> overrides = parse_overrides(options.settings);
  if (!overrides) return complain(overrides.error());
  const Result<ReadScenario> scenario = read(*source, *overrides);
  if (!scenario) return complain(scenario.error());
  if (const Result<void> known = check_host(options.host, scenario->scenario.broken); !known) {
    return complain(known.error());
  }
  const Result<lab::Privileges> privileges = get_ready();
  if (!privileges) return complain(privileges.error());
  const report::Style style{.width = static_cast<std::size_t>(output_width()),
                            .color = color_wanted(ColorMode::automatic),
                            .utf8 = locale_is_utf8()};
  if (options.command.empty())
    write_answer(report::lab_story_text(retell(scenario->scenario, options.seed), style));
  Guest guest;
  const Result<lab::RunResult> result = run_shell(options, scenario->scenario, *privileges, guest);
  if (!result) return complain(result.error());
  const int ended = guest.end();
  // A command's own exit code is the answer.
  if (!options.command.empty() && !stop_requested()) return static_cast<ExitCode>(ended);
  return exit_code_of_signal();
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.add_option("SCENARIO", options->name,
                  "One of 'slowpath lab list', a story such as S1, or a file FILE.toml")
      .required();
  line.add_option("COMMAND", options->command,
                  "Run this instead of a shell, after --; its exit code is the answer's")
      .type_name("");
  line.add_option("--host", options->host, "The host that the shell runs in (client)")
      .type_name("HOST");
  line.add_option("--set", options->settings, "A parameter of the scenario: rtt=80ms")
      .one_value_each()
      .type_name("NAME=VALUE");
  line.add_option("--seed", options->seed, "Of everything random (1)").type_name("N");
  return [options] { return run(*options); };
}

}  // namespace

namespace labs {

extern const Command shell;
const Command shell{.name = "shell",
                    .summary = "a shell inside a host of the broken network",
                    .examples =
                        "  slowpath lab shell broken-lso\n"
                        "  slowpath lab shell broken-lso --host server --set mtu=9000\n"
                        "  slowpath lab shell S1 --host server -- ethtool -k eth0\n",
                    .declare = declare};

}  // namespace labs
}  // namespace slowpath::cli

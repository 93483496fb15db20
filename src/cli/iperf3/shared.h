// SPDX-License-Identifier: Apache-2.0
// What both ends of iperf3's protocol share on the command line: where lines go and how they look,
// the processor, and iperf3's options that are refused, each with a sentence.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "cli/command_line.h"
#include "cli/exit_code.h"
#include "cli/iperf3/pid_file.h"
#include "facts/finding.h"
#include "probe/socket.h"
#include "report/iperf3_text.h"

namespace slowpath::cli::iperf3 {

/// As typed; empty where nothing was.
struct SharedOptions {
  std::string format, log_file, pid_file, affinity, timestamps, bind, bind_device;
  std::uint32_t silent_ms = 120'000;
  bool verbose = false, force_flush = false, ipv4 = false, ipv6 = false;
  std::string refused;  // why an option that was given is not for us
};

void declare_shared(const CommandLine& line, SharedOptions& options);
/// -4 and -6, among the options of `group`.
void declare_family(const CommandLine& line, SharedOptions& options, const std::string& group);

/// An option of iperf3 that is understood and refused.
struct RefusedOption {
  std::string_view names, why;
  bool takes_value = false;
};
void declare_refused(const CommandLine& line, SharedOptions& options,
                     std::initializer_list<RefusedOption> refused);

/// What was asked for, read. Kind usage where it cannot be.
struct SharedPlan {
  report::RateUnit unit = 0;
  probe::IpFamily family = probe::IpFamily::any;
  std::string host, device;  // of --bind HOST%DEV and --bind-dev
  std::optional<std::uint32_t> affinity, server_affinity;
};
Result<SharedPlan> shared_plan_of(const SharedOptions& options);

/// From now on standard output is the file of --logfile, and the file of --pidfile holds the
/// process. The latter vanishes with this.
class Redirection {
 public:
  static Result<Redirection> begin(const SharedOptions& options);

 private:
  explicit Redirection(std::optional<PidFile> pid_file) : pid_file_(std::move(pid_file)) {}
  std::optional<PidFile> pid_file_;
};

/// Writes lines, with the time before each where that was asked for.
ExitCode write_lines(const SharedOptions& options, std::string_view text);

/// The verdict as it stands at the end of the text; in full with --verbose.
std::string verdict_text(const SharedOptions& options, const Diagnosis& diagnosis);

}  // namespace slowpath::cli::iperf3

// SPDX-License-Identifier: Apache-2.0
#include "cli/iperf3/shared.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <utility>

#include <fmt/format.h>

#include "base/descriptor.h"
#include "cli/answer_options.h"
#include "cli/command_line.h"
#include "cli/output.h"

namespace slowpath::cli::iperf3 {
namespace {

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "N", or "N,M" with the server's processor behind.
Result<void> set_affinity(const std::string& text, SharedPlan& plan) {
  if (text.empty()) return {};
  const std::size_t comma = text.find(',');
  plan.affinity = number_of(text.substr(0, comma));
  if (comma != std::string::npos) plan.server_affinity = number_of(text.substr(comma + 1));
  if (plan.affinity && (comma == std::string::npos || plan.server_affinity)) return {};
  return fail(ErrorKind::usage, fmt::format("cannot run on processor '{}'", text), {},
              "-A N, or -A N,M with the server's number behind");
}

/// The time by strftime(3), which says 0 both for a text that is too long and for none.
std::string time_by(const std::string& format) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  // No argument is longer than 128 KiB (MAX_ARG_STRLEN), and few conversions make more of theirs.
  constexpr std::size_t kMost = std::size_t{1} << 20U;
  std::string text(256 + 4 * format.size(), '\0');
  for (; text.size() <= kMost; text.resize(2 * text.size())) {
    if (const auto len = std::strftime(text.data(), text.size(), format.c_str(), &parts); len > 0) {
      text.resize(len);
      return text;
    }
  }
  return {};
}

}  // namespace

void declare_shared(const CommandLine& line, SharedOptions& options) {
  line.add_option("-f,--format", options.format,
                  "Unit of rates: k, m, g or t for bits, K, M, G or T for bytes")
      .one_of({"k", "m", "g", "t", "K", "M", "G", "T"})
      .type_name("UNIT")
      .group("Output");
  line.add_option("--logfile", options.log_file, "Write to the end of this file instead")
      .type_name("FILE")
      .group("Output");
  line.add_flag("--timestamps{%c }", options.timestamps,
                "The time before each line, =FORMAT as strftime(3) has it")
      .group("Output");
  line.add_flag("-V,--verbose", options.verbose, "The evidence of every finding").group("Output");
  line.add_flag("--forceflush", options.force_flush, "No effect: every line is written at once")
      .group("Output");
  line.add_option("-A,--affinity", options.affinity,
                  "The processor to run on; N,M names the server's, too")
      .type_name("N[,M]")
      .group("Host");
  line.add_option("-I,--pidfile", options.pid_file, "Write the process number here")
      .type_name("FILE")
      .group("Host");
  line.add_option("-B,--bind", options.bind, "Our address, and perhaps the interface")
      .type_name("HOST[%DEV]")
      .group("Host");
  line.add_option("--bind-dev", options.bind_device, "Only over this interface")
      .type_name("DEV")
      .group("Host");
  line.add_option("--rcv-timeout", options.silent_ms,
                  "Milliseconds without a byte until the other end counts as gone (120000)")
      .range(100U, 86'400'000U)
      .type_name("MS")
      .group("Host");
}

void declare_family(const CommandLine& line, SharedOptions& options, const std::string& group) {
  const Option ipv4 = line.add_flag("-4,--version4", options.ipv4, "Only IPv4");
  ipv4.group(group);
  line.add_flag("-6,--version6", options.ipv6, "Only IPv6").excludes(ipv4).group(group);
}

void declare_refused(const CommandLine& line, SharedOptions& options,
                     std::initializer_list<RefusedOption> refused) {
  for (const RefusedOption& each : refused) {
    const std::string names(each.names), why(each.why);
    const Option option =
        each.takes_value
            ? line.add_option_function(
                  names, [&options, why](const std::string&) { options.refused = why; })
            : line.add_flag_function(names, [&options, why] { options.refused = why; });
    option.group("");
  }
}

Result<SharedPlan> shared_plan_of(const SharedOptions& options) {
  if (!options.refused.empty())
    return fail(ErrorKind::usage, "cannot do as iperf3 does", options.refused);
  SharedPlan plan;
  plan.unit = options.format.empty() ? '\0' : options.format.front();
  if (options.ipv4 || options.ipv6)
    plan.family = options.ipv4 ? probe::IpFamily::ipv4 : probe::IpFamily::ipv6;
  plan.host = options.bind;
  plan.device = options.bind_device;
  if (const std::size_t percent = options.bind.find('%'); percent != std::string::npos) {
    plan.device = options.bind.substr(percent + 1);
    // A link-local address means nothing without its interface.
    if (options.bind.find(':') == std::string::npos) plan.host = options.bind.substr(0, percent);
  }
  if (auto set = set_affinity(options.affinity, plan); !set) return std::unexpected(set.error());
  return plan;
}

Result<Redirection> Redirection::begin(const SharedOptions& options) {
  if (!options.log_file.empty()) {
    const Descriptor file{
        open(options.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)};
    if (!file.is_open() || dup2(file.get(), STDOUT_FILENO) < 0)
      return fail(ErrorKind::environment, "cannot write to " + options.log_file,
                  std::strerror(errno));
  }
  if (options.pid_file.empty()) return Redirection({});
  Result<PidFile> pid_file = PidFile::write(options.pid_file);
  if (!pid_file) return std::unexpected(pid_file.error());
  return Redirection(std::move(*pid_file));
}

ExitCode write_lines(const SharedOptions& options, std::string_view text) {
  if (options.timestamps.empty()) return write_answer(text);
  const std::string stamp = time_by(options.timestamps);
  std::string stamped;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    stamped += stamp;
    stamped += text.substr(0, end);
    text.remove_prefix(end);
  }
  return write_answer(stamped);
}

std::string verdict_text(const SharedOptions& options, const Diagnosis& diagnosis) {
  report::TextOptions text;
  text.style = style_of(AnswerOptions{});
  text.all = options.verbose;
  return report::iperf3_verdict_text(diagnosis, text);
}

}  // namespace slowpath::cli::iperf3

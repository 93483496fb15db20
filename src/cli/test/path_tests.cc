// SPDX-License-Identifier: Apache-2.0
#include "cli/test/path_tests.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/format.h"
#include "cli/answer_options.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/status_line.h"
#include "cli/test/path_measure.h"
#include "cli/test/saved.h"
#include "detect/path_test.h"
#include "probe/path/churn.h"
#include "report/path_test_text.h"

namespace slowpath::cli {
namespace {

// As long as anybody would wait; and what a NAT is asked to keep (RFC 5382: two hours and four
// minutes).
constexpr Duration kLongestIdle = std::chrono::hours(3);

Result<PathPlan> plan_of(const PathTestOptions& options, const PathTestTarget& target) {
  PathPlan plan;
  plan.target = target.target;
  plan.secret = target.secret;
  plan.mtu = options.mtu || options.path;
  plan.latency = options.latency || options.path;
  plan.middlebox = options.middlebox || options.path;
  plan.idle = !options.idle.empty();
  plan.churn = !options.churn.empty();
  plan.tcp_port = options.tcp_port;
  if (plan.idle) {
    const Result<Duration> longest = parse_duration(options.idle);
    if (!longest) return std::unexpected(longest.error());
    if (*longest < std::chrono::seconds(1) || *longest > kLongestIdle) {
      return fail(ErrorKind::usage, fmt::format("cannot be silent for {}", options.idle), {},
                  "name a time between 1s and 3h");
    }
    plan.idle_longest = *longest;
  }
  if (plan.churn) {
    double rate = 0;
    const auto [end, error] =
        std::from_chars(options.churn.data(), options.churn.data() + options.churn.size(), rate);
    if (error != std::errc{} || end != options.churn.data() + options.churn.size() ||
        !(rate >= 1) || rate > probe::ChurnOptions::kMostRate) {
      return fail(ErrorKind::usage,
                  fmt::format("'{}' is no number of connections a second", options.churn), {},
                  "name one between 1 and 20000");
    }
    plan.churn_per_second = rate;
  }
  return plan;
}

/// Nothing at all came back.
bool was_silent(const PathTestFacts& facts) {
  if (facts.with_peer) return false;
  const bool sizes =
      facts.mtu && std::ranges::any_of(facts.mtu->sweeps, [](const SizeSweep& sweep) {
        return sweep.largest_passed_bytes > 0;
      });
  const bool trips =
      facts.latency && ((facts.latency->connect && facts.latency->connect->trips.answered > 0) ||
                        (facts.latency->echo && facts.latency->echo->answered > 0));
  const bool churned = facts.churn && facts.churn->connected + facts.churn->refused > 0;
  return !sizes && !trips && !churned;
}

ExitCode code_of(const PathTestFacts& facts, const Diagnosis& diagnosis,
                 const PathTestTarget& target) {
  if (stop_requested()) return exit_code_of_signal();
  if (was_silent(facts)) return ExitCode::network;
  return has_failed(diagnosis.findings, target.fail_on) ? ExitCode::found : ExitCode::answered;
}

PathProgress progress_of(StatusLine& status) {
  PathProgress progress;
  progress.tell = [&status](std::string_view what) { status.show(what); };
  progress.stopped = [] { return stop_requested().load(); };
  return progress;
}

/// What belongs to the rate alone.
Result<void> check(const PathTestTarget& target) {
  if (!target.against.empty())
    return fail(ErrorKind::usage, "cannot compare a test of the path with an earlier one", {},
                "--against compares rates: leave it out, or --mtu and the like");
  if (!target.target.bind_host.empty())
    return fail(ErrorKind::usage, "cannot test the path from " + target.target.bind_host,
                "its packets leave from the address that the route names",
                "-B is for the rate alone");
  return {};
}

ExitCode answer(const PathTestFacts& facts, const Diagnosis& diagnosis,
                const PathTestTarget& target) {
  const report::Style style{.width = static_cast<std::size_t>(output_width()),
                            .color = is_coloured(target.color),
                            .utf8 = locale_is_utf8()};
  const std::string document = report::path_test_json(facts, diagnosis, stop_requested());
  const ExitCode written = write_answer(
      target.json ? document : report::path_test_text(facts, diagnosis, style, target.all));
  if (!target.save.empty()) {
    if (auto saved = testing::save(target.save, document); !saved) return complain(saved.error());
  }
  return written == ExitCode::answered ? code_of(facts, diagnosis, target) : written;
}

}  // namespace

void declare_path_tests(const CommandLine& line, PathTestOptions& options) {
  constexpr const char* kGroup =
      "Path (each without measuring the rate; as far as possible without slowpath serve)";
  line.add_flag("--no-path", options.no_path, "Only the rate: none of these beside it")
      .group(kGroup);
  line.add_flag("--path", options.path, "--mtu, --latency and --middlebox").group(kGroup);
  line.add_flag("--mtu", options.mtu, "Which packet sizes pass, each way; hops, fragments, bursts")
      .group(kGroup);
  line.add_flag("--latency", options.latency,
                "Round trips idle and under load; loss by rate and by length")
      .group(kGroup);
  line.add_flag("--middlebox", options.middlebox,
                "Headers of a handshake at both ends: what a box changes")
      .group(kGroup);
  line.add_option("--idle", options.idle,
                  "How long a silent connection lives, searched up to TIME (120s)")
      .or_else("120s")
      .type_name("TIME")
      .group(kGroup);
  line.add_option("--churn", options.churn, "Short connections, N a second for five seconds (200)")
      .or_else("200")
      .type_name("N")
      .group(kGroup);
  line.add_option("--tcp-port", options.tcp_port,
                  "The port for connect times and --churn; any that answers")
      .type_name("PORT")
      .group(kGroup);
}

bool asks_for_path(const PathTestOptions& options) {
  return options.path || options.mtu || options.latency || options.middlebox ||
         !options.idle.empty() || !options.churn.empty();
}

Result<PathTestFacts> measure_beside(const PathTestTarget& target, StatusLine& status) {
  PathTestOptions options;
  options.path = true;
  const Result<PathPlan> plan = plan_of(options, target);
  if (!plan) return std::unexpected(plan.error());
  return measure_path(*plan, progress_of(status));
}

ExitCode run_path_tests(const PathTestOptions& options, const PathTestTarget& target) {
  if (auto possible = check(target); !possible) return complain(possible.error());
  const Result<PathPlan> plan = plan_of(options, target);
  if (!plan) return complain(plan.error());
  note_stop_signals();
  StatusLine status(!target.quiet);
  const Result<PathTestFacts> facts = measure_path(*plan, progress_of(status));
  status.clear();
  if (!facts) return complain(facts.error());
  Diagnosis diagnosis = detect::diagnose_path_test(*facts);
  if (stop_requested() && diagnosis.verdict == "healthy") {  // Half a look proves no health.
    diagnosis.verdict = "unclear";
    diagnosis.confidence = 0.6;
    diagnosis.summary = "Interrupted; nothing was found wrong so far.";
  }
  return answer(*facts, diagnosis, target);
}

}  // namespace slowpath::cli

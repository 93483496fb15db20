// SPDX-License-Identifier: Apache-2.0
// `slowpath inspect`: is this host set right? Live, or from text that was collected elsewhere.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "cli/answer_options.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/placed_input.h"
#include "cli/signals.h"
#include "cli/status_line.h"
#include "detect/host_changes.h"
#include "detect/inspection.h"
#include "machine/live.h"
#include "machine/text.h"
#include "report/inspection.h"

namespace slowpath::cli {
namespace {

/// As typed; empty where nothing was.
struct Options : AnswerOptions {
  std::vector<std::string> from, against;
  std::string collect, rate, rtt;
  double interval_s = 0;
  bool explain = false, no_sockets = false, rules = false, facts = false;
};

void declare_output(const CommandLine& line, Options& options) {
  declare_answer_options(
      line, options,
      {.schema = "inspection", .all = "Every finding, step and unread item in full"});
  line.add_flag("--facts", options.facts, "With --json: also all that was read")
      .needs(line.option("--json"))
      .group("Output");
  line.add_flag("--explain", options.explain, "Which rules could not judge, and what they need")
      .group("Output");
}

void declare_options(const CommandLine& line, Options& options) {
  const Option from =
      line.add_option("--from", options.from,
                      "Text that commands printed on another host, instead of this one; - is "
                      "standard input")
          .type_name("FILE|DIR")
          .group("Input");
  const Option against =
      line.add_option("--against", options.against,
                      "Text of an earlier time, or of a host that works: what differs?")
          .type_name("FILE|DIR")
          .group("Input");
  const Option interval =
      line.add_option("--interval", options.interval_s,
                      "Read twice, so many seconds apart, and judge what moved between")
          .range(0.1, 86400.0)
          .type_name("SECONDS")
          .excludes(from)
          .group("Input");
  const Option sockets =
      line.add_flag("--no-sockets", options.no_sockets, "Do not list the sockets")
          .excludes(from)
          .group("Input");
  line.add_option("--collect", options.collect,
                  "Print what to run on a host of this platform, and nothing else")
      .one_of({"linux", "windows", "solaris", "esxi"})
      .type_name("PLATFORM")
      .excludes(from)
      .excludes(against)
      .excludes(interval)
      .excludes(sockets)
      .group("Input");
  line.add_option("--rate", options.rate, "The rate that one connection is to reach: 1G")
      .type_name("RATE")
      .group("Path");
  line.add_option("--rtt", options.rtt,
                  "The round trip of the path that buffers are to serve: 30ms")
      .type_name("TIME")
      .group("Path");
  line.add_flag("--rules", options.rules, "Print all rules as a document, and nothing else")
      .excludes(from)
      .excludes(interval)
      .group("Output");
  declare_output(line, options);
}

Platform platform_of(const std::string& word) {
  for (const Platform platform : {Platform::windows, Platform::solaris, Platform::esxi}) {
    if (to_string(platform) == word) return platform;
  }
  return Platform::linux;
}

Result<PathAim> aim_of(const Options& options) {
  PathAim aim;
  if (!options.rate.empty()) {
    const Result<double> rate = parse_rate(options.rate);
    if (!rate) return std::unexpected(rate.error());
    aim.rate_bps = *rate;
  }
  if (!options.rtt.empty()) {
    const Result<Duration> rtt = parse_duration(options.rtt);
    if (!rtt) return std::unexpected(rtt.error());
    aim.rtt_s = to_seconds(*rtt);
    if (!(*aim.rtt_s > 0)) {
      return fail(ErrorKind::usage,
                  fmt::format("cannot inspect for a round trip of {}", options.rtt),
                  "it must be above 0");
    }
  }
  return aim;
}

/// Until the time is over, or somebody has asked to stop.
void wait_for(double seconds, bool quiet) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(seconds));
  StatusLine line(!quiet);
  while (!stop_requested() && Clock::now() < end) {
    const std::chrono::duration<double> left = end - Clock::now();
    line.show(fmt::format("reading again in {:.0f} s", std::max(0.0, left.count())));
    std::this_thread::sleep_for(
        std::min<std::chrono::duration<double>>(left, std::chrono::milliseconds(50)));
  }
}

MachineFacts read_live(const Options& options) {
  machine::LiveOptions live;
  live.sockets = !options.no_sockets;
  MachineFacts facts = machine::read_machine(live);
  if (options.interval_s <= 0) return facts;
  const auto start = std::chrono::steady_clock::now();
  wait_for(options.interval_s, options.quiet || options.json);
  if (stop_requested()) return facts;
  MachineFacts after = machine::read_machine(live);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return machine::rates_between(facts, std::move(after), elapsed.count());
}

bool is_empty(const MachineFacts& facts) {
  return facts.settings.empty() && facts.counters.empty() && facts.interfaces.empty() &&
         facts.routes.empty() && facts.sockets.empty() && facts.cpus.empty() &&
         facts.packages.empty() && facts.measured.empty();
}

Result<MachineFacts> read_from(const std::vector<std::string>& paths) {
  Result<MachineFacts> facts = machine::read_texts(paths);
  if (!facts) return facts;
  if (is_empty(*facts)) {
    std::string cause = "no output of a known command is in it";
    if (!facts->unread.empty() && facts->not_understood.empty())
      cause = fmt::format("{}: {}", facts->unread.front().what, facts->unread.front().why);
    return fail(ErrorKind::input, fmt::format("cannot inspect {}", fmt::join(paths, " and ")),
                cause,
                "'slowpath inspect --collect linux' (windows, solaris, esxi) prints what to run "
                "there");
  }
  return facts;
}

std::string shown(const std::vector<std::string>& paths) {
  std::vector<std::string> names;
  for (const std::string& path : paths) names.push_back(path == "-" ? "standard input" : path);
  return fmt::format("{}", fmt::join(names, ", "));
}

/// Nothing is lost silently: what could not be read of the other text is reported with the rest.
void add_remarks(const MachineFacts& before, const std::string& against, MachineFacts& facts) {
  for (Unread unread : before.unread) {
    unread.what += fmt::format(" (in {})", against);
    facts.unread.push_back(std::move(unread));
  }
  // Their lines name the file themselves.
  facts.not_understood.insert(facts.not_understood.end(), before.not_understood.begin(),
                              before.not_understood.end());
}

/// Holds what was inspected against the text of another time.
Result<void> compare(const Options& options, const PathAim& aim, report::Inspected& inspected) {
  if (options.against.empty()) return {};
  const Result<MachineFacts> before = read_from(options.against);
  if (!before) return std::unexpected(before.error());
  const Inspection judged = detect::inspect_host(*before, aim);
  inspected.changes =
      detect::changes_between({*before, judged}, {inspected.facts, inspected.inspection});
  inspected.against = shown(options.against);
  add_remarks(*before, inspected.against, inspected.facts);
  return {};
}

Result<report::Inspected> answer(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const Result<PathAim> aim = aim_of(options);
  if (!aim) return std::unexpected(aim.error());
  report::Inspected inspected;
  if (options.from.empty()) {
    inspected.facts = read_live(options);
    inspected.source = "read live";
  } else {
    Result<MachineFacts> facts = read_from(options.from);
    if (!facts) return std::unexpected(facts.error());
    inspected.facts = std::move(*facts);
    inspected.source = shown(options.from);
  }
  inspected.inspection = detect::inspect_host(inspected.facts, *aim);
  if (const Result<void> compared = compare(options, *aim, inspected); !compared)
    return std::unexpected(compared.error());
  inspected.interrupted = stop_requested();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  inspected.elapsed_s = elapsed.count();
  return inspected;
}

std::string render(const report::Inspected& inspected, const Options& options) {
  if (options.json) return report::inspection_to_json(inspected, options.facts);
  report::TextOptions text;
  text.style = style_of(options);
  text.all = options.all;
  text.explain = options.explain;
  text.quiet = options.quiet;
  return report::inspection_to_text(inspected, text);
}

ExitCode run(const Options& options) {
  if (!options.collect.empty())
    return write_answer(machine::collect_script(platform_of(options.collect)));
  if (options.rules) return write_answer(report::inspection_rules_markdown());
  note_stop_signals();
  const Result<report::Inspected> inspected = answer(options);
  if (!inspected) {
    if (options.json) write_answer(report::inspection_error_to_json(inspected.error().message()));
    return complain(inspected.error());
  }
  return exit_code_of_answer(write_answer(render(*inspected, options)),
                             has_failed(inspected->inspection.findings, options.fail_on));
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  declare_options(line, *options);
  return [options] { return run(*options); };
}

}  // namespace

extern const Command inspect;
const Command inspect{
    .name = "inspect",
    .summary = "say whether a host is set right for TCP",
    .examples =
        "  slowpath inspect --interval 5\n"
        "  slowpath inspect --collect windows > collect.ps1\n"
        "  slowpath inspect --from host.txt --rate 1G --rtt 30ms\n"
        "  slowpath inspect --collect linux | ssh HOST sh | slowpath inspect --from -\n"
        "  slowpath inspect --from after.txt --against before.txt\n"
        "  slowpath inspect --json > i.json; slowpath fix plan --from i.json\n",
    .declare = declare};

}  // namespace slowpath::cli

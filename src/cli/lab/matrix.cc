// SPDX-License-Identifier: Apache-2.0
// `slowpath lab matrix`: options, the plan of runs, and what is made of their results. The runs
// themselves are in campaign.cc.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/lab/campaign.h"
#include "cli/lab/conduct.h"
#include "cli/lab/scenarios.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "lab/random.h"
#include "report/accuracy.h"

namespace slowpath::cli {
namespace {

using Captures = std::vector<report::GradedCapture>;

/// What came of the runs.
struct Outcome {
  Captures captures;
  std::size_t failures = 0;              // runs that could not be made
  std::vector<std::string> scenarios{};  // that were to be run
};

struct Options {
  std::string family, jsonl, publish, time_limit, path_rate, keep;
  std::vector<std::string> scenarios, merge;
  std::uint64_t seed = 1, repeat = 1, draw = 0, predict = 0;
  double need = 0.97;
  bool ci = false, twins = false, lessened = false;
};

/// As it would be typed again; options that say where results go are left out.
std::string command_line(const Options& options) {
  std::string text = "slowpath lab matrix";
  if (!options.family.empty()) text += " --family " + options.family;
  for (const std::string& name : options.scenarios) text += " --scenario " + name;
  if (options.ci) text += " --ci";
  if (options.twins) text += " --twins";
  if (options.lessened) text += " --lessened";
  if (options.predict > 0) text += fmt::format(" --predict {}", options.predict);
  if (!options.path_rate.empty()) text += " --path-rate " + options.path_rate;
  if (options.draw > 0) text += fmt::format(" --draw {}", options.draw);
  if (options.repeat > 1) text += fmt::format(" --repeat {}", options.repeat);
  if (!options.time_limit.empty()) text += " --time-limit " + options.time_limit;
  return text + fmt::format(" --seed {}", options.seed);
}

bool is_wanted(const lab::Scenario& scenario, const Options& options) {
  if (!options.scenarios.empty() &&
      std::ranges::find(options.scenarios, scenario.name) == options.scenarios.end()) {
    return false;
  }
  // Only predictions count there.
  if (!options.path_rate.empty() && scenario.fixes.empty()) return false;
  return (options.family.empty() || scenario.family == options.family) &&
         (!options.ci || scenario.in_ci);
}

std::vector<std::string> order_of(const std::vector<lab::Scenario>& scenarios,
                                  const Options& options, std::uint64_t round) {
  std::vector<std::string> names;
  for (const lab::Scenario& scenario : scenarios) names.push_back(scenario.name);
  if (options.draw == 0 || round == 0) return names;
  lab::Random random = lab::Random::for_part(options.seed, "order", round);
  for (std::size_t left = names.size(); left > 1; --left) {
    std::swap(names[left - 1], names[random.below(left)]);
  }
  return names;
}

/// Each round takes every scenario once, so that a time limit cuts rounds, not scenarios. Of random
/// draws the first round is made whatever the time; in which order the later ones take them is
/// drawn too, so that a limit leaves out none more often than another.
std::vector<PlannedRun> plan_of(const std::vector<lab::Scenario>& scenarios,
                                const Options& options) {
  constexpr std::uint64_t kSeeds = 1'000'000'000;  // few enough digits to be typed
  std::vector<PlannedRun> plan;
  const std::uint64_t rounds = std::max<std::uint64_t>(options.draw, 1) * options.repeat;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (const std::string& name : order_of(scenarios, options, round)) {
      lab::Random random = lab::Random::for_part(options.seed, name, round);
      plan.push_back({.scenario = name,
                      .draw = {.wanted = options.draw > 0, .seed = random.below(kSeeds)},
                      .with_twin = options.path_rate.empty() && (options.draw > 0 || options.twins),
                      .whatever_time = options.draw > 0 && round == 0,
                      .path_rate = options.path_rate,
                      .lessened = options.lessened,
                      .fixed_runs = options.predict});
    }
  }
  return plan;
}

Result<std::vector<lab::Scenario>> chosen_scenarios(const Options& options) {
  for (const std::string& name : options.scenarios) {
    if (const auto found = find_scenario(name); !found) return std::unexpected(found.error());
  }
  Result<std::vector<lab::Scenario>> scenarios = read_all();
  if (!scenarios) return scenarios;
  if (const Result<void> known = check_family(options.family, *scenarios); !known) {
    return std::unexpected(known.error());
  }
  std::erase_if(*scenarios,
                [&](const lab::Scenario& scenario) { return !is_wanted(scenario, options); });
  if (!scenarios->empty()) return scenarios;
  return fail(ErrorKind::usage, "no scenario is left to run", {},
              "'slowpath lab list' shows all and their families");
}

Result<Outcome> read_lines(const std::vector<std::string>& files) {
  Captures captures;
  for (const std::string& path : files) {
    std::ifstream file(path);
    if (!file) return fail(ErrorKind::input, "cannot read " + path);
    std::string line;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
      Result<report::GradedCapture> capture = report::graded_capture_of(line);
      if (!capture) {
        capture.error().attempt += fmt::format(" ({}, line {})", path, number);
        return std::unexpected(capture.error());
      }
      captures.push_back(std::move(*capture));
    }
  }
  return Outcome{.captures = std::move(captures)};
}

Result<void> write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (file) return {};
  return fail(ErrorKind::environment, "cannot write " + path);
}

Result<void> publish(const report::Accuracy& accuracy, const Outcome& outcome,
                     const Options& options) {
  if (options.publish.empty()) return {};
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  const report::MatrixOrigin origin{
      .date = format_time_utc(now).substr(0, 10),
      .kernel = kernel_name(),
      .command = options.merge.empty()
                     ? command_line(options)
                     : fmt::format("slowpath lab matrix --merge {}", fmt::join(options.merge, " ")),
      .seed = options.merge.empty() ? std::to_string(options.seed) : "of each run",
      .scenarios = outcome.scenarios};
  return write_file(options.publish, report::accuracy_markdown(accuracy, origin));
}

/// Shows the counts and says with the exit code whether they are good enough.
ExitCode conclude(const Outcome& outcome, const Options& options) {
  const report::Accuracy accuracy = report::summarise(outcome.captures);
  const auto width = static_cast<std::size_t>(output_width());
  const ExitCode written = write_answer("\n" + report::accuracy_text(accuracy, width));
  if (written != ExitCode::answered) return written;
  if (const Result<void> published = publish(accuracy, outcome, options); !published) {
    return complain(published.error());
  }
  if (const ExitCode stopped = exit_code_of_signal(); stopped != ExitCode::answered) return stopped;
  if (accuracy.faulty + accuracy.healthy == 0 && accuracy.predictions.empty()) {
    complain("nothing was judged: every run was void or none was begun");
    return ExitCode::environment;
  }
  const bool good = accuracy.accepted_share() >= options.need && accuracy.healthy_alarms == 0 &&
                    outcome.failures == 0;
  return good ? ExitCode::answered : ExitCode::found;
}

Result<Outcome> run_all(const Options& options) {
  std::optional<double> limit_s;
  if (!options.time_limit.empty()) {
    const Result<Duration> limit = parse_duration(options.time_limit);
    if (!limit) return std::unexpected(limit.error());
    limit_s = to_seconds(*limit);
  }
  const Result<std::vector<lab::Scenario>> scenarios = chosen_scenarios(options);
  if (!scenarios) return std::unexpected(scenarios.error());
  const Result<lab::Privileges> privileges = get_ready();
  if (!privileges) return std::unexpected(privileges.error());
  std::ofstream lines;
  if (!options.jsonl.empty()) {
    lines.open(options.jsonl);
    if (!lines) return fail(ErrorKind::environment, "cannot write " + options.jsonl);
  }
  Captures captures;
  const Result<std::size_t> failures =
      run_campaign(plan_of(*scenarios, options), *privileges, limit_s, options.keep,
                   [&](report::GradedCapture capture) {
                     if (lines.is_open()) lines << report::to_line(capture) << std::flush;
                     captures.push_back(std::move(capture));
                   });
  if (!failures) return std::unexpected(failures.error());
  if (lines.is_open() && !lines) {
    return fail(ErrorKind::environment, "cannot write " + options.jsonl);
  }
  return Outcome{.captures = std::move(captures),
                 .failures = *failures,
                 .scenarios = order_of(*scenarios, options, 0)};
}

ExitCode run(const Options& options) {
  const Result<Outcome> outcome =
      options.merge.empty() ? run_all(options) : read_lines(options.merge);
  if (!outcome) return complain(outcome.error());
  return conclude(*outcome, options);
}

void declare_choice(const CommandLine& line, Options& options) {
  line.add_option("--family", options.family, "Only this family of faults, or 'healthy'")
      .type_name("FAMILY")
      .group("Which runs");
  line.add_option("--scenario", options.scenarios, "Only this one; again for more")
      .one_value_each()
      .type_name("NAME")
      .group("Which runs");
  line.add_flag("--ci", options.ci, "Only the short matrix of continuous integration")
      .group("Which runs");
  line.add_flag("--twins", options.twins,
                "Also run the same world without the fault; random draws always do")
      .group("Which runs");
  line.add_flag("--lessened", options.lessened,
                "Also judge each capture as others would have taken it: begun late, one direction "
                "alone, a coarse clock and the like")
      .group("Which runs");
  line.add_option("--draw", options.draw, "Draw each scenario's parameters at random, N times")
      .type_name("N")
      .group("Which runs");
  line.add_option("--repeat", options.repeat, "Run everything N times, with other seeds")
      .positive()
      .type_name("N")
      .group("Which runs");
  const Option predict =
      line.add_option("--predict", options.predict,
                      "Also run each fix N times, and hold what diagnose predicts against their "
                      "median")
          .type_name("N")
          .group("Which runs");
  line.add_option(
          "--path-rate", options.path_rate,
          "Give paths a bottleneck of this rate where they have none (50Mbit/s), and count "
          "only predictions: a path without one carries what the host can, which no capture "
          "of a broken transfer shows")
      .needs(predict)
      .check([](const std::string& rate) {
        const Result<double> read = parse_rate(rate);
        return read ? std::string{} : read.error().message();
      })
      .type_name("RATE")
      .group("Which runs");
  line.add_option("--seed", options.seed, "Of everything random (1); each run prints its own")
      .type_name("N")
      .group("Which runs");
  line.add_option("--time-limit", options.time_limit,
                  "Begin no run after this long, but with --draw draw each scenario once: 30m")
      .type_name("TIME")
      .group("Which runs");
}

void declare_results(const CommandLine& line, Options& options) {
  line.add_option(
          "--need", options.need,
          "Exit with 1 below this share of accepted verdicts (0.97), where a fault is named "
          "in a healthy world, or where a run could not be made")
      .range(0.0, 1.0)
      .type_name("SHARE")
      .group("Results");
  line.add_option("--jsonl", options.jsonl, "Also write a line of JSON for each capture")
      .type_name("FILE")
      .group("Results");
  line.add_option("--keep", options.keep,
                  "Keep captures and truth of each run there: DIR/NUMBER-SCENARIO-VARIANT")
      .type_name("DIR")
      .group("Results");
  line.add_option("--merge", options.merge, "Run nothing; put together what --jsonl wrote earlier")
      .type_name("FILE")
      .group("Results");
  line.add_option("--publish", options.publish, "Also write the document on accuracy")
      .type_name("FILE.md")
      .group("Results");
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  declare_choice(line, *options);
  declare_results(line, *options);
  return [options] { return run(*options); };
}

}  // namespace

namespace labs {

extern const Command matrix;
const Command matrix{.name = "matrix",
                     .summary = "run all scenarios, diagnose every capture, count what was right",
                     .examples =
                         "  slowpath lab matrix\n"
                         "  slowpath lab matrix --family window --draw 10 --seed 7\n"
                         "  slowpath lab matrix --draw 3 --jsonl a.jsonl\n"
                         "  slowpath lab matrix --merge a.jsonl b.jsonl --publish accuracy.md\n",
                     .declare = declare};

}  // namespace labs
}  // namespace slowpath::cli

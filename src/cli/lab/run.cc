// SPDX-License-Identifier: Apache-2.0
// `slowpath lab run`: a story from its fault to its fix, each run diagnosed and shown as it ends.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/lab/conduct.h"
#include "cli/lab/retell.h"
#include "cli/lab/scenarios.h"
#include "cli/lab/verdict.h"
#include "cli/lab/workspace.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/status_line.h"
#include "report/lab_text.h"

namespace slowpath::cli {
namespace {

struct Options {
  std::string name, keep;
  std::vector<std::string> settings;
  std::uint64_t seed = 1;
  bool draw = false, json = false, check = false;
};

/// One telling of one scenario.
class Telling {
 public:
  Telling(const Options& options, ReadScenario scenario, const lab::Privileges& privileges,
          Workspace& workspace)
      : options_(options),
        scenario_(std::move(scenario)),
        privileges_(privileges),
        workspace_(workspace),
        style_{.width = static_cast<std::size_t>(output_width()),
               .color = color_wanted(ColorMode::automatic),
               .utf8 = locale_is_utf8()} {}

  ExitCode tell();

 private:
  Result<void> tell_runs();
  Result<lab::RunResult> run(lab::Variant variant, const lab::Fix* fix, report::LabRun& told);
  Result<void> judge(const lab::RunResult& result, const lab::Fix* fix,
                     const std::string& directory, report::LabRun& told) const;
  void show(const std::string& text);

  const Options& options_;
  ReadScenario scenario_;
  const lab::Privileges& privileges_;
  Workspace& workspace_;
  report::Style style_;
  StatusLine status_{true};
  std::vector<report::LabRun> runs_;
  ExitCode written_ = ExitCode::answered;
};

std::vector<std::string> changes_of(const lab::Fix& fix) {
  std::vector<std::string> changes;
  for (const lab::HostCommand& command : fix.commands) {
    changes.push_back(fmt::format("{}: {}", command.host, command.command));
  }
  for (const auto& [name, value] : fix.set)
    changes.push_back(fmt::format("set {}={}", name, value));
  if (fix.heal) changes.emplace_back("what is broken is taken away");
  return changes;
}

void Telling::show(const std::string& text) {
  if (options_.json || written_ != ExitCode::answered) return;
  status_.clear();
  written_ = write_answer(text);
}

/// Of the broken world the scenario says which verdicts are right; of a repaired one only that its
/// fault is gone. A fix that hides the fault promises nothing.
void hold_against(const lab::Scenario& scenario, const lab::Fix* fix, const Diagnosis& diagnosis,
                  const Standard& standard, report::LabCapture& told) {
  if (fix == nullptr) {
    report::GradedCapture graded;
    grade(diagnosis, standard, graded);
    told.is_right = graded.is_accepted;
    told.judged = graded.is_accepted
                      ? "right"
                      : fmt::format("NOT RIGHT: {} would be", fmt::join(standard.accepted, " or "));
  } else if (!fix->is_wrong) {
    const bool still = std::ranges::any_of(diagnosis.findings, [&](const Finding& finding) {
      return finding.severity == Severity::fault &&
             std::ranges::find(scenario.faults, finding.fault) != scenario.faults.end();
    });
    told.is_right = !still;
    told.judged =
        still ? "NOT RIGHT: the fault is still named" : "right: the fault is no longer named";
  }
}

/// What diagnose says at each point.
Result<void> Telling::judge(const lab::RunResult& result, const lab::Fix* fix,
                            const std::string& directory, report::LabRun& told) const {
  for (const lab::CaptureFile& capture : result.captures) {
    const std::string path = path_of(capture, directory);
    const Result<CaptureVerdict> verdict = judge_capture(path, result);
    if (!verdict) return std::unexpected(verdict.error());
    report::LabCapture& entry = told.captures.emplace_back();
    entry.point = capture.point;
    if (workspace_.is_kept()) entry.file = path;
    entry.verdict = verdict->diagnosis.verdict;
    entry.confidence = verdict->diagnosis.confidence;
    entry.summary = verdict->diagnosis.summary;
    hold_against(scenario_.scenario, fix, verdict->diagnosis,
                 standard_for(scenario_.scenario, lab::Variant::broken, capture.point, result),
                 entry);
  }
  return {};
}

Result<lab::RunResult> Telling::run(lab::Variant variant, const lab::Fix* fix,
                                    report::LabRun& told) {
  const std::string label = told.label;
  const Result<std::string> directory = workspace_.folder(label);
  if (!directory) return std::unexpected(directory.error());
  const Conditions conditions{
      .privileges = &privileges_,
      .seed = options_.seed,
      .directory = *directory,
      .progress = [&](double seconds) {
        status_.show(fmt::format("{}, {}: {:.0f} s", scenario_.scenario.name, label, seconds));
      }};
  Result<lab::RunResult> result = conduct(scenario_, variant, fix, conditions);
  if (!result || result->stopped) return result;
  report::LabRun ran = retell(*result);
  ran.label = label;
  ran.summary = told.summary;
  told = std::move(ran);
  if (fix != nullptr) {
    told.commands = changes_of(*fix);
    told.hides = fix->is_wrong;
  }
  status_.show(fmt::format("{}, {}: diagnosing", scenario_.scenario.name, label));
  if (const Result<void> judged = judge(*result, fix, *directory, told); !judged) {
    return std::unexpected(judged.error());
  }
  workspace_.discard(*directory);
  return result;
}

Result<void> Telling::tell_runs() {
  const lab::Scenario& scenario = scenario_.scenario;
  report::LabRun told{.label = scenario.faults.empty() ? "healthy" : "broken"};
  const Result<lab::RunResult> broken = run(lab::Variant::broken, nullptr, told);
  if (!broken) return std::unexpected(broken.error());
  if (broken->stopped) return {};
  told.targets = targets_of(scenario, *broken);
  show(report::lab_run_text(told, style_));
  runs_.push_back(std::move(told));
  for (std::size_t i = 0; i < scenario.fixes.size() && !stop_requested(); ++i) {
    const lab::Fix& fix = scenario.fixes[i];
    report::LabRun repaired{
        .label = scenario.fixes.size() == 1 ? "fixed" : fmt::format("fixed-{}", i + 1),
        .summary = fix.summary};
    const Result<lab::RunResult> fixed = run(lab::Variant::fixed, &fix, repaired);
    if (!fixed) return std::unexpected(fixed.error());
    if (fixed->stopped) return {};
    repaired.targets = targets_of(fix, *fixed, *broken);
    show(report::lab_run_text(repaired, style_));
    runs_.push_back(std::move(repaired));
  }
  return {};
}

bool is_as_promised(const report::LabRun& run) {
  return run.targets_met() && run.void_because.empty() && run.verdicts_right();
}

ExitCode Telling::tell() {
  const report::LabStory story = retell(scenario_.scenario, options_.seed);
  show(report::lab_story_text(story, style_));
  const Result<void> told = tell_runs();
  status_.clear();
  if (!told) return complain(told.error());
  if (options_.json) {
    written_ = write_answer(report::lab_run_json(story, runs_));
  } else if (!runs_.empty()) {
    show(report::lab_comparison_text(runs_, style_));
  }
  if (const ExitCode stopped = exit_code_of_signal(); stopped != ExitCode::answered) return stopped;
  if (written_ != ExitCode::answered) return written_;
  const bool promised = std::ranges::all_of(runs_, is_as_promised);
  return options_.check && !promised ? ExitCode::found : ExitCode::answered;
}

ExitCode run(const Options& options) {
  const Result<ScenarioSource> source = find_scenario(options.name);
  if (!source) return complain(source.error());
  const Result<Overrides> overrides = parse_overrides(options.settings);
  if (!overrides) return complain(overrides.error());
  Result<ReadScenario> scenario =
      read(*source, *overrides, {.wanted = options.draw, .seed = options.seed});
  if (!scenario) return complain(scenario.error());
  const Result<lab::Privileges> privileges = get_ready();
  if (!privileges) return complain(privileges.error());
  Result<Workspace> workspace = Workspace::make(options.keep);
  if (!workspace) return complain(workspace.error());
  return Telling(options, std::move(*scenario), *privileges, *workspace).tell();
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.add_option("SCENARIO", options->name,
                  "One of 'slowpath lab list', a story such as S1, or a file FILE.toml")
      .required();
  line.add_option("--set", options->settings, "A parameter of the scenario: rtt=80ms")
      .one_value_each()
      .type_name("NAME=VALUE");
  line.add_option("--seed", options->seed, "Of everything random (1)").type_name("N");
  line.add_flag("--draw", options->draw, "Draw the parameters from the seed, as the matrix does");
  line.add_option("--keep", options->keep, "Keep captures and truth there: DIR/broken, DIR/fixed")
      .type_name("DIR");
  line.add_flag("--json", options->json, "One JSON document, at the end");
  line.add_flag("--check", options->check,
                "Exit with 1 unless rates, bytes and verdicts are as the scenario says");
  return [options] { return run(*options); };
}

}  // namespace

namespace labs {

extern const Command run;
const Command run{.name = "run",
                  .summary = "break a network, run a transfer, diagnose it, fix it, run again",
                  .examples =
                      "  slowpath lab run broken-lso\n"
                      "  slowpath lab run broken-lso --set mtu=9000 --keep captures\n"
                      "  slowpath lab run my-story.toml --json\n",
                  .declare = declare};

}  // namespace labs
}  // namespace slowpath::cli

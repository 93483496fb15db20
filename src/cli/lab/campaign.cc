// SPDX-License-Identifier: Apache-2.0
#include "cli/lab/campaign.h"

#include <chrono>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "cli/lab/conduct.h"
#include "cli/lab/outlook.h"
#include "cli/lab/retell.h"
#include "cli/lab/verdict.h"
#include "cli/lab/workspace.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/status_line.h"

namespace slowpath::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Captures = std::vector<report::GradedCapture>;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Campaign {
 public:
  Campaign(const std::vector<PlannedRun>& plan, const lab::Privileges& privileges,
           const Workspace& workspace, const Graded& graded)
      : plan_(plan), privileges_(privileges), workspace_(workspace), graded_(graded) {}

  Result<std::size_t> run(std::optional<double> limit_s);

 private:
  /// A run that was made, and what it is held against.
  struct Made {
    const ReadScenario& scenario;
    lab::Variant variant;
    const lab::RunResult& result;
    std::optional<double> twin_bps;
    const std::optional<TransferRate>& fixed;
    const std::string& directory;
    bool lessened;  // its captures are judged also as others would have taken them
  };

  Result<void> run_one(const PlannedRun& planned);
  Result<lab::RunResult> conduct_here(const ReadScenario& scenario, lab::Variant variant,
                                      std::uint64_t seed, const std::string& directory);
  Result<Captures> judge_point(const Made& made, const report::GradedCapture& blank,
                               const lab::CaptureFile& file);
  Result<void> judge(const Made& made);
  Result<std::optional<TransferRate>> rate_when_fixed(const ReadScenario& scenario,
                                                      const PlannedRun& planned);
  void show(const lab::Scenario& scenario, const lab::RunResult& result, const Captures& captures,
            std::optional<double> twin_bps, lab::Variant variant);
  void show_progress(const std::string& what);
  /// Distinct in a campaign, and in the order in which the runs were made.
  [[nodiscard]] std::string folder_name(const PlannedRun& planned, std::string_view variant) const {
    return fmt::format("{:03}-{}-{}", done_ + 1, planned.scenario, variant);
  }

  const std::vector<PlannedRun>& plan_;
  const lab::Privileges& privileges_;
  const Workspace& workspace_;
  const Graded& graded_;
  StatusLine status_{true};
  Clock::time_point start_ = Clock::now();
  std::size_t done_ = 0;
};

void Campaign::show_progress(const std::string& what) {
  const double elapsed_s = seconds_since(start_);
  std::string left;
  if (done_ > 0) {
    const double each_s = elapsed_s / static_cast<double>(done_);
    left = fmt::format(", about {} left",
                       format_duration(each_s * static_cast<double>(plan_.size() - done_)));
  }
  status_.show(fmt::format("{} of {}, {}{}: {}", done_ + 1, plan_.size(),
                           format_duration(elapsed_s), left, what));
}

Result<lab::RunResult> Campaign::conduct_here(const ReadScenario& scenario, lab::Variant variant,
                                              std::uint64_t seed, const std::string& directory) {
  const std::string what = fmt::format("{} ({})", scenario.scenario.name, lab::to_string(variant));
  const Conditions conditions{
      .privileges = &privileges_, .seed = seed, .directory = directory, .progress = [&](double) {
        show_progress(what);
      }};
  return conduct(scenario, variant, nullptr, conditions);
}

/// "ok" or "MISS", and what must not have been named.
std::string mark_of(const report::GradedCapture& capture) {
  std::string mark = capture.is_accepted ? "ok" : "MISS";
  if (!capture.false_alarms.empty()) {
    mark += fmt::format(", FALSE ALARM {}", fmt::join(capture.false_alarms, " "));
  }
  return mark;
}

/// "client", "client, begun-late".
std::string label_of(const report::GradedCapture& capture) {
  return capture.lessened.empty() ? capture.point
                                  : fmt::format("{}, {}", capture.point, capture.lessened);
}

/// "expected about 95 Mbit/s, measured 91 Mbit/s".
std::string line_of(const report::Prediction& prediction) {
  const std::string expected = prediction.predicted_bps
                                   ? fmt::format("{} {}", to_string(prediction.bound),
                                                 format_rate(*prediction.predicted_bps))
                                   : "unknown";
  return fmt::format("       {:<12} expected {}, measured {}\n", "", expected,
                     format_rate(prediction.measured_bps));
}

void Campaign::show(const lab::Scenario& scenario, const lab::RunResult& result,
                    const Captures& captures, std::optional<double> twin_bps,
                    lab::Variant variant) {
  std::string text = fmt::format("{:>4} {}{}  seed={}", done_ + 1, scenario.name,
                                 variant == lab::Variant::healthy ? " (twin)" : "", result.seed);
  for (const auto& [name, value] : parameters_of(scenario)) {
    text += fmt::format(" {}={}", name, value);
  }
  text += fmt::format("  {}{}", format_rate(result.main_goodput_bps()),
                      twin_bps ? fmt::format(" (twin {})", format_rate(*twin_bps)) : "");
  if (!result.bytes_right()) text += ", bytes WRONG";
  text += "\n";
  for (const report::GradedCapture& capture : captures) {
    for (const std::string& why : capture.void_because) {
      text += fmt::format("       VOID: {}\n", why);
    }
    if (capture.is_void()) continue;
    if (!capture.lessened.empty() && capture.false_alarms.empty()) continue;
    text += fmt::format("       {:<12} {} {:.2f}  {}\n", label_of(capture), capture.verdict,
                        capture.confidence, mark_of(capture));
    if (capture.prediction) text += line_of(*capture.prediction);
  }
  status_.clear();
  write_answer(text);
}

/// Half of all frames later than this make another network of the one that was asked for. A host
/// with time to spare is late by some microseconds.
constexpr Duration kMostLate = std::chrono::milliseconds(10);

/// Why a run proves nothing; empty where it does.
std::vector<std::string> void_reasons(const lab::RunResult& result) {
  std::vector<std::string> reasons = result.void_because;
  if (result.lateness.median > kMostLate) {
    reasons.push_back(fmt::format(
        "this host had no time for it: half of all frames left the switch more than {} late",
        format_duration(to_seconds(result.lateness.median))));
  }
  return reasons;
}

report::GradedCapture capture_of(const lab::Scenario& scenario, lab::Variant variant,
                                 const lab::RunResult& result, std::optional<double> twin_bps,
                                 const std::string& path_rate) {
  const bool broken = variant == lab::Variant::broken;
  return {.scenario = scenario.name,
          .family = scenario.family,
          .variant = std::string{lab::to_string(variant)},
          .parameters = parameters_of(scenario),
          .path_rate = path_rate,
          .seed = result.seed,
          .truth = broken ? scenario.faults : std::vector<std::string>{},
          .goodput_bps = result.main_goodput_bps(),
          .twin_goodput_bps = twin_bps,
          .bytes_right = result.bytes_right(),
          .kernel = kernel_account(result),
          .void_because = void_reasons(result)};
}

/// One capture, and the same as others would have taken it.
Result<Captures> Campaign::judge_point(const Made& made, const report::GradedCapture& blank,
                                       const lab::CaptureFile& file) {
  const lab::Scenario& scenario = made.scenario.scenario;
  show_progress(fmt::format("{}, diagnosing {}", scenario.name, file.point));
  const std::string path = path_of(file, made.directory);
  const Result<CaptureVerdict> verdict = judge_capture(path, made.result);
  if (!verdict) return std::unexpected(verdict.error());
  report::GradedCapture ungraded = blank;
  ungraded.point = file.point;
  report::GradedCapture capture = ungraded;
  capture.ours = verdict->account;
  const Standard standard =
      standard_for(scenario, made.variant, file.point, made.result, made.twin_bps);
  grade(verdict->diagnosis, standard, capture);
  if (made.variant == lab::Variant::broken) {
    capture.causes = causes_named(verdict->diagnosis, scenario, file.point);
  }
  if (made.fixed) {
    capture.prediction = prediction_of(verdict->diagnosis, scenario, file.point, *made.fixed);
  }
  Captures captures{std::move(capture)};
  if (!made.lessened) return captures;
  Result<Captures> less = judge_lessened(path, made.result, standard, ungraded);
  if (!less) return less;
  captures.insert(captures.end(), less->begin(), less->end());
  return captures;
}

Result<void> Campaign::judge(const Made& made) {
  const lab::Scenario& scenario = made.scenario.scenario;
  const report::GradedCapture blank = capture_of(scenario, made.variant, made.result, made.twin_bps,
                                                 made.scenario.source.path_rate);
  Captures captures;
  if (blank.is_void()) {
    captures.push_back(blank);
  } else {
    for (const lab::CaptureFile& file : made.result.captures) {
      Result<Captures> judged = judge_point(made, blank, file);
      if (!judged) return std::unexpected(judged.error());
      captures.insert(captures.end(), judged->begin(), judged->end());
    }
  }
  // What was looked at while a signal came is the beginning of a capture, not a verdict.
  if (stop_requested()) return {};
  show(scenario, made.result, captures, made.twin_bps, made.variant);
  for (report::GradedCapture& capture : captures) graded_(std::move(capture));
  return {};
}

Result<std::optional<TransferRate>> Campaign::rate_when_fixed(const ReadScenario& scenario,
                                                              const PlannedRun& planned) {
  const std::string what = fmt::format("{} (fixed)", scenario.scenario.name);
  Result<std::string> directory;
  if (workspace_.is_kept()) directory = workspace_.folder(folder_name(planned, "fixed"));
  if (!directory) return std::unexpected(directory.error());
  return rate_after_fix(scenario, planned.fixed_runs,
                        {.privileges = &privileges_,
                         .seed = planned.draw.seed,
                         .directory = std::move(*directory),
                         .progress = [&](double) { show_progress(what); }});
}

Result<void> Campaign::run_one(const PlannedRun& planned) {
  Result<ScenarioSource> source = find_scenario(planned.scenario);
  if (!source) return std::unexpected(source.error());
  source->path_rate = planned.path_rate;
  const Result<ReadScenario> scenario = read(*source, {}, planned.draw);
  if (!scenario) return std::unexpected(scenario.error());
  std::vector<lab::Variant> variants{lab::Variant::broken};
  if (planned.with_twin && !scenario->scenario.faults.empty()) {
    variants.insert(variants.begin(), lab::Variant::healthy);
  }
  std::optional<double> twin_bps;
  for (const lab::Variant variant : variants) {
    const Result<std::string> directory =
        workspace_.folder(folder_name(planned, lab::to_string(variant)));
    if (!directory) return std::unexpected(directory.error());
    const Result<lab::RunResult> result =
        conduct_here(*scenario, variant, planned.draw.seed, *directory);
    if (!result) return std::unexpected(result.error());
    if (result->stopped) return {};
    std::optional<TransferRate> fixed;
    if (variant == lab::Variant::broken && planned.fixed_runs > 0) {
      auto rate = rate_when_fixed(*scenario, planned);
      if (!rate) return std::unexpected(rate.error());
      fixed = std::move(*rate);
    }
    const Result<void> judged = judge({.scenario = *scenario,
                                       .variant = variant,
                                       .result = *result,
                                       .twin_bps = twin_bps,
                                       .fixed = fixed,
                                       .directory = *directory,
                                       .lessened = planned.lessened});
    if (!judged) return judged;
    workspace_.discard(*directory);
    if (variant == lab::Variant::healthy && void_reasons(*result).empty()) {
      twin_bps = result->main_goodput_bps();
    }
  }
  return {};
}

Result<std::size_t> Campaign::run(std::optional<double> limit_s) {
  std::size_t failures = 0;
  for (const PlannedRun& planned : plan_) {
    if (stop_requested()) break;
    if (limit_s && !planned.whatever_time && seconds_since(start_) >= *limit_s) {
      status_.clear();
      complain(fmt::format("the time is over: {} of {} runs were not begun", plan_.size() - done_,
                           plan_.size()));
      break;
    }
    if (Result<void> ran = run_one(planned); !ran) {
      ran.error().attempt = fmt::format("{}: {}", planned.scenario, ran.error().attempt);
      if (done_ == 0 && ran.error().kind == ErrorKind::environment) {
        return std::unexpected(ran.error());
      }
      ++failures;
      status_.clear();
      complain(ran.error());
      report::GradedCapture nothing;
      nothing.scenario = planned.scenario;
      nothing.seed = planned.draw.seed;
      nothing.void_because = {ran.error().message()};
      graded_(std::move(nothing));
    }
    ++done_;
  }
  return failures;
}

}  // namespace

Result<std::size_t> run_campaign(const std::vector<PlannedRun>& plan,
                                 const lab::Privileges& privileges, std::optional<double> limit_s,
                                 const std::string& keep, const Graded& graded) {
  const Result<Workspace> workspace = Workspace::make(keep);
  if (!workspace) return std::unexpected(workspace.error());
  return Campaign(plan, privileges, *workspace, graded).run(limit_s);
}

}  // namespace slowpath::cli

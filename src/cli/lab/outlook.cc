// SPDX-License-Identifier: Apache-2.0
#include "cli/lab/outlook.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "facts/catalogue.h"

namespace slowpath::cli {
namespace {

// Less is an exchange of a few packets, which has no rate.
constexpr std::uint64_t kFewestBytes = 64 * 1024;

bool names(const Finding& finding, const std::string& truth) {
  return finding.severity != Severity::note &&
         (finding.fault == truth || is_specialisation_of(truth, finding.fault));
}

const lab::Fix* right_fix(const lab::Scenario& scenario) {
  const auto found = std::ranges::find(scenario.fixes, false, &lab::Fix::is_wrong);
  return found == scenario.fixes.end() ? nullptr : &*found;
}

/// What is to be expected once all that was made is repaired.
std::optional<std::pair<std::string, AfterFix>> expected_of(const Diagnosis& diagnosis,
                                                            const lab::Scenario& scenario) {
  if (scenario.faults.size() == 1) {
    for (const Finding& finding : diagnosis.findings) {
      if (names(finding, scenario.faults.front())) {
        return std::pair{std::string{finding.fault}, finding.after_fix};
      }
    }
    return std::nullopt;
  }
  std::string all;
  for (const std::string& truth : scenario.faults) {
    const bool is_step = std::ranges::any_of(diagnosis.steps, [&](const FixStep& step) {
      return names(diagnosis.findings[step.finding], truth);
    });
    if (!is_step) return std::nullopt;
    all += (all.empty() ? "" : " + ") + truth;
  }
  return std::pair{all, diagnosis.steps.back().after};
}

}  // namespace

std::optional<double> rate_of(const lab::RunResult& result) {
  if (result.transfers.empty() || result.transfers.front().streams.empty()) return std::nullopt;
  const lab::TransferResult& transfer = result.transfers.front();
  const lab::StreamResult& stream = transfer.streams.front();
  const double seconds = stream.seconds - transfer.connect_seconds;
  if (stream.bytes_received < kFewestBytes || seconds <= 0) return std::nullopt;
  return static_cast<double>(stream.bytes_received) * 8 / seconds;
}

Result<std::optional<double>> rate_after_fix(const ReadScenario& scenario, std::uint64_t tries,
                                             const Conditions& conditions) {
  std::vector<double> rates;
  const lab::Fix* fix = right_fix(scenario.scenario);
  if (fix == nullptr) return std::nullopt;
  for (std::uint64_t i = 0; i < tries; ++i) {
    Conditions here = conditions;
    here.directory.clear();
    here.seed += i;
    const Result<lab::RunResult> fixed = conduct(scenario, lab::Variant::fixed, fix, here);
    if (!fixed) return std::unexpected(fixed.error());
    if (fixed->stopped) break;
    if (!fixed->void_because.empty()) continue;
    if (const std::optional<double> rate = rate_of(*fixed)) rates.push_back(*rate);
  }
  if (rates.empty()) return std::nullopt;
  std::ranges::sort(rates);
  return rates[(rates.size() - 1) / 2];
}

std::optional<report::Prediction> prediction_of(const Diagnosis& diagnosis,
                                                const lab::Scenario& scenario,
                                                double measured_bps) {
  const auto expected = expected_of(diagnosis, scenario);
  if (!expected) return std::nullopt;
  const auto& [faults, after] = *expected;
  return report::Prediction{.faults = faults,
                            .bound = bound_of(after),
                            .predicted_bps = after.goodput_bps,
                            .measured_bps = measured_bps,
                            .basis = after.basis};
}

}  // namespace slowpath::cli

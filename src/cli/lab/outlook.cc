// SPDX-License-Identifier: Apache-2.0
#include "cli/lab/outlook.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cli/lab/verdict.h"
#include "detect/prediction.h"

namespace slowpath::cli {
namespace {

// Less is an exchange of a few packets, which has no rate.
constexpr std::uint64_t kFewestBytes = 64 * 1024;

const lab::Fix* right_fix(const lab::Scenario& scenario) {
  const auto found = std::ranges::find(scenario.fixes, false, &lab::Fix::is_wrong);
  return found == scenario.fixes.end() ? nullptr : &*found;
}

/// What a fault may be called at a capture point: itself, and what it looks like there.
std::vector<std::string> names_of(const lab::Scenario& scenario, const std::string& fault,
                                  const std::string& point) {
  std::vector<std::string> all{fault};
  for (const lab::Unseen& unseen : scenario.unseen) {
    if (unseen.point != point || unseen.fault != fault) continue;
    all.insert(all.end(), unseen.shows_as.begin(), unseen.shows_as.end());
  }
  return all;
}

/// The finding that says most exactly what was made: its own name before a general one.
const Finding* finding_of(const Diagnosis& diagnosis, const std::string& truth) {
  const Finding* found = nullptr;
  for (const Finding& finding : diagnosis.findings) {
    if (!names(finding, truth)) continue;
    if (finding.fault == truth) return &finding;
    if (found == nullptr) found = &finding;
  }
  return found;
}

/// What the scenario accepts at this point for the truth: damage behind a capture point is loss.
const Finding* accepted_verdict(const Diagnosis& diagnosis, const lab::Scenario& scenario,
                                const std::string& point) {
  const auto expected = std::ranges::find(scenario.expected, point, &lab::Expectation::point);
  if (expected == scenario.expected.end() || diagnosis.findings.empty()) return nullptr;
  const Finding& verdict = diagnosis.findings.front();
  const bool accepted =
      verdict.fault == diagnosis.verdict &&
      std::ranges::find(expected->accepted, verdict.fault) != expected->accepted.end();
  return accepted ? &verdict : nullptr;
}

bool is_step(const Diagnosis& diagnosis, const std::vector<std::string>& called) {
  return std::ranges::any_of(diagnosis.steps, [&](const FixStep& step) {
    const Finding& finding = diagnosis.findings[step.finding];
    return std::ranges::any_of(called, [&](const auto& name) { return names(finding, name); });
  });
}

struct Expected {
  std::string faults;
  AfterFix after;
  std::optional<Direction> direction{};  // nothing: what the scenario is about
};

/// A handshake's, or a reset's, is of both directions.
std::optional<Direction> direction_of(const Finding& finding) {
  const bool both = detect::repair_of(finding.fault) == detect::Repair::setup;
  return both ? std::nullopt : finding.direction;
}

/// Hosts are named as usual, or only the main stream is known.
double rate_towards(const TransferRate& rate, std::optional<Direction> direction) {
  if (!direction) return rate.main_bps;
  const auto found = rate.sent_bps.find(*direction == Direction::to_client ? "server" : "client");
  return found == rate.sent_bps.end() ? rate.main_bps : found->second;
}

/// What is to be expected once all that was made is repaired. A fix that heals takes away whatever
/// was found beside the fault as well: the last of the steps.
std::optional<Expected> expected_of(const Diagnosis& diagnosis, const lab::Scenario& scenario,
                                    const std::string& point, bool heals) {
  if (scenario.faults.size() == 1) {
    const Finding* finding = finding_of(diagnosis, scenario.faults.front());
    if (finding == nullptr) finding = accepted_verdict(diagnosis, scenario, point);
    if (finding == nullptr) return std::nullopt;
    const bool last = heals && is_step(diagnosis, {std::string{finding->fault}});
    return Expected{std::string{finding->fault},
                    last ? diagnosis.steps.back().after : finding->after_fix,
                    direction_of(*finding)};
  }
  std::string all;
  for (const std::string& truth : scenario.faults) {
    if (!is_step(diagnosis, names_of(scenario, truth, point))) return std::nullopt;
    all += (all.empty() ? "" : " + ") + truth;
  }
  return Expected{all, diagnosis.steps.back().after,
                  direction_of(diagnosis.findings[diagnosis.steps.front().finding])};
}

}  // namespace

std::optional<TransferRate> rate_of(const lab::RunResult& result) {
  if (result.transfers.empty() || result.transfers.front().streams.empty()) return std::nullopt;
  const lab::TransferResult& transfer = result.transfers.front();
  TransferRate rate;
  for (const lab::StreamResult& stream : transfer.streams) {
    const double seconds = stream.seconds - transfer.connect_seconds;
    if (seconds > 0) {
      rate.sent_bps[stream.from] = static_cast<double>(stream.bytes_received) * 8 / seconds;
    }
  }
  const lab::StreamResult& main = transfer.streams.front();
  rate.main_bps = rate.sent_bps[main.from];
  if (main.bytes_received < kFewestBytes || rate.main_bps <= 0) return std::nullopt;
  return rate;
}

Result<std::optional<TransferRate>> rate_after_fix(const ReadScenario& scenario,
                                                   std::uint64_t tries,
                                                   const Conditions& conditions) {
  std::vector<TransferRate> rates;
  const lab::Fix* fix = right_fix(scenario.scenario);
  if (fix == nullptr) return std::nullopt;
  for (std::uint64_t i = 0; i < tries; ++i) {
    Conditions here = conditions;
    if (i > 0) here.directory.clear();
    here.seed += i;
    const Result<lab::RunResult> fixed = conduct(scenario, lab::Variant::fixed, fix, here);
    if (!fixed) return std::unexpected(fixed.error());
    if (fixed->stopped) break;
    if (!fixed->void_because.empty()) continue;
    if (std::optional<TransferRate> rate = rate_of(*fixed)) rates.push_back(std::move(*rate));
  }
  if (rates.empty()) return std::nullopt;
  std::ranges::sort(rates, {}, &TransferRate::main_bps);
  return rates[(rates.size() - 1) / 2];
}

std::optional<report::Prediction> prediction_of(const Diagnosis& diagnosis,
                                                const lab::Scenario& scenario,
                                                const std::string& point,
                                                const TransferRate& measured) {
  const lab::Fix* fix = right_fix(scenario);
  const auto expected = expected_of(diagnosis, scenario, point, fix != nullptr && fix->heal);
  if (!expected) return std::nullopt;
  const AfterFix& after = expected->after;
  return report::Prediction{.faults = expected->faults,
                            .bound = bound_of(after),
                            .predicted_bps = after.goodput_bps,
                            .measured_bps = rate_towards(measured, expected->direction),
                            .basis = after.basis};
}

}  // namespace slowpath::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/lab/verdict.h"

#include <algorithm>

#include "cli/pipeline.h"
#include "detect/synthesis.h"
#include "facts/case.h"
#include "facts/catalogue.h"

namespace slowpath::cli {
namespace {

using Words = std::vector<std::string>;

bool holds(const Words& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

/// A more general name for what may be named is right as well.
bool generalises(const Words& words, std::string_view fault) {
  return std::ranges::any_of(
      words, [&](const std::string& special) { return is_specialisation_of(special, fault); });
}

bool may_be_named(const Standard& standard, std::string_view fault) {
  if (holds(standard.never, fault)) return false;
  return std::ranges::any_of(
      std::initializer_list<const Words*>{&standard.truth, &standard.accepted, &standard.allowed},
      [&](const Words* words) { return holds(*words, fault) || generalises(*words, fault); });
}

/// Of the direction that carried most.
TimeAccount greatest_account(const Case& facts) {
  const DirectionFacts* greatest = nullptr;
  for (const ConnectionFacts& connection : facts.connections) {
    for (const DirectionFacts& direction : connection.directions) {
      if (greatest == nullptr || direction.bytes > greatest->bytes) greatest = &direction;
    }
  }
  return greatest == nullptr ? TimeAccount{} : greatest->time;
}

}  // namespace

Result<CaptureVerdict> judge_capture(const std::string& file) {
  PipelineOptions options;
  options.inputs = {{.file = file, .place = {}}};
  options.show_progress = false;
  const Result<Looked> looked = look(options);
  if (!looked) return std::unexpected(looked.error());
  return CaptureVerdict{.diagnosis = detect::diagnose(looked->facts),
                        .account = greatest_account(looked->facts)};
}

Standard standard_for(const lab::Scenario& scenario, lab::Variant variant, const std::string& point,
                      const lab::RunResult& result, std::optional<double> twin_bps) {
  // A repaired world has no fault, and neither has the twin.
  if (variant != lab::Variant::broken) {
    return {.truth = {}, .accepted = {"healthy"}, .allowed = {}, .never = {}};
  }
  Standard standard{.truth = scenario.faults,
                    .accepted = scenario.faults,
                    .allowed = scenario.allowed,
                    .never = scenario.never};
  const auto expected = std::ranges::find(scenario.expected, point, &lab::Expectation::point);
  if (expected != scenario.expected.end()) standard.accepted = expected->accepted;
  if (scenario.faults.empty() && standard.accepted.empty()) standard.accepted = {"healthy"};
  const bool was_cheap = twin_bps && *twin_bps > 0 && result.bytes_right() &&
                         result.main_goodput_bps() > (1 - kCheapShare) * *twin_bps;
  if (was_cheap && !holds(standard.accepted, "healthy")) standard.accepted.emplace_back("healthy");
  return standard;
}

void grade(const Diagnosis& diagnosis, const Standard& standard, report::GradedCapture& capture) {
  capture.truth = standard.truth;
  capture.accepted = standard.accepted;
  capture.verdict = diagnosis.verdict;
  capture.confidence = diagnosis.confidence;
  capture.is_accepted = holds(standard.accepted, diagnosis.verdict);
  for (const Finding& finding : diagnosis.findings) {
    const bool is_right = may_be_named(standard, finding.fault);
    const bool is_alarm =
        finding.severity == Severity::fault
            ? !is_right
            : finding.severity == Severity::suspect && holds(standard.never, finding.fault);
    capture.findings.push_back({.fault = std::string{finding.fault},
                                .severity = finding.severity,
                                .confidence = finding.confidence,
                                .is_right = is_right});
    if (is_alarm && !holds(capture.false_alarms, finding.fault)) {
      capture.false_alarms.emplace_back(finding.fault);
    }
  }
}

}  // namespace slowpath::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/lab/verdict.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "cli/lab/lessened.h"
#include "cli/pipeline.h"
#include "cli/signals.h"
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

/// Whether it has the port that the client's socket says; behind a NAT it may not.
bool is_of(const ConnectionFacts& connection, const lab::TransferResult& transfer) {
  const std::string port = fmt::format(":{}", connection.client.port);
  return transfer.client.ends_with(port);
}

/// Of the first transfer's first stream, which the kernel is asked about: towards the client where
/// both ends send, else of the direction that carried most.
TimeAccount main_account(const Case& facts, const lab::RunResult& result) {
  const DirectionFacts* greatest = nullptr;
  const auto take = [&](const DirectionFacts& direction) {
    if (greatest == nullptr || direction.bytes > greatest->bytes) greatest = &direction;
  };
  for (const ConnectionFacts& connection : facts.connections) {
    const bool is_main = !result.transfers.empty() && is_of(connection, result.transfers.front());
    if (is_main) greatest = nullptr;
    take(connection[Direction::to_client]);
    const bool both_send = is_main && result.transfers.front().streams.size() > 1;
    if (!both_send) take(connection[Direction::to_server]);
    if (is_main) break;
  }
  return greatest == nullptr ? TimeAccount{} : greatest->time;
}

}  // namespace

Result<CaptureVerdict> judge_capture(const std::string& file, const lab::RunResult& result) {
  PipelineOptions options;
  options.inputs = {{.file = file, .place = {}}};
  options.show_progress = false;
  const Result<Looked> looked = look(options);
  if (!looked) return std::unexpected(looked.error());
  return CaptureVerdict{.diagnosis = detect::diagnose(looked->facts),
                        .account = main_account(looked->facts, result)};
}

Result<std::vector<report::GradedCapture>> judge_lessened(const std::string& file,
                                                          const lab::RunResult& result,
                                                          Standard standard,
                                                          const report::GradedCapture& ungraded) {
  // What is not in a capture cannot be named.
  for (const char* verdict : {"unclear", "healthy"}) standard.accepted.emplace_back(verdict);
  const std::string path = file + ".lessened";
  std::vector<report::GradedCapture> captures;
  for (const Lessening& how : lessenings()) {
    if (stop_requested()) break;
    const Result<void> written = write_lessened(file, path, how, result.seed);
    if (!written) return std::unexpected(written.error());
    const Result<CaptureVerdict> verdict = judge_capture(path, result);
    if (!verdict) return std::unexpected(verdict.error());
    report::GradedCapture& capture = captures.emplace_back(ungraded);
    capture.lessened = how.name;
    grade(verdict->diagnosis, standard, capture);
  }
  std::error_code error;
  std::filesystem::remove(path, error);
  return captures;
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

bool names(const Finding& finding, std::string_view fault) {
  return finding.severity != Severity::note &&
         (finding.fault == fault || is_specialisation_of(fault, finding.fault));
}

std::optional<report::Causes> causes_named(const Diagnosis& diagnosis,
                                           const lab::Scenario& scenario,
                                           const std::string& point) {
  if (scenario.faults.size() < 2) return std::nullopt;
  const auto is_named = [&](std::string_view fault) {
    return std::ranges::any_of(diagnosis.findings,
                               [&](const Finding& finding) { return names(finding, fault); });
  };
  report::Causes causes;
  for (const std::string& fault : scenario.faults) {
    const auto unseen = std::ranges::find_if(scenario.unseen, [&](const lab::Unseen& each) {
      return each.point == point && each.fault == fault;
    });
    const bool hidden = unseen != scenario.unseen.end();
    if (is_named(fault) || (hidden && std::ranges::any_of(unseen->shows_as, is_named))) {
      causes.named.push_back(fault);
    } else if (hidden && unseen->shows_as.empty()) {
      causes.unseen.push_back(fault);
    } else {
      causes.missed.push_back(fault);
    }
  }
  return causes;
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

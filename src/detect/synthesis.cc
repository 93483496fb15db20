// SPDX-License-Identifier: Apache-2.0
// From findings to one answer: see synthesis.h; the steps are in synthesis_steps.h.
#include "detect/synthesis.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "detect/policy.h"
#include "detect/synthesis_steps.h"
#include "detect/testimony/testimony.h"
#include "detect/views.h"
#include "facts/catalogue.h"

namespace slowpath::detect {
namespace {

constexpr double kHealthyConfidence = 0.95;
constexpr double kDoubtConfidence = 0.6;

void cap_severity(std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    const Fault* fault = find_fault(finding.fault);
    if (fault == nullptr) continue;
    finding.severity = std::min(finding.severity, fault->max_severity);
  }
}

const Finding* worst_fault_of(const Case& facts, const std::vector<Finding>& findings,
                              const FindingIndex& index, std::uint32_t id) {
  const Finding* worst = nullptr;
  for (const std::size_t position : index.of(id)) {
    const Finding& finding = findings[position];
    if (finding.severity != Severity::fault) continue;
    if (worst == nullptr || weight_s(facts, finding) > weight_s(facts, *worst)) worst = &finding;
  }
  return worst;
}

std::vector<std::string> verdicts_of_connections(const Case& facts,
                                                 const std::vector<Finding>& findings) {
  const FindingIndex index(findings);
  std::vector<std::string> verdicts;
  verdicts.reserve(facts.connections.size());
  for (const ConnectionFacts& connection : facts.connections) {
    if (const Finding* worst = worst_fault_of(facts, findings, index, connection.id)) {
      verdicts.emplace_back(worst->fault);
    } else {
      const bool doubtful = doubt_about(facts, connection, findings, index).has_value();
      verdicts.emplace_back(doubtful ? "unclear" : "healthy");
    }
  }
  return verdicts;
}

// A witness that lost packets can only say that it saw nothing wrong.
double confidence_in_health(const Case& facts) {
  double confidence = kHealthyConfidence;
  for (const CaptureFacts& capture : facts.captures) {
    if (capture.reported_drops > 0 || capture.damage_count > 0)
      confidence = std::min(confidence, 0.8);
    if (capture.vantage == Vantage::unknown) confidence = std::min(confidence, 0.9);
  }
  return confidence;
}

void remove_duplicates(std::vector<std::string>& commands) {
  std::vector<std::string> kept;
  for (std::string& command : commands) {
    if (std::ranges::find(kept, command) == kept.end()) kept.push_back(std::move(command));
  }
  commands = std::move(kept);
}

bool has_fault(const std::vector<Finding>& findings) {
  return std::ranges::find(findings, Severity::fault, &Finding::severity) != findings.end();
}

/// `doubt` is about the whole, where no fault was found.
void conclude(const Case& facts, std::optional<Doubt> doubt, Diagnosis& diagnosis) {
  const auto faults = static_cast<std::size_t>(
      std::ranges::count(diagnosis.findings, Severity::fault, &Finding::severity));
  if (faults > 0) {
    const Finding& worst = diagnosis.findings.front();
    diagnosis.verdict = worst.fault;
    diagnosis.confidence = worst.confidence;
    diagnosis.summary = summary_of_fault(facts, worst, faults - 1);
    return;
  }
  if (doubt) {
    diagnosis.verdict = "unclear";
    diagnosis.confidence = kDoubtConfidence;
    diagnosis.summary = summary_of_doubt(facts, *doubt);
    remove_duplicates(doubt->look_next);
    diagnosis.look_next = std::move(doubt->look_next);
    return;
  }
  diagnosis.verdict = "healthy";
  diagnosis.confidence = confidence_in_health(facts);
  diagnosis.summary = summary_of_health(facts, static_cast<std::size_t>(std::ranges::count(
                                                   diagnosis.connection_verdicts, "unclear")));
}

void inspect_all(const Case& facts, Findings& findings) {
  for (const Detector* detector : all_detectors()) detector->inspect(facts, findings);
}

}  // namespace

Diagnosis synthesise(const Case& facts, std::vector<Finding> findings) {
  cap_severity(findings);
  distrust_capture(facts, findings);
  calibrate_suspects(findings);
  hear_hosts(facts, findings);
  unite_views(facts, findings);
  refute_losses(facts, findings);
  fold(findings);
  divide_overlaps(facts, findings);
  rule_out(facts, findings);
  Diagnosis diagnosis;
  diagnosis.connection_verdicts = verdicts_of_connections(facts, findings);
  share_verdicts(facts, diagnosis.connection_verdicts);
  demote_trivial(facts, findings);
  name_hidden_limits(facts, diagnosis.connection_verdicts, findings);
  predict_each(facts, findings);
  rank(facts, findings);
  locate_losses(facts, findings);
  // Doubts are about single connections; what follows is about hosts.
  std::optional<Doubt> doubt;
  if (!has_fault(findings)) doubt = doubt_about_all(facts, findings);
  if (merge_many(facts, findings)) rank(facts, findings);
  calibrate(findings);
  diagnosis.steps = order_steps(facts, findings);
  diagnosis.findings = std::move(findings);
  conclude(facts, std::move(doubt), diagnosis);
  bound_lists(diagnosis.findings);
  return diagnosis;
}

Diagnosis diagnose(const Case& facts, std::vector<Silence>* silences) {
  Findings findings;
  findings.silences = silences;
  if (facts.comparisons.points.empty()) {
    inspect_all(facts, findings);
  } else {
    for (const Case& point : split_by_point(facts)) {
      findings.policing = nullptr;  // It follows from the case.
      inspect_all(point, findings);
    }
    findings.policing = nullptr;
  }
  return synthesise(facts, std::move(findings.list));
}

}  // namespace slowpath::detect

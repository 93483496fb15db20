// SPDX-License-Identifier: Apache-2.0
// One function for each object of the contract (docs/slowpath.inspection.v1.schema.json).
#include <cmath>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/json_text.h"
#include "base/version.h"
#include "facts/catalogue.h"
#include "report/inspection.h"
#include "report/inspection_parts.h"
#include "report/machine_json.h"
#include "report/words.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchemaName = "slowpath.inspection.v1";

Json evidence_to_json(const HostEvidence& evidence) {
  Json values = Json::object();
  for (const auto& [name, value] : evidence.values)
    values[name] = std::isfinite(value) ? Json(value) : Json(nullptr);
  return {{"kind", to_word(evidence.kind)},
          {"text", evidence.text},
          {"origin", evidence.origin},
          {"values", std::move(values)}};
}

Json step_to_json(const HostStep& step) {
  return {{"platform", to_string(step.platform)},
          {"where", step.where.empty() ? "host" : step.where},
          {"do", step.action},
          {"undo", step.undo},
          {"source", step.source},
          {"check_first", step.check_first}};
}

Json finding_to_json(const HostFinding& finding) {
  const Fault* fault = find_fault(finding.fault);
  Json evidence = Json::array(), remedies = Json::array();
  for (const HostEvidence& item : finding.evidence) evidence.push_back(evidence_to_json(item));
  for (const HostStep& step : finding.steps) remedies.push_back(step_to_json(step));
  return {{"rule", finding.rule},
          {"fault", finding.fault},
          {"family", fault == nullptr ? "" : to_string(fault->family)},
          {"severity", to_string(finding.severity)},
          {"interface", finding.interface},
          {"claim", finding.claim},
          {"value", finding.value},
          {"expected", finding.expected},
          {"why", finding.why},
          {"cost", finding.cost},
          {"evidence", std::move(evidence)},
          {"remedies", std::move(remedies)}};
}

Json host_to_json(const Inspected& inspected) {
  const MachineFacts& facts = inspected.facts;
  return {{"name", facts.name},
          {"platform", facts.platform ? Json(to_string(*facts.platform)) : Json(nullptr)},
          {"os", facts.os},
          {"os_release", facts.os_release},
          {"kernel", facts.kernel},
          {"virtualization", facts.virtualization},
          {"live", facts.live},
          {"source", inspected.source},
          {"interval_s", facts.interval_s ? Json(*facts.interval_s) : Json(nullptr)}};
}

Json looked_at_to_json(const MachineFacts& facts) {
  return {{"interfaces", facts.interfaces.size()}, {"settings", facts.settings.size()},
          {"counters", facts.counters.size()},     {"routes", facts.routes.size()},
          {"sockets", facts.sockets.size()},       {"cpus", facts.cpus.size()},
          {"packages", facts.packages.size()},     {"measured", facts.measured.size()}};
}

}  // namespace

std::string inspection_to_json(const Inspected& inspected, bool facts) {
  Json findings = Json::array(), rules = Json::array(), unread = Json::array(),
       unknown = Json::array();
  for (const HostFinding& finding : inspected.inspection.findings)
    findings.push_back(finding_to_json(finding));
  for (const HostRuleState& rule : inspected.inspection.rules) {
    rules.push_back({{"rule", rule.rule},
                     {"fault", rule.fault},
                     {"judged", rule.judged},
                     {"needs", rule.needs}});
  }
  for (const Unread& item : inspected.facts.unread)
    unread.push_back({{"what", item.what}, {"why", item.why}, {"allow", item.allow}});
  for (const NotUnderstood& item : inspected.facts.not_understood)
    unknown.push_back({{"file", item.file}, {"line", item.line}, {"text", item.text}});
  Json document{{"schema", kSchemaName},
                {"version", kVersion},
                {"verdict", inspected.inspection.verdict},
                {"summary", inspected.inspection.summary},
                {"interrupted", inspected.interrupted},
                {"host", host_to_json(inspected)},
                {"looked_at", looked_at_to_json(inspected.facts)},
                {"findings", std::move(findings)},
                {"rules", std::move(rules)},
                {"unread", std::move(unread)},
                {"not_understood", std::move(unknown)},
                {"statistics", {{"elapsed_s", inspected.elapsed_s}}}};
  if (inspected.changes)
    document["changes"] = changes_to_json(*inspected.changes, inspected.against);
  if (facts) document["facts"] = machine_to_json(inspected.facts);
  return json_document(document);
}

std::string inspection_error_to_json(std::string_view sentence) {
  return json_document({{"schema", kSchemaName},
                        {"version", kVersion},
                        {"verdict", "unclear"},
                        {"summary", "No answer: the host could not be read."},
                        {"error", sentence},
                        {"findings", Json::array()}});
}

}  // namespace slowpath::report

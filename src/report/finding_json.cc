// SPDX-License-Identifier: Apache-2.0
// A finding: see finding_json.h.
#include "report/finding_json.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "detect/remedies.h"
#include "facts/catalogue.h"
#include "report/json_value.h"
#include "report/words.h"

namespace slowpath::report {

using Json = nlohmann::ordered_json;

namespace {

Json to_json(const Evidence& evidence, const Case& facts) {
  Json values = Json::object();
  for (const auto& [name, value] : evidence.values) {
    if (std::isfinite(value)) values[name] = value;
  }
  std::string file;
  if (!evidence.frames.empty() && evidence.frames.front().input() < facts.captures.size()) {
    file = facts.captures[evidence.frames.front().input()].file;
  }
  Json json = {{"kind", to_word(evidence.kind)},
               {"text", evidence.text},
               {"file", file},
               {"frames", frame_numbers(evidence.frames)},
               {"values", std::move(values)}};
  if (!evidence.pattern.empty()) json["pattern"] = evidence.pattern;
  return json;
}

Json to_json(const RemedyStep& step, const Case& facts, const Finding& finding) {
  std::string where{to_string(step.where)};
  const std::string address = address_of(step.where, facts, finding);
  if (!address.empty()) where += " (" + address + ")";
  return {{"platform", to_string(step.platform)},
          {"where", where},
          {"do", command_of(step.action, step.where, facts, finding)},
          {"undo", command_of(step.undo, step.where, facts, finding)},
          {"source", step.source},
          {"check_first", step.check_first}};
}

Json to_json(const Spread& spread) {
  return {{"senders", spread.senders},
          {"receivers", spread.receivers},
          {"connections_between", spread.between},
          {"worst_connection", spread.worst},
          {"worst_seconds_lost", finite(spread.worst_s)}};
}

}  // namespace

Json after_fix_to_json(const AfterFix& after) {
  const bool told = after.goodput_bps && std::isfinite(*after.goodput_bps);
  return {{"goodput_bps", told ? Json(*after.goodput_bps) : Json(nullptr)},
          {"bound", to_string(told ? after.bound : Bound::unknown)},
          {"basis", after.basis}};
}

Json finding_to_json(const Finding& finding, const Case& facts) {
  const Fault* fault = find_fault(finding.fault);
  const Fault* remedied = detect::remedied_fault(finding);
  Json evidence = Json::array();
  for (const Evidence& item : finding.evidence) evidence.push_back(to_json(item, facts));
  Json ruled_out = Json::array();
  for (const RuledOut& rival : finding.ruled_out) {
    ruled_out.push_back({{"fault", rival.fault}, {"why", rival.why}});
  }
  Json remedies = Json::array();
  for (const RemedyStep* step : detect::steps_against(finding, facts)) {
    remedies.push_back(to_json(*step, facts, finding));
  }
  return {{"fault", finding.fault},
          {"name", fault != nullptr ? fault->name : ""},
          {"family", fault != nullptr ? to_string(fault->family) : "connection"},
          {"severity", to_string(finding.severity)},
          {"confidence", std::clamp(finite(finding.confidence), 0.0, 1.0)},
          {"connections", finding.connections},
          {"connections_total",
           finding.spread ? finding.spread->connections : finding.connections.size()},
          {"spread", finding.spread ? to_json(*finding.spread) : Json(nullptr)},
          {"direction", finding.direction ? Json(to_word(*finding.direction)) : Json(nullptr)},
          {"seconds_lost", std::max(0.0, finite(finding.seconds_lost))},
          {"claim", finding.claim},
          {"evidence", std::move(evidence)},
          {"ruled_out", std::move(ruled_out)},
          {"refuted_by", finding.refuted_by},
          {"remedies_of", remedied != nullptr ? remedied->id : finding.fault},
          {"remedies", std::move(remedies)},
          {"after_fix", after_fix_to_json(finding.after_fix)},
          {"wireshark_filter", finding.wireshark_filter},
          {"next_capture", finding.next_capture}};
}

}  // namespace slowpath::report

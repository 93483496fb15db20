// SPDX-License-Identifier: Apache-2.0
#include "cli/fix/inspected.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "cli/fix/step.h"
#include "fix/plan.h"

namespace slowpath::cli {
namespace {

using Json = nlohmann::ordered_json;

/// The action without the advice behind it.
std::string_view command_of(std::string_view action) {
  return action.substr(0, action.find_first_of(",;"));
}

InspectedFinding::Step step_of(const Json& json) {
  InspectedFinding::Step step;
  step.platform = json.at("platform").get<std::string>();
  step.where = json.value("where", "host");
  step.action = json.at("do").get<std::string>();
  step.undo = json.at("undo").get<std::string>();
  step.source = json.value("source", "");
  step.check_first = json.value("check_first", false);
  step.can_be_applied = step.platform == "linux" && fix::is_known_form(step.action) &&
                        fix::blanks_of(step.action).empty();
  return step;
}

InspectedFinding finding_of(const Json& json) {
  InspectedFinding finding;
  finding.fault = json.at("fault").get<std::string>();
  finding.rule = json.value("rule", "");
  finding.claim = json.value("claim", "");
  for (const Json& step : json.at("remedies")) finding.steps.push_back(step_of(step));
  return finding;
}

}  // namespace

bool is_inspection(const Json& document) {
  return document.is_object() && document.contains("schema") &&
         document["schema"] == "slowpath.inspection.v1";
}

Result<std::vector<InspectedFinding>> findings_of(const Json& document, const std::string& file) {
  std::vector<InspectedFinding> findings;
  try {
    for (const std::string_view severity : {"fault", "suspect"}) {
      for (const Json& finding : document.at("findings")) {
        if (finding.at("severity") == severity) findings.push_back(finding_of(finding));
      }
    }
  } catch (const Json::exception& error) {
    return fail(ErrorKind::input, "cannot read the inspection " + file, error.what(),
                "write it with 'slowpath inspect --json'");
  }
  return findings;
}

std::string text_of(const InspectedFinding& finding) {
  std::string text = fmt::format("{}: {}\n", finding.fault, finding.claim);
  for (const InspectedFinding::Step& step : finding.steps) {
    text += fmt::format(
        "\n  {}{}\n    undo   {}\n    source {}{}\n", step.action,
        step.where == "host" ? "" : fmt::format("   ({})", at_role(step.where)), step.undo,
        step.source, step.check_first ? " (check first: the exact command was not certain)" : "");
    if (step.can_be_applied)
      text += fmt::format("    here   slowpath fix apply \"{}\"\n", command_of(step.action));
  }
  return text;
}

Json json_of(const InspectedFinding& finding) {
  Json steps = Json::array();
  for (const InspectedFinding::Step& step : finding.steps) {
    steps.push_back({{"step", step.can_be_applied ? command_of(step.action) : std::string_view{}},
                     {"fault", finding.fault},
                     {"rule", finding.rule},
                     {"where", step.where},
                     {"platform", step.platform},
                     {"do", step.action},
                     {"undo", step.undo},
                     {"source", step.source},
                     {"check_first", step.check_first},
                     {"can_be_applied", step.can_be_applied},
                     {"missing", Json::array()}});
  }
  return steps;
}

}  // namespace slowpath::cli

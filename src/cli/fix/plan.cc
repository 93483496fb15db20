// SPDX-License-Identifier: Apache-2.0
// `slowpath fix plan`: the steps against a fault, or against what a diagnosis found, in order.
#include "fix/plan.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "base/json_text.h"
#include "base/nearest.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/fix/inspected.h"
#include "cli/fix/step.h"
#include "cli/output.h"
#include "facts/catalogue.h"

namespace slowpath::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::vector<std::string> faults;
  std::string diagnosis;
  std::string platform = "linux";
  fix::Blanks blanks;
  bool json = false;
};

Result<const Fault*> fault_of(const std::string& id) {
  if (const Fault* fault = find_fault(id)) return fault;
  std::vector<std::string_view> ids;
  for (const Fault& fault : all_faults()) ids.push_back(fault.id);
  return fail(ErrorKind::usage, fmt::format("cannot plan against '{}'", id), "no fault has this id",
              did_you_mean(id, ids, "'slowpath explain' lists all"));
}

/// What `diagnose --json` or `inspect --json` wrote. Errors: input.
Result<Json> document_in(const std::string& file) {
  const std::string attempt = "cannot read the findings in " + file;
  std::ifstream stream(file);
  if (!stream) return fail(ErrorKind::input, attempt, "it cannot be opened");
  Json json = parse_ordered_json(stream);
  if (json.is_discarded() || !json.contains("findings") || !json["findings"].is_array()) {
    return fail(ErrorKind::input, attempt, "it holds none",
                "write it with 'slowpath diagnose --json' or 'slowpath inspect --json'");
  }
  return json;
}

/// The faults whose steps help against what a diagnosis named, in its order, suspects behind.
std::vector<std::string> faults_in(const Json& json) {
  std::vector<std::string> faults;
  for (const std::string_view severity : {"fault", "suspect"}) {
    for (const Json& finding : json["findings"]) {
      const std::string id = finding.value("remedies_of", finding.value("fault", ""));
      if (finding.value("severity", "") == severity &&
          std::ranges::find(faults, id) == faults.end())
        faults.push_back(id);
    }
  }
  return faults;
}

Platform platform_of(const std::string& word) {
  for (const Platform platform : {Platform::windows, Platform::solaris, Platform::esxi}) {
    if (to_string(platform) == word) return platform;
  }
  return Platform::linux;
}

std::string text_of(const Fault& fault, const std::vector<fix::PlannedStep>& steps) {
  std::string text = fmt::format("{}: {}\n", fault.id, fault.name);
  for (const fix::PlannedStep& step : steps) {
    text += fmt::format(
        "\n  {}   {}{}\n    do    {}\n    undo  {}\n    source {}{}\n", step.name,
        at_role(to_string(step.remedy->where)), step.is_ours ? "" : ", by hand", step.command,
        step.undo, step.remedy->source,
        step.remedy->check_first ? " (check first: the exact command was not certain)" : "");
    if (!step.missing.empty()) text += fmt::format("    needs {}\n", fmt::join(step.missing, ", "));
  }
  if (steps.empty()) text += "  No step is known on this platform.\n";
  return text;
}

Json json_of(const Fault& fault, const fix::PlannedStep& step) {
  return {{"step", step.name},
          {"fault", fault.id},
          {"where", to_string(step.remedy->where)},
          {"platform", to_string(step.remedy->platform)},
          {"do", step.command},
          {"undo", step.undo},
          {"source", step.remedy->source},
          {"check_first", step.remedy->check_first},
          {"can_be_applied", step.is_ours},
          {"missing", step.missing}};
}

/// The plan as text, and its steps as JSON.
struct Plan {
  std::string text;
  Json steps = Json::array();

  void add(const std::string& paragraph, const Json& more) {
    text += (text.empty() ? "" : "\n") + paragraph;
    steps.insert(steps.end(), more.begin(), more.end());
  }
};

Result<void> add_faults(const std::vector<std::string>& ids, const Options& options, Plan& plan) {
  for (const std::string& id : ids) {
    const Result<const Fault*> fault = fault_of(id);
    if (!fault) return std::unexpected(fault.error());
    const std::vector<fix::PlannedStep> planned =
        fix::plan_for(**fault, platform_of(options.platform), options.blanks);
    Json steps = Json::array();
    for (const fix::PlannedStep& step : planned) steps.push_back(json_of(**fault, step));
    plan.add(text_of(**fault, planned), steps);
  }
  return {};
}

/// An inspection knows the host's own names and values; a diagnosis only the faults.
Result<void> add_document(const Options& options, Plan& plan) {
  const Result<Json> document = document_in(options.diagnosis);
  if (!document) return std::unexpected(document.error());
  if (!is_inspection(*document)) return add_faults(faults_in(*document), options, plan);
  const auto findings = findings_of(*document, options.diagnosis);
  if (!findings) return std::unexpected(findings.error());
  for (const InspectedFinding& finding : *findings) plan.add(text_of(finding), json_of(finding));
  return {};
}

ExitCode run(const Options& options) {
  Plan plan;
  Result<void> made = add_faults(options.faults, options, plan);
  if (made && !options.diagnosis.empty()) made = add_document(options, plan);
  if (!made) return complain(made.error());
  if (options.json)
    return write_answer(json_document({{"schema", "slowpath.fix-plan.v1"}, {"steps", plan.steps}}));
  if (plan.text.empty()) return write_answer("Nothing was found that needs a step.\n");
  return write_answer(
      plan.text +
      "\nOne step at a time: apply it, measure, and undo it where it did not help ('slowpath fix "
      "prove' does all three).\n");
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  const Option faults = line.add_option("FAULT", options->faults, "Ids of faults");
  const Option file = line.add_option("--from", options->diagnosis,
                                      "What 'slowpath diagnose --json' or 'inspect --json' wrote");
  line.add_option("--platform", options->platform, "Where the steps are to be taken")
      .one_of({"linux", "windows", "solaris", "esxi"})
      .capture_default_str();
  declare_blanks(line, options->blanks);
  line.add_flag("--json", options->json, "One JSON document");
  return [options, faults, file] {
    if (faults.given() || file.given()) return run(*options);
    complain("cannot plan: nothing is named; give the id of a fault, or --from DIAGNOSIS.json");
    return ExitCode::usage;
  };
}

}  // namespace

namespace fixes {
extern const Command plan;
const Command plan{
    .name = "plan",
    .summary = "the steps against a fault, in order, with their undo",
    .examples =
        "  slowpath fix plan lso-not-segmented --interface eth0\n"
        "  slowpath diagnose --json slow.pcap > d.json; slowpath fix plan --from d.json\n"
        "  slowpath inspect --json > i.json; slowpath fix plan --from i.json\n"
        "  slowpath fix plan rwnd-fixed-64k --platform windows\n",
    .declare = declare};
}  // namespace fixes
}  // namespace slowpath::cli

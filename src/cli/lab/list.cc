// SPDX-License-Identifier: Apache-2.0
// `slowpath lab list`: the scenarios that the program carries, or the kinds of stage that they are
// made of.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "base/json_text.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/lab/scenarios.h"
#include "cli/output.h"
#include "facts/catalogue.h"
#include "lab/stage.h"
#include "report/table.h"

namespace slowpath::cli {
namespace {

using Json = nlohmann::ordered_json;
using Scenarios = std::vector<lab::Scenario>;

struct Options {
  std::string family;
  bool stages = false, json = false;
};

Json to_json(const lab::Scenario& scenario) {
  Json json{{"name", scenario.name},     {"title", scenario.title},
            {"story", scenario.story},   {"family", scenario.family},
            {"faults", scenario.faults}, {"suspicious", scenario.looks_suspicious},
            {"ci", scenario.in_ci},      {"parameters", Json::array()}};
  for (const lab::Parameter& parameter : scenario.parameters) {
    Json& entry =
        json["parameters"].emplace_back(Json{{"name", parameter.name}, {"value", parameter.value}});
    if (!parameter.low.empty()) entry["draw"] = {parameter.low, parameter.high};
    if (!parameter.choices.empty()) entry["choices"] = parameter.choices;
  }
  return json;
}

std::string json_of(const Scenarios& scenarios) {
  Json list = Json::array();
  for (const lab::Scenario& scenario : scenarios) list.push_back(to_json(scenario));
  return json_document({{"scenarios", list}});
}

/// Position of a family in the catalogue; then several faults at once, and the healthy ones last.
std::size_t rank_of(const std::string& family) {
  const auto found = std::ranges::find_if(
      all_faults(), [&](const Fault& fault) { return to_string(fault.family) == family; });
  const auto rank = static_cast<std::size_t>(found - all_faults().begin());
  return found != all_faults().end() || family == lab::kSeveral ? rank : rank + 1;
}

std::string text_of(Scenarios scenarios) {
  std::ranges::stable_sort(scenarios, {},
                           [](const lab::Scenario& each) { return rank_of(each.family); });
  std::string text;
  for (std::size_t begin = 0; begin < scenarios.size();) {
    const std::string& family = scenarios[begin].family;
    report::Table table({{family}, {""}, {"faults"}, {""}});
    for (; begin < scenarios.size() && scenarios[begin].family == family; ++begin) {
      const lab::Scenario& scenario = scenarios[begin];
      const std::string faults = scenario.faults.empty()
                                     ? scenario.looks_suspicious ? "none, looks suspicious" : "none"
                                     : fmt::format("{}", fmt::join(scenario.faults, " + "));
      table.row({scenario.name, scenario.story, faults, scenario.title});
    }
    text += (text.empty() ? "" : "\n") + table.text(static_cast<std::size_t>(output_width()));
  }
  return text;
}

std::string stages_text() {
  report::Table table({{"stage"}, {"level"}, {"what it does"}});
  std::vector<const lab::StageKind*> kinds(lab::all_stage_kinds().begin(),
                                           lab::all_stage_kinds().end());
  std::ranges::stable_sort(kinds, {}, &lab::StageKind::level);
  for (const lab::StageKind* kind : kinds) {
    table.row(
        {std::string{kind->name}, std::string{to_string(kind->level)}, std::string{kind->summary}});
  }
  return table.text(static_cast<std::size_t>(output_width()));
}

std::string stages_json() {
  Json list = Json::array();
  for (const lab::StageKind* kind : lab::all_stage_kinds()) {
    list.push_back({{"name", kind->name},
                    {"level", to_string(kind->level)},
                    {"needs_segments", kind->needs_segments},
                    {"summary", kind->summary}});
  }
  return json_document({{"stages", list}});
}

ExitCode run(const Options& options) {
  if (options.stages) return write_answer(options.json ? stages_json() : stages_text());
  Result<Scenarios> scenarios = read_all();
  if (!scenarios) return complain(scenarios.error());
  if (const Result<void> known = check_family(options.family, *scenarios); !known) {
    return complain(known.error());
  }
  std::erase_if(*scenarios, [&](const lab::Scenario& scenario) {
    return !options.family.empty() && scenario.family != options.family;
  });
  return write_answer(options.json ? json_of(*scenarios) : text_of(std::move(*scenarios)));
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.add_option("--family", options->family, "Only this family of faults, or 'healthy'")
      .type_name("FAMILY");
  line.add_flag("--stages", options->stages, "The kinds of stage that scenarios are made of");
  line.add_flag("--json", options->json, "One JSON document");
  return [options] { return run(*options); };
}

}  // namespace

namespace labs {

extern const Command list;
const Command list{.name = "list",
                   .summary = "the scenarios, family by family",
                   .examples =
                       "  slowpath lab list\n"
                       "  slowpath lab list --family window\n"
                       "  slowpath lab list --stages\n",
                   .declare = declare};

}  // namespace labs
}  // namespace slowpath::cli

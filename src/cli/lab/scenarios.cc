// SPDX-License-Identifier: Apache-2.0
#include "cli/lab/scenarios.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"
#include "lab/random.h"

namespace slowpath::cli {
namespace {

constexpr std::string_view kSuffix = ".toml";

Result<ScenarioSource> read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) {
    return fail(ErrorKind::input, fmt::format("cannot read the scenario {}", path),
                std::strerror(errno));
  }
  std::string name = path.substr(path.rfind('/') + 1);
  name.resize(name.size() - kSuffix.size());
  return ScenarioSource{std::move(name), std::move(text).str()};
}

/// "S1": of the scenarios that tell this story the one with the shortest name; the others vary it.
const lab::ScenarioText* find_story(const std::string& story) {
  const lab::ScenarioText* shortest = nullptr;
  if (story.size() != 2 || story[0] != 'S') return shortest;
  for (const lab::ScenarioText& text : lab::all_scenario_texts()) {
    const Result<lab::Scenario> scenario = lab::read_scenario(text.name, text.toml);
    if (!scenario || scenario->story != story) continue;
    if (shortest == nullptr || text.name.size() < shortest->name.size()) shortest = &text;
  }
  return shortest;
}

ScenarioSource source_of(const lab::ScenarioText& text) {
  return {std::string{text.name}, std::string{text.toml}};
}

}  // namespace

Result<ScenarioSource> find_scenario(const std::string& name_or_file) {
  if (name_or_file.ends_with(kSuffix)) return read_file(name_or_file);
  std::vector<std::string_view> names;
  if (const lab::ScenarioText* story = find_story(name_or_file)) return source_of(*story);
  for (const lab::ScenarioText& text : lab::all_scenario_texts()) {
    if (text.name == name_or_file) return source_of(text);
    names.push_back(text.name);
  }
  return fail(ErrorKind::usage, fmt::format("there is no scenario '{}'", name_or_file), {},
              did_you_mean(name_or_file, names,
                           "'slowpath lab list' shows all, and a file's name ends in .toml"));
}

Result<Overrides> parse_overrides(const std::vector<std::string>& settings) {
  Overrides overrides;
  for (const std::string& text : settings) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
      return fail(ErrorKind::usage, fmt::format("cannot read --set {}", text),
                  "it is not of the form NAME=VALUE", "as in --set rtt=80ms");
    }
    overrides[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return overrides;
}

Result<ReadScenario> read(const ScenarioSource& source, const Overrides& overrides,
                          const Draw& draw) {
  lab::Random random = lab::Random::for_part(draw.seed, "parameters", 0);
  Result<lab::Scenario> scenario = lab::read_scenario(
      source.name, source.toml, overrides, draw.wanted ? &random : nullptr, source.path_rate);
  if (!scenario) return std::unexpected(scenario.error());
  return ReadScenario{source, std::move(*scenario)};
}

Result<std::vector<lab::Scenario>> read_all() {
  std::vector<lab::Scenario> scenarios;
  for (const lab::ScenarioText& text : lab::all_scenario_texts()) {
    Result<lab::Scenario> scenario = lab::read_scenario(text.name, text.toml);
    if (!scenario) return std::unexpected(scenario.error());
    scenarios.push_back(std::move(*scenario));
  }
  return scenarios;
}

Result<void> check_family(const std::string& family, const std::vector<lab::Scenario>& scenarios) {
  std::set<std::string_view> families;
  for (const lab::Scenario& scenario : scenarios) families.insert(scenario.family);
  if (family.empty() || families.contains(family)) return {};
  return fail(ErrorKind::usage, fmt::format("no scenario is of the family '{}'", family),
              fmt::format("there are {}", fmt::join(families, ", ")));
}

}  // namespace slowpath::cli

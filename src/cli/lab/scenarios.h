// SPDX-License-Identifier: Apache-2.0
// The scenario that was named on the command line, with its parameters set.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lab/scenario.h"

namespace slowpath::cli {

/// Parameters set by hand.
using Overrides = std::map<std::string, std::string>;

/// A scenario's name and text, from the program itself or from a file.
struct ScenarioSource {
  std::string name, toml;
  std::string path_rate{};  // see lab::read_scenario
};

/// A scenario and what it was read from.
struct ReadScenario {
  ScenarioSource source;
  lab::Scenario scenario;
};

/// By name, by story ("S1"), or a file where the word ends in .toml. Errors: usage, with the
/// nearest name; input.
Result<ScenarioSource> find_scenario(const std::string& name_or_file);

/// "rtt=80ms" each. Errors: usage.
Result<Overrides> parse_overrides(const std::vector<std::string>& settings);

/// What is drawn at random, and from what.
struct Draw {
  bool wanted = false;
  std::uint64_t seed = 1;
};

/// Reads it. The same seed draws the same parameters, whichever subcommand asks. Errors: usage,
/// with the names that there are for a parameter that the scenario does not have.
Result<ReadScenario> read(const ScenarioSource& source, const Overrides& overrides,
                          const Draw& draw = {});

/// All that the program carries, in order of name. Errors: usage, if one cannot be read.
Result<std::vector<lab::Scenario>> read_all();

/// Errors: usage, if no scenario is of this family, with those that are.
Result<void> check_family(const std::string& family, const std::vector<lab::Scenario>& scenarios);

}  // namespace slowpath::cli

// SPDX-License-Identifier: Apache-2.0
// The [parameters] of a scenario: set by hand, drawn at random, and put in where "$name" stands.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lab/random.h"
#include "lab/scenario.h"
#include "lab/scenario_tree.h"

namespace slowpath::lab {

/// Reads the table (null: none). Every parameter that may be drawn takes one number of `draw`,
/// overridden or not, so that setting one by hand leaves the others as they were.
Result<std::vector<Parameter>> read_parameters(std::string_view scenario, const Node* table,
                                               const std::map<std::string, std::string>& overrides,
                                               Random* draw);

/// A value between two others, as a person would write it: three digits, in the unit of one of the
/// bounds ("37.2ms" between "0.1ms" and "200ms"). Errors: usage; bounds of different quantities, in
/// the wrong order, or not above zero on a logarithmic scale.
Result<std::string> draw_between(std::string_view low, std::string_view high, bool logarithmic,
                                 Random& random);

/// Puts values in for "$name" in all values of the tree but those of [parameters]; "$$" is a
/// dollar. Errors: usage; an unknown name, or a parameter that stands nowhere.
Result<void> substitute_parameters(std::string_view scenario,
                                   const std::vector<Parameter>& parameters, Node& root);

}  // namespace slowpath::lab

// SPDX-License-Identifier: Apache-2.0
// The steps that `slowpath inspect --json` names, with the host's own values.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace slowpath::cli {

/// One finding of an inspection that is a fault or a suspect, with its steps.
struct InspectedFinding {
  struct Step {
    std::string platform, where, action, undo, source;
    bool check_first = false;
    bool can_be_applied = false;  // `slowpath fix apply 'ACTION'` takes it
  };
  std::string fault, rule, claim;
  std::vector<Step> steps;
};

/// Whether the document is an inspection.
bool is_inspection(const nlohmann::ordered_json& document);

/// Faults first. Errors: input, where the document does not keep its schema.
Result<std::vector<InspectedFinding>> findings_of(const nlohmann::ordered_json& document,
                                                  const std::string& file);

/// A paragraph for each.
std::string text_of(const InspectedFinding& finding);

/// The steps as `slowpath.fix-plan.v1` has them.
nlohmann::ordered_json json_of(const InspectedFinding& finding);

}  // namespace slowpath::cli

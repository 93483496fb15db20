// SPDX-License-Identifier: Apache-2.0
// The stages of a world's links: [path]'s, the healthy ones and the fault's, in the order of
// levels.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "lab/scenario.h"
#include "lab/scenario_tree.h"

namespace slowpath::lab {

/// Fills both directions of the links. Within a level: [path] first, then [[stages]], then
/// [[fault.stages]]; within each list an order that goes back is refused. Every stage is made once,
/// so that its settings are known to be right. Errors: usage, with the line.
Result<void> read_stages(std::string_view scenario, const Node& root,
                         std::vector<WorldLink>& links);

}  // namespace slowpath::lab

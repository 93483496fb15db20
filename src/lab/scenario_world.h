// SPDX-License-Identifier: Apache-2.0
// A world out of a scenario's tree: [hosts], [[links]], [path], [[stages]], [[transfers]],
// [capture]. Parameters and [fault] are already put in.
#pragma once

#include <string_view>

#include "base/result.h"
#include "lab/scenario.h"
#include "lab/scenario_tree.h"

namespace slowpath::lab {

/// Keys of the root that are not the world's are left to others. Errors: usage, with the line.
Result<World> read_world(std::string_view scenario, const Node& root);

}  // namespace slowpath::lab

// SPDX-License-Identifier: Apache-2.0
// The [fault] table put over the rest of a scenario: the broken world's tree out of the healthy
// one's.
#pragma once

#include <string_view>

#include "base/result.h"
#include "lab/scenario_tree.h"

namespace slowpath::lab {

/// Takes [fault] out of the tree and changes [path], [hosts], [[transfers]] and [[stages]] as it
/// says. Its own stages are left in [fault], because each list has its order checked by itself.
/// Errors: usage, with the line: an unknown key, transfer or stage.
Result<Node> merge_fault(std::string_view scenario, const Node& root);

/// The tree without [fault].
Node without_fault(const Node& root);

}  // namespace slowpath::lab

// SPDX-License-Identifier: Apache-2.0
// What an active test of a path proves. Faults keep the ids of the catalogue; the evidence is of
// kind `test`. Pure, like all of detect/.
#pragma once

#include <vector>

#include "facts/finding.h"
#include "facts/path_test.h"

namespace slowpath::detect {

/// Findings of all rules in path/, folded where a special one stands beside a general one, ranked.
/// A test has no transfer whose time was lost, so `seconds_lost` is 0.
std::vector<Finding> inspect_path_test(const PathTestFacts& test);

/// The verdict on the path alone: the first fault, `healthy` where what was tested is sound,
/// `unclear` where a suspect is left or next to nothing could be tested; with what to do next.
Diagnosis diagnose_path_test(const PathTestFacts& test);

/// Joins what a path test proves to another test's diagnosis of the same path: general findings
/// fold into special ones, and a fault of the path becomes the verdict where the other has none.
void add_path_findings(const PathTestFacts& test, Diagnosis& diagnosis);

}  // namespace slowpath::detect

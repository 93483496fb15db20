// SPDX-License-Identifier: Apache-2.0
// One connection that was captured at several points is several connections of the case. Here they
// become one again, so that the answer is one: what each view shows is said of the connection once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "facts/case.h"
#include "facts/finding.h"

namespace slowpath::detect {

/// The comparison of the connection with this id, or nullptr.
const ComparedConnection* find_compared(const Case& facts, std::uint32_t id);

/// The id of the view that speaks for all: nearest the sender of most data.
std::uint32_t speaker_of(const ComparedConnection& compared);

/// The case as each capture point saw it: its connections and paths, and all else. Judged together,
/// the views of one connection would look like several that share a path. One case, as it is, where
/// nothing was compared.
std::vector<Case> split_by_point(const Case& facts);

/// Findings about views become findings about the speaker; of the same fault and direction the
/// strongest is kept.
void unite_views(const Case& facts, std::vector<Finding>& findings);

/// Gives the verdict of each speaker to its other views. `verdicts` are by position in
/// Case::connections.
void share_verdicts(const Case& facts, std::vector<std::string>& verdicts);

/// Losses that nobody lost: where all packets came and some came damaged, the damage is the cause.
/// Findings about loss go, and what they cost goes to the fault beside them that damaged.
void refute_losses(const Case& facts, std::vector<Finding>& findings);

/// Adds to findings about losses between which points they happened.
void locate_losses(const Case& facts, std::vector<Finding>& findings);

}  // namespace slowpath::detect

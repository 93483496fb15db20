// SPDX-License-Identifier: Apache-2.0
// Which steps of the catalogue help against a finding.
#pragma once

#include <vector>

#include "facts/case.h"
#include "facts/catalogue.h"
#include "facts/finding.h"

namespace slowpath::detect {

/// The fault whose steps help: the finding's own, or the one that it names for that. nullptr: the
/// catalogue has none of this id. Static lifetime.
const Fault* remedied_fault(const Finding& finding);

/// Its steps in the order in which to try them, less those that the round trip of what the finding
/// is about makes void (RemedyStep::most_rtt_s). Static lifetime.
std::vector<const RemedyStep*> steps_against(const Finding& finding, const Case& facts);

}  // namespace slowpath::detect

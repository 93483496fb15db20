// SPDX-License-Identifier: Apache-2.0
// The answer of `slowpath compare` as text for a person: what lies between the points, and the
// verdict.
#pragma once

#include <string>

#include "report/answer.h"
#include "report/text.h"

namespace slowpath::report {

std::string comparison_to_text(const Answer& answer, const TextOptions& options);

/// What can be said without a fault: that nothing differs, or why nothing can be said.
std::string comparison_summary(const Answer& answer);

/// The verdict of a comparison: the diagnosis', but unclear where the captures share nothing.
std::string comparison_verdict(const Answer& answer);

}  // namespace slowpath::report

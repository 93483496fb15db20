// SPDX-License-Identifier: Apache-2.0
// Sends a scenario's capture through the decoder, the flow engine and the detectors, as `diagnose`
// does with a file, and says what was not as expected.
#pragma once

#include <string>
#include <vector>

#include "support/scenario/expectation.h"
#include "support/scenario/script.h"

namespace slowpath::test::scenario {

Outcome diagnose(const Tape& tape);

/// One sentence for each expectation that was not met.
std::vector<std::string> complaints(const Scenario& scenario, const Outcome& outcome);

/// The verdict, the findings and where the time went: what one looks at after a complaint.
std::string describe(const Outcome& outcome);

}  // namespace slowpath::test::scenario

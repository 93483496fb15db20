// SPDX-License-Identifier: Apache-2.0
// Bytes of one file that came differently: where was it done? Internal to fetch_verdict.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "detect/fetch_survey.h"
#include "detect/fetch_verdict.h"

namespace slowpath::detect {

void settle(FetchVerdict& verdict, FetchOutcome outcome, std::string_view fault, double confidence,
            std::string summary);

/// "1 byte", "12 345 bytes".
std::string plural(std::uint64_t count, std::string_view one, std::string_view many);

/// Of copies that differ though they are one file.
void blame(const FetchFacts& facts, const FetchSurvey& survey, FetchVerdict& verdict);

/// The other leg: what came back is compared with what went up.
void judge_upload(const FetchFacts& facts, const FetchSurvey& survey, FetchVerdict& verdict);

}  // namespace slowpath::detect

// SPDX-License-Identifier: Apache-2.0
// How the differences of a download lie in its segments, and the pattern that they make together.
// Internal to fetch_verdict.
#pragma once

#include <optional>
#include <vector>

#include "detect/fetch_verdict.h"

namespace slowpath::detect {

std::vector<FetchPlace> places_of(const FetchFacts& facts);

/// Nothing where no bytes of a difference are at hand.
std::optional<arithmetic::CorruptionPattern> fetch_pattern(const FetchFacts& facts);

}  // namespace slowpath::detect

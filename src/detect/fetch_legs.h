// SPDX-License-Identifier: Apache-2.0
// Which leg of an upload and its download changed which bytes: a file that came back wrong is
// fetched once more, and what is wrong in the same way again was wrong on the server. Internal to
// fetch_verdict.
#pragma once

#include "detect/fetch_verdict.h"

namespace slowpath::detect {

/// Fills in the leg of each place. Nothing without an upload, without a second look, or where bytes
/// that would tell were not kept.
void find_legs(const FetchFacts& facts, std::vector<FetchPlace>& places);

/// How many places each leg has its part in. What both downloads of a round have wrong in the same
/// way is one place of the way up.
struct FetchLegs {
  std::size_t up = 0, down = 0, unknown = 0;
};
FetchLegs count_legs(const FetchFacts& facts, const std::vector<FetchPlace>& places);

}  // namespace slowpath::detect

// SPDX-License-Identifier: Apache-2.0
// Which blocks of several copies differ, which version of each is right and how that is known, and
// the bytes of both where they are at hand. Says nothing about causes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "facts/fetch.h"
#include "probe/fetch_body.h"
#include "probe/fetch_store.h"

namespace slowpath::probe {

/// One copy as it is compared; `copy` is its position in FetchFacts::copies.
struct ComparedBody {
  std::size_t copy = 0;
  BodyRecord record;
  bool is_reference = false;  // its bytes are the store's
  bool is_expected = false;   // its hash is the one that was expected
};

/// Downloads a range once more: its bytes, or nothing where the server does not give ranges.
using AskAgain =
    std::function<std::optional<std::vector<std::byte>>(std::uint64_t offset, std::size_t len)>;

/// Fills in the blocks and differences of `facts`. `file_is_right`: the store is a local file, and
/// what differs from it is wrong. `ask_again` is called for at most eight blocks.
void compare_bodies(FetchFacts& facts, const std::vector<ComparedBody>& bodies,
                    const FetchStore& store, bool file_is_right, const AskAgain& ask_again);

}  // namespace slowpath::probe

// SPDX-License-Identifier: Apache-2.0
#include "detect/fetch_legs.h"

#include <algorithm>
#include <optional>

namespace slowpath::detect {
namespace {

bool is_whole_download(const FetchFacts& facts, std::size_t copy) {
  return copy < facts.copies.size() && !facts.copies[copy].is_upload &&
         facts.copies[copy].end == FetchEnd::complete;
}

/// The other download of the same upload.
std::optional<std::size_t> other_look(const FetchFacts& facts, std::size_t copy) {
  if (is_whole_download(facts, copy + 1)) return copy + 1;
  if (copy > 0 && is_whole_download(facts, copy - 1)) return copy - 1;
  return std::nullopt;
}

/// What a copy has at an offset where it differs from the file; nothing where it does not.
std::optional<std::byte> wrong_byte(const FetchFacts& facts, std::size_t copy,
                                    std::uint64_t offset) {
  for (const FetchDifference& difference : facts.differences) {
    if (difference.copy != copy || offset < difference.offset) continue;
    const std::uint64_t at = offset - difference.offset;
    if (at >= difference.seen.size() || at >= difference.expected.size()) continue;
    if (difference.seen[at] == difference.expected[at]) return std::nullopt;
    return difference.seen[at];
  }
  return std::nullopt;
}

FetchLeg leg_of(const FetchFacts& facts, const FetchDifference& difference) {
  const auto other = other_look(facts, difference.copy);
  if (!other) return FetchLeg::unknown;
  // Beyond so many bytes no other one would change the answer.
  constexpr std::uint64_t kLookedAt = 4096;
  bool up = false, down = false;
  std::uint64_t looked = 0;
  for (std::uint64_t at = difference.first; at <= difference.last && looked < kLookedAt; ++at) {
    const std::byte seen = difference.seen[at - difference.offset];
    if (seen == difference.expected[at - difference.offset]) continue;
    ++looked;
    const auto again = wrong_byte(facts, *other, at);
    (again && *again == seen ? up : down) = true;
  }
  // The second look's bytes may be wrong there, too, and not at hand.
  if (down && facts.blocks_not_kept > 0) return FetchLeg::unknown;
  return up && down ? FetchLeg::both : up ? FetchLeg::up : FetchLeg::down;
}

bool has_up(const FetchPlace& place) {
  return place.leg == FetchLeg::up || place.leg == FetchLeg::both;
}

/// Whether the download before it in the same round has this place, too.
bool is_second_look(const FetchFacts& facts, const std::vector<FetchPlace>& places,
                    const FetchPlace& place) {
  const FetchDifference& here = facts.differences[place.difference];
  return std::ranges::any_of(places, [&](const FetchPlace& other) {
    const FetchDifference& there = facts.differences[other.difference];
    return has_up(other) && there.copy + 1 == here.copy &&
           other_look(facts, there.copy) == here.copy && there.first <= here.last &&
           here.first <= there.last;
  });
}

}  // namespace

void find_legs(const FetchFacts& facts, std::vector<FetchPlace>& places) {
  if (facts.uploaded_file.empty()) return;
  for (FetchPlace& place : places) place.leg = leg_of(facts, facts.differences[place.difference]);
}

FetchLegs count_legs(const FetchFacts& facts, const std::vector<FetchPlace>& places) {
  FetchLegs legs;
  for (const FetchPlace& place : places) {
    legs.up += has_up(place) && !is_second_look(facts, places, place) ? 1 : 0;
    legs.down += place.leg == FetchLeg::down || place.leg == FetchLeg::both ? 1 : 0;
    legs.unknown += place.leg == FetchLeg::unknown ? 1 : 0;
  }
  return legs;
}

}  // namespace slowpath::detect

// SPDX-License-Identifier: Apache-2.0
#include "probe/fetch_compare.h"

#include <algorithm>
#include <map>
#include <utility>

namespace slowpath::probe {
namespace {

/// Differences with their bytes; 64 KiB each unless blocks follow each other.
constexpr std::size_t kMostDifferences = 256;
/// Longer ones are cut: a shifted or exchanged file differs to its end.
constexpr std::size_t kLongestDifference = 1 << 20;
/// Stale bytes come from buffers that were used a moment ago.
constexpr std::uint64_t kNearby = 2 << 20;
constexpr std::size_t kMostNearby = 8;
constexpr int kMostAsked = 8;

/// The version of one block that is right.
struct Right {
  std::uint64_t digest = 0;
  FetchAuthority authority = FetchAuthority::unknown;
  std::vector<std::byte> bytes;  // where no copy's are at hand
};

class Comparison {
 public:
  Comparison(FetchFacts& facts, const std::vector<ComparedBody>& bodies, const FetchStore& store,
             const AskAgain& ask_again)
      : facts_(facts), bodies_(bodies), store_(store), ask_again_(ask_again) {}

  /// Every copy against the local file.
  void with_file() {
    for (const ComparedBody& body : bodies_) {
      facts_.blocks_compared += body.record.blocks.size();
      facts_.blocks_differing += body.record.kept.size() + body.record.left_out;
      facts_.blocks_not_kept += body.record.left_out;
      for (const KeptBlock& kept : body.record.kept) {
        note(body, kept.index, store_.bytes_at(kept.index * kFetchBlock, kept.bytes.size()),
             kept.bytes, FetchAuthority::file);
      }
    }
  }

  /// The copies against one another.
  void with_one_another() {
    std::size_t most = 0;
    for (const ComparedBody& body : bodies_) most = std::max(most, body.record.blocks.size());
    for (std::uint64_t index = 0; index < most; ++index) compare_block(index);
    std::ranges::stable_sort(facts_.differences, {}, [](const FetchDifference& difference) {
      return std::pair(difference.copy, difference.offset);
    });
    join_neighbours();
  }

  /// Blocks that follow each other in one copy are one difference.
  void join_neighbours() {
    std::vector<FetchDifference> joined;
    for (FetchDifference& next : facts_.differences) {
      FetchDifference* last = joined.empty() ? nullptr : &joined.back();
      if (last != nullptr && last->copy == next.copy && last->authority == next.authority &&
          last->offset + last->seen.size() == next.offset &&
          last->seen.size() < kLongestDifference) {
        last->seen.insert(last->seen.end(), next.seen.begin(), next.seen.end());
        last->expected.insert(last->expected.end(), next.expected.begin(), next.expected.end());
        last->last = next.last;
        last->differing += next.differing;
      } else {
        joined.push_back(std::move(next));
      }
    }
    facts_.differences = std::move(joined);
  }

  /// What stands around the first differences, in which stale bytes may be found again.
  void keep_nearby() {
    for (FetchDifference& difference :
         std::span(facts_.differences).first(std::min(facts_.differences.size(), kMostNearby))) {
      difference.nearby_offset = difference.first - std::min(difference.first, kNearby);
      difference.nearby = store_.bytes_at(difference.nearby_offset, 2 * kNearby);
    }
  }

 private:
  /// Whether this copy has the block whole, or ends with it where the longest one does.
  [[nodiscard]] bool has_block(const ComparedBody& body, std::uint64_t index,
                               std::size_t len) const {
    return index < body.record.blocks.size() && len_of(body, index) == len;
  }

  static std::size_t len_of(const ComparedBody& body, std::uint64_t index) {
    return static_cast<std::size_t>(
        std::min<std::uint64_t>(kFetchBlock, body.record.bytes - index * kFetchBlock));
  }

  void compare_block(std::uint64_t index) {
    std::size_t len = 0;
    for (const ComparedBody& body : bodies_) {
      if (index < body.record.blocks.size()) len = std::max(len, len_of(body, index));
    }
    std::map<std::uint64_t, std::size_t> votes;
    std::size_t voters = 0;
    for (const ComparedBody& body : bodies_) {
      if (!has_block(body, index, len)) continue;
      ++votes[body.record.blocks[index]];
      ++voters;
    }
    if (voters < 2) return;
    facts_.blocks_compared += voters;
    if (votes.size() == 1) return;
    const Right right = right_version(index, len, votes, voters);
    for (const ComparedBody& body : bodies_) {
      if (has_block(body, index, len) && body.record.blocks[index] != right.digest) {
        note_against(body, index, right);
      }
    }
  }

  [[nodiscard]] Right right_version(std::uint64_t index, std::size_t len,
                                    const std::map<std::uint64_t, std::size_t>& votes,
                                    std::size_t voters) {
    for (const ComparedBody& body : bodies_) {
      if (body.is_expected && has_block(body, index, len)) {
        return {body.record.blocks[index], FetchAuthority::digest, {}};
      }
    }
    const auto most = std::ranges::max_element(votes, {}, [](const auto& it) { return it.second; });
    if (2 * most->second > voters) return {most->first, FetchAuthority::majority, {}};
    if (asked_++ < kMostAsked) {
      std::optional<std::vector<std::byte>> bytes = ask_again_(index * kFetchBlock, len);
      const std::uint64_t digest = bytes ? block_digest(*bytes) : 0;
      if (bytes && votes.contains(digest)) {
        return {digest, FetchAuthority::asked_again, std::move(*bytes)};
      }
    }
    // Nobody knows: the earlier copy is taken for the original.
    for (const ComparedBody& body : bodies_) {
      if (has_block(body, index, len)) return {body.record.blocks[index], {}, {}};
    }
    return {};
  }

  void note_against(const ComparedBody& body, std::uint64_t index, const Right& right) {
    ++facts_.blocks_differing;
    std::vector<std::byte> seen = bytes_of(body, index);
    std::vector<std::byte> expected = right.bytes;
    for (const ComparedBody& other : bodies_) {
      if (!expected.empty()) break;
      if (index < other.record.blocks.size() && other.record.blocks[index] == right.digest) {
        expected = bytes_of(other, index);
      }
    }
    if (seen.empty() || expected.empty() || seen.size() != expected.size()) {
      ++facts_.blocks_not_kept;
      return;
    }
    note(body, index, std::move(expected), std::move(seen), right.authority);
  }

  /// Empty where they are not at hand. A block equal to the store's was not kept.
  [[nodiscard]] std::vector<std::byte> bytes_of(const ComparedBody& body,
                                                std::uint64_t index) const {
    const auto kept = std::ranges::lower_bound(body.record.kept, index, {}, &KeptBlock::index);
    if (kept != body.record.kept.end() && kept->index == index) return kept->bytes;
    std::vector<std::byte> bytes = store_.bytes_at(index * kFetchBlock, len_of(body, index));
    const bool is_it =
        bytes.size() == len_of(body, index) && block_digest(bytes) == body.record.blocks[index];
    return is_it ? bytes : std::vector<std::byte>{};
  }

  void note(const ComparedBody& body, std::uint64_t index, std::vector<std::byte> expected,
            std::vector<std::byte> seen, FetchAuthority authority) {
    const std::size_t len = std::min(expected.size(), seen.size());
    FetchDifference difference{.copy = body.copy,
                               .offset = index * kFetchBlock,
                               .expected = std::move(expected),
                               .seen = std::move(seen),
                               .first = 0,
                               .last = 0,
                               .differing = 0,
                               .authority = authority,
                               .nearby_offset = 0,
                               .nearby = {}};
    for (std::size_t i = 0; i < len; ++i) {
      if (difference.expected[i] == difference.seen[i]) continue;
      if (difference.differing++ == 0) difference.first = difference.offset + i;
      difference.last = difference.offset + i;
    }
    // A block that is only longer or shorter does not differ in what both have.
    if (difference.differing == 0) return;
    facts_.differing_bytes += difference.differing;
    if (facts_.differences.size() == kMostDifferences) {
      ++facts_.blocks_not_kept;
      return;
    }
    facts_.differences.push_back(std::move(difference));
  }

  FetchFacts& facts_;
  const std::vector<ComparedBody>& bodies_;
  const FetchStore& store_;
  const AskAgain& ask_again_;
  int asked_ = 0;
};

}  // namespace

void compare_bodies(FetchFacts& facts, const std::vector<ComparedBody>& bodies,
                    const FetchStore& store, bool file_is_right, const AskAgain& ask_again) {
  facts.block_bytes = kFetchBlock;
  Comparison comparison(facts, bodies, store, ask_again);
  if (file_is_right) {
    comparison.with_file();
    comparison.join_neighbours();
  } else {
    comparison.with_one_another();
  }
  comparison.keep_nearby();
}

}  // namespace slowpath::probe

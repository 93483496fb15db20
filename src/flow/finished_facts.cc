// SPDX-License-Identifier: Apache-2.0
// The budget, and who has to go: see finished_facts.h.
#include "flow/finished_facts.h"

#include <malloc.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <tuple>
#include <utility>

namespace slowpath::flow {
namespace {

// What was freed in places so small stays the allocator's unless it is told; twice the facts would
// be held. It looks at all that is free each time, so it is told a few times only.
constexpr std::size_t kTrimBytes = 4U << 20;
constexpr std::size_t kTrims = 8;

void give_back_freed() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

std::uint64_t memory_of(const ConnectionFacts& facts) {
  std::uint64_t sum =
      sizeof facts + facts.resets.capacity() * sizeof(ResetFacts) +
      facts.icmp.capacity() * sizeof(IcmpFacts) +
      (facts.syn_copies.syns.capacity() + facts.syn_copies.syn_acks.capacity()) * sizeof(SynFacts) +
      facts.syn_copies.altered.capacity() * sizeof(AlteredSyn) +
      facts.beside.quiets.capacity() * sizeof(QuietFacts);
  for (const DirectionFacts& d : facts.directions) {
    sum += d.losses.capacity() * sizeof(LossEvent) +
           d.passage.cells.capacity() * sizeof(PassageCell) + d.stalls.capacity() * sizeof(Stall) +
           d.sizes.capacity() * sizeof(SizeClass) + d.timeline.bins.memory_bytes();
  }
  return sum;
}

/// Which connections to keep when not all can be: those that carried more; of equals the earlier.
std::tuple<std::uint64_t, std::uint64_t, std::uint32_t> weight_of(const ConnectionFacts& facts) {
  return {facts.directions[0].bytes + facts.directions[1].bytes,
          facts.directions[0].packets + facts.directions[1].packets, ~facts.id};
}

const ConnectionFacts& facts_in(const std::unique_ptr<ConnectionFacts>& place) { return *place; }
const ConnectionFacts& facts_in(const ConnectionFacts& place) { return place; }

/// Lets the lightest quarter go. Gives back the bytes of the others.
template <typename Place>
std::uint64_t keep_heavier(std::vector<Place>& places) {
  if (places.empty()) return 0;
  using Weight = decltype(weight_of(facts_in(places.front())));
  std::vector<Weight> weights;
  weights.reserve(places.size());
  for (const Place& place : places) weights.push_back(weight_of(facts_in(place)));
  const std::size_t count = std::max<std::size_t>(weights.size() * 3 / 4, 1);
  const auto least = weights.begin() + static_cast<std::ptrdiff_t>(count - 1);
  std::nth_element(weights.begin(), least, weights.end(), std::greater<>());
  std::uint64_t bytes = 0;
  std::erase_if(places, [&](const Place& place) {
    if (weight_of(facts_in(place)) < *least) return true;
    bytes += memory_of(facts_in(place));
    return false;
  });
  return bytes;
}

// Each is moved once, however many there are.
void sort_by_id(std::vector<ConnectionFacts>& list) {
  if (std::ranges::is_sorted(list, {}, &ConnectionFacts::id)) return;
  std::vector<std::size_t> from(list.size());  // what belongs at a position is here
  std::iota(from.begin(), from.end(), std::size_t{0});
  std::ranges::sort(from, {}, [&](std::size_t i) { return list[i].id; });
  for (std::size_t begin = 0; begin < from.size(); ++begin) {
    if (from[begin] == begin) continue;
    ConnectionFacts first = std::move(list[begin]);
    std::size_t at = begin;
    for (; from[at] != begin; at = std::exchange(from[at], at)) {
      list[at] = std::move(list[from[at]]);
    }
    list[at] = std::move(first);
    from[at] = at;
  }
}

}  // namespace

void FinishedFacts::keep(ConnectionFacts&& facts) {
  bytes_ += memory_of(facts);
  if (kept_.capacity() > 0) {
    kept_.push_back(std::move(facts));
  } else {
    early_.push_back(std::make_unique<ConnectionFacts>(std::move(facts)));
  }
  if (bytes_ > most_bytes_) drop_lightest();
}

void FinishedFacts::expect_rest(std::size_t count) {
  // More than the budget holds will not be kept.
  const auto most = static_cast<std::size_t>(most_bytes_ / sizeof(ConnectionFacts)) + 1;
  kept_.reserve(std::min(early_.size() + count, most) + 1);
  const std::size_t at_once =
      std::max(kTrimBytes, early_.size() * sizeof(ConnectionFacts) / kTrims);
  std::size_t freed = 0;
  for (auto& facts : early_) {
    kept_.push_back(std::move(*facts));
    facts.reset();
    freed += sizeof(ConnectionFacts);
    if (freed >= at_once) {
      give_back_freed();
      freed = 0;
    }
  }
  early_.clear();
  early_.shrink_to_fit();
}

std::vector<ConnectionFacts> FinishedFacts::take() {
  sort_by_id(kept_);
  return std::move(kept_);
}

// Of too many connections the lightest are only counted (Case::connections_total).
void FinishedFacts::drop_lightest() {
  bytes_ = kept_.capacity() > 0 ? keep_heavier(kept_) : keep_heavier(early_);
}

}  // namespace slowpath::flow

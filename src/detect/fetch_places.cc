// SPDX-License-Identifier: Apache-2.0
#include "detect/fetch_places.h"

#include <algorithm>

namespace slowpath::detect {
namespace {

/// Many servers send the header in a packet of its own, so that the body begins a segment; others
/// send both together. What fits more differences is taken.
struct Phase {
  std::uint64_t segment_size = 0;
  std::uint64_t into_first = 0;  // bytes of the segment in front of the body's first one
};

/// The first or the last byte that differs stands where a segment begins or ends.
bool is_aligned(const FetchDifference& difference, const Phase& phase) {
  return (difference.first + phase.into_first) % phase.segment_size == 0 ||
         (difference.last + 1 + phase.into_first) % phase.segment_size == 0;
}

std::optional<Phase> phase_of(const FetchFacts& facts, std::size_t copy) {
  const FetchedCopy& carrier = facts.copies[copy];
  const std::optional<std::uint64_t> begin = carrier.body_begin();
  const std::uint64_t size = carrier.tcp.segment_size;
  if (!begin || size == 0) return std::nullopt;
  const Phase together{size, *begin % size};
  const Phase apart{size, 0};
  const auto aligned = [&](const Phase& phase) {
    return std::ranges::count_if(facts.differences, [&](const FetchDifference& difference) {
      return difference.copy == copy && is_aligned(difference, phase);
    });
  };
  return aligned(apart) > aligned(together) ? apart : together;
}

std::vector<std::uint64_t> segments_of(const FetchDifference& difference, const Phase& phase) {
  std::vector<std::uint64_t> begins;
  const std::uint64_t end = difference.offset + difference.seen.size() + phase.segment_size;
  const std::uint64_t number = (difference.offset + phase.into_first) / phase.segment_size;
  for (std::uint64_t at = number * phase.segment_size; at < end + phase.into_first;
       at += phase.segment_size) {
    begins.push_back(at < phase.into_first ? 0 : at - phase.into_first);
  }
  return begins;
}

}  // namespace

std::vector<FetchPlace> places_of(const FetchFacts& facts) {
  std::vector<FetchPlace> places;
  for (std::size_t i = 0; i < facts.differences.size(); ++i) {
    const FetchDifference& difference = facts.differences[i];
    FetchPlace& place = places.emplace_back();
    place.difference = i;
    if (const auto begin = facts.copies[difference.copy].body_begin()) {
      place.stream_offset = *begin + difference.first;
    }
    if (const auto phase = phase_of(facts, difference.copy)) {
      place.segment = (difference.first + phase->into_first) / phase->segment_size;
      place.in_segment = (difference.first + phase->into_first) % phase->segment_size;
    }
  }
  return places;
}

std::optional<arithmetic::CorruptionPattern> fetch_pattern(const FetchFacts& facts) {
  std::vector<std::vector<std::uint64_t>> segments;
  std::vector<arithmetic::CorruptionInput> inputs;
  segments.reserve(facts.differences.size());  // inputs refer to them
  for (const FetchDifference& difference : facts.differences) {
    arithmetic::CorruptionInput& input = inputs.emplace_back();
    input.expected = difference.expected;
    input.seen = difference.seen;
    input.offset = difference.offset;
    input.known = difference.nearby;
    input.known_offset = difference.nearby_offset;
    if (const auto phase = phase_of(facts, difference.copy)) {
      input.segments = segments.emplace_back(segments_of(difference, *phase));
    }
  }
  if (inputs.empty()) return std::nullopt;
  // What was delivered had passed the receiver's checksum, or nobody verified it: not known.
  return arithmetic::corruption_pattern(inputs);
}

}  // namespace slowpath::detect

// SPDX-License-Identifier: Apache-2.0
// Counts over all stretches, and what they share.
#include "detect/arithmetic/corruption_pattern.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "detect/arithmetic/corruption_run.h"
#include "detect/arithmetic/corruption_words.h"

namespace slowpath::arithmetic {
namespace {

// Share of the places (for lanes: of the bits) that must agree before it is the pattern of all.
constexpr double kAgreeing = 0.9;
// Fewer places than this cannot be at "the same" place.
constexpr std::uint64_t kSamePlaces = 3;
// All bits in one lane: chance makes that once in so many.
constexpr double kLaneChance = 1000;

bool most_of(std::uint64_t part, std::uint64_t all) {
  return all > 0 && static_cast<double>(part) >= kAgreeing * static_cast<double>(all);
}

/// Where the newest boundary at or before a position stands. Positions ascend from call to call.
class Boundaries {
 public:
  explicit Boundaries(std::span<const std::uint64_t> begins) : begins_(begins) {}
  [[nodiscard]] std::optional<std::uint64_t> before(std::uint64_t offset) {
    while (next_ < begins_.size() && begins_[next_] <= offset) ++next_;
    if (next_ == 0) return std::nullopt;
    return begins_[next_ - 1];
  }
  /// One of them lies within [first, last].
  [[nodiscard]] bool within(std::uint64_t first, std::uint64_t last) const {
    const auto at = std::ranges::lower_bound(begins_, first);
    return at != begins_.end() && *at <= last;
  }
  [[nodiscard]] bool known() const { return !begins_.empty(); }

 private:
  std::span<const std::uint64_t> begins_;
  std::size_t next_ = 0;
};

/// How often each bit of 64 bytes was turned over.
class LaneCounts {
 public:
  void note(std::uint64_t position, unsigned bit) { ++counts_[position % 64 * 8 + bit]; }

  /// The widest path of which one line accounts for nearly all of `bits`, in so many bytes.
  [[nodiscard]] Lane fixed(std::uint64_t bits, std::uint64_t bytes) const {
    for (const std::uint32_t width : {64u, 8u, 4u, 2u, 1u}) {
      if (Lane lane = bit_lane(width, bits); lane.width_bytes > 0) return lane;
    }
    for (const std::uint32_t width : {64u, 8u, 4u, 2u}) {
      if (Lane lane = byte_lane(width, bits, bytes); lane.width_bytes > 0) return lane;
    }
    return {};
  }

 private:
  // `bits` independent ones in one of `lanes` by chance: once in lanes^(bits - 1).
  static bool is_no_chance(double lanes, std::uint64_t bits) {
    double once_in = 1;
    for (std::uint64_t i = 1; i < bits && once_in < kLaneChance; ++i) once_in *= lanes;
    return once_in >= kLaneChance && bits >= kSamePlaces;
  }
  Lane bit_lane(std::uint32_t width, std::uint64_t bits) const {
    std::array<std::uint64_t, 512> folded{};
    for (std::size_t i = 0; i < counts_.size(); ++i) folded[i % (width * 8u)] += counts_[i];
    const auto top = static_cast<std::uint32_t>(std::ranges::max_element(folded) - folded.begin());
    if (!most_of(folded[top], bits) || !is_no_chance(width * 8.0, bits)) return {};
    return {width, top / 8, top % 8, false};
  }
  Lane byte_lane(std::uint32_t width, std::uint64_t bits, std::uint64_t bytes) const {
    std::array<std::uint64_t, 64> folded{};
    for (std::size_t i = 0; i < counts_.size(); ++i) folded[i / 8 % width] += counts_[i];
    const auto top = static_cast<std::uint32_t>(std::ranges::max_element(folded) - folded.begin());
    if (!most_of(folded[top], bits) || !is_no_chance(width, bytes)) return {};
    return {width, top, std::nullopt, false};
  }
  std::array<std::uint64_t, 512> counts_{};
};

/// What many places have in common: the first one's value, as long as no other contradicts.
template <typename Value>
struct Shared {
  std::optional<Value> value;
  std::uint64_t agreeing = 0, all = 0;
  void note(Value other) {
    if (!value) value = other;
    ++all;
    agreeing += *value == other;
  }
};

class Tally {
 public:
  explicit Tally(std::span<const CorruptionInput> inputs) : content_(inputs) {}
  void add(const CorruptionInput& input);
  CorruptionPattern conclude(ChecksumWitness witness);

 private:
  struct Position;  // of an input, walked forward
  void note_run(const CorruptionInput& input, const DifferingRun& run, Position& position);
  void note_first(const CorruptionInput& input, const DifferingRun& run, Position& position);
  void note_flips(const CorruptionInput& input, const DifferingRun& run, Position& position);
  void note_ends(const CorruptionInput& input, const DifferingRun& run, const RunReading& reading,
                 const Position& position);
  void note_sum(const CorruptionInput& input, const DifferingRun& run, Position& position);
  void end_segment(Position& position, std::optional<bool> sum_is_same);
  void settle_lane();
  void settle_alignment();
  void settle_kind();

  StreamContent content_;
  CorruptionPattern pattern_;
  LaneCounts in_stream_, in_segment_;
  bool segments_known_ = true;
  std::uint64_t flipped_bytes_ = 0;
  // Stretches whose ends say something, and to what they keep.
  std::uint64_t ended_ = 0, at_segments_ = 0, at_segment_ends_ = 0, at_pages_ = 0, at_lines_ = 0;
  Shared<std::int64_t> distance_, shift_;
  Shared<Swap> swap_;
  Shared<std::uint8_t> fill_;
  Shared<std::uint64_t> place_;  // in the segment
};

/// No offset of a segment.
constexpr std::uint64_t kNoSegment = std::numeric_limits<std::uint64_t>::max();

struct Tally::Position {
  explicit Position(const CorruptionInput& input)
      : segments(input.segments),
        flips(input.segments),
        sums(input.segments),
        superframes(input.superframes) {}
  Boundaries segments, flips, sums, superframes;  // one for each walk: they only go forward
  std::uint64_t summed = kNoSegment;              // the segment whose sum is being made
  bool changed = false;
  std::int64_t difference = 0;                // of its sums, modulo 65535
  std::uint64_t newest_segment = kNoSegment;  // in which a place began
};

void Tally::add(const CorruptionInput& input) {
  Position position(input);
  segments_known_ = segments_known_ && position.segments.known();
  pattern_.compared += std::min(input.expected.size(), input.seen.size());
  for_each_run(input.expected, input.seen,
               [&](const DifferingRun& run) { note_run(input, run, position); });
  end_segment(position, input.sum_is_same);
}

void Tally::note_run(const CorruptionInput& input, const DifferingRun& run, Position& position) {
  note_first(input, run, position);
  const RunReading reading = read_run(input, run, content_);
  ++pattern_.places;
  ++pattern_.places_by_kind[static_cast<std::size_t>(reading.kind)];
  pattern_.differing += run.differing;
  const std::uint64_t end = std::max<std::uint64_t>(
      input.offset + run.end, run.end == input.seen.size() ? input.differs_until : 0);
  pattern_.longest = std::max(pattern_.longest, end - input.offset - run.begin);
  switch (reading.kind) {
    case CorruptionKind::bit_flips:
      note_flips(input, run, position);
      break;
    case CorruptionKind::fill:
      fill_.note(reading.fill);
      break;
    case CorruptionKind::stale:
      distance_.note(reading.distance);
      break;
    case CorruptionKind::shifted:
      shift_.note(reading.shift);
      break;
    case CorruptionKind::swapped:
      swap_.note(reading.swap);
      break;
    case CorruptionKind::none:
    case CorruptionKind::zeros:
    case CorruptionKind::text_edited:
    case CorruptionKind::sum_kept:
    case CorruptionKind::unknown:
      break;
  }
  const bool has_ends = reading.kind == CorruptionKind::zeros ||
                        reading.kind == CorruptionKind::fill ||
                        reading.kind == CorruptionKind::stale ||
                        (reading.kind == CorruptionKind::unknown && run.len() >= kHashedBlock / 2);
  if (has_ends) note_ends(input, run, reading, position);
  note_sum(input, run, position);
}

void Tally::note_first(const CorruptionInput& input, const DifferingRun& run, Position& position) {
  const std::uint64_t at = input.offset + run.begin;
  const auto segment = position.segments.before(at);
  const auto superframe = position.superframes.before(at);
  if (segment && *segment != position.newest_segment) {
    position.newest_segment = *segment;
    place_.note(at - *segment);
  }
  if (pattern_.places > 0) return;
  pattern_.first = at;
  if (segment) pattern_.in_segment = at - *segment;
  if (superframe) pattern_.in_superframe = at - *superframe;
}

void Tally::note_flips(const CorruptionInput& input, const DifferingRun& run, Position& position) {
  for (std::size_t i = run.begin; i < run.end; ++i) {
    auto mask = std::to_integer<unsigned>(input.expected[i] ^ input.seen[i]);
    pattern_.turned_on +=
        static_cast<std::uint64_t>(std::popcount(mask & std::to_integer<unsigned>(input.seen[i])));
    flipped_bytes_ += mask != 0;
    for (; mask != 0; mask &= mask - 1) {
      const auto bit = static_cast<unsigned>(std::countr_zero(mask));
      const std::uint64_t at = input.offset + i;
      ++pattern_.flipped_bits;
      in_stream_.note(at, bit);
      if (const auto segment = position.flips.before(at)) in_segment_.note(at - *segment, bit);
    }
  }
}

// Whether a multiple of `unit`, counted from `origin`, lies within [first, last].
bool holds_multiple(std::uint64_t first, std::uint64_t last, std::uint64_t origin,
                    std::uint64_t unit) {
  if (last < origin) return false;
  return (last - origin) / unit * unit + origin >= first;
}

void Tally::note_ends(const CorruptionInput& input, const DifferingRun& run,
                      const RunReading& reading, const Position& position) {
  const std::uint64_t begin_first = input.offset + reading.earliest_begin;
  const std::uint64_t begin_last = input.offset + run.begin;
  std::uint64_t end_first = input.offset + run.end;
  std::uint64_t end_last = input.offset + reading.latest_end;
  if (run.end == input.seen.size() && input.differs_until > end_first) {
    end_first = end_last = input.differs_until;
  }
  const auto keeps_to = [&](std::uint64_t unit, std::uint64_t origin) {
    return holds_multiple(begin_first, begin_last, origin, unit) &&
           holds_multiple(end_first, end_last, origin, unit);
  };
  const std::uint64_t segment = position.newest_segment == kNoSegment ? 0 : position.newest_segment;
  const std::uint64_t shortest = end_first - begin_last, longest = end_last - begin_first;
  ++ended_;
  const bool ends_segment = position.segments.within(end_first, end_last);
  at_segment_ends_ += ends_segment;
  at_segments_ += ends_segment && position.segments.within(begin_first, begin_last);
  // Where nothing is recognised and all of the input differs, its ends are no ends of the change.
  const std::size_t compared = std::min(input.expected.size(), input.seen.size());
  if (reading.kind == CorruptionKind::unknown && run.len() == compared) return;
  // A whole page is one wherever the buffer it stood in begins.
  at_pages_ += longest >= 4096 &&
               (keeps_to(4096, 0) || keeps_to(4096, segment) || longest / 4096 * 4096 >= shortest);
  at_lines_ += longest >= 64 && (keeps_to(64, 0) || keeps_to(64, segment));
}

// (RFC 1071) The first byte of a word counts 256 times. Whether that is the byte at an even
// position does not matter to the question whether the difference is zero.
void Tally::note_sum(const CorruptionInput& input, const DifferingRun& run, Position& position) {
  for (std::size_t i = run.begin; i < run.end; ++i) {
    const std::uint64_t segment = position.sums.before(input.offset + i).value_or(kNoSegment);
    if (segment != position.summed) {
      end_segment(position, std::nullopt);
      position.summed = segment;
    }
    const int change =
        std::to_integer<int>(input.seen[i]) - std::to_integer<int>(input.expected[i]);
    position.changed = position.changed || change != 0;
    position.difference = (position.difference + (i % 2 == 0 ? 256 : 1) * change) % 0xffff;
  }
}

void Tally::end_segment(Position& position, std::optional<bool> sum_is_same) {
  if (!position.changed) return;
  ++pattern_.changed_segments;
  pattern_.sums_kept += sum_is_same.value_or(position.difference == 0);
  position.changed = false;
  position.difference = 0;
}

void Tally::settle_lane() {
  pattern_.lane = in_stream_.fixed(pattern_.flipped_bits, flipped_bytes_);
  if (!segments_known_) return;
  Lane lane = in_segment_.fixed(pattern_.flipped_bits, flipped_bytes_);
  if (lane.width_bytes <= pattern_.lane.width_bytes) return;
  lane.in_segment = true;
  pattern_.lane = lane;
}

void Tally::settle_alignment() {
  if (most_of(at_segments_, ended_)) {
    pattern_.alignment = Alignment::segment;
  } else if (most_of(at_pages_, ended_)) {
    pattern_.alignment = Alignment::page;
  } else if (most_of(at_segment_ends_, ended_)) {
    pattern_.alignment = Alignment::segment_end;
  } else if (most_of(at_lines_, ended_)) {
    pattern_.alignment = Alignment::cache_line;
  }
}

// One kind for nearly all places; else none. What is unreadable and yet keeps its sums is no
// chance.
void Tally::settle_kind() {
  const auto top = std::ranges::max_element(pattern_.places_by_kind);
  const bool one = most_of(*top, pattern_.places);
  pattern_.kind = one ? static_cast<CorruptionKind>(top - pattern_.places_by_kind.begin())
                      : CorruptionKind::unknown;
  if (pattern_.kind == CorruptionKind::unknown && pattern_.checksum_verifies()) {
    pattern_.kind = CorruptionKind::sum_kept;
  }
}

CorruptionPattern Tally::conclude(ChecksumWitness witness) {
  if (pattern_.places == 0) return pattern_;
  settle_kind();
  settle_lane();
  settle_alignment();
  pattern_.same_place_in_segment =
      segments_known_ && place_.all >= kSamePlaces && most_of(place_.agreeing, place_.all);
  if (most_of(distance_.agreeing, distance_.all)) pattern_.distance = *distance_.value;
  if (most_of(shift_.agreeing, shift_.all)) pattern_.shift = *shift_.value;
  if (most_of(swap_.agreeing, swap_.all)) pattern_.swap = *swap_.value;
  if (most_of(fill_.agreeing, fill_.all)) pattern_.fill = *fill_.value;
  put_into_words(pattern_, witness);
  return pattern_;
}

}  // namespace

std::uint64_t block_hash(Bytes block) { return rolling_hash(block); }

CorruptionPattern corruption_pattern(std::span<const CorruptionInput> inputs,
                                     ChecksumWitness witness) {
  Tally tally(inputs);
  for (const CorruptionInput& input : inputs) tally.add(input);
  return tally.conclude(witness);
}

CorruptionPattern corruption_pattern(const CorruptionInput& input, ChecksumWitness witness) {
  return corruption_pattern(std::span{&input, 1}, witness);
}

}  // namespace slowpath::arithmetic

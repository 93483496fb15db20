// SPDX-License-Identifier: Apache-2.0
// The readings of a stretch, the surest first: what chance makes least often is asked before what
// it makes more often.
#include "detect/arithmetic/corruption_run.h"

#include <array>
#include <bit>

namespace slowpath::arithmetic {
namespace {

// A stretch must be this long before being a copy of other bytes is more than chance.
constexpr std::size_t kShortestCopy = 16;
constexpr std::size_t kShortestShift = 24;
constexpr std::int64_t kFarthestShift = 64;
// Share of a stretch that a shift or a copy must explain: its edges may be something else.
constexpr double kExplainedShare = 0.75;
constexpr std::size_t kTextContext = 16;
constexpr std::size_t kFewestEditedBytes = 4;
// With fewer bits changed than this, flips are the simpler reading of two bytes exchanged or
// zeroed.
constexpr int kFewestBits = 4;
// Block length in which content is indexed; over more content a longer one, to keep the index
// small.
constexpr std::size_t kShortBlock = 16;
constexpr std::size_t kMuchContent = std::size_t{4} << 20;

struct Sides {
  Bytes expected, seen;  // of the stretch
};

Sides sides_of(const CorruptionInput& input, const DifferingRun& run) {
  return {input.expected.subspan(run.begin, run.len()), input.seen.subspan(run.begin, run.len())};
}

std::uint8_t changed_bits(const Sides& sides, std::size_t i) {
  return std::to_integer<std::uint8_t>(sides.expected[i] ^ sides.seen[i]);
}

int count_bits(const Sides& sides) {
  int bits = 0;
  for (std::size_t i = 0; i < sides.seen.size(); ++i) bits += std::popcount(changed_bits(sides, i));
  return bits;
}

// One or two bits; neighbouring bits, the highest of a byte first; or the same one or two bits, or
// one bit each, of three bytes or more.
bool is_flips(const Sides& sides) {
  std::size_t bits = 0, bytes = 0, first = 0, last = 0;
  std::uint8_t all = 0;
  bool one_each = true;
  for (std::size_t i = 0; i < sides.seen.size(); ++i) {
    const std::uint8_t mask = changed_bits(sides, i);
    if (mask == 0) continue;
    if (bits == 0) first = 8 * i + static_cast<std::size_t>(std::countl_zero(mask));
    last = 8 * i + 7 - static_cast<std::size_t>(std::countr_zero(mask));
    bits += static_cast<std::size_t>(std::popcount(mask));
    one_each = one_each && std::has_single_bit(mask);
    all |= mask;
    ++bytes;
  }
  if (bits <= 2 || bits == last - first + 1) return true;
  return bytes >= 3 && (one_each || std::popcount(all) <= 2);
}

bool is_repeated(Bytes bytes, std::size_t period) {
  for (std::size_t i = period; i < bytes.size(); ++i) {
    if (bytes[i] != bytes[i - period]) return false;
  }
  return true;
}

bool is_fill(Bytes seen) {
  return (seen.size() >= 4 && is_repeated(seen, 1)) ||
         (seen.size() >= 12 && (is_repeated(seen, 2) || is_repeated(seen, 4)));
}

struct Order {
  Swap swap;
  std::size_t group;
  std::array<std::uint8_t, 8> from;
};
constexpr std::array kOrders{
    Order{Swap::bytes_of_16, 2, {1, 0}},
    Order{Swap::words_of_32, 4, {2, 3, 0, 1}},
    Order{Swap::bytes_of_32, 4, {3, 2, 1, 0}},
    Order{Swap::dwords_of_64, 8, {4, 5, 6, 7, 0, 1, 2, 3}},
    Order{Swap::bytes_of_64, 8, {7, 6, 5, 4, 3, 2, 1, 0}},
};

bool group_is_ordered(const CorruptionInput& input, std::size_t at, const Order& order) {
  bool equal = true, ordered = true;
  for (std::size_t i = 0; i < order.group; ++i) {
    equal = equal && input.seen[at + i] == input.expected[at + i];
    ordered = ordered && input.seen[at + i] == input.expected[at + order.from[i]];
  }
  return equal || ordered;
}

bool is_ordered(const CorruptionInput& input, const DifferingRun& run, const Order& order,
                std::size_t begin) {
  const std::size_t len = std::min(input.expected.size(), input.seen.size());
  for (std::size_t at = begin; at < run.end; at += order.group) {
    if (at + order.group > len || !group_is_ordered(input, at, order)) return false;
  }
  return true;
}

Swap swap_of(const CorruptionInput& input, const DifferingRun& run) {
  for (const Order& order : kOrders) {
    for (std::size_t before = 0; before < order.group && before <= run.begin; ++before) {
      if (is_ordered(input, run, order, run.begin - before)) return order.swap;
    }
  }
  return Swap::none;
}

// seen[i] == expected[i - shift] in the middle of the stretch, and over most of it.
bool is_shifted_by(const CorruptionInput& input, const DifferingRun& run, std::int64_t shift) {
  const auto source = [&](std::size_t i) { return static_cast<std::int64_t>(i) - shift; };
  const auto len = static_cast<std::int64_t>(input.expected.size());
  const std::size_t middle = run.begin + (run.len() - kShortestCopy) / 2;
  if (source(middle) < 0 || source(middle + kShortestCopy) > len) return false;
  if (std::memcmp(input.seen.data() + middle, input.expected.data() + source(middle),
                  kShortestCopy) != 0) {
    return false;
  }
  std::size_t same = 0;
  for (std::size_t i = run.begin; i < run.end; ++i) {
    const std::int64_t from = source(i);
    same +=
        from >= 0 && from < len && input.seen[i] == input.expected[static_cast<std::size_t>(from)];
  }
  return static_cast<double>(same) >= kExplainedShare * static_cast<double>(run.len());
}

// A stretch no longer than the distance is a copy, not a shift.
std::int64_t shift_of(const CorruptionInput& input, const DifferingRun& run) {
  if (run.len() < kShortestShift) return 0;
  const auto farthest = std::min(kFarthestShift, static_cast<std::int64_t>(run.len()) - 1);
  for (std::int64_t distance = 1; distance <= farthest; ++distance) {
    if (is_shifted_by(input, run, distance)) return distance;
    if (is_shifted_by(input, run, -distance)) return -distance;
  }
  return 0;
}

bool is_text(std::byte byte) {
  const auto c = std::to_integer<unsigned>(byte);
  return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
}

bool is_text(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return is_text(byte); });
}

bool is_edited_text(const CorruptionInput& input, const DifferingRun& run) {
  if (run.differing < kFewestEditedBytes) return false;
  const std::size_t len = std::min(input.expected.size(), input.seen.size());
  const std::size_t begin = run.begin - std::min(run.begin, kTextContext);
  const std::size_t end = std::min(len, run.end + kTextContext);
  return is_text(input.expected.subspan(begin, end - begin)) &&
         is_text(input.seen.subspan(begin, end - begin));
}

// What stands `distance` before a position, where that is at hand.
std::optional<std::byte> content_at(const CorruptionInput& input, std::uint64_t offset) {
  if (offset >= input.offset && offset - input.offset < input.expected.size()) {
    return input.expected[offset - input.offset];
  }
  if (offset >= input.known_offset && offset - input.known_offset < input.known.size()) {
    return input.known[offset - input.known_offset];
  }
  return std::nullopt;
}

// Content that is known by its hash only cannot be laid beside the stretch: the block is enough.
bool is_copy(const CorruptionInput& input, const DifferingRun& run, std::int64_t distance) {
  std::size_t same = 0, at_hand = 0;
  for (std::size_t i = run.begin; i < run.end; ++i) {
    const auto there = content_at(input, input.offset + i - static_cast<std::uint64_t>(distance));
    at_hand += there.has_value();
    same += there == input.seen[i];
  }
  return static_cast<double>(same) >= kExplainedShare * static_cast<double>(at_hand);
}

std::int64_t copy_distance(const CorruptionInput& input, const DifferingRun& run,
                           StreamContent& content) {
  if (run.len() < kShortestCopy) return 0;
  const std::uint64_t offset = input.offset + run.begin;
  const auto found = content.find(input.seen.subspan(run.begin, run.len()), offset);
  if (!found) return 0;
  const auto distance = static_cast<std::int64_t>(offset + found->at - found->offset);
  return is_copy(input, run, distance) ? distance : 0;
}

// Goes outward from the stretch while `same` says that the reading goes on, but no farther than a
// page: beyond it nothing more would be learnt.
constexpr std::size_t kFarthestExtension = 4096;

template <typename Same>
void extend(const CorruptionInput& input, RunReading& reading, Same same) {
  const std::size_t len = std::min(input.expected.size(), input.seen.size());
  const std::size_t least =
      reading.earliest_begin - std::min(reading.earliest_begin, kFarthestExtension);
  const std::size_t most = std::min(len, reading.latest_end + kFarthestExtension);
  while (reading.earliest_begin > least && same(reading.earliest_begin - 1)) {
    --reading.earliest_begin;
  }
  while (reading.latest_end < most && same(reading.latest_end)) ++reading.latest_end;
}

void extend_fill(const CorruptionInput& input, RunReading& reading) {
  const std::byte value{reading.fill};
  extend(input, reading, [&](std::size_t i) { return input.seen[i] == value; });
}

void extend_copy(const CorruptionInput& input, RunReading& reading) {
  extend(input, reading, [&](std::size_t i) {
    return content_at(input, input.offset + i - static_cast<std::uint64_t>(reading.distance)) ==
           input.seen[i];
  });
}

bool is_known_copy(const CorruptionInput& input, const DifferingRun& run) {
  return input.found_at && run.first && run.len() >= kShortestCopy;
}

}  // namespace

void StreamContent::build() {
  std::size_t bytes = 0, hashes = 0;
  for (const CorruptionInput& input : inputs_) {
    bytes += input.expected.size() + input.known.size();
    hashes += input.known_hashes.size();
  }
  const std::size_t block = bytes > kMuchContent ? kHashedBlock : kShortBlock;
  content_.emplace(block, bytes / block);
  hashed_.emplace(kHashedBlock, hashes);
  for (const CorruptionInput& input : inputs_) {
    content_->add(input.known, input.known_offset);
    content_->add(input.expected, input.offset);
    hashed_->add(input.known_hashes, input.known_offset);
  }
}

std::optional<ContentIndex::Found> StreamContent::find(Bytes bytes, std::uint64_t offset) {
  if (!content_) build();
  if (auto found = content_->find(bytes, offset)) return found;
  return hashed_->find(bytes, offset);
}

RunReading read_run(const CorruptionInput& input, const DifferingRun& run, StreamContent& content) {
  RunReading reading;
  reading.earliest_begin = run.begin;
  reading.latest_end = run.end;
  const Sides sides = sides_of(input, run);
  const bool many_bits = run.len() > 4 || count_bits(sides) >= kFewestBits;
  if (many_bits && run.len() >= 2 && is_repeated(sides.seen, 1) && sides.seen[0] == std::byte{0}) {
    reading.kind = CorruptionKind::zeros;
    extend_fill(input, reading);
  } else if (is_fill(sides.seen)) {
    reading.kind = CorruptionKind::fill;
    reading.fill = std::to_integer<std::uint8_t>(sides.seen[0]);
    if (is_repeated(sides.seen, 1)) extend_fill(input, reading);
  } else if (many_bits && (reading.swap = swap_of(input, run)) != Swap::none) {
    reading.kind = CorruptionKind::swapped;
  } else if (is_flips(sides)) {
    reading.kind = CorruptionKind::bit_flips;
  } else if ((reading.shift = shift_of(input, run)) != 0) {
    reading.kind = CorruptionKind::shifted;
  } else if (is_known_copy(input, run)) {
    reading.kind = CorruptionKind::stale;
    reading.distance = static_cast<std::int64_t>(input.offset + run.begin - *input.found_at);
  } else if ((reading.distance = copy_distance(input, run, content)) != 0) {
    reading.kind = CorruptionKind::stale;
    extend_copy(input, reading);
  } else if (is_edited_text(input, run)) {
    reading.kind = CorruptionKind::text_edited;
  }
  return reading;
}

}  // namespace slowpath::arithmetic

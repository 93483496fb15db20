// SPDX-License-Identifier: Apache-2.0
// What changed where bytes differ, and which component makes such changes. Two copies of the same
// range of a stream are laid side by side; each stretch that differs is read alone (few bits,
// zeros, bytes from elsewhere in the stream, a shift, another order, edited text), and what most of
// them share is the pattern. Linear in the bytes; allocates a fixed number of times, whatever
// differs. Judges no connection: who is to blame is a detector's to say, with the vantage and the
// checksums.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace slowpath::arithmetic {

enum class CorruptionKind : std::uint8_t {
  none,         // no byte differs
  bit_flips,    // one or two bits, a run of neighbouring bits, or one bit of each byte
  zeros,        // two bytes or more became zero
  fill,         // four bytes or more became one value, or twelve a value of two or four bytes
  stale,        // bytes of the same stream from elsewhere
  shifted,      // bytes were put in or left out: what follows stands a few bytes away
  swapped,      // bytes, 16-bit or 32-bit words in another order
  text_edited,  // readable text became other readable text
  sum_kept,     // none of these, and the Internet checksum cannot see it
  unknown,      // none of these; or so many different ones that no one is the pattern
};
inline constexpr std::size_t kCorruptionKindCount = 10;
/// "bit flips", "stale bytes", ... "unknown pattern".
std::string_view to_string(CorruptionKind kind);

/// What of the order changed. 16-bit words in another order keep the Internet checksum (RFC 1071
/// section 2A: the sum is commutative); bytes within a word do not.
enum class Swap : std::uint8_t {
  none,
  bytes_of_16,
  words_of_32,
  bytes_of_32,
  dwords_of_64,
  bytes_of_64
};

/// To what the ends of stretches (zeros, fills, stale bytes) keep.
enum class Alignment : std::uint8_t {
  none,
  cache_line,   // 64 bytes
  page,         // 4096 bytes
  segment_end,  // from somewhere to where a segment ends
  segment,      // whole segments
};

/// What the checksum over the changed bytes said where they were seen.
enum class ChecksumWitness : std::uint8_t { unknown, passed, failed };

/// One range of the stream in two copies. Spans live as long as the call.
struct CorruptionInput {
  Bytes expected, seen;      // where one is longer, the rest is not compared
  std::uint64_t offset = 0;  // of the first byte in the stream
  /// Where segments begin, and large sends before they were cut: stream offsets, ascending. An end
  /// counts as the next one's beginning. Empty = unknown.
  std::span<const std::uint64_t> segments = {}, superframes = {};
  /// Other content of the stream, from `known_offset` on, in which bytes may be found again; or, in
  /// its place, block_hash() of each kHashedBlock bytes of it. `expected` is always searched.
  Bytes known = {};
  std::span<const std::uint64_t> known_hashes = {};
  std::uint64_t known_offset = 0;
  /// Stream offset at which the first bytes that differ are known to belong.
  std::optional<std::uint64_t> found_at = std::nullopt;
  /// The copies are excerpts: the difference goes on up to this stream offset; 0 = no further.
  std::uint64_t differs_until = 0;
  /// Of excerpts: whether the one's complement sum of the whole is the same.
  std::optional<bool> sum_is_same = std::nullopt;
};

inline constexpr std::size_t kHashedBlock = 64;
/// Of kHashedBlock bytes.
std::uint64_t block_hash(Bytes block);

/// A line of a data path so many bytes wide: the same bit of the same byte each time.
struct Lane {
  std::uint32_t width_bytes = 0;     // 1, 2, 4, 8 or 64; 0 = the flips keep to none
  std::uint32_t byte = 0;            // 0 = the first
  std::optional<std::uint32_t> bit;  // 0 = the lowest; nothing: several of this byte
  bool in_segment = false;           // counted from the segment's beginning; else from the stream's
};

struct CorruptionPattern {
  CorruptionKind kind = CorruptionKind::none;
  std::uint64_t compared = 0, differing = 0;  // bytes
  std::uint64_t places = 0;  // stretches that differ, with fewer than eight equal bytes within
  std::array<std::uint64_t, kCorruptionKindCount> places_by_kind{};
  std::uint64_t first = 0;         // stream offset of the first byte that differs
  std::uint64_t longest = 0;       // stretch, in bytes
  std::uint64_t flipped_bits = 0;  // in places that are bit flips
  std::uint64_t turned_on = 0;     // of these, from 0 to 1
  Lane lane;
  Alignment alignment = Alignment::none;
  std::uint8_t fill = 0;  // the value, its first byte
  std::int64_t distance =
      0;                   // stale: so many bytes back in the stream; negative: ahead. 0 = various
  std::int64_t shift = 0;  // bytes put in; negative: left out
  Swap swap = Swap::none;
  std::optional<std::uint64_t> in_segment, in_superframe;  // of the first byte that differs
  bool same_place_in_segment = false;                      // in three segments or more
  std::uint64_t changed_segments = 0;  // each input is one where segments are not known
  std::uint64_t sums_kept = 0;         // of these, the Internet checksum stays as it was
  /// The Internet checksum still verifies over all that changed, if it did before.
  [[nodiscard]] bool checksum_verifies() const {
    return changed_segments > 0 && sums_kept == changed_segments;
  }
  std::string sentence;        // what changed; empty when nothing did
  std::string_view points_at;  // the component that makes such changes; empty when nothing did
  std::string_view source;     // where that is known from
};

/// All inputs are read as signs of one cause.
CorruptionPattern corruption_pattern(std::span<const CorruptionInput> inputs,
                                     ChecksumWitness witness = ChecksumWitness::unknown);
CorruptionPattern corruption_pattern(const CorruptionInput& input,
                                     ChecksumWitness witness = ChecksumWitness::unknown);

}  // namespace slowpath::arithmetic

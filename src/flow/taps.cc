// SPDX-License-Identifier: Apache-2.0
// Copies of packets. A capture on several interfaces, on both sides of a router or on a mirror port
// that mirrors both ways records a packet more than once; a faulty network delivers it more than
// once. The former is told by another TTL, MAC address, VLAN or interface, by no time between the
// copies, or by most packets coming twice. What one tap records as a large frame another may record
// in the segments that a NIC cut it into, or merged anew: IP IDs and timestamps go on as they were.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <unordered_map>
#include <vector>

#include "flow/witness.h"

namespace slowpath::flow {
namespace {

// A copy made by a tap or a router comes within this time; a queue between two taps makes it
// longer, rarely more.
constexpr Duration kTapWindow = std::chrono::milliseconds(20);
// Of files that were put together, one from each end: the way between, and its queue.
constexpr Duration kFarTapWindow = std::chrono::milliseconds(500);
// Mirror ports deliver both copies of a frame within the time of one frame or two.
constexpr Duration kMirrorWindow = std::chrono::microseconds(50);
// How far back a copy is looked for.
constexpr std::size_t kLookBack = 32;
// Pieces that show two taps.
constexpr std::size_t kPieces = 3;
// Where more than this share of packets comes twice, both ways, the capture does it, not the
// network.
constexpr double kMostPackets = 0.2;

bool same_packet(const Record& a, const Record& b) {
  return a.direction == b.direction && a.sequence == b.sequence &&
         a.acknowledgment == b.acknowledgment && a.payload_len == b.payload_len &&
         a.flags == b.flags && a.ip_id == b.ip_id && a.window == b.window &&
         a.ts_value == b.ts_value && a.ts_echo == b.ts_echo && a.sack_sum == b.sack_sum &&
         a.icmp_index == kNone && b.icmp_index == kNone;
}

bool other_place(const Record& a, const Record& b) {
  return a.ttl != b.ttl || a.link_tag != b.link_tag || a.frame.input() != b.frame.input();
}

// IP ID 0 says nothing (RFC 6864 allows it with DF); then only data, or the very same moment, makes
// a copy.
bool may_be_copy(const Record& original, const Record& copy) {
  const Duration apart = copy.time - original.time;
  // Whoever sends something again gives it another IP ID.
  const bool told = original.ip_id != 0 && (original.has_timestamps || other_place(original, copy));
  if (told && apart >= Duration{0} && apart <= kFarTapWindow) return true;
  if (apart > kTapWindow || apart < -kTapWindow) return false;
  if (original.ip_id != 0 || other_place(original, copy)) return true;
  return apart == Duration{0} || (copy.payload_len > 0 && apart < std::chrono::milliseconds(1));
}

/// Of what same_packet() compares.
std::uint64_t hash_of(const Record& record) {
  const std::uint64_t place =
      std::uint64_t{record.sequence.value} << 32 | record.acknowledgment.value;
  const std::uint64_t rest = std::uint64_t{record.ip_id} << 48 ^
                             std::uint64_t{record.payload_len} << 8 ^
                             std::uint64_t{record.ts_value} << 16 ^ index(record.direction);
  return (place ^ rest * 0x9e3779b97f4a7c15U) * 0x9e3779b97f4a7c15U;
}

/// Where packets that may be equal came last. Nearly every packet is unlike all others, and is told
/// so at one look.
class Newest {
 public:
  /// The newest position before `at` of one that may be equal; `at` itself if there is none.
  std::size_t replace(const Record& record, std::size_t at) {
    std::uint32_t& slot = next_to_[hash_of(record) >> (64 - kBits)];
    const std::size_t before = slot == 0 ? at : slot - 1;
    slot = static_cast<std::uint32_t>(at + 1);
    return before;
  }

 private:
  static constexpr int kBits = 9;
  std::array<std::uint32_t, std::size_t{1} << kBits> next_to_{};  // position + 1; 0: none
};

std::size_t find_original(std::span<const Record> records, std::size_t copy, std::size_t newest) {
  if (newest == copy) return copy;
  const auto is_original = [&](const Record& record) {
    return !record.tap_copy && !record.network_copy && same_packet(record, records[copy]) &&
           may_be_copy(record, records[copy]);
  };
  // Far back only the one place is looked at.
  if (newest + kLookBack < copy) return is_original(records[newest]) ? newest : copy;
  const std::size_t oldest = copy > kLookBack ? copy - kLookBack : 0;
  for (std::size_t i = newest + 1; i-- > oldest;) {
    if (is_original(records[i])) return i;
  }
  return copy;
}

/// Copies that lie too far from their originals for Newest.
void mark_far_copies(std::span<Record> records) {
  std::unordered_map<std::uint64_t, const Record*> originals;
  for (Record& record : records) {
    if (record.tap_copy || record.network_copy || record.icmp_index != kNone) continue;
    const auto [found, is_new] = originals.try_emplace(hash_of(record), &record);
    if (is_new) continue;
    record.tap_copy = same_packet(*found->second, record) && may_be_copy(*found->second, record);
    if (!record.tap_copy) found->second = &record;
  }
}

/// The large frames of one direction as they were first sent, in the order of the stream.
class LargeFrames {
 public:
  void add(const Record& record) {
    if (!frames_.empty() && record.sequence < end_of(*frames_.back())) return;
    frames_.push_back(&record);
  }
  /// Whether `record`, of another tap, begins in one of them, goes on with its IP IDs, and ends no
  /// later than what was seen there.
  [[nodiscard]] bool hold_piece(const Record& record) const {
    if (frames_.empty() || end_of(record) > end_of(*frames_.back())) return false;
    const auto after = std::ranges::upper_bound(
        frames_, record.sequence, {}, [](const Record* frame) { return frame->sequence; });
    return after != frames_.begin() && is_piece(**std::prev(after), record);
  }

 private:
  static SeqNum end_of(const Record& record) { return record.sequence + record.payload_len; }
  static bool is_piece(const Record& frame, const Record& piece) {
    const std::int32_t into = piece.sequence - frame.sequence;
    const Duration apart = piece.time - frame.time;
    // Segments of a frame have its IP ID and those after it (Documentation/networking/
    // segmentation-offloads in the kernel's sources). The smallest are of 536 bytes.
    constexpr std::int32_t kLeastSegment = 536;
    const auto ids = static_cast<std::uint16_t>(piece.ip_id - frame.ip_id);
    // IPv6 has none: there only timestamps tell a piece from a resend.
    const bool ids_tell = frame.ip_id != 0 || piece.ip_id != 0;
    const bool ids_go_on =
        ids_tell ? ids <= into / kLeastSegment && (into == 0) == (ids == 0) : frame.has_timestamps;
    return into >= 0 && into < static_cast<std::int32_t>(frame.payload_len) &&
           piece.payload_len != frame.payload_len && ids_go_on &&
           piece.acknowledgment == frame.acknowledgment && piece.ts_value == frame.ts_value &&
           piece.ts_echo == frame.ts_echo && apart >= -kTapWindow && apart <= kFarTapWindow &&
           (ids_tell || other_place(frame, piece));
  }

  std::vector<const Record*> frames_;
};

/// Returns how many there are.
std::size_t mark_pieces(std::span<Record> records) {
  constexpr std::uint32_t kLarge = 1460;  // an Ethernet frame holds no more
  std::array<LargeFrames, 2> large;
  std::size_t pieces = 0;
  for (Record& record : records) {
    if (record.payload_len == 0 || record.icmp_index != kNone || record.tap_copy) continue;
    LargeFrames& own = large[index(record.direction)];
    if (own.hold_piece(record)) {
      record.tap_copy = true;
      ++pieces;
    } else if (record.payload_len > kLarge) {
      own.add(record);
    }
  }
  return pieces;
}

}  // namespace

void mark_copies(std::span<Record> records, bool& several_taps) {
  std::array<std::size_t, 2> packets{}, copies{};
  std::size_t elsewhere = 0;
  Newest newest;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::size_t way = index(records[i].direction);
    ++packets[way];
    const std::size_t original = find_original(records, i, newest.replace(records[i], i));
    if (original == i) continue;
    ++copies[way];
    const bool mirrored =
        records[i].time - records[original].time <= kMirrorWindow && records[i].payload_len == 0;
    if (other_place(records[original], records[i])) {
      ++elsewhere;
      records[i].tap_copy = true;
    } else if (mirrored || records[i].time == records[original].time) {
      records[i].tap_copy = true;
    } else {
      records[i].network_copy = true;
    }
  }
  const auto mostly = [&](std::size_t way) {
    return static_cast<double>(copies[way]) > kMostPackets * static_cast<double>(packets[way]);
  };
  if (elsewhere > 2 || (mostly(0) && (mostly(1) || packets[1] == 0)) ||
      (packets[0] == 0 && mostly(1))) {
    several_taps = true;
  }
  // Where large frames travel only the ACKs come twice as they were.
  const bool may_have_pieces = several_taps || mostly(0) || mostly(1);
  if (may_have_pieces && mark_pieces(records) >= kPieces) several_taps = true;
  if (!several_taps) return;
  mark_far_copies(records);
  for (Record& record : records) {
    if (record.network_copy) record.tap_copy = true, record.network_copy = false;
  }
}

}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
// Copies of packets. A capture on several interfaces, on both sides of a router or on a mirror port
// that mirrors both ways records a packet more than once; a faulty network delivers it more than
// once. The former is told by another TTL, MAC address, VLAN or interface, by no time between the
// copies, or by most packets coming twice.
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

#include "flow/witness.h"

namespace slowpath::flow {
namespace {

// A copy made by a tap or a router comes within this time; a queue between two taps makes it
// longer, rarely more.
constexpr Duration kTapWindow = std::chrono::milliseconds(20);
// Mirror ports deliver both copies of a frame within the time of one frame or two.
constexpr Duration kMirrorWindow = std::chrono::microseconds(50);
// How far back a copy is looked for.
constexpr std::size_t kLookBack = 32;
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
  if (apart > kTapWindow || apart < -kTapWindow) return false;
  if (original.ip_id != 0 || other_place(original, copy)) return true;
  return apart == Duration{0} || (copy.payload_len > 0 && apart < std::chrono::milliseconds(1));
}

/// Where packets that may be equal came last. Nearly every packet is unlike all others, and is told
/// so at one look.
class Newest {
 public:
  /// The newest position before `at` of one that may be equal; `at` itself if there is none within
  /// kLookBack.
  std::size_t replace(const Record& record, std::size_t at) {
    const std::uint32_t mixed =
        (record.sequence.value ^ std::rotl(record.acknowledgment.value, 16) ^
         (record.payload_len << 8) ^ std::rotl(record.ts_value, 8) ^ record.ip_id) *
        0x9e3779b1u;
    std::uint32_t& slot = next_to_[mixed >> (32 - kBits)];
    const std::size_t before = slot == 0 || slot + kLookBack <= at ? at : slot - 1;
    slot = static_cast<std::uint32_t>(at + 1);
    return before;
  }

 private:
  static constexpr int kBits = 9;
  std::array<std::uint32_t, std::size_t{1} << kBits> next_to_{};  // position + 1; 0: none
};

std::size_t find_original(std::span<const Record> records, std::size_t copy, std::size_t newest) {
  if (newest == copy) return copy;
  const std::size_t oldest = copy > kLookBack ? copy - kLookBack : 0;
  for (std::size_t i = newest + 1; i-- > oldest;) {
    if (!records[i].tap_copy && !records[i].network_copy &&
        same_packet(records[i], records[copy]) && may_be_copy(records[i], records[copy])) {
      return i;
    }
  }
  return copy;
}

}  // namespace

void mark_copies(std::span<Record> records, bool& several_taps) {
  std::array<std::size_t, 2> packets{}, copies{};
  std::size_t elsewhere = 0;
  Newest newest;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto way = static_cast<std::size_t>(records[i].direction);
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
  if (!several_taps) return;
  for (Record& record : records) {
    if (record.network_copy) record.tap_copy = true, record.network_copy = false;
  }
}

}  // namespace slowpath::flow

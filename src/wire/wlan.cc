// SPDX-License-Identifier: Apache-2.0
// 802.11 data frames, with and without a radiotap header. Protected frames are not IP: keys are
// none of our business. Of an aggregate (A-MSDU) the first subframe is read.
#include "wire/walk.h"

namespace slowpath::wire {
namespace {

constexpr std::uint8_t kToDs = 0x01;
constexpr std::uint8_t kFromDs = 0x02;
constexpr std::uint8_t kMoreFragments = 0x04;
constexpr std::uint8_t kProtected = 0x40;
constexpr std::uint8_t kOrder = 0x80;  // with QoS: an HT Control field follows

// radiotap flags (radiotap.org, field 1).
constexpr std::uint8_t kHasFcs = 0x10;
constexpr std::uint8_t kDataPadded = 0x20;
constexpr std::uint8_t kBadFcs = 0x40;

/// The flags field: behind the chain of presence words, after TSFT (8 bytes, aligned) if present.
std::uint8_t radiotap_flags(const Window& rest, std::size_t header_len) {
  const std::uint32_t present = load_le32(rest.data + 4);
  std::size_t offset = 4;
  std::uint32_t word = present;
  do {
    word = load_le32(rest.data + offset);
    offset += 4;
  } while ((word & 0x80000000u) != 0 && offset + 4 <= header_len);
  if ((present & 1) != 0) offset = (offset + 7) / 8 * 8 + 8;
  if ((present & 2) == 0 || offset >= header_len) return 0;
  return rest.u8(offset);
}

void parse_subframe(Walk& walk) {
  if (!walk.need(14)) return;
  const std::uint16_t len = walk.rest.u16(12);
  walk.rest.skip(14);
  walk.trim(len);
  walk.next = Layer::llc;
}

// 802.11 data frame: 0 frame control | 1 flags | 2 duration | 4, 10, 16 addresses | 22 sequence |
// [24 fourth address] [QoS control 2] [HT control 4] LLC.
void parse_data_frame(Walk& walk, bool padded) {
  if (!walk.need(24)) return;
  const std::uint8_t control = walk.rest.u8(0);
  const std::uint8_t flags = walk.rest.u8(1);
  const bool is_data = (control & 0x0f) == 0x08;  // version 0, type 2
  const bool has_body = (control & 0x40) == 0;
  const bool is_fragment = (flags & kMoreFragments) != 0 || (walk.rest.u8(22) & 0x0f) != 0;
  if (!is_data || !has_body || is_fragment || (flags & kProtected) != 0) return walk.stop_not_ip();
  std::size_t header_len = 24;
  if ((flags & (kToDs | kFromDs)) == (kToDs | kFromDs)) header_len += 6;
  bool is_aggregate = false;
  if ((control & 0x80) != 0) {
    if (!walk.need(header_len + 2)) return;
    is_aggregate = (walk.rest.u8(header_len) & 0x80) != 0;
    header_len += (flags & kOrder) != 0 ? 6 : 2;
  }
  if (padded) header_len = (header_len + 3) / 4 * 4;
  if (!walk.need(header_len)) return;
  walk.mix_into_link_hash(load_be64(walk.rest.data + 4));
  walk.mix_into_link_hash(load_be64(walk.rest.data + 12));
  walk.rest.skip(header_len);
  if (is_aggregate) return parse_subframe(walk);
  walk.next = Layer::llc;
}

}  // namespace

void parse_ieee80211(Walk& walk) { parse_data_frame(walk, false); }

// radiotap (little endian): 0 version 0 | 1 pad | 2 header length | 4 presence words | fields.
void parse_radiotap(Walk& walk) {
  if (!walk.need(8)) return;
  const std::size_t header_len = load_le16(walk.rest.data + 2);
  if (header_len < 8) return walk.stop(PacketKind::malformed);
  if (!walk.need(header_len)) return;
  const std::uint8_t flags = radiotap_flags(walk.rest, header_len);
  walk.rest.skip(header_len);
  // A frame that failed its check was not received by anyone; its bytes prove nothing.
  if ((flags & kBadFcs) != 0) return walk.stop_not_ip();
  if ((flags & kHasFcs) != 0 && walk.rest.wire >= 4) walk.rest.trim(walk.rest.wire - 4);
  parse_data_frame(walk, (flags & kDataPadded) != 0);
}

}  // namespace slowpath::wire

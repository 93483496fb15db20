// SPDX-License-Identifier: Apache-2.0
// Cuts and merges TCP segments. The frame's headers were found, and checked to be inside it, by the
// caller; nothing else about its bytes is believed.
#include "wire/segment.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "wire/checksum.h"
#include "wire/packet.h"

namespace slowpath::wire {
namespace {

constexpr std::uint8_t kTcpProtocol = 6;
constexpr std::uint32_t kMostIpBytes = 65535;
constexpr std::size_t kIpv6Bytes = 40;

/// Folded sum of addresses, protocol and length as they lie in the frame.
std::uint16_t pseudo_sum(const std::byte* ip, bool is_ipv6, std::uint32_t tcp_len) {
  const Bytes addresses = is_ipv6 ? Bytes{ip + 8, 32} : Bytes{ip + 12, 8};
  const auto length = static_cast<std::uint16_t>(
      ones_add(static_cast<std::uint16_t>(tcp_len >> 16), static_cast<std::uint16_t>(tcp_len)));
  return ones_add(ones_sum(addresses), ones_add(kTcpProtocol, length));
}

/// Sets the length that the IP header says, and its checksum.
void set_ip_len(std::byte* ip, const SuperSegment& layout, std::uint32_t ip_len) {
  if (layout.is_ipv6) {
    store_be16(ip + 4, static_cast<std::uint16_t>(ip_len - kIpv6Bytes));
    return;
  }
  store_be16(ip + 2, static_cast<std::uint16_t>(ip_len));
  store_be16(ip + 10, 0);
  store_be16(ip + 10, checksum({ip, std::size_t{layout.tcp_offset} - layout.ip_offset}));
}

/// The flags that segment `index` of `count` keeps.
std::uint8_t flags_of(std::uint8_t flags, std::uint32_t index, std::uint32_t count) {
  if (index + 1 != count) flags = static_cast<std::uint8_t>(flags & ~(kFin | kPsh));
  if (index != 0) flags = static_cast<std::uint8_t>(flags & ~kCwr);
  return flags;
}

bool same(Bytes a, Bytes b, std::size_t offset, std::size_t len) {
  return std::memcmp(a.data() + offset, b.data() + offset, len) == 0;
}

/// IP headers equal but for length, identification and checksum; neither a fragment.
bool same_ip(Bytes held, Bytes next, const SuperSegment& layout) {
  const std::size_t ip = layout.ip_offset;
  const std::size_t header = layout.tcp_offset - ip;
  if (layout.is_ipv6) return same(held, next, ip, 4) && same(held, next, ip + 6, header - 6);
  const bool is_fragment = (load_be16(next.data() + ip + 6) & 0x3fffU) != 0;
  return !is_fragment && same(held, next, ip, 2) && same(held, next, ip + 6, 4) &&
         same(held, next, ip + 12, header - 12);
}

/// TCP headers equal but for sequence, PSH and checksum.
bool same_tcp(Bytes held, Bytes next, const SuperSegment& layout) {
  const std::size_t tcp = layout.tcp_offset;
  const auto other_flags = [&](Bytes bytes) { return load_u8(bytes.data() + tcp + 13) & ~kPsh; };
  return same(held, next, tcp, 4) && same(held, next, tcp + 8, 5) && other_flags(held) == kAck &&
         other_flags(next) == kAck && same(held, next, tcp + 14, 2) &&
         same(held, next, tcp + 18, layout.payload_offset - tcp - 18);
}

}  // namespace

std::uint32_t segment_count(const SuperSegment& super) {
  if (super.segment_payload == 0 || super.payload_len == 0) return 1;
  return (super.payload_len + super.segment_payload - 1) / super.segment_payload;
}

std::uint32_t cut_segment(Bytes frame, const SuperSegment& super, std::uint32_t index,
                          SegmentChecksum checksum, std::span<std::byte> out,
                          std::uint32_t payload_of) {
  const std::uint32_t step = super.segment_payload == 0 ? super.payload_len : super.segment_payload;
  const std::uint32_t begin = index * step;
  const std::uint32_t payload = std::min(step, super.payload_len - begin);
  const std::uint32_t from = payload_of == UINT32_MAX ? begin : payload_of * step;
  const std::uint32_t len = super.payload_offset + payload;
  SLOWPATH_ASSERT(begin <= super.payload_len && len <= out.size());
  SLOWPATH_ASSERT(std::size_t{super.payload_offset} + from + payload <= frame.size());
  std::memcpy(out.data(), frame.data(), super.payload_offset);
  std::memcpy(out.data() + super.payload_offset, frame.data() + super.payload_offset + from,
              payload);

  std::byte* ip = out.data() + super.ip_offset;
  if (!super.is_ipv6) {
    store_be16(ip + 4, static_cast<std::uint16_t>(load_be16(ip + 4) + index));
  }
  set_ip_len(ip, super, len - super.ip_offset);

  std::byte* tcp = out.data() + super.tcp_offset;
  store_be32(tcp + 4, load_be32(tcp + 4) + begin);
  store_u8(tcp + 13, flags_of(load_u8(tcp + 13), index, segment_count(super)));
  const std::uint32_t header = super.payload_offset - std::uint32_t{super.tcp_offset};
  const bool wrong_seed = checksum == SegmentChecksum::wrong_seed;
  const std::uint16_t pseudo =
      pseudo_sum(ip, super.is_ipv6, header + (wrong_seed ? super.payload_len : payload));
  store_be16(tcp + 16, checksum == SegmentChecksum::partial ? pseudo : 0);
  if (checksum != SegmentChecksum::partial) {
    const std::uint16_t sum = ones_add(pseudo, ones_sum({tcp, header + payload}));
    store_be16(tcp + 16, static_cast<std::uint16_t>(~sum));
  }
  return len;
}

bool can_merge(Bytes held, const SuperSegment& held_layout, Bytes next,
               const SuperSegment& next_layout) {
  if (held_layout.is_ipv6 != next_layout.is_ipv6 ||
      held_layout.ip_offset != next_layout.ip_offset ||
      held_layout.tcp_offset != next_layout.tcp_offset ||
      held_layout.payload_offset != next_layout.payload_offset) {
    return false;
  }
  const std::uint32_t headers = held_layout.payload_offset - std::uint32_t{held_layout.ip_offset};
  if (held_layout.segment_payload == 0 || next_layout.payload_len == 0 ||
      next_layout.payload_len > held_layout.segment_payload ||
      held_layout.payload_len % held_layout.segment_payload != 0 ||
      headers + held_layout.payload_len + next_layout.payload_len > kMostIpBytes) {
    return false;
  }
  const std::byte* tcp = held.data() + held_layout.tcp_offset;
  const std::uint32_t expected = load_be32(tcp + 4) + held_layout.payload_len;
  return load_be32(next.data() + held_layout.tcp_offset + 4) == expected &&
         (load_u8(tcp + 13) & kPsh) == 0 && same(held, next, 0, held_layout.ip_offset) &&
         same_ip(held, next, held_layout) && same_tcp(held, next, held_layout);
}

std::uint32_t merge_segment(std::span<std::byte> held, std::uint32_t len, SuperSegment& held_layout,
                            Bytes next, const SuperSegment& next_layout) {
  SLOWPATH_ASSERT(std::size_t{len} + next_layout.payload_len <= held.size());
  std::memcpy(held.data() + len, next.data() + next_layout.payload_offset, next_layout.payload_len);
  len += next_layout.payload_len;
  held_layout.payload_len += next_layout.payload_len;
  std::byte* ip = held.data() + held_layout.ip_offset;
  std::byte* tcp = held.data() + held_layout.tcp_offset;
  set_ip_len(ip, held_layout, len - held_layout.ip_offset);
  const auto psh =
      static_cast<std::uint8_t>(load_u8(next.data() + next_layout.tcp_offset + 13) & kPsh);
  store_u8(tcp + 13, static_cast<std::uint8_t>(load_u8(tcp + 13) | psh));
  store_be16(tcp + 16, pseudo_sum(ip, held_layout.is_ipv6, len - held_layout.tcp_offset));
  return len;
}

}  // namespace slowpath::wire

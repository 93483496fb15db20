// SPDX-License-Identifier: Apache-2.0
// IPv4 and IPv6 with fragments and extension headers, UDP, and the tunnels that IP carries
// directly.
#include "wire/checksum.h"
#include "wire/walk.h"

namespace slowpath::wire {
namespace {

constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kMoreFragments = 0x2000;
constexpr std::uint16_t kOffsetMask = 0x1fff;

// Settles how long the IP packet is: `claimed` by its header, which the wire may contradict.
// Returns false when it is too short for its own header.
// 1. A claim of zero is that of a super-frame: the wire tells.
// 2. A claim beyond the frame is believed: the capture lacks what was sent (files that were cut,
// with
//    the cut length as the length on the wire).
// 3. But not where an outer layer's length field left out bytes that would do: those are padding.
// Some
//    senders count the padding of short Ethernet frames, and would seem to send data in an ACK.
bool settle_length(Walk& walk, std::size_t claimed, bool is_zero, std::size_t header_len) {
  Packet& packet = walk.packet;
  packet.ip_len_zero = is_zero;
  if (is_zero) claimed = walk.rest.wire;
  if (claimed < header_len) return false;
  packet.ip_len_beyond_frame = claimed > walk.rest.wire;
  if (!packet.ip_len_beyond_frame) [[likely]] {
    walk.trim(claimed);
  } else if (claimed - walk.rest.wire > walk.trimmed) {
    walk.rest.wire = claimed;
  }
  packet.ip_total_len = static_cast<std::uint32_t>(walk.rest.wire);
  return walk.rest.wire >= header_len;
}

/// Whether the header's sum is wrong. A stored 0 is left for the NIC, or was never computed.
bool is_header_checksum_bad(const Window& ip, std::size_t header_len) {
  if (ip.u16(10) == 0) return false;
  if (header_len != 20) [[unlikely]]
    return ones_sum({ip.data, header_len}) != 0xffff;
  // Without options it is five words; whether all bits are set does not depend on byte order.
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < 20; i += 4) sum += load_le32(ip.data + i);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return sum != 0xffff;
}

void set_transport(Walk& walk, PacketKind kind, std::size_t header_len) {
  Packet& packet = walk.packet;
  packet.kind = kind;
  packet.transport = walk.rest.bytes();
  packet.payload = packet.transport.subspan(header_len);
  packet.payload_len = static_cast<std::uint32_t>(walk.rest.wire - header_len);
}

// A later fragment: its bytes are payload without a transport header.
void take_fragment(Walk& walk) {
  set_transport(walk, PacketKind::fragment, 0);
  walk.packet.transport = {};
  walk.next = Layer::done;
}

void take_other(Walk& walk) {
  set_transport(walk, PacketKind::other_transport, 0);
  walk.next = Layer::done;
}

void enter_from_ip(Walk& walk, Layer inner) {
  take_other(walk);
  (void)walk.enter_tunnel(inner);
}

// These count themselves as a tunnel when they know what they carry.
void go_on_from_ip(Walk& walk, Layer inner) {
  take_other(walk);
  walk.next = inner;
}

// Ethernet in IP (RFC 3378): version 3 (4 bits), reserved, Ethernet frame.
void parse_ether_ip(Walk& walk) {
  take_other(walk);
  if (!walk.need(2) || walk.rest.u8(0) >> 4 != 3) return;
  if (walk.enter_tunnel(Layer::ethernet)) walk.rest.skip(2);
}

// UDP (RFC 768): 0 source port | 2 destination port | 4 length | 6 checksum. Length 0 is a
// super-frame or a jumbogram (RFC 2675).
void parse_udp(Walk& walk) {
  Packet& packet = walk.packet;
  if (!walk.need(8)) return;
  packet.source_port = walk.rest.u16(0);
  packet.destination_port = walk.rest.u16(2);
  packet.checksum = walk.rest.u16(6);
  const std::uint16_t len = walk.rest.u16(4);
  // The length is that of the whole datagram, of which a fragment holds a part.
  if (len != 0) {
    if (len < 8) return walk.stop(PacketKind::malformed);
    walk.trim(len);
  }
  set_transport(walk, PacketKind::udp, 8);
  packet.looks_like_quic =
      looks_like_quic(packet.payload, packet.source_port, packet.destination_port);
  walk.next = Layer::done;
  const Window datagram = walk.rest;
  walk.rest.skip(8);
  if (!enter_udp_tunnel(walk, packet.source_port, packet.destination_port)) {
    walk.rest = datagram;
    walk.next = Layer::done;
  }
}

/// Reads past an Authentication Header (RFC 4302: 0 next | 1 length in words, less 2) in IPv4.
bool skip_authentication(Walk& walk) {
  if (!walk.need(12)) return false;
  const std::size_t len = (std::size_t{walk.rest.u8(1)} + 2) * 4;
  if (!walk.need(len)) return false;
  walk.packet.protocol = walk.rest.u8(0);
  walk.packet.ip_header_len = static_cast<std::uint16_t>(walk.packet.ip_header_len + len);
  walk.rest.skip(len);
  return true;
}

// Routing header (RFC 8200 section 4.4): 0 next | 1 length | 2 type | 3 segments left | 8
// addresses. The pseudo-header has the final destination: the last address of types 0 (RFC 5095)
// and 2 (RFC 6275), the first of type 4 (segment routing, RFC 8754), whose list is written
// backwards.
const std::byte* final_destination(const Window& at, std::size_t len) {
  if (at.u8(3) == 0 || len < 24) return nullptr;
  switch (at.u8(2)) {
    case 0:
    case 2:
      return at.data + 8 + ((len - 8) / 16 - 1) * 16;
    case 4:
      return at.data + 8;
    default:
      return nullptr;
  }
}

/// Length of the extension header in front, 0 when `type` is none that is stepped over.
std::size_t extension_len(const Window& at, std::uint8_t type) {
  switch (type) {
    case protocol::kHopByHop:
    case protocol::kRouting:
    case protocol::kDestinationOptions:
    case protocol::kMobility:
      return (std::size_t{at.u8(1)} + 1) * 8;
    case protocol::kFragment:
      return 8;
    case protocol::kAuthentication:
      return (std::size_t{at.u8(1)} + 2) * 4;
    default:
      return 0;
  }
}

bool is_extension(std::uint8_t type) {
  switch (type) {
    case protocol::kHopByHop:
    case protocol::kRouting:
    case protocol::kDestinationOptions:
    case protocol::kMobility:
    case protocol::kFragment:
    case protocol::kAuthentication:
      return true;
    default:
      return false;
  }
}

// Fragment header (RFC 8200 section 4.5): 0 next | 1 reserved | 2 offset (13 bits), 2 reserved
// bits, M | 4 identification.
void set_ipv6_fragment(Packet& packet, const std::byte* at) {
  const std::uint16_t field = load_be16(at + 2);
  packet.ip_id = load_be32(at + 4);
  packet.more_fragments = (field & 1) != 0;
  packet.fragment_offset = field & 0xfff8u;
  packet.is_fragment = packet.more_fragments || packet.fragment_offset != 0;
}

}  // namespace

// IPv4 (RFC 791): 0 version, header length (words) | 1 DSCP, ECN | 2 total length | 4
// identification | 6 flags, fragment offset (8 bytes each) | 8 TTL | 9 protocol | 10 checksum | 12
// source | 16 destination | 20 options.
void parse_ipv4(Walk& walk) {
  if (!walk.need(20)) return;
  Packet& packet = walk.packet;
  const Window ip = walk.rest;
  const std::size_t header_len = std::size_t{ip.u8(0) & 0x0fu} * 4;
  if (ip.u8(0) >> 4 != 4 || header_len < 20) return walk.stop(PacketKind::malformed);
  if (!walk.need(header_len)) return;
  const std::uint16_t total_len = ip.u16(2);
  if (!settle_length(walk, total_len, total_len == 0, header_len)) {
    return walk.stop(PacketKind::malformed);
  }
  const std::uint16_t fragment = ip.u16(6);
  walk.in_ip = true;
  packet.ecn = ip.u8(1) & 3;
  packet.ip_id = ip.u16(4);
  packet.dont_fragment = (fragment & kDontFragment) != 0;
  packet.more_fragments = (fragment & kMoreFragments) != 0;
  packet.fragment_offset = (fragment & kOffsetMask) * 8u;
  packet.is_fragment = (fragment & (kMoreFragments | kOffsetMask)) != 0;
  packet.ttl = ip.u8(8);
  packet.protocol = ip.u8(9);
  packet.ip_header_checksum_bad = is_header_checksum_bad(ip, header_len);
  set_ipv4(packet.source, ip.data + 12);
  set_ipv4(packet.destination, ip.data + 16);
  packet.ip_header_len = static_cast<std::uint16_t>(header_len);
  walk.rest.skip(header_len);
  parse_transport(walk);
}

ExtensionChain walk_extensions(Window at, std::uint8_t first) {
  ExtensionChain chain{.protocol = first};
  for (int i = 0; is_extension(chain.protocol); ++i) {
    if (i == kMaxExtensionHeaders) {
      chain.malformed = true;
      return chain;
    }
    const std::size_t len = at.captured < 8 ? 8 : extension_len(at, chain.protocol);
    if (at.captured < len) {
      chain.cut = true;
      chain.malformed = at.wire < len;
      return chain;
    }
    if (chain.protocol == protocol::kRouting) chain.final_destination = final_destination(at, len);
    if (chain.protocol == protocol::kFragment) chain.fragment = at.data;
    chain.protocol = at.u8(0);
    chain.len += len;
    at.skip(len);
    // What follows a later fragment's header is the middle of something.
    if (chain.fragment != nullptr && (load_be16(chain.fragment + 2) & 0xfff8) != 0) return chain;
  }
  return chain;
}

// IPv6 (RFC 8200): 0 version, traffic class, flow label | 4 payload length | 6 next header |
// 7 hop limit | 8 source | 24 destination | 40 extension headers.
void parse_ipv6(Walk& walk) {
  if (!walk.need(40)) return;
  Packet& packet = walk.packet;
  const Window ip = walk.rest;
  if (ip.u8(0) >> 4 != 6) return walk.stop(PacketKind::malformed);
  const std::uint16_t payload_len = ip.u16(4);
  const std::uint8_t first = ip.u8(6);
  // Length 0 is a super-frame (with a jumbo payload option on Linux): as long as the wire says.
  const bool is_zero = payload_len == 0 && first != protocol::kNoNext && ip.wire > 40;
  (void)settle_length(walk, std::size_t{payload_len} + 40, is_zero, 40);
  walk.in_ip = true;
  packet.ecn = ip.u8(1) >> 4 & 3;
  packet.ip_id = 0;
  packet.dont_fragment = true;
  packet.more_fragments = packet.is_fragment = false;
  packet.fragment_offset = 0;
  packet.ttl = ip.u8(7);
  packet.ip_header_checksum_bad = false;
  set_ipv6(packet.source, ip.data + 8);
  set_ipv6(packet.destination, ip.data + 24);
  walk.rest.skip(40);
  const ExtensionChain chain = walk_extensions(walk.rest, first);
  packet.protocol = chain.protocol;
  packet.ip_header_len = static_cast<std::uint16_t>(40 + chain.len);
  if (chain.malformed) return walk.stop(PacketKind::malformed);
  if (chain.cut) return walk.stop(PacketKind::truncated);
  if (chain.final_destination != nullptr) set_ipv6(packet.destination, chain.final_destination);
  if (chain.fragment != nullptr) set_ipv6_fragment(packet, chain.fragment);
  walk.rest.skip(chain.len);
  parse_transport(walk);
}

void parse_transport(Walk& walk) {
  Packet& packet = walk.packet;
  if (packet.fragment_offset != 0) return take_fragment(walk);
  if (packet.protocol == protocol::kTcp) [[likely]]
    return parse_tcp(walk);
  if (packet.protocol == protocol::kAuthentication && !skip_authentication(walk)) return;
  const bool is_v6 = packet.source.version == 6;
  switch (packet.protocol) {
    case protocol::kTcp:
      return parse_tcp(walk);
    case protocol::kUdp:
      return parse_udp(walk);
    case protocol::kIcmp:
      return is_v6 ? take_other(walk) : parse_icmp(walk);
    case protocol::kIcmpv6:
      return is_v6 ? parse_icmp(walk) : take_other(walk);
    case protocol::kIpv4:
      return enter_from_ip(walk, Layer::ipv4);
    case protocol::kIpv6:
      return enter_from_ip(walk, Layer::ipv6);
    case protocol::kGre:
      return go_on_from_ip(walk, Layer::gre);
    case protocol::kMplsInIp:
      return go_on_from_ip(walk, Layer::mpls);
    case protocol::kEtherIp:
      return parse_ether_ip(walk);
    default:
      return take_other(walk);
  }
}

}  // namespace slowpath::wire

// SPDX-License-Identifier: Apache-2.0
// Encapsulations above the link: MPLS, GRE with ERSPAN, and the UDP tunnels VXLAN, GENEVE and
// GTP-U. A UDP tunnel is entered only when port, header and what it carries agree: a port alone
// proves nothing, and a wrong guess would invent packets.
#include "wire/walk.h"

namespace slowpath::wire {
namespace {

constexpr std::uint16_t kPortGtpU = 2152;
constexpr std::uint16_t kPortVxlan = 4789;
constexpr std::uint16_t kPortVxlanLinux = 8472;  // Linux's default before IANA's assignment
constexpr std::uint16_t kPortGeneve = 6081;
constexpr int kMaxMplsLabels = 16;
constexpr int kMaxGtpExtensions = 8;

bool is_known_ether_type(std::uint16_t type) {
  switch (type) {
    case ether::kIpv4:
    case ether::kArp:
    case ether::kVlan:
    case ether::kIpv6:
    case ether::kMpls:
    case ether::kMplsMulticast:
    case ether::kPppoeSession:
    case ether::kProviderVlan:
    case ether::kOldVlan:
      return true;
    default:
      return false;
  }
}

/// A version nibble that fits, as far as it was captured.
bool may_be_ip(const Window& at, unsigned version) {
  return at.captured == 0 || at.u8(0) >> 4 == version;
}

/// Whether an Ethernet frame may begin here; one too short to tell may, if the capture cut it.
bool may_be_ethernet(Window at) {
  if (at.captured < 14) return at.wire >= 14;
  const std::uint16_t type = at.u16(12);
  at.skip(14);
  if (type < ether::kFirst) return type >= 3 && type <= at.wire;
  if (type == ether::kIpv4) return may_be_ip(at, 4);
  if (type == ether::kIpv6) return may_be_ip(at, 6);
  return is_known_ether_type(type);
}

/// The protocol of a tunnel that carries EtherTypes, checked against what follows.
bool may_be_ether_type(const Window& at, std::uint16_t type) {
  if (type == ether::kBridged) return may_be_ethernet(at);
  if (type == ether::kIpv4) return may_be_ip(at, 4);
  if (type == ether::kIpv6) return may_be_ip(at, 6);
  return is_known_ether_type(type);
}

bool enter_ether_type(Walk& walk, std::uint16_t type) {
  if (type == ether::kBridged) return walk.enter_tunnel(Layer::ethernet);
  if (!walk.enter_tunnel(Layer::ether_type)) return false;
  walk.ether_type = type;
  return true;
}

// VXLAN (RFC 7348): 0 flags, bit 0x08 set | 1 reserved | 4 network identifier | 7 reserved.
// Group policy puts 0x80 in the flags and 16 bits at 2.
bool enter_vxlan(Walk& walk) {
  Window at = walk.rest;
  if (at.captured < 8 || (at.u8(0) & 0x7f) != 0x08 || at.u8(7) != 0) return false;
  const std::uint32_t network = at.u32(4) >> 8;
  at.skip(8);
  if (!may_be_ethernet(at)) return false;
  if (!walk.enter_tunnel(Layer::ethernet)) return false;
  walk.rest = at;
  walk.mix_into_link_hash(network);
  return true;
}

// GENEVE (RFC 8926): 0 version (2 bits, 0) and options length (6 bits, words) | 1 flags |
// 2 EtherType | 4 network identifier | 7 reserved | 8 options.
bool enter_geneve(Walk& walk) {
  Window at = walk.rest;
  if (at.captured < 8 || at.u8(0) >> 6 != 0 || (at.u8(1) & 0x3f) != 0 || at.u8(7) != 0)
    return false;
  const std::size_t header_len = 8 + std::size_t{at.u8(0)} * 4;
  const std::uint16_t type = at.u16(2);
  const std::uint32_t network = at.u32(4) >> 8;
  if (at.captured < header_len) return false;
  at.skip(header_len);
  if (!may_be_ether_type(at, type) || !enter_ether_type(walk, type)) return false;
  walk.rest = at;
  walk.mix_into_link_hash(network);
  return true;
}

// GTP-U (3GPP TS 29.281): 0 version 1 (3 bits), protocol type 1, 0, E, S, PN | 1 message 255
// (G-PDU) | 2 length after the first 8 bytes | 4 tunnel | with any of E, S, PN: 8 sequence | 10
// N-PDU | 11 next extension. An extension is: 0 length in words | content | last byte: next
// extension.
bool enter_gtp_u(Walk& walk) {
  Window at = walk.rest;
  if (at.captured < 8 || at.u8(0) >> 4 != 3 || at.u8(1) != 255 || at.u16(2) > at.wire - 8)
    return false;
  const std::uint8_t flags = at.u8(0) & 7;
  const std::uint32_t tunnel = at.u32(4);
  const std::uint16_t len = at.u16(2);
  at.skip(8);
  at.trim(len);
  if (flags != 0) {
    if (at.captured < 4) return false;
    std::uint8_t extension = (flags & 4) != 0 ? at.u8(3) : std::uint8_t{0};
    at.skip(4);
    for (int i = 0; extension != 0; ++i) {
      const std::size_t extension_len = at.captured == 0 ? 0 : std::size_t{at.u8(0)} * 4;
      if (i == kMaxGtpExtensions || extension_len == 0 || extension_len > at.captured) return false;
      extension = at.u8(extension_len - 1);
      at.skip(extension_len);
    }
  }
  if (at.captured == 0 || !(may_be_ip(at, 4) || may_be_ip(at, 6))) return false;
  if (!walk.enter_tunnel(Layer::ip_by_version)) return false;
  walk.rest = at;
  walk.mix_into_link_hash(tunnel);
  return true;
}

// PPTP's GRE (RFC 2637): flags and version 1 | 2 protocol 0x880b | 4 payload length | 6 call |
// [sequence] [acknowledgment] PPP.
void parse_gre_pptp(Walk& walk, std::uint16_t flags) {
  const bool has_sequence = (flags & 0x1000) != 0;
  const std::size_t header_len = 8 + (has_sequence ? 4u : 0u) + ((flags & 0x0080) != 0 ? 4u : 0u);
  if (!walk.need(header_len)) return;
  const std::uint16_t type = walk.rest.u16(2);
  const std::uint16_t len = walk.rest.u16(4);
  if (type != ether::kPpp || !has_sequence) return walk.stop_not_ip();  // a bare acknowledgment
  walk.rest.skip(header_len);
  walk.trim(len);
  (void)walk.enter_tunnel(Layer::ppp);
}

}  // namespace

// MPLS (RFC 3032): labels of 4 bytes, the last with bit 0x100. What follows is not told; IP shows
// its version, a pseudo-wire (RFC 4385) a control word with a first nibble of 0, or bare Ethernet.
void parse_mpls(Walk& walk) {
  bool is_last = false;
  for (int i = 0; !is_last; ++i) {
    if (i == kMaxMplsLabels) return walk.stop_not_ip();
    if (!walk.need(4)) return;
    const std::uint32_t entry = walk.rest.u32(0);
    is_last = (entry & 0x100) != 0;
    walk.mix_into_link_hash(entry >> 12);
    walk.rest.skip(4);
  }
  if (!walk.need(1)) return;
  const unsigned nibble = walk.rest.u8(0) >> 4;
  if ((nibble == 4 && (walk.rest.u8(0) & 15) >= 5) || nibble == 6) {
    (void)walk.enter_tunnel(Layer::ip_by_version);
    return;
  }
  Window after_control_word = walk.rest;
  if (nibble == 0 && walk.rest.captured >= 4) {
    after_control_word.skip(4);
    if (may_be_ethernet(after_control_word)) walk.rest = after_control_word;
  }
  if (!may_be_ethernet(walk.rest)) return walk.stop_not_ip();
  (void)walk.enter_tunnel(Layer::ethernet);
}

// GRE (RFC 2784, 2890): 0 flags (C 0x8000, R 0x4000, K 0x2000, S 0x1000) and version (3 bits) |
// 2 EtherType | [checksum, offset] [key] [sequence] payload.
void parse_gre(Walk& walk) {
  if (!walk.need(4)) return;
  const std::uint16_t flags = walk.rest.u16(0);
  const std::uint16_t type = walk.rest.u16(2);
  if ((flags & 7) == 1) return parse_gre_pptp(walk, flags);
  if ((flags & 7) != 0 || (flags & 0x4000) != 0) return walk.stop_not_ip();
  std::size_t header_len = 4;
  for (const unsigned bit : {0x8000u, 0x2000u, 0x1000u}) header_len += (flags & bit) != 0 ? 4 : 0;
  if (!walk.need(header_len)) return;
  walk.rest.skip(header_len);
  // ERSPAN without a sequence number is type I, which has no header of its own.
  const bool is_erspan1 = type == ether::kErspan2 && (flags & 0x1000) == 0;
  if (is_erspan1 || type == ether::kBridged) {
    (void)walk.enter_tunnel(Layer::ethernet);
  } else if (walk.enter_tunnel(Layer::ether_type)) {
    walk.ether_type = type;
  }
}

// ERSPAN, mirrored frames: type II has 8 bytes in front of the Ethernet frame, type III 12, and 8
// more when the last bit (O) is set.
void parse_erspan(Walk& walk) {
  std::size_t header_len = walk.ether_type == ether::kErspan2 ? 8 : 12;
  if (!walk.need(header_len)) return;
  if (header_len == 12 && (walk.rest.u8(11) & 1) != 0) header_len += 8;
  if (!walk.need(header_len)) return;
  walk.rest.skip(header_len);
  walk.next = Layer::ethernet;
}

bool enter_udp_tunnel(Walk& walk, std::uint16_t source_port, std::uint16_t destination_port) {
  switch (destination_port) {
    case kPortVxlan:
    case kPortVxlanLinux:
      return enter_vxlan(walk);
    case kPortGeneve:
      return enter_geneve(walk);
    case kPortGtpU:
      return enter_gtp_u(walk);
    default:
      return source_port == kPortGtpU && enter_gtp_u(walk);
  }
}

}  // namespace slowpath::wire

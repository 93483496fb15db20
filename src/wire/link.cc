// SPDX-License-Identifier: Apache-2.0
// Link layers: Ethernet, cooked captures, loopback, PPP, FDDI, and the EtherType that follows them.
// 802.11 is in wlan.cc.
#include "wire/walk.h"

namespace slowpath::wire {
namespace {

/// Reads 6 bytes of an address (or fewer bits of anything) for the hash.
std::uint64_t address_bits(const std::byte* at) {
  return std::uint64_t{load_be32(at)} << 16 | load_be16(at + 4);
}

// Family of a loopback frame: AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and
// OpenBSD, 28 on FreeBSD, 30 on Darwin. The order is the capturing host's, so both are tried.
void parse_loopback(Walk& walk) {
  if (!walk.need(4)) return;
  const std::uint32_t stored = walk.rest.u32(0);
  const std::uint32_t family = stored > 0xffff ? std::byteswap(stored) : stored;
  walk.rest.skip(4);
  switch (family) {
    case 2:
      walk.next = Layer::ipv4;
      return;
    case 10:
    case 24:
    case 28:
    case 30:
      walk.next = Layer::ipv6;
      return;
    default:
      walk.stop_not_ip();
  }
}

constexpr std::uint16_t kSllNovell = 0x0001;  // 802.3 without 802.2
constexpr std::uint16_t kSllLlc = 0x0004;
constexpr std::uint8_t kSllOutgoing = 4;

void set_cooked_direction(Walk& walk, unsigned packet_type) {
  if (walk.packet.direction != FrameDirection::unknown) return;
  walk.packet.direction =
      packet_type == kSllOutgoing ? FrameDirection::outbound : FrameDirection::inbound;
}

void go_on_with_cooked(Walk& walk, std::uint16_t type) {
  if (type == kSllLlc) {
    walk.next = Layer::llc;
  } else if (type == kSllNovell) {
    walk.stop_not_ip();
  } else {
    walk.go_on_with(type);
  }
}

// Linux cooked capture (LINKTYPE_LINUX_SLL):
//   0 packet type | 2 ARPHRD type | 4 address length | 6 address (8 bytes) | 14 protocol | 16
//   payload
void parse_sll(Walk& walk) {
  if (!walk.need(16)) return;
  const std::uint16_t packet_type = walk.rest.u16(0);
  const std::uint16_t type = walk.rest.u16(14);
  set_cooked_direction(walk, packet_type);
  walk.mix_into_link_hash(load_be64(walk.rest.data + 6));
  walk.mix_into_link_hash(packet_type);
  walk.rest.skip(16);
  go_on_with_cooked(walk, type);
}

// Linux cooked capture v2 (LINKTYPE_LINUX_SLL2):
//   0 protocol | 2 reserved | 4 interface index | 8 ARPHRD type | 10 packet type | 11 address
//   length | 12 address (8 bytes) | 20 payload
void parse_sll2(Walk& walk) {
  if (!walk.need(20)) return;
  const std::uint16_t type = walk.rest.u16(0);
  set_cooked_direction(walk, walk.rest.u8(10));
  walk.mix_into_link_hash(load_be64(walk.rest.data + 12));
  walk.mix_into_link_hash(std::uint64_t{walk.rest.u32(4)} << 8 | walk.rest.u8(10));
  walk.rest.skip(20);
  go_on_with_cooked(walk, type);
}

// FDDI: 0 frame control | 1 destination | 7 source | 13 LLC. Frame control 0x50-0x57 and its
// synchronous twin 0xd0-0xd7 are LLC frames.
void parse_fddi(Walk& walk) {
  if (!walk.need(13)) return;
  if ((walk.rest.u8(0) & 0x70) != 0x50) return walk.stop_not_ip();
  walk.mix_into_link_hash(address_bits(walk.rest.data + 1));
  walk.mix_into_link_hash(address_bits(walk.rest.data + 7));
  walk.rest.skip(13);
  walk.next = Layer::llc;
}

// Cisco HDLC shares the link type with PPP: 0 address (0x0f unicast, 0x8f multicast) | 1 zero |
// 2 EtherType.
void parse_hdlc(Walk& walk) {
  if (!walk.need(4)) return;
  const std::uint16_t head = walk.rest.u16(0);
  if (head != 0x0f00 && head != 0x8f00) {
    walk.next = Layer::ppp;
    return;
  }
  const std::uint16_t type = walk.rest.u16(2);
  walk.rest.skip(4);
  walk.go_on_with(type);
}

// LINKTYPE_PPP_WITH_DIR: one byte, 0 received by this host, else sent; then PPP.
void parse_ppp_with_direction(Walk& walk) {
  if (!walk.need(1)) return;
  if (walk.packet.direction == FrameDirection::unknown) {
    walk.packet.direction =
        walk.rest.u8(0) == 0 ? FrameDirection::inbound : FrameDirection::outbound;
  }
  walk.rest.skip(1);
  walk.next = Layer::ppp;
}

// An 802.1Q tag: priority and VLAN (16 bits), EtherType of what follows.
void parse_vlan(Walk& walk) {
  if (walk.packet.vlan_count >= kMaxVlanTags) return walk.stop_not_ip();
  if (!walk.need(4)) return;
  const std::uint16_t vlan_id = walk.rest.u16(0) & 0x0fff;
  if (walk.packet.vlan_count++ == 0) walk.packet.vlan_id = vlan_id;
  walk.mix_into_link_hash(vlan_id);
  const std::uint16_t type = walk.rest.u16(2);
  walk.rest.skip(4);
  if (type >= ether::kFirst) return walk.go_on_with(type);
  walk.trim(type);
  walk.next = Layer::llc;
}

}  // namespace

void begin_link(Walk& walk, LinkType link_type) {
  switch (link_type) {
    case LinkType::ethernet:
      return parse_ethernet(walk);
    case LinkType::null_loopback:
    case LinkType::loop:
      return parse_loopback(walk);
    case LinkType::ppp:
      walk.next = Layer::ppp;
      return;
    case LinkType::ppp_hdlc:
      return parse_hdlc(walk);
    case LinkType::ppp_ether:
      walk.next = Layer::pppoe;
      return;
    case LinkType::ppp_with_direction:
      return parse_ppp_with_direction(walk);
    case LinkType::raw_bsd:
    case LinkType::raw_openbsd:
    case LinkType::raw:
      walk.next = Layer::ip_by_version;
      return;
    case LinkType::ipv4:
      walk.next = Layer::ipv4;
      return;
    case LinkType::ipv6:
      walk.next = Layer::ipv6;
      return;
    case LinkType::fddi:
      return parse_fddi(walk);
    case LinkType::linux_sll:
      return parse_sll(walk);
    case LinkType::linux_sll2:
      return parse_sll2(walk);
    case LinkType::ieee80211:
      return parse_ieee80211(walk);
    case LinkType::ieee80211_radiotap:
      return parse_radiotap(walk);
  }
  walk.stop_not_ip();  // A number that LinkType does not list.
}

// Ethernet (IEEE 802.3): 0 destination | 6 source | 12 EtherType, or length of an 802.2 frame.
void parse_ethernet(Walk& walk) {
  if (!walk.need(14)) return;
  walk.mix_into_link_hash(load_be64(walk.rest.data));
  walk.mix_into_link_hash(walk.rest.u32(8));
  const std::uint16_t type = walk.rest.u16(12);
  walk.rest.skip(14);
  if (type == ether::kIpv4) [[likely]]
    return parse_ipv4(walk);
  if (type >= ether::kFirst) return walk.go_on_with(type);
  walk.trim(type);
  walk.next = Layer::llc;
}

void parse_ether_type(Walk& walk) {
  switch (walk.ether_type) {
    case ether::kIpv4:
      return parse_ipv4(walk);
    case ether::kIpv6:
      return parse_ipv6(walk);
    case ether::kVlan:
    case ether::kProviderVlan:
    case ether::kOldVlan:
      return parse_vlan(walk);
    case ether::kMpls:
    case ether::kMplsMulticast:
      walk.next = Layer::mpls;
      return;
    case ether::kPppoeSession:
      walk.next = Layer::pppoe;
      return;
    case ether::kPpp:
      walk.next = Layer::ppp;
      return;
    case ether::kBridged:
      (void)walk.enter_tunnel(Layer::ethernet);
      return;
    case ether::kErspan2:
    case ether::kErspan3:
      return parse_erspan(walk);
    default:
      walk.stop_not_ip();
  }
}

// IEEE 802.2: 0 DSAP | 1 SSAP | 2 control; with SNAP (AA AA 03) 3 OUI | 6 EtherType. OUI 00-00-00
// is plain encapsulation (RFC 1042), 00-00-f8 that of bridges. SAP 06 is IP without SNAP.
void parse_llc(Walk& walk) {
  if (walk.rest.wire < 3) return walk.stop_not_ip();  // no LLC frame is so short
  if (!walk.need(3)) return;
  const std::uint16_t saps = walk.rest.u16(0);
  if (saps == 0x0606 && walk.rest.u8(2) == 0x03) {
    walk.rest.skip(3);
    walk.next = Layer::ipv4;
    return;
  }
  if (saps != 0xaaaa || walk.rest.u8(2) != 0x03) return walk.stop_not_ip();
  if (!walk.need(8)) return;
  const std::uint32_t oui = walk.rest.u32(2) & 0xffffff;
  const std::uint16_t type = walk.rest.u16(6);
  walk.rest.skip(8);
  if (oui != 0x000000 && oui != 0x0000f8) return walk.stop_not_ip();
  walk.go_on_with(type);
}

// PPP (RFC 1661, 1662): address and control FF 03, which may be left out, then the protocol in two
// bytes, or in one that is odd (protocol field compression).
void parse_ppp(Walk& walk) {
  if (!walk.need(2)) return;
  if (walk.rest.u16(0) == 0xff03) {
    walk.rest.skip(2);
    if (!walk.need(2)) return;
  }
  std::uint16_t number = walk.rest.u8(0);
  if ((number & 1) != 0) {
    walk.rest.skip(1);
  } else {
    number = walk.rest.u16(0);
    walk.rest.skip(2);
  }
  switch (number) {
    case 0x0021:
      walk.next = Layer::ipv4;
      return;
    case 0x0057:
      walk.next = Layer::ipv6;
      return;
    case 0x0281:
    case 0x0283:
      walk.next = Layer::mpls;
      return;
    default:
      walk.stop_not_ip();
  }
}

// PPPoE session (RFC 2516): 0 version and type 0x11 | 1 code 0 | 2 session | 4 length | 6 PPP.
void parse_pppoe(Walk& walk) {
  if (!walk.need(6)) return;
  if (walk.rest.u16(0) != 0x1100) return walk.stop_not_ip();
  const std::uint16_t len = walk.rest.u16(4);
  walk.mix_into_link_hash(walk.rest.u16(2));
  walk.rest.skip(6);
  // A super-frame does not fit in the length field and has 0 there.
  if (len != 0) walk.trim(len);
  (void)walk.enter_tunnel(Layer::ppp);
}

}  // namespace slowpath::wire

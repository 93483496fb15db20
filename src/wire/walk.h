// SPDX-License-Identifier: Apache-2.0
// Internal to wire/: the state of one descent through a frame. Each layer's parser reads the header
// in front of `rest`, moves `rest` behind it and says in `next` who goes on. decode() drives the
// loop, so nothing recurses and every bound is in one place.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "wire/packet.h"

namespace slowpath::wire {

/// What lies ahead at some layer: what was captured of it, and how long it was on the wire.
/// captured <= wire always holds. The pointer stands between the two lengths on purpose: side by
/// side, gcc joins their subtraction in skip() into one vector, whose load has to wait for the two
/// stores before it. That was half the time of parse_ipv4().
struct Window {
  std::size_t captured = 0;
  const std::byte* data = nullptr;
  std::size_t wire = 0;

  /// Steps over n bytes; n must not exceed `captured`.
  void skip(std::size_t n) {
    data += n;
    captured -= n;
    wire -= n;
  }
  /// Cuts what follows the first `len` bytes of the wire: padding, trailers, frame check sequences.
  void trim(std::size_t len) {
    wire = std::min(wire, len);
    captured = std::min(captured, wire);
  }
  [[nodiscard]] std::uint8_t u8(std::size_t offset) const { return load_u8(data + offset); }
  [[nodiscard]] std::uint16_t u16(std::size_t offset) const { return load_be16(data + offset); }
  [[nodiscard]] std::uint32_t u32(std::size_t offset) const { return load_be32(data + offset); }
  [[nodiscard]] Bytes bytes() const { return {data, captured}; }
};

enum class Layer : std::uint8_t {
  done,
  ethernet,
  ether_type,  // Walk::ether_type says which
  llc,         // IEEE 802.2
  ppp,
  pppoe,
  mpls,
  gre,
  ipv4,
  ipv6,
  ip_by_version,  // told by the first nibble
};

/// EtherTypes that lead to IP (IANA IEEE 802 numbers).
namespace ether {
inline constexpr std::uint16_t kIpv4 = 0x0800;
inline constexpr std::uint16_t kArp = 0x0806;
inline constexpr std::uint16_t kErspan3 = 0x22eb;
inline constexpr std::uint16_t kBridged = 0x6558;  // transparent Ethernet bridging
inline constexpr std::uint16_t kVlan = 0x8100;
inline constexpr std::uint16_t kIpv6 = 0x86dd;
inline constexpr std::uint16_t kPpp = 0x880b;
inline constexpr std::uint16_t kMpls = 0x8847;
inline constexpr std::uint16_t kMplsMulticast = 0x8848;
inline constexpr std::uint16_t kPppoeSession = 0x8864;
inline constexpr std::uint16_t kProviderVlan = 0x88a8;  // 802.1ad
inline constexpr std::uint16_t kErspan2 = 0x88be;
inline constexpr std::uint16_t kOldVlan = 0x9100;  // QinQ before 802.1ad
inline constexpr std::uint16_t kFirst = 0x0600;    // below are 802.3 lengths
}  // namespace ether

/// IP protocol numbers (IANA).
namespace protocol {
inline constexpr std::uint8_t kHopByHop = 0;
inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kIpv4 = 4;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kIpv6 = 41;
inline constexpr std::uint8_t kRouting = 43;
inline constexpr std::uint8_t kFragment = 44;
inline constexpr std::uint8_t kGre = 47;
inline constexpr std::uint8_t kAuthentication = 51;
inline constexpr std::uint8_t kIcmpv6 = 58;
inline constexpr std::uint8_t kNoNext = 59;
inline constexpr std::uint8_t kDestinationOptions = 60;
inline constexpr std::uint8_t kEtherIp = 97;
inline constexpr std::uint8_t kMobility = 135;
inline constexpr std::uint8_t kMplsInIp = 137;
}  // namespace protocol

struct Walk {
  Packet& packet;
  Window rest;
  Layer next = Layer::done;
  std::uint16_t ether_type = 0;
  bool in_ip = false;       // an IP header was read: the addresses in `packet` mean something
  std::size_t trimmed = 0;  // wire bytes that the length fields of outer layers left out

  void stop(PacketKind kind) {
    packet.kind = kind;
    next = Layer::done;
  }
  /// Something without IP. Inside a tunnel the outer packet stays what it was.
  void stop_not_ip() {
    if (!in_ip) packet.kind = PacketKind::not_ip;
    next = Layer::done;
  }
  /// True when n bytes are at hand; else stops, saying whether the capture or the sender fell
  /// short.
  bool need(std::size_t n) {
    if (rest.captured >= n) [[likely]]
      return true;
    stop(rest.wire < n ? PacketKind::malformed : PacketKind::truncated);
    return false;
  }
  /// Cuts what the length field of a layer leaves out.
  void trim(std::size_t len) {
    trimmed += rest.wire - std::min(rest.wire, len);
    rest.trim(len);
  }
  void go_on_with(std::uint16_t type) {
    ether_type = type;
    next = Layer::ether_type;
  }
  void mix_into_link_hash(std::uint64_t value) {
    std::uint64_t hash = (packet.link_hash ^ value) * 0x9e3779b97f4a7c15u;
    packet.link_hash = hash ^ hash >> 32;
  }
  /// Counts one encapsulation; false when there are too many. The outer addresses join the hash.
  bool enter_tunnel(Layer inner) {
    if (packet.tunnel_depth >= kMaxTunnelDepth) {
      next = Layer::done;
      return false;
    }
    ++packet.tunnel_depth;
    next = inner;
    if (in_ip) {
      for (const IpAddress* address : {&packet.source, &packet.destination}) {
        std::uint64_t halves[2];
        std::memcpy(halves, address->bytes.data(), sizeof halves);
        mix_into_link_hash(halves[0]);
        mix_into_link_hash(halves[1]);
      }
    }
    return true;
  }
};

// link.cc: the layer a capture begins with, and what may follow it below IP.
void begin_link(Walk& walk, LinkType link_type);
void parse_ethernet(Walk& walk);
void parse_ether_type(Walk& walk);
void parse_llc(Walk& walk);
void parse_ppp(Walk& walk);
void parse_pppoe(Walk& walk);
/// 802.11 (wlan.cc).
void parse_radiotap(Walk& walk);
void parse_ieee80211(Walk& walk);

// tunnel.cc
void parse_mpls(Walk& walk);
void parse_gre(Walk& walk);
void parse_erspan(Walk& walk);
/// Steps from a UDP payload into VXLAN, GENEVE or GTP-U where port and header agree; false
/// otherwise.
bool enter_udp_tunnel(Walk& walk, std::uint16_t source_port, std::uint16_t destination_port);

// ip.cc
void parse_ipv4(Walk& walk);
void parse_ipv6(Walk& walk);
/// What follows the IP header, by packet.protocol.
void parse_transport(Walk& walk);

/// The chain of IPv6 extension headers (RFC 8200 section 4).
struct ExtensionChain {
  std::uint8_t protocol = 0;                     // what follows
  std::size_t len = 0;                           // of all headers in the chain
  bool cut = false;                              // ended by the captured bytes
  bool malformed = false;                        // or by too many headers
  const std::byte* fragment = nullptr;           // the fragment header
  const std::byte* final_destination = nullptr;  // from a routing header not yet used up
};
ExtensionChain walk_extensions(Window at, std::uint8_t first);

// tcp.cc, icmp.cc, quic.cc
void parse_tcp(Walk& walk);
void parse_tcp_options(Bytes options, bool cut_by_snap, TcpOptions& parsed);
void parse_icmp(Walk& walk);
bool looks_like_quic(Bytes payload, std::uint16_t source_port, std::uint16_t destination_port);

inline void set_ipv4(IpAddress& address, const std::byte* at) {
  address.bytes = {};
  std::memcpy(address.bytes.data(), at, 4);
  address.version = 4;
}
inline void set_ipv6(IpAddress& address, const std::byte* at) {
  std::memcpy(address.bytes.data(), at, 16);
  address.version = 6;
}

}  // namespace slowpath::wire

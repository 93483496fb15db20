// SPDX-License-Identifier: Apache-2.0
// Sizes on the wire: MSS, tunnels, what of a link's rate is payload, and how long a packet takes.
// Ethernet throughout; other links differ in kEthernetOverheadBytes only.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace slowpath::arithmetic {

enum class IpVersion : std::uint8_t { v4 = 4, v6 = 6 };

inline constexpr std::uint32_t kTcpHeaderBytes = 20;
inline constexpr std::uint32_t kUdpHeaderBytes = 8;
/// RFC 7323 section 3.2: ten bytes, padded to twelve by every stack. In each segment, not in the
/// MSS.
inline constexpr std::uint32_t kTimestampsBytes = 12;
/// Header and frame check sequence, which captures of sent frames show in part (14) or not at all.
inline constexpr std::uint32_t kEthernetHeaderBytes = 14;
inline constexpr std::uint32_t kEthernetFcsBytes = 4;
/// IEEE 802.3: header 14, FCS 4, preamble and start 8, inter-packet gap 12.
inline constexpr std::uint32_t kEthernetOverheadBytes = 38;

/// Least MTU a link must have: RFC 791 section 3.2 (68) and RFC 8200 section 5 (1280).
std::uint32_t min_mtu(IpVersion version);

/// 20 or 40: without IPv4 options or IPv6 extension headers.
std::uint32_t ip_header_bytes(IpVersion version);

/// The MSS option to announce: MTU less IP and TCP header, no options counted (RFC 9293
/// section 3.7.1). Zero where the MTU holds no payload.
std::uint32_t mss_bytes(std::uint32_t mtu, IpVersion version);

/// Payload of a full segment: the MSS less the timestamps that each segment carries.
std::uint32_t segment_payload_bytes(std::uint32_t mtu, IpVersion version, bool timestamps);

/// Data bytes for `ping -s` (with DF) that make a packet of exactly the MTU: IP and ICMP header
/// off.
std::uint32_t ping_payload_bytes(std::uint32_t mtu, IpVersion version);

/// Bytes that a packet of this size occupies on Ethernet, gap and preamble included; +4 for each
/// VLAN.
std::uint32_t wire_bytes(std::uint32_t packet_bytes);

/// Share of an Ethernet link's bits that is TCP payload, full segments only: 0.9493 at 1500.
double efficiency(std::uint32_t mtu, IpVersion version, bool timestamps);

/// Seconds between the first and last bit. Infinite at rate 0.
double serialisation_s(double bytes, double rate_bps);

/// Packets a second of this size that fill an Ethernet link: 812 744 of 1500 bytes at 10 Gbit/s.
double packets_per_second(std::uint32_t packet_bytes, double rate_bps);

/// What an encapsulation adds to a packet. ESP pads its inside to a block, so its overhead depends
/// on the size: the room is what is left after outer_bytes, cut to whole blocks, less the trailer.
struct Tunnel {
  std::string_view name;
  std::string_view consists_of;
  std::uint32_t outer_bytes;    // headers and check values around the padded inside, over IPv4
  std::uint32_t block_bytes;    // 1: no padding
  std::uint32_t trailer_bytes;  // inside the padding: ESP's pad length and next header
};

/// Common encapsulations, over IPv4 (over IPv6 add 20), without options.
inline constexpr std::array<Tunnel, 13> kTunnels{{
    {"pppoe", "6 PPPoE + 2 PPP (RFC 2516)", 8, 1, 0},
    {"ipip", "20 IPv4 (RFC 2003)", 20, 1, 0},
    {"6in4", "20 IPv4 (RFC 4213)", 20, 1, 0},
    {"gre", "20 IPv4 + 4 GRE (RFC 2784)", 24, 1, 0},
    {"gre-key", "20 IPv4 + 8 GRE with key (RFC 2890)", 28, 1, 0},
    {"gtpu", "20 IPv4 + 8 UDP + 8 GTP-U (3GPP TS 29.281)", 36, 1, 0},
    {"vxlan", "20 IPv4 + 8 UDP + 8 VXLAN + 14 inner Ethernet (RFC 7348)", 50, 1, 0},
    {"geneve", "20 IPv4 + 8 UDP + 8 GENEVE + 14 inner Ethernet (RFC 8926)", 50, 1, 0},
    {"wireguard", "20 IPv4 + 8 UDP + 16 header + 16 tag", 60, 1, 0},
    {"wireguard-v6", "40 IPv6 + 8 UDP + 16 header + 16 tag", 80, 1, 0},
    {"ipsec", "20 IPv4 + 8 ESP + 16 IV + 16 ICV + padding: AES-CBC, SHA-256 (RFC 4303)", 60, 16, 2},
    {"ipsec-natt", "20 IPv4 + 8 UDP + 8 ESP + 16 IV + 16 ICV + padding (RFC 3948)", 68, 16, 2},
    {"ipsec-gcm", "20 IPv4 + 8 ESP + 8 IV + 16 ICV + padding: AES-GCM (RFC 4106)", 52, 4, 2},
}};

/// The entry with this name, or null.
const Tunnel* find_tunnel(std::string_view name);

/// The largest packet that passes the tunnel whole when the outer link has this MTU; zero if none.
std::uint32_t tunnel_mtu(std::uint32_t link_mtu, const Tunnel& tunnel);

/// What a packet of this size becomes within the tunnel, padding included.
std::uint32_t tunnelled_bytes(std::uint32_t packet_bytes, const Tunnel& tunnel);

}  // namespace slowpath::arithmetic

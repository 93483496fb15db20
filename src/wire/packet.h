// SPDX-License-Identifier: Apache-2.0
// What one frame says, after link layer, tunnels, IP and transport were read: plain data, no judgement.
// Made by decode(); spans point into the frame and live as long as its bytes.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/sequence.h"
#include "facts/address.h"
#include "facts/tcp_options.h"
#include "wire/frame.h"

namespace slowpath::wire {

/// What the innermost readable layer is.
enum class PacketKind : std::uint8_t {
  not_ip,          // ARP, LLDP, an unknown link type ...
  truncated,       // too few captured bytes for the headers; nothing below is valid beyond `layer_reached`
  malformed,       // lengths contradict each other
  fragment,        // an IP fragment without a transport header in front (offset > 0)
  tcp,
  udp,
  icmp,            // ICMPv4 or ICMPv6
  other_transport,
};

enum TcpFlag : std::uint8_t { kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16, kUrg = 32, kEce = 64, kCwr = 128 };

/// What a transport checksum turned out to be.
enum class ChecksumState : std::uint8_t {
  not_checked,
  unverifiable,        // the snap length cut bytes it covers, or the packet is a fragment
  good,
  partial,             // the folded pseudo-header with length: left for the NIC to finish (Linux CHECKSUM_PARTIAL)
  partial_no_length,   // the folded pseudo-header without length: left for a NIC that cuts segments (LSO)
  zero,                // 0x0000 stored
  bad,
};

/// The packet that an ICMP error quotes (RFC 792, RFC 4443): its IP header and the first bytes of its transport.
struct IcmpQuote {
  bool present = false;
  bool is_tcp = false;
  bool has_ports = false;
  bool has_sequence = false;
  Endpoint source, destination;       // as quoted: the sender of the rejected packet first
  std::uint32_t ip_total_len = 0;     // length field of the quoted IP header, header included
  std::uint16_t ip_id = 0;
  bool dont_fragment = false;
  SeqNum sequence;
};

struct Packet {
  PacketKind kind = PacketKind::not_ip;
  // --- what surrounds the innermost IP packet
  std::uint32_t frame_len = 0;        // on the wire, without FCS
  std::uint8_t tunnel_depth = 0;      // encapsulations removed (VLAN tags not counted)
  std::uint8_t vlan_count = 0;
  std::uint16_t vlan_id = 0;          // outermost tag, 0 without
  std::uint64_t link_hash = 0;        // of MAC addresses, tags and outer tunnel addresses: differs between taps
  FrameDirection direction = FrameDirection::unknown;
  // --- innermost IP
  IpAddress source, destination;
  std::uint8_t ttl = 0;               // or hop limit
  std::uint8_t protocol = 0;          // after IPv6 extension headers
  std::uint8_t ecn = 0;               // 0 not-ECT, 1 ECT(1), 2 ECT(0), 3 CE
  bool dont_fragment = false;         // always true for IPv6
  bool more_fragments = false;
  bool is_fragment = false;           // first fragments have kind tcp/udp/icmp and this flag
  bool ip_len_zero = false;           // total length 0: an unsegmented super-frame; the length comes from the wire
  bool ip_len_beyond_frame = false;   // total length exceeds the frame's wire length: cut file or truncated record
  std::uint16_t ip_header_len = 0;    // with options or extension headers
  std::uint32_t ip_id = 0;            // 16 bits, or 32 from an IPv6 fragment header
  std::uint32_t ip_total_len = 0;     // header and payload, in bytes
  std::uint32_t fragment_offset = 0;  // bytes
  bool ip_header_checksum_bad = false;  // IPv4 only; a stored 0 is not counted as bad
  // --- transport
  std::uint16_t source_port = 0, destination_port = 0;  // TCP and UDP
  std::uint8_t tcp_flags = 0;
  std::uint16_t tcp_window = 0;       // raw field
  std::uint16_t tcp_header_len = 0;
  std::uint16_t checksum = 0;         // stored transport checksum
  SeqNum sequence, acknowledgment;
  TcpOptions options;
  std::uint8_t icmp_type = 0, icmp_code = 0;
  std::uint32_t icmp_mtu = 0;         // next-hop MTU of "fragmentation needed" or "packet too big"; 0 when absent
  IcmpQuote quote;
  bool looks_like_quic = false;       // UDP whose payload has QUIC's fixed bit and a plausible long header, or port 443
  Bytes transport;                    // captured bytes from the transport header on, trailer removed
  Bytes payload;                      // captured transport payload
  std::uint32_t payload_len = 0;      // transport payload on the wire; what was not captured included
};

/// Reads a frame down to its transport. Never fails: what cannot be read is said in Packet::kind.
/// Bounded: at most kMaxTunnelDepth encapsulations, kMaxVlanTags tags, kMaxExtensionHeaders IPv6 headers.
void decode(const Frame& frame, Packet& packet);

/// Verifies the transport checksum of a TCP packet made by decode(). Touches every captured payload byte.
ChecksumState verify_checksum(const Packet& packet);

/// One's complement difference stored - correct of a checksum that verify_checksum() called bad: constant
/// where a fixed thing is summed wrongly, scattered where bits were flipped.
std::uint16_t checksum_error(const Packet& packet);

inline constexpr int kMaxTunnelDepth = 8;
inline constexpr int kMaxVlanTags = 8;
inline constexpr int kMaxExtensionHeaders = 12;

}  // namespace slowpath::wire

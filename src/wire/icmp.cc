// SPDX-License-Identifier: Apache-2.0
// ICMPv4 and ICMPv6, and the packet that an error quotes. RFC 792 promises 8 bytes of the quoted
// transport, which for TCP are the ports and the sequence number; more may come (RFC 1812, RFC
// 4443).
#include "wire/walk.h"

namespace slowpath::wire {
namespace {

constexpr std::size_t kHeaderLen = 8;

/// Ports and sequence, as far as they were quoted and captured.
void read_quoted_transport(const Window& at, std::uint8_t protocol, IcmpQuote& quote) {
  quote.is_tcp = protocol == protocol::kTcp;
  if (!quote.is_tcp && protocol != protocol::kUdp) return;
  if (at.captured < 4) return;
  quote.has_ports = true;
  quote.source.port = at.u16(0);
  quote.destination.port = at.u16(2);
  if (!quote.is_tcp || at.captured < 8) return;
  quote.has_sequence = true;
  quote.sequence = SeqNum{at.u32(4)};
}

void read_quoted_ipv4(Window at, IcmpQuote& quote) {
  if (at.captured < 20 || at.u8(0) >> 4 != 4) return;
  const std::size_t header_len = std::size_t{at.u8(0) & 0x0fu} * 4;
  if (header_len < 20) return;
  quote.present = true;
  quote.ip_total_len = at.u16(2);
  quote.ip_id = at.u16(4);
  quote.dont_fragment = (at.u16(6) & 0x4000) != 0;
  set_ipv4(quote.source.address, at.data + 12);
  set_ipv4(quote.destination.address, at.data + 16);
  const std::uint8_t protocol = at.u8(9);
  quote.is_tcp = protocol == protocol::kTcp;
  const bool is_later_fragment = (at.u16(6) & 0x1fff) != 0;
  if (is_later_fragment || at.captured < header_len) return;
  at.skip(header_len);
  read_quoted_transport(at, protocol, quote);
}

void read_quoted_ipv6(Window at, IcmpQuote& quote) {
  if (at.captured < 40 || at.u8(0) >> 4 != 6) return;
  quote.present = true;
  quote.ip_total_len = at.u16(4) + 40u;
  quote.dont_fragment = true;
  set_ipv6(quote.source.address, at.data + 8);
  set_ipv6(quote.destination.address, at.data + 24);
  const std::uint8_t first = at.u8(6);
  at.skip(40);
  const ExtensionChain chain = walk_extensions(at, first);
  quote.is_tcp = chain.protocol == protocol::kTcp;
  if (chain.cut || chain.malformed) return;
  if (chain.fragment != nullptr) {
    quote.ip_id = load_be16(chain.fragment + 6);
    if ((load_be16(chain.fragment + 2) & 0xfff8) != 0) return;
  }
  if (chain.final_destination != nullptr) {
    set_ipv6(quote.destination.address, chain.final_destination);
  }
  at.skip(chain.len);
  read_quoted_transport(at, chain.protocol, quote);
}

/// Unreachable, source quench, redirect, time exceeded, parameter problem.
bool is_v4_error(std::uint8_t type) {
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/// Unreachable, packet too big, time exceeded, parameter problem (RFC 4443).
bool is_v6_error(std::uint8_t type) { return type >= 1 && type <= 4; }

}  // namespace

// ICMP: 0 type | 1 code | 2 checksum | 4 by type | 8 quoted packet of an error. "Fragmentation
// needed" (v4 type 3 code 4, RFC 1191) has the MTU in 16 bits at 6, "packet too big" (v6 type 2) in
// 32 at 4.
void parse_icmp(Walk& walk) {
  Packet& packet = walk.packet;
  walk.next = Layer::done;
  if (!walk.need(kHeaderLen)) return;
  const Window icmp = walk.rest;
  packet.kind = PacketKind::icmp;
  packet.icmp_type = icmp.u8(0);
  packet.icmp_code = icmp.u8(1);
  packet.checksum = icmp.u16(2);
  packet.transport = icmp.bytes();
  packet.payload = packet.transport.subspan(kHeaderLen);
  packet.payload_len = static_cast<std::uint32_t>(icmp.wire - kHeaderLen);
  Window quoted = icmp;
  quoted.skip(kHeaderLen);
  if (packet.source.version == 4 && is_v4_error(packet.icmp_type)) {
    if (packet.icmp_type == 3 && packet.icmp_code == 4) packet.icmp_mtu = icmp.u16(6);
    read_quoted_ipv4(quoted, packet.quote);
  } else if (packet.source.version == 6 && is_v6_error(packet.icmp_type)) {
    if (packet.icmp_type == 2) packet.icmp_mtu = icmp.u32(4);
    read_quoted_ipv6(quoted, packet.quote);
  }
}

}  // namespace slowpath::wire

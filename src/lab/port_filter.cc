// SPDX-License-Identifier: Apache-2.0
#include "lab/port_filter.h"

#include <algorithm>

#include "lab/packet_view.h"

namespace slowpath::lab {
namespace {

constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIpv6Fragment = 44, kIcmp6 = 58;

bool has_ports(std::uint8_t protocol) { return protocol == kTcp || protocol == kUdp; }

/// RFC 792 and RFC 4443: the messages that quote a packet.
bool quotes_a_packet(std::uint8_t protocol, std::uint8_t type) {
  if (protocol == kIcmp6) return type >= 1 && type <= 4;
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

}  // namespace

bool PortFilter::has(std::uint16_t port) const {
  return std::ranges::find(ports_, port) != ports_.end();
}

bool PortFilter::takes(const Frame& frame) const {
  if (ports_.empty()) return true;
  const auto packet = view(frame);
  if (has_ports(packet.protocol)) {
    return packet.fragment_offset != 0 || has(packet.source_port) || has(packet.destination_port);
  }
  const bool is_icmp = packet.protocol == kIcmp || packet.protocol == kIcmp6;
  if (!is_icmp || packet.fragment_offset != 0 || packet.payload_offset <= packet.l4_offset) {
    return false;
  }
  const auto type = load_u8(frame.data + packet.l4_offset);
  return quotes_a_packet(packet.protocol, type) &&
         takes_quote(frame.bytes().subspan(packet.payload_offset));
}

bool PortFilter::takes_quote(Bytes quote) const {
  if (quote.size() < 20) return false;
  std::size_t l4 = 0;
  std::uint8_t protocol = 0;
  bool is_later_fragment = false;
  if (load_u8(quote.data()) >> 4U == 4) {
    protocol = load_u8(quote.data() + 9);
    is_later_fragment = (load_be16(quote.data() + 6) & 0x1fffU) != 0;
    l4 = (load_u8(quote.data()) & 0xfU) * 4;
  } else {
    if (quote.size() < 48) return false;
    protocol = load_u8(quote.data() + 6);
    l4 = 40;
    if (protocol == kIpv6Fragment) {
      protocol = load_u8(quote.data() + 40);
      is_later_fragment = (load_be16(quote.data() + 42) & 0xfff8U) != 0;
      l4 = 48;
    }
  }
  if (!has_ports(protocol)) return false;
  if (is_later_fragment) return true;
  return quote.size() >= l4 + 4 &&
         (has(load_be16(quote.data() + l4)) || has(load_be16(quote.data() + l4 + 2)));
}

}  // namespace slowpath::lab

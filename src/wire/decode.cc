// SPDX-License-Identifier: Apache-2.0
// Drives the descent through one frame: a straight way for Ethernet, IPv4 and TCP, and a loop over
// the layers' parsers for the rest. The parsers are in link.cc, wlan.cc, tunnel.cc, ip.cc, tcp.cc,
// icmp.cc.
#include <cstddef>
#include <type_traits>

#include "wire/walk.h"

namespace slowpath::wire {
namespace {

static_assert(std::is_trivially_copyable_v<Packet> && std::is_standard_layout_v<Packet>);

void copy_part(Packet& to, const Packet& from, std::size_t begin, std::size_t end) {
  std::memcpy(reinterpret_cast<std::byte*>(&to) + begin,
              reinterpret_cast<const std::byte*>(&from) + begin, end - begin);
}

// Makes the packet new without writing its two large rare parts when they still are: the SACK
// blocks and the ICMP quote, almost half of it. Whatever is added to Packet is covered by the
// copies.
void reset(Packet& packet) {
  static constexpr Packet kNew{};
  constexpr std::size_t kSack = offsetof(Packet, options) + offsetof(TcpOptions, sack);
  constexpr std::size_t kAfterSack = kSack + sizeof(TcpOptions::sack);
  constexpr std::size_t kQuote = offsetof(Packet, quote);
  constexpr std::size_t kAfterQuote = kQuote + sizeof(Packet::quote);
  static_assert(kAfterSack <= kQuote);
  if (packet.options.sack_count != 0) packet.options.sack = {};
  if (packet.quote.present) packet.quote = {};
  copy_part(packet, kNew, 0, kSack);
  copy_part(packet, kNew, kAfterSack, kQuote);
  copy_part(packet, kNew, kAfterQuote, sizeof(Packet));
}

void parse_layer(Walk& walk) {
  switch (walk.next) {
    case Layer::ethernet:
      return parse_ethernet(walk);
    case Layer::ether_type:
      return parse_ether_type(walk);
    case Layer::llc:
      return parse_llc(walk);
    case Layer::ppp:
      return parse_ppp(walk);
    case Layer::pppoe:
      return parse_pppoe(walk);
    case Layer::mpls:
      return parse_mpls(walk);
    case Layer::gre:
      return parse_gre(walk);
    case Layer::ipv4:
      return parse_ipv4(walk);
    case Layer::ipv6:
      return parse_ipv6(walk);
    case Layer::ip_by_version:
      if (!walk.need(1)) return;
      if (walk.rest.u8(0) >> 4 == 4) return parse_ipv4(walk);
      if (walk.rest.u8(0) >> 4 == 6) return parse_ipv6(walk);
      return walk.stop_not_ip();
    case Layer::done:
      return;
  }
}

}  // namespace

void decode(const Frame& frame, Packet& packet) {
  reset(packet);
  const std::size_t wire = std::max<std::size_t>(frame.original_len, frame.bytes.size());
  packet.frame_len = static_cast<std::uint32_t>(wire);
  packet.direction = frame.direction;
  Walk walk{.packet = packet, .rest = {frame.bytes.size(), frame.bytes.data(), wire}};
  begin_link(walk, frame.link_type);
  // Every turn uses up bytes or counts a tunnel, a tag or a label, each of which is bounded.
  while (walk.next != Layer::done) parse_layer(walk);
}

}  // namespace slowpath::wire

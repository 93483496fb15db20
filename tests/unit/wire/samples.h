// SPDX-License-Identifier: Apache-2.0
// One TCP segment in every wrapping that decode() takes off: the tests ask the same of each.
#pragma once

#include <string>
#include <vector>

#include "support/packet_builder.h"

namespace slowpath::test {

struct Sample {
  std::string name;
  BuiltFrame built;
  int tunnel_depth = 0;
  bool is_v6 = false;
};

inline constexpr std::size_t kSamplePayload = 37;

inline PacketBuilder v4(PacketBuilder in) { return in.ipv4("10.0.0.1", "10.0.0.2"); }
inline PacketBuilder v6(PacketBuilder in) { return in.ipv6("2001:db8::1", "2001:db8::2"); }
inline PacketBuilder outer4(PacketBuilder in) { return in.ipv4("192.0.2.1", "192.0.2.2"); }
inline PacketBuilder outer6(PacketBuilder in) { return in.ipv6("2001:db8:f::1", "2001:db8:f::2"); }

/// The segment that is inside all of them.
inline BuiltFrame sample_segment(PacketBuilder in) {
  return in
      .tcp(psh | ack, ports(4000, 80), seq(0xfffffff0), ack_number(77), window(501),
           timestamps(11, 12), sack({{100, 200}, {300, 400}}))
      .payload(kSamplePayload)
      .build();
}

/// 802.11 data frames are written here by hand: only these samples need them.
inline Buffer wlan_header(bool qos, bool four_addresses, bool is_aggregate) {
  Buffer header(24);
  header[0] = std::byte(qos ? 0x88 : 0x08);
  header[1] = std::byte(four_addresses ? 3 : 1);
  for (std::size_t i = 4; i < 22; ++i) header[i] = std::byte(i);
  if (four_addresses) header.resize(header.size() + 6);
  if (qos) {
    header.push_back(std::byte(is_aggregate ? 0x80 : 0));
    header.push_back(std::byte{0});
  }
  return header;
}

inline Buffer bytes_of(std::initializer_list<unsigned> values) {
  Buffer bytes;
  for (const unsigned value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

inline Buffer snap_header(unsigned ether_type) {
  return bytes_of({0xaa, 0xaa, 3, 0, 0, 0, ether_type >> 8, ether_type & 0xff});
}

inline std::vector<Sample> link_samples() {
  using wire::LinkType;
  std::vector<Sample> all;
  const auto add = [&](std::string name, PacketBuilder in) {
    PacketBuilder six = in;
    all.push_back({name + " v4", sample_segment(v4(in)), 0, false});
    all.push_back({name + " v6", sample_segment(v6(six)), 0, true});
  };
  add("ethernet", packet().ethernet());
  add("ethernet with padding", packet().ethernet().padding(9));
  add("802.3 snap", packet().ethernet_llc());
  add("802.3 snap with padding", packet().ethernet_llc().padding(9));
  add("sll", packet().linux_sll());
  add("sll2", packet().linux_sll2());
  add("sll vlan", packet().linux_sll().vlan(5));
  for (const std::uint32_t family : {10u, 24u, 28u, 30u}) {
    add("null " + std::to_string(family), packet().null_loopback(false, family));
    add("loop " + std::to_string(family), packet().null_loopback(true, family));
    add("null of the other order " + std::to_string(family),
        packet().null_loopback(true, family).link_type(LinkType::null_loopback));
  }
  add("raw", packet());
  add("raw bsd", packet().link_type(LinkType::raw_bsd));
  add("raw openbsd", packet().link_type(LinkType::raw_openbsd));
  add("ppp", packet().ppp());
  add("ppp bare", packet().ppp(false));
  add("ppp compressed", packet().ppp(true, true));
  add("ppp bare compressed", packet().ppp(false, true));
  add("ppp hdlc", packet().ppp().link_type(LinkType::ppp_hdlc));
  add("ppp with direction",
      packet().link_type(LinkType::ppp_with_direction).payload(bytes_of({1})).ppp());
  add("fddi", packet().fddi());
  add("vlan", packet().ethernet().vlan(5));
  add("qinq", packet().ethernet().vlan(5, 0x88a8).vlan(6));
  add("old qinq", packet().ethernet().vlan(5, 0x9100).vlan(6));
  all.push_back({"ipv4", sample_segment(v4(packet().link_type(LinkType::ipv4))), 0, false});
  all.push_back({"ipv6", sample_segment(v6(packet().link_type(LinkType::ipv6))), 0, true});
  all.push_back({"cisco hdlc",
                 sample_segment(
                     v4(packet().link_type(LinkType::ppp_hdlc).payload(bytes_of({0x0f, 0, 8, 0})))),
                 0, false});
  return all;
}

inline std::vector<Sample> wlan_samples() {
  using wire::LinkType;
  std::vector<Sample> all;
  const auto wlan = [](LinkType type) { return packet().link_type(type); };
  for (int i = 0; i < 8; ++i) {
    const bool qos = (i & 1) != 0;
    const bool four = (i & 2) != 0;
    const auto type = (i & 4) != 0 ? LinkType::ieee80211_radiotap : LinkType::ieee80211;
    PacketBuilder in = wlan(type);
    // radiotap: TSFT and flags (none set).
    if ((i & 4) != 0) {
      in.payload(bytes_of({0, 0, 17, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0}));
    }
    in.payload(wlan_header(qos, four, false)).payload(snap_header(0x0800));
    all.push_back({"802.11 " + std::to_string(i), sample_segment(v4(in)), 0, false});
  }
  // Flags: check sequence at the end and header padded to 4 bytes (26 becomes 28).
  PacketBuilder padded = wlan(LinkType::ieee80211_radiotap);
  padded.payload(bytes_of({0, 0, 9, 0, 2, 0, 0, 0, 0x30}))
      .payload(wlan_header(true, false, false))
      .payload(Buffer(2))
      .payload(snap_header(0x0800))
      .padding(4);
  all.push_back({"802.11 padded, with check sequence", sample_segment(v4(padded)), 0, false});
  // First subframe of an aggregate: two addresses and the length of what follows.
  const unsigned len = 20 + 52 + kSamplePayload + 8;
  PacketBuilder aggregate = wlan(LinkType::ieee80211);
  aggregate.payload(wlan_header(true, false, true))
      .payload(Buffer(12))
      .payload(bytes_of({0, len}))
      .payload(snap_header(0x0800))
      .padding(30);
  all.push_back({"802.11 aggregate", sample_segment(v4(aggregate)), 0, false});
  return all;
}

inline std::vector<Sample> tunnel_samples() {
  std::vector<Sample> all;
  const auto add = [&](std::string name, int depth, PacketBuilder in) {
    PacketBuilder six = in;
    all.push_back({name + " v4", sample_segment(v4(in)), depth, false});
    all.push_back({name + " v6", sample_segment(v6(six)), depth, true});
  };
  const auto eth = [] { return packet().ethernet(); };
  add("mpls", 1, eth().mpls({17}));
  add("mpls stack", 1, eth().vlan(3).mpls({17, 18, 19}));
  add("mpls control word", 1, eth().mpls({17}).control_word().ethernet());
  add("mpls bare ethernet", 1, eth().mpls({17}).ethernet());
  add("pppoe", 1, eth().pppoe());
  add("pppoe with padding", 1, eth().pppoe().padding(6));
  add("pppoe over qinq", 1, eth().vlan(1).vlan(2).pppoe());
  add("ppp ether", 1, packet().pppoe());
  for (int i = 0; i < 8; ++i) {
    const auto flags = static_cast<std::uint16_t>((i & 1) << 15 | (i & 2) << 12 | (i & 4) << 10);
    add("gre " + std::to_string(flags), 1, outer4(eth()).gre(flags));
  }
  add("gre over v6", 1, outer6(eth()).gre());
  add("gre ethernet", 1, outer4(eth()).gre().ethernet());
  add("gre mpls", 2, outer4(eth()).gre().mpls({99}));
  add("pptp", 1, outer4(eth()).gre_pptp());
  add("pptp with acknowledgment", 1, outer4(eth()).gre_pptp(true));
  add("vxlan", 1, outer4(eth()).udp(5555, 4789).vxlan().ethernet());
  add("vxlan of old linux", 1, outer6(eth()).udp(5555, 8472).vxlan().ethernet().vlan(8));
  add("geneve ethernet", 1, outer4(eth()).udp(5555, 6081).geneve(2).ethernet());
  add("geneve ip", 1, outer4(eth()).udp(5555, 6081).geneve());
  add("gtp-u", 1, outer4(eth()).udp(2152, 2152).gtp_u());
  add("gtp-u extensions", 1, outer4(eth()).udp(2152, 2152).gtp_u(2));
  add("gtp-u answer", 1, outer4(eth()).udp(2152, 40000).gtp_u(1));
  add("in v4", 1, outer4(eth()));
  add("in v6", 1, outer6(eth()));
  add("ethernet in ip", 1, outer4(eth()).payload(bytes_of({0x30, 0})).ethernet());
  add("vxlan in gre in v6", 3, outer4(outer6(eth())).udp(5555, 4789).vxlan().ethernet().mpls({3}));
  return all;
}

inline std::vector<Sample> all_samples() {
  std::vector<Sample> all = link_samples();
  for (const auto& more : {wlan_samples(), tunnel_samples()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace slowpath::test

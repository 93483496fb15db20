// SPDX-License-Identifier: Apache-2.0
// Every link type and tunnel leads to the segment inside, and no prefix of any is read past its
// end.
#include <memory>

#include <gtest/gtest.h>

#include "unit/wire/describe.h"
#include "unit/wire/samples.h"
#include "wire/packet.h"

namespace slowpath::wire {
namespace {

using namespace slowpath::test;

Packet decoded(const BuiltFrame& built) {
  Packet p;
  decode(built.frame(), p);
  return p;
}

/// Decodes the first `len` bytes from a block of exactly that size: AddressSanitizer sees any byte
/// more.
Packet decoded_prefix(const BuiltFrame& built, std::size_t len) {
  const auto block = std::make_unique<std::byte[]>(len);
  std::copy_n(built.bytes.begin(), len, block.get());
  Frame frame = built.frame();
  frame.bytes = {block.get(), len};
  Packet p;
  decode(frame, p);
  (void)verify_checksum(p);
  p.transport = p.payload = {};  // They die with the block.
  return p;
}

TEST(Decode, finds_the_segment_in_every_wrapping) {
  for (const Sample& sample : all_samples()) {
    SCOPED_TRACE(sample.name);
    const Packet p = decoded(sample.built);
    ASSERT_EQ(p.kind, PacketKind::tcp);
    EXPECT_EQ(p.tunnel_depth, sample.tunnel_depth);
    EXPECT_EQ(p.source, address(sample.is_v6 ? "2001:db8::1" : "10.0.0.1"));
    EXPECT_EQ(p.destination, address(sample.is_v6 ? "2001:db8::2" : "10.0.0.2"));
    EXPECT_EQ(p.source_port, 4000);
    EXPECT_EQ(p.destination_port, 80);
    EXPECT_EQ(p.sequence, SeqNum{0xfffffff0});
    EXPECT_EQ(p.acknowledgment, SeqNum{77});
    EXPECT_EQ(p.tcp_flags, kPsh | kAck);
    EXPECT_EQ(p.tcp_window, 501);
    EXPECT_EQ(p.tcp_header_len, 52);
    EXPECT_EQ(p.options.ts_echo, 12u);
    EXPECT_EQ(p.options.sack_count, 2);
    EXPECT_EQ(p.payload_len, kSamplePayload);
    EXPECT_EQ(p.payload.size(), kSamplePayload);
    EXPECT_EQ(p.ip_total_len, (sample.is_v6 ? 40 : 20) + 52 + kSamplePayload);
    EXPECT_FALSE(p.ip_header_checksum_bad);
    EXPECT_FALSE(p.ip_len_beyond_frame);
    EXPECT_EQ(verify_checksum(p), ChecksumState::good);
  }
}

TEST(Decode, reads_nothing_behind_any_prefix) {
  for (const Sample& sample : all_samples()) {
    SCOPED_TRACE(sample.name);
    std::size_t shortest_tcp = sample.built.bytes.size();
    for (std::size_t len = sample.built.bytes.size() + 1; len-- > 0;) {
      const Packet p = decoded_prefix(sample.built, len);
      if (p.kind == PacketKind::tcp) {
        EXPECT_EQ(p.payload_len, kSamplePayload) << len;
        shortest_tcp = len;
      }
    }
    // The fixed TCP header is enough, wherever it ends.
    const std::size_t behind = sample.built.bytes.size() - shortest_tcp;
    EXPECT_GE(behind, kSamplePayload + 32);
  }
}

TEST(Decode, says_truncated_where_the_capture_ends_early) {
  const BuiltFrame built = sample_segment(v4(packet().ethernet()));
  for (std::size_t len = 0; len < 14 + 20 + 20; ++len) {
    EXPECT_EQ(decoded_prefix(built, len).kind, PacketKind::truncated) << len;
  }
}

TEST(Decode, says_malformed_where_the_wire_ends_early) {
  BuiltFrame built = packet().ethernet().payload(Buffer(10)).build();
  built.bytes[12] = std::byte{8};  // IPv4, with 10 bytes on the wire
  EXPECT_EQ(decoded(built).kind, PacketKind::malformed);
}

// A packet that was used before must not show through.
TEST(Decode, leaves_nothing_of_the_packet_before) {
  const Buffer rejected = packet().ipv4("10.0.0.1", "10.0.0.9").tcp(ack, ports(1, 2)).bytes();
  std::vector<BuiltFrame> frames = {
      packet().ethernet().ipv4("10.0.0.7", "10.0.0.1").icmp(3, 4, 1400).payload(rejected).build(),
      packet().ethernet().payload(30).build(),
      packet().ethernet().ipv6("fe80::1", "fe80::2", fragment(800, true)).payload(80).build(),
  };
  frames.push_back(sample_segment(v6(packet().ethernet().vlan(9).ipv4("1.1.1.1", "2.2.2.2"))));
  std::vector<BuiltFrame> followers = frames;
  for (const Sample& sample : all_samples()) followers.push_back(sample.built);
  for (const BuiltFrame& before : frames) {
    Packet used;
    decode(before.frame(), used);
    for (const BuiltFrame& after : followers) {
      Packet again = used;
      decode(after.frame(), again);
      ASSERT_EQ(describe(again), describe(decoded(after)));
    }
  }
}

TEST(Decode, hashes_the_link_so_that_taps_differ) {
  const auto hash = [](PacketBuilder in) { return decoded(sample_segment(v4(in))).link_hash; };
  const auto plain = hash(packet().ethernet());
  EXPECT_EQ(plain, hash(packet().ethernet()));
  EXPECT_NE(plain, hash(packet().ethernet(1, 2)));
  EXPECT_NE(plain, hash(packet().ethernet().vlan(4)));
  EXPECT_NE(hash(packet().ethernet().vlan(5)), hash(packet().ethernet().vlan(4)));
  EXPECT_NE(hash(packet().ipv4("1.1.1.1", "2.2.2.2")), hash(packet().ipv4("1.1.1.1", "2.2.2.3")));
  EXPECT_NE(hash(packet().linux_sll2(0, 1)), hash(packet().linux_sll2(0, 2)));
}

TEST(Decode, keeps_the_outermost_tag) {
  const Packet p = decoded(sample_segment(v4(packet().ethernet().vlan(5, 0x88a8).vlan(6))));
  EXPECT_EQ(p.vlan_id, 5);
  EXPECT_EQ(p.vlan_count, 2);
}

TEST(Decode, reads_the_direction_of_cooked_captures) {
  EXPECT_EQ(decoded(sample_segment(v4(packet().linux_sll(4)))).direction, FrameDirection::outbound);
  EXPECT_EQ(decoded(sample_segment(v4(packet().linux_sll(0)))).direction, FrameDirection::inbound);
  EXPECT_EQ(decoded(sample_segment(v4(packet().linux_sll2(4)))).direction,
            FrameDirection::outbound);
}

TEST(Decode, bounds_tunnels_and_tags) {
  PacketBuilder deep = packet();
  for (int i = 0; i < 100; ++i) deep.ipv4("192.0.2.1", "192.0.2.2");
  Packet p = decoded(sample_segment(v4(deep)));
  EXPECT_EQ(p.kind, PacketKind::other_transport);
  EXPECT_EQ(p.tunnel_depth, kMaxTunnelDepth);
  PacketBuilder tagged = packet().ethernet();
  for (int i = 0; i < 100; ++i) tagged.vlan(7);
  p = decoded(sample_segment(v4(tagged)));
  EXPECT_EQ(p.kind, PacketKind::not_ip);
  EXPECT_EQ(p.vlan_count, kMaxVlanTags);
}

TEST(Decode, takes_other_traffic_for_what_it_is) {
  EXPECT_EQ(decoded(packet().ethernet().payload(60).build()).kind, PacketKind::not_ip);
  BuiltFrame unknown_link = sample_segment(v4(packet()));
  unknown_link.link_type = static_cast<LinkType>(147);
  EXPECT_EQ(decoded(unknown_link).kind, PacketKind::not_ip);
  PacketBuilder protected_wlan = packet().link_type(LinkType::ieee80211);
  Buffer header = wlan_header(true, false, false);
  header[1] |= std::byte{0x40};
  protected_wlan.payload(header).payload(snap_header(0x0800));
  EXPECT_EQ(decoded(sample_segment(v4(protected_wlan))).kind, PacketKind::not_ip);
  const BuiltFrame sctp =
      packet().ethernet().ipv4("10.0.0.1", "10.0.0.2", protocol(132)).payload(40).build();
  EXPECT_EQ(decoded(sctp).kind, PacketKind::other_transport);
  EXPECT_EQ(decoded(sctp).payload_len, 40u);
}

TEST(Decode, does_not_take_a_port_for_a_tunnel) {
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{4789, 8472, 6081, 2152}) {
    const BuiltFrame built =
        packet().ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(53, port).payload(100).build();
    const Packet p = decoded(built);
    EXPECT_EQ(p.kind, PacketKind::udp) << port;
    EXPECT_EQ(p.tunnel_depth, 0);
    EXPECT_EQ(p.payload_len, 100u);
  }
  // What VXLAN carries here is ARP: the outer packet is the innermost that can be read.
  PacketBuilder in = packet().ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(53, 4789).vxlan();
  const Packet arp = decoded(in.ethernet().vlan(1).vlan(1, 0x0806).payload(28).build());
  EXPECT_EQ(arp.kind, PacketKind::udp);
  EXPECT_EQ(arp.destination_port, 4789);
}

TEST(Decode, tells_quic_from_other_udp) {
  const auto quic = [](std::uint16_t port, Buffer bytes) {
    return decoded(packet().ipv4("10.0.0.1", "10.0.0.2").udp(50000, port).payload(bytes).build())
        .looks_like_quic;
  };
  EXPECT_TRUE(quic(4433, bytes_of({0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8})));
  EXPECT_FALSE(quic(4433, bytes_of({0xc3, 0, 0, 0, 1, 21, 1, 2, 3})));
  EXPECT_FALSE(quic(4433, bytes_of({0xc3, 9, 9, 9, 9, 8, 1, 2, 3})));
  EXPECT_TRUE(quic(443, bytes_of({0x41, 2, 3})));
  EXPECT_FALSE(quic(443, bytes_of({0x01, 2, 3})));
  EXPECT_FALSE(quic(53, bytes_of({0x41, 2, 3})));
}

}  // namespace
}  // namespace slowpath::wire

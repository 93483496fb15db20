// SPDX-License-Identifier: Apache-2.0
// IP headers: lengths that lie, padding, options, fragments, extension headers; ICMP and its
// quotes.
#include <gtest/gtest.h>

#include "unit/wire/samples.h"
#include "wire/packet.h"

namespace slowpath::wire {
namespace {

using namespace slowpath::test;

/// Decodes and keeps the bytes that the packet points into.
struct Decoded : Packet {
  BuiltFrame built;
  explicit Decoded(PacketBuilder in) : built(in.build()) { decode(built.frame(), *this); }
};

template <typename... Fields>
Decoded ipv4_segment(std::size_t len, Fields... fields) {
  return Decoded(
      packet().ethernet().ipv4("10.0.0.1", "10.0.0.2", fields...).tcp(ack, seq(5)).payload(len));
}

TEST(Ip, reads_the_header) {
  const Decoded p = ipv4_segment(10, ttl(61), tos(0xb8 | 3), ip_id(0xbeef));
  EXPECT_EQ(p.ttl, 61);
  EXPECT_EQ(p.ecn, 3);
  EXPECT_EQ(p.ip_id, 0xbeefu);
  EXPECT_TRUE(p.dont_fragment);
  EXPECT_EQ(p.protocol, 6);
  EXPECT_EQ(p.ip_header_len, 20);
  EXPECT_EQ(p.frame_len, 14u + 20 + 20 + 10);
  EXPECT_FALSE(ipv4_segment(10, may_fragment()).dont_fragment);
  const Decoded six(packet().ipv6("::1", "::2", ttl(9), tos(2)).tcp(ack));
  EXPECT_EQ(six.ttl, 9);
  EXPECT_EQ(six.ecn, 2);
  EXPECT_TRUE(six.dont_fragment);
}

TEST(Ip, cuts_ethernet_padding) {
  const Decoded p(packet().ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(ack).padding(6));
  EXPECT_EQ(p.frame_len, 60u);
  EXPECT_EQ(p.payload_len, 0u);
  EXPECT_EQ(p.transport.size(), 20u);
}

TEST(Ip, takes_the_wire_for_a_length_of_zero) {
  const Decoded p = ipv4_segment(3000, total_length(0));
  EXPECT_TRUE(p.ip_len_zero);
  EXPECT_EQ(p.ip_total_len, 3040u);
  EXPECT_EQ(p.payload_len, 3000u);
  const Decoded six(packet().ethernet().ipv6("::1", "::2", total_length(0)).tcp(ack).payload(999));
  EXPECT_TRUE(six.ip_len_zero);
  EXPECT_EQ(six.payload_len, 999u);
  const Decoded empty(packet().ethernet().ipv6("::1", "::2", protocol(59)));
  EXPECT_FALSE(empty.ip_len_zero);
  EXPECT_EQ(empty.kind, PacketKind::other_transport);
}

TEST(Ip, believes_a_length_beyond_the_frame_and_says_so) {
  const Decoded p = ipv4_segment(100, total_length(1500));
  EXPECT_TRUE(p.ip_len_beyond_frame);
  EXPECT_EQ(p.kind, PacketKind::tcp);
  EXPECT_EQ(p.payload_len, 1460u);
  EXPECT_EQ(p.payload.size(), 100u);
}

// As in real captures of PPPoE: a pure ACK whose total length counts the padding behind the
// session's.
TEST(Ip, does_not_take_padding_outside_an_outer_length_for_data) {
  PacketBuilder in = packet().ethernet().pppoe().ipv4("10.0.0.1", "10.0.0.2", total_length(46));
  const Decoded p(in.tcp(ack).padding(6));
  EXPECT_EQ(p.kind, PacketKind::tcp);
  EXPECT_TRUE(p.ip_len_beyond_frame);
  EXPECT_EQ(p.payload_len, 0u);
  EXPECT_EQ(p.ip_total_len, 40u);
}

TEST(Ip, calls_contradictions_malformed) {
  EXPECT_EQ(ipv4_segment(0, total_length(19)).kind, PacketKind::malformed);
  EXPECT_EQ(ipv4_segment(0, total_length(39)).kind, PacketKind::malformed);
  const Decoded udp(packet().ipv4("10.0.0.1", "10.0.0.2").udp(1, 2, 7));
  EXPECT_EQ(udp.kind, PacketKind::malformed);
}

TEST(Ip, checks_the_header_checksum) {
  EXPECT_FALSE(ipv4_segment(0).ip_header_checksum_bad);
  EXPECT_TRUE(ipv4_segment(0, header_checksum(0x1234)).ip_header_checksum_bad);
  EXPECT_FALSE(ipv4_segment(0, header_checksum(0)).ip_header_checksum_bad);
}

TEST(Ip, steps_over_options) {
  const Decoded p = ipv4_segment(50, ip_options(Buffer(13, std::byte{1})));
  EXPECT_EQ(p.ip_header_len, 36);
  EXPECT_EQ(p.payload_len, 50u);
  EXPECT_EQ(verify_checksum(p), ChecksumState::good);
}

TEST(Ip, reads_fragments) {
  const Decoded first = ipv4_segment(52, fragment(0, true), ip_id(7));
  EXPECT_EQ(first.kind, PacketKind::tcp);
  EXPECT_TRUE(first.is_fragment);
  EXPECT_TRUE(first.more_fragments);
  EXPECT_EQ(first.payload_len, 52u);
  const Decoded later(packet()
                          .ethernet()
                          .ipv4("10.0.0.1", "10.0.0.2", fragment(1480, false), protocol(6))
                          .payload(33));
  EXPECT_EQ(later.kind, PacketKind::fragment);
  EXPECT_EQ(later.fragment_offset, 1480u);
  EXPECT_FALSE(later.more_fragments);
  EXPECT_EQ(later.payload_len, 33u);
  const Decoded tiny(
      packet().ipv4("10.0.0.1", "10.0.0.2", fragment(0, true), protocol(6)).payload(8));
  EXPECT_EQ(tiny.kind, PacketKind::fragment);
}

TEST(Ip, reads_ipv6_fragments) {
  const auto six = [](std::uint32_t offset, bool more) {
    return packet().ethernet().ipv6("::1", "::2", fragment(offset, more), ip_id(0x12345678));
  };
  const Decoded first(six(0, true).tcp(ack, ports(1, 2)).payload(60));
  EXPECT_EQ(first.kind, PacketKind::tcp);
  EXPECT_TRUE(first.is_fragment);
  EXPECT_EQ(first.ip_id, 0x12345678u);
  EXPECT_EQ(first.ip_header_len, 48);
  EXPECT_EQ(first.payload_len, 60u);
  PacketBuilder in = packet().ipv6("::1", "::2", fragment(1448, false), protocol(6));
  const Decoded later(in.payload(11));
  EXPECT_EQ(later.kind, PacketKind::fragment);
  EXPECT_EQ(later.protocol, 6);
  EXPECT_EQ(later.fragment_offset, 1448u);
  EXPECT_EQ(later.payload_len, 11u);
}

TEST(Ip, steps_over_extension_headers) {
  PacketBuilder in = packet().ethernet().ipv6("::1", "::2");
  const Decoded p(
      in.extension(0).extension(60, 2).extension(43, 1).extension(51, 1).tcp(ack, ports(7, 8)));
  EXPECT_EQ(p.kind, PacketKind::tcp);
  EXPECT_EQ(p.protocol, 6);
  EXPECT_EQ(p.ip_header_len, 40 + 8 + 24 + 16 + 20);
  EXPECT_EQ(p.destination_port, 8);
  EXPECT_EQ(verify_checksum(p), ChecksumState::good);
  PacketBuilder many = packet().ipv6("::1", "::2");
  for (int i = 0; i <= kMaxExtensionHeaders; ++i) many.extension(60);
  EXPECT_EQ(Decoded(many.tcp(ack)).kind, PacketKind::malformed);
}

// The pseudo-header has the last destination of a source route (RFC 8200 section 8.1).
TEST(Ip, follows_a_routing_header_to_its_last_address) {
  for (const unsigned type : {0u, 2u, 4u}) {
    PacketBuilder inner = packet().ipv6("::1", "2001:db8::9").tcp(ack, ports(7, 8)).payload(5);
    const Buffer whole = inner.bytes();
    Buffer routing = bytes_of({6, 2, type, 1, 0, 0, 0, 0});
    routing.insert(routing.end(), whole.begin() + 24, whole.begin() + 40);
    routing.insert(routing.end(), whole.begin() + 40, whole.end());
    const Decoded p(packet().ipv6("::1", "2001:db8::5", protocol(43)).payload(routing));
    EXPECT_EQ(p.destination, address("2001:db8::9"));
    EXPECT_EQ(verify_checksum(p), ChecksumState::good);
  }
}

TEST(Icmp, reads_the_quoted_segment_and_the_mtu) {
  Buffer rejected = packet()
                        .ipv4("10.0.0.1", "10.0.0.2", ip_id(77))
                        .tcp(ack, ports(4000, 80), seq(123456))
                        .payload(3000)
                        .bytes();
  rejected.resize(28);
  PacketBuilder in = packet().ethernet().ipv4("10.0.0.254", "10.0.0.1");
  const Decoded p(in.icmp(3, 4, 1400).payload(rejected));
  EXPECT_EQ(p.kind, PacketKind::icmp);
  EXPECT_EQ(p.icmp_type, 3);
  EXPECT_EQ(p.icmp_code, 4);
  EXPECT_EQ(p.icmp_mtu, 1400u);
  ASSERT_TRUE(p.quote.present);
  EXPECT_TRUE(p.quote.is_tcp);
  EXPECT_TRUE(p.quote.has_sequence);
  EXPECT_EQ(to_string(p.quote.source), "10.0.0.1:4000");
  EXPECT_EQ(to_string(p.quote.destination), "10.0.0.2:80");
  EXPECT_EQ(p.quote.sequence, SeqNum{123456});
  EXPECT_EQ(p.quote.ip_total_len, 3040u);
  EXPECT_EQ(p.quote.ip_id, 77);
  EXPECT_TRUE(p.quote.dont_fragment);
}

TEST(Icmp, reads_as_much_of_a_quote_as_there_is) {
  const Buffer rejected = packet().ipv4("10.0.0.1", "10.0.0.2").tcp(ack, ports(4000, 80)).bytes();
  for (std::size_t len = 0; len <= rejected.size(); ++len) {
    const Buffer quoted(rejected.begin(), rejected.begin() + static_cast<std::ptrdiff_t>(len));
    PacketBuilder in = packet().ipv4("10.0.0.254", "10.0.0.1");
    const Decoded p(in.icmp(11, 0).payload(quoted));
    EXPECT_EQ(p.quote.present, len >= 20) << len;
    EXPECT_EQ(p.quote.has_ports, len >= 24) << len;
    EXPECT_EQ(p.quote.has_sequence, len >= 28) << len;
  }
}

TEST(Icmp, reads_packet_too_big) {
  const Buffer rejected = packet()
                              .ipv6("2001:db8::1", "2001:db8::2")
                              .extension(60)
                              .tcp(ack, ports(4000, 80), seq(5))
                              .payload(1400)
                              .bytes();
  PacketBuilder in = packet().ethernet().ipv6("2001:db8::fe", "2001:db8::1");
  const Decoded p(in.icmp(2, 0, 1280).payload(rejected));
  EXPECT_EQ(p.kind, PacketKind::icmp);
  EXPECT_EQ(p.icmp_mtu, 1280u);
  ASSERT_TRUE(p.quote.has_sequence);
  EXPECT_EQ(p.quote.ip_total_len, rejected.size());
  EXPECT_EQ(to_string(p.quote.source), "[2001:db8::1]:4000");
  EXPECT_EQ(p.quote.sequence, SeqNum{5});
}

TEST(Icmp, quotes_nothing_unless_it_is_an_error) {
  const Buffer rejected = packet().ipv4("10.0.0.1", "10.0.0.2").tcp(ack).bytes();
  PacketBuilder in = packet().ipv4("10.0.0.254", "10.0.0.1");
  EXPECT_FALSE(Decoded(in.icmp(8, 0).payload(rejected)).quote.present);
}

TEST(Icmp, does_not_take_ports_from_a_later_fragment) {
  const Buffer rejected =
      packet().ipv4("10.0.0.1", "10.0.0.2", fragment(1480, false), protocol(6)).payload(40).bytes();
  PacketBuilder in = packet().ipv4("10.0.0.254", "10.0.0.1");
  const Decoded p(in.icmp(11, 1).payload(rejected));
  EXPECT_TRUE(p.quote.is_tcp);
  EXPECT_FALSE(p.quote.has_ports);
}

}  // namespace
}  // namespace slowpath::wire

// SPDX-License-Identifier: Apache-2.0
// Packets seen twice: by several taps, by a mirror, or because the network delivered them twice.
#include <gtest/gtest.h>

#include "support/exchange.h"

namespace slowpath::test {
namespace {

constexpr std::uint32_t kSegment = 1000;

/// A transfer of which every packet is given to `twice`, which records it as it likes.
template <typename Twice>
ConnectionFacts transfer(Twice twice) {
  Exchange x;
  x.handshake(10ms);
  std::uint16_t id = 1;
  for (int i = 0; i < 20; ++i) {
    x.after(1ms);
    twice(x, Direction::to_server, Sent{.from = i * kSegment, .len = kSegment, .ip_id = id++});
    x.after(10ms);
    twice(x, Direction::to_client, Sent{.ack = (i + 1) * kSegment, .ip_id = id++});
  }
  return x.connection();
}

void expect_clean(const ConnectionFacts& c) {
  const DirectionFacts& d = c[Direction::to_server];
  EXPECT_EQ(d.bytes, 20u * kSegment);
  EXPECT_EQ(d.data_packets, 20u);
  EXPECT_EQ(d.resent_packets, 0u);
  EXPECT_EQ(d.duplicate_acks, 0u);
  EXPECT_EQ(d.duplicates.packets, 0u);
}

TEST(Taps, BothSidesOfARouterAreOnePacket) {
  const ConnectionFacts c = transfer([](Exchange& x, Direction way, Sent sent) {
    x.send(way, sent);
    sent.ttl = 63;
    sent.link = 2;
    x.after(40us).send(way, sent);
  });
  expect_clean(c);
  EXPECT_EQ(c.tap_copies, 40u);
}

TEST(Taps, AMirrorOfBothWaysIsOnePacket) {
  const ConnectionFacts c = transfer([](Exchange& x, Direction way, const Sent& sent) {
    x.send(way, sent);
    x.after(12us).send(way, sent);
  });
  expect_clean(c);
  EXPECT_EQ(c.tap_copies, 40u);
}

TEST(Taps, CopiesOfTheSameMomentAreOnePacket) {
  const ConnectionFacts c = transfer([](Exchange& x, Direction way, const Sent& sent) {
    x.send(way, sent);
    x.send(way, sent);
  });
  expect_clean(c);
}

TEST(Taps, ANetworkThatDeliversTwiceNowAndThenIsSaidSo) {
  int count = 0;
  const ConnectionFacts c = transfer([&](Exchange& x, Direction way, const Sent& sent) {
    x.send(way, sent);
    if (way == Direction::to_server && ++count % 10 == 0) x.after(500us).send(way, sent);
  });
  const DirectionFacts& d = c[Direction::to_server];
  EXPECT_EQ(d.duplicates.packets, 2u);
  EXPECT_EQ(d.resent_packets, 0u);
  EXPECT_EQ(d.bytes, 20u * kSegment);
  EXPECT_EQ(c.tap_copies, 0u);
}

/// Large frames of three segments, and 30 ms later, at the far end, the segments that they became:
/// with the IP IDs that a NIC gives, or others. ACKs come at both taps, as they are.
ConnectionFacts two_ends(std::uint16_t id_of_pieces) {
  Exchange x;
  x.client_options = x.server_options = syn_options(7, true);
  x.handshake(30ms);
  std::uint16_t id = 100;
  std::uint32_t stamp = 1000;
  for (int i = 0; i < 20; ++i, id = static_cast<std::uint16_t>(id + 3), stamp += 70) {
    const std::int64_t from = i * 3 * kSegment;
    x.after(1ms).to_server({.from = from,
                            .len = 3 * kSegment,
                            .ack = 0,
                            .ip_id = id,
                            .ts_value = stamp,
                            .ts_echo = stamp});
    x.after(30ms);
    for (std::uint16_t j = 0; j < 3; ++j) {
      x.to_server({.from = from + j * kSegment,
                   .len = kSegment,
                   .ack = 0,
                   .ip_id = static_cast<std::uint16_t>(id + j + id_of_pieces),
                   .ts_value = stamp,
                   .ts_echo = stamp});
    }
    Sent ack{.ack = from + 3 * kSegment, .ip_id = id, .ts_value = stamp + 30, .ts_echo = stamp};
    x.after(10us).to_client(ack);
    x.after(30ms).to_client(ack);
  }
  return x.connection();
}

TEST(Taps, ALargeFrameAndItsSegmentsAtTheOtherEndAreOne) {
  const ConnectionFacts c = two_ends(0);
  const DirectionFacts& d = c[Direction::to_server];
  EXPECT_EQ(d.bytes, 60u * kSegment);
  EXPECT_EQ(d.data_packets, 20u);
  EXPECT_EQ(d.resent_packets, 0u);
  EXPECT_EQ(d.superframes.lost_whole, 0u);
  EXPECT_EQ(d.duplicate_acks, 0u);
  EXPECT_EQ(c.tap_copies, 80u);
}

TEST(Taps, SegmentsWithOtherIpIdsWereSentAgain) {
  const ConnectionFacts c = two_ends(1000);
  EXPECT_GE(c[Direction::to_server].resent_packets, 55u);
  EXPECT_EQ(c.tap_copies, 0u) << "one way alone comes twice: the network does that too";
}

// macOS sends ACKs with IP ID 0: equal ones are duplicate ACKs, not copies of one.
TEST(Taps, DuplicateAcksWithoutAnIpIdAreNoCopies) {
  Exchange x;
  x.handshake(10ms);
  for (int i = 0; i < 8; ++i) x.to_server({.len = kSegment});
  x.after(10ms);
  for (int i = 0; i < 5; ++i) x.after(30us).to_client({.ack = 0});
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c[Direction::to_server].duplicate_acks,
            4u);  // the first says nothing new, but comes first
  EXPECT_EQ(c.tap_copies, 0u);
}

TEST(Taps, DuplicateAcksOfOneMomentDifferInTheirSackBlocks) {
  Exchange x;
  x.handshake(10ms);
  for (int i = 0; i < 8; ++i) x.to_server({.len = kSegment});
  x.after(10ms);
  for (int i = 1; i < 6; ++i) x.to_client({.ack = 0, .sack = {{1000, 1000 + i * 1000}}});
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c[Direction::to_server].sack_blocks, 5u);
  EXPECT_EQ(c.tap_copies, 0u);
}

TEST(Taps, OneIcmpErrorAtTwoTapsIsOne) {
  Exchange x;
  x.handshake(10ms);
  Sent sent{.from = 0, .len = 1460, .ip_id = 9};
  for (int i = 0; i < 5; ++i) {
    sent.from = i * 1460;
    sent.ip_id = static_cast<std::uint16_t>(9 + i);
    sent.ttl = 64;
    sent.link = 1;
    x.after(1ms).to_server(sent);
    sent.ttl = 63;
    sent.link = 2;
    x.to_server(sent);
  }
  wire::Packet error = x.blank(Direction::to_client);
  error.kind = wire::PacketKind::icmp;
  error.source = address("10.0.0.9");
  error.icmp_type = 3;
  error.icmp_code = 4;
  error.icmp_mtu = 1400;
  error.quote = {.present = true,
                 .is_tcp = true,
                 .has_ports = true,
                 .has_sequence = true,
                 .source = {address("10.0.0.1"), 40000},
                 .destination = {address("10.0.0.2"), 80},
                 .ip_total_len = 1500,
                 .ip_id = 9,
                 .dont_fragment = true,
                 .sequence = SeqNum{x.client_isn + 1}};
  x.after(10ms).add(error);
  const ConnectionFacts c = x.connection();
  ASSERT_EQ(c.icmp.size(), 1u);
  EXPECT_EQ(c.icmp[0].next_hop_mtu, 1400u);
  EXPECT_EQ(c.icmp[0].about, Direction::to_server);
  EXPECT_TRUE(c.icmp[0].sequence_in_flight);
  EXPECT_EQ(c.icmp[0].quoted_frame_ip_len, 1500u);
  EXPECT_TRUE(c.icmp[0].quoted_frame);
}

TEST(Taps, AnIcmpErrorAboutNobodyIsCounted) {
  Exchange x;
  x.handshake(10ms);
  wire::Packet error = x.blank(Direction::to_client);
  error.kind = wire::PacketKind::icmp;
  error.quote = {.present = true,
                 .is_tcp = true,
                 .has_ports = true,
                 .has_sequence = true,
                 .source = {address("10.9.9.9"), 1},
                 .destination = {address("10.0.0.2"), 80},
                 .sequence = {}};
  x.add(error);
  const Case facts = x.finish();
  EXPECT_EQ(facts.unmatched_icmp_errors, 1u);
  EXPECT_TRUE(facts.connections[0].icmp.empty());
}

}  // namespace
}  // namespace slowpath::test

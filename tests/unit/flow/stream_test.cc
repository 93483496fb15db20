// SPDX-License-Identifier: Apache-2.0
// Where the stream is: sequence numbers that wrap or jump, connections without a beginning or
// without one direction, ports used again, data in SYN and with FIN.
#include <gtest/gtest.h>

#include "support/exchange.h"

namespace slowpath::test {
namespace {

using wire::kAck;
using wire::kFin;
using wire::kRst;
using wire::kSyn;

/// `count` segments of `len`, each acknowledged after 10 ms.
void transfer(Exchange& x, int count, std::uint32_t len = 1460) {
  for (int i = 0; i < count; ++i) {
    x.after(1ms).to_server({.len = len});
    x.after(10ms).to_client({});
  }
}

TEST(Stream, SequenceNumbersWrapInTheMiddle) {
  Exchange x;
  x.client_isn = 0xffff'f000;
  x.server_isn = 0xffff'ffff;
  x.handshake(10ms);
  transfer(x, 20);
  const ConnectionFacts c = x.connection();
  const DirectionFacts& d = c[Direction::to_server];
  EXPECT_EQ(d.bytes, 20u * 1460);
  EXPECT_EQ(d.acked_bytes, 20u * 1460);
  EXPECT_EQ(d.resent_packets, 0u);
  EXPECT_EQ(d.unseen_acked_bytes, 0u);
}

TEST(Stream, GoesOnPastFourGibibytes) {
  Exchange x;
  x.handshake(10ms);
  constexpr std::uint32_t kSuperframe = 65'000;
  const int count = static_cast<int>((std::int64_t{9} << 30) / kSuperframe);
  transfer(x, count, kSuperframe);
  const ConnectionFacts c = x.connection();
  const DirectionFacts& d = c[Direction::to_server];
  EXPECT_EQ(d.bytes, std::uint64_t{kSuperframe} * static_cast<std::uint64_t>(count));
  EXPECT_EQ(d.acked_bytes, d.bytes);
  EXPECT_EQ(d.resent_packets, 0u);
}

TEST(Stream, GoesOnPastFourGibibytesWithoutAcks) {
  Exchange x;
  constexpr std::uint32_t kSuperframe = 65'000;
  const int count = static_cast<int>((std::int64_t{5} << 30) / kSuperframe);
  for (int i = 0; i < count; ++i) x.after(1ms).to_server({.len = kSuperframe, .ack = 0});
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c[Direction::to_server].bytes_seen,
            std::uint64_t{kSuperframe} * static_cast<std::uint64_t>(count));
  EXPECT_FALSE(c[Direction::to_server].acks_seen);
}

TEST(Stream, OnePacketFarAwayChangesNothing) {
  for (const std::int64_t jump :
       {std::int64_t{1} << 31, (std::int64_t{1} << 31) - 1, -(std::int64_t{1} << 30) - 9}) {
    Exchange x;
    x.handshake(10ms);
    transfer(x, 5);
    Sent forged{.from = 5 * 1460 + jump, .len = 100};
    x.add(x.packet_of(Direction::to_server, forged));
    for (int i = 5; i < 10; ++i) {
      x.after(1ms).to_server({.from = i * 1460, .len = 1460});
      x.after(10ms).to_client({.ack = (i + 1) * 1460});
    }
    const ConnectionFacts c = x.connection();
    EXPECT_EQ(c[Direction::to_server].bytes, 10u * 1460) << jump;
    EXPECT_EQ(c[Direction::to_server].resent_packets, 0u) << jump;
  }
}

TEST(Stream, IsFoundAgainBehindAGapWiderThanAWindow) {
  Exchange x;
  x.handshake(10ms);
  transfer(x, 5);
  const std::int64_t gap = std::int64_t{3} << 29;  // the capture was paused
  x.after(10s);
  for (int i = 0; i < 100; ++i) {
    x.after(1ms).to_server({.from = 5 * 1460 + gap + i * 1460, .len = 1460});
    x.after(10ms).to_client({});
  }
  const ConnectionFacts c = x.connection();
  EXPECT_GE(c[Direction::to_server].data_packets, 5u + 90);
  EXPECT_EQ(c[Direction::to_server].resent_packets, 0u);
}

TEST(Stream, ADamagedHeaderDoesNotMoveIt) {
  Exchange x({.verify_checksums = true});
  const auto data = [](std::uint32_t at, std::uint32_t acked, ChecksumKind kind) {
    return packet()
        .ethernet()
        .ipv4("10.0.0.1", "10.0.0.2")
        .tcp(ack, ports(40000, 80), seq(1001 + at), ack_number(acked), checksum(kind))
        .payload(1000)
        .build();
  };
  const auto reply = [](std::uint32_t acked, ChecksumKind kind) {
    return packet()
        .ethernet()
        .ipv4("10.0.0.2", "10.0.0.1")
        .tcp(ack, ports(80, 40000), seq(5001), ack_number(acked), checksum(kind))
        .build();
  };
  for (std::uint32_t i = 0; i < 10; ++i) {
    x.after(1ms).add(data(i * 1000, 5001, ChecksumKind::right));
    if (i == 5) x.add(data(i * 1000 + 500'000'000, 5001, ChecksumKind::wrong));
    if (i == 6) x.add(reply(1001 + 900'000'000, ChecksumKind::wrong));
    x.after(10ms).add(reply(1001 + (i + 1) * 1000, ChecksumKind::right));
  }
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c[Direction::to_server].bytes, 10'000u);
  EXPECT_EQ(c[Direction::to_server].unseen_acked_bytes, 0u);
  EXPECT_EQ(c[Direction::to_server].resent_packets, 0u);
}

TEST(Stream, StartsInTheMiddle) {
  Exchange x;
  x.client_isn = 77'000'000;
  x.at(0ms).to_client({.ack = 4'000'000});
  x.after(1ms).to_server({.from = 4'000'000, .len = 1460});
  x.after(10ms).to_client({});
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c[Direction::to_server].bytes, 1460u);
  EXPECT_EQ(c[Direction::to_server].unseen_acked_bytes, 0u);
  EXPECT_TRUE(c.client_known) << "an ephemeral port, and a service's";
  EXPECT_EQ(c.handshake.duration_s, 0);
  EXPECT_EQ(c.client.port, 40000);
}

TEST(Stream, PortsThatMayBeAnybodysTellNoClient) {
  Exchange x;
  x.client_port = 20000;
  x.at(0ms).to_client({.ack = 4'000'000});
  x.after(1ms).to_server({.len = 1460});
  EXPECT_FALSE(x.connection().client_known);
}

TEST(Stream, OneDirectionAloneIsEnoughForTotals) {
  Exchange x;
  for (int i = 0; i < 10; ++i) x.after(1ms).to_server({.len = 1000, .ack = 0});
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c[Direction::to_server].bytes, 10'000u);
  EXPECT_FALSE(c[Direction::to_client].seen);
}

TEST(Stream, PortsUsedAgainAreAnotherConnection) {
  Exchange x;
  x.handshake(10ms);
  transfer(x, 3);
  x.after(10s);
  x.client_isn = 900'000;
  x.server_isn = 800'000;
  x.handshake(10ms);
  x.after(1ms).to_server({.from = 0, .len = 500});
  x.after(10ms).to_client({.from = 0, .ack = 500});
  const Case facts = x.finish();
  ASSERT_EQ(facts.connections.size(), 2u);
  EXPECT_EQ(facts.connections[0][Direction::to_server].bytes, 3u * 1460);
  EXPECT_EQ(facts.connections[1][Direction::to_server].bytes, 500u);
  EXPECT_EQ(facts.connections[1].reuses, 0u);
  EXPECT_NEAR(facts.connections[1].since_reused_s, 10, 0.1);
}

TEST(Stream, AFinWithDataEndsAtItsData) {
  Exchange x;
  x.handshake(10ms);
  x.to_server({.flags = kAck | kFin, .len = 700});
  x.after(10ms).to_client({.flags = kAck | kFin});
  x.after(1ms).to_server({});
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c[Direction::to_server].bytes, 700u);
  EXPECT_EQ(c[Direction::to_server].acked_bytes, 700u);
  EXPECT_EQ(c[Direction::to_server].unseen_acked_holes, 0u);
  EXPECT_EQ(c[Direction::to_client].bytes, 0u);
  EXPECT_EQ(c.close, CloseKind::finished);
}

TEST(Stream, WhatAResetCarriesIsNoData) {
  Exchange x;
  x.handshake(10ms);
  transfer(x, 2);
  x.to_client({.flags = kAck | kRst, .len = 40});
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c[Direction::to_client].bytes, 0u);
  EXPECT_EQ(c.close, CloseKind::reset);
}

TEST(Stream, FastOpenDataOfTheSynCounts) {
  Exchange x;
  x.client_options.has_fast_open = true;
  wire::Packet first = x.blank(Direction::to_server);
  first.tcp_flags = kSyn;
  first.sequence = SeqNum{x.client_isn};
  first.payload_len = 300;
  first.options = x.client_options;
  x.add(first);
  wire::Packet second = x.blank(Direction::to_client);
  second.tcp_flags = kSyn | kAck;
  second.sequence = SeqNum{x.server_isn};
  second.acknowledgment = SeqNum{x.client_isn} + 301;
  second.options = x.server_options;
  x.after(10ms).add(second);
  x.to_server({.from = 300, .ack = 0});
  x.to_client({.len = 1000, .ack = 300});
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c[Direction::to_server].bytes_seen, 300u);
  EXPECT_EQ(c[Direction::to_server].unseen_acked_bytes, 0u);
}

TEST(Stream, BytesNeverCapturedAreTheCapturesLoss) {
  Exchange x;
  x.handshake(10ms);
  transfer(x, 3);
  x.after(1ms).to_client({.ack = 5 * 1460});
  x.after(1ms).to_server({.from = 5 * 1460, .len = 1460});
  x.after(10ms).to_client({});
  const ConnectionFacts c = x.connection();
  const DirectionFacts& d = c[Direction::to_server];
  EXPECT_EQ(d.unseen_acked_bytes, 2u * 1460);
  EXPECT_EQ(d.unseen_acked_holes, 1u);
  EXPECT_EQ(d.lost_packets, 0u);
  EXPECT_EQ(d.bytes, 6u * 1460);
}

}  // namespace
}  // namespace slowpath::test

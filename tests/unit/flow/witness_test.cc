// SPDX-License-Identifier: Apache-2.0
// Where the capture was taken, how the handshake went, how windows scale, what a full segment is.
#include "flow/witness.h"

#include <vector>

#include <gtest/gtest.h>

#include "support/exchange.h"

namespace slowpath::test {
namespace {

using wire::kAck;
using wire::kRst;

struct Tap {
  Duration server_leg, client_leg;
  std::uint8_t client_ttl, server_ttl;
  Vantage expected;  // of the client's data
};

class VantageOf : public ::testing::TestWithParam<Tap> {};

TEST_P(VantageOf, LegsOrElseTtl) {
  const Tap tap = GetParam();
  Exchange x;
  x.client_ttl = tap.client_ttl;
  x.server_ttl = tap.server_ttl;
  x.handshake(tap.server_leg, tap.client_leg);
  for (int i = 0; i < 5; ++i) {
    x.to_server({.len = 1460});
    x.after(tap.server_leg).to_client({});
    x.after(tap.client_leg);
  }
  EXPECT_EQ(x.connection()[Direction::to_server].vantage, tap.expected);
}

INSTANTIATE_TEST_SUITE_P(
    Taps, VantageOf,
    ::testing::Values(
        Tap{20ms, 50us, 60, 60, Vantage::sender}, Tap{50us, 20ms, 60, 60, Vantage::receiver},
        Tap{10ms, 10ms, 60, 60, Vantage::midpath},
        // A hop or two, and next to nothing.
        Tap{240us, 4us, 64, 64, Vantage::sender}, Tap{4us, 240us, 64, 64, Vantage::receiver},
        Tap{200us, 40us, 64, 64, Vantage::unknown},
        // Too short a trip for time to tell: whose packets crossed no router?
        Tap{20us, 20us, 64, 63, Vantage::sender}, Tap{20us, 20us, 63, 128, Vantage::receiver},
        Tap{20us, 20us, 64, 64, Vantage::unknown}, Tap{20us, 20us, 60, 60, Vantage::midpath}));

// Every 15.6 ms, as old Windows has them; a round trip of five such ticks lies behind the tap.
TEST(Witness, AClockThatTicksSeldomTellsLongLegs) {
  constexpr Duration kTick = 15'625us;
  Exchange x;
  x.client_ttl = x.server_ttl = 64;
  x.handshake(5 * kTick, 0us);
  std::uint32_t now = 1000;  // by the hosts' clocks, which tick on
  for (int i = 0; i < 40; ++i) {
    x.to_server({.len = 300, .ts_value = ++now, .ts_echo = 1});
    x.after(5 * kTick);
    for (int segment = 0; segment < 6; ++segment) {
      x.to_client({.len = 1460, .ts_value = ++now, .ts_echo = 1});
      x.to_server({.ts_value = ++now, .ts_echo = 1});
    }
    x.after(kTick);
  }
  const ConnectionFacts c = x.connection();
  EXPECT_NEAR(c.clock_tick_s, 0.015625, 1e-6);
  EXPECT_EQ(c[Direction::to_server].vantage, Vantage::sender);
  EXPECT_EQ(c[Direction::to_client].vantage, Vantage::receiver);
}

TEST(Witness, UnfinishedChecksumsShowTheSendersHost) {
  Exchange x({.verify_checksums = true});
  for (std::uint32_t i = 0; i < 10; ++i) {
    x.after(20us).add(packet()
                          .ethernet()
                          .ipv4("10.0.0.1", "10.0.0.2")
                          .tcp(ack, ports(40000, 80), seq(1001 + i * 100), ack_number(5001),
                               checksum(ChecksumKind::partial))
                          .payload(100)
                          .build());
    x.after(20us).add(packet()
                          .ethernet()
                          .ipv4("10.0.0.2", "10.0.0.1")
                          .tcp(ack, ports(80, 40000), seq(5001), ack_number(1101 + i * 100))
                          .build());
  }
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c[Direction::to_server].vantage, Vantage::sender);
  EXPECT_EQ(c[Direction::to_client].vantage, Vantage::receiver);
  EXPECT_EQ(c[Direction::to_server].checksums.partial, 10u);
  EXPECT_EQ(c[Direction::to_server].checksums.bad, 0u);
}

// Two ends whose sums are both unfinished, as within one host, by a clock that ticks every 15.6 ms.
Vantage vantage_of_unfinished(Duration round_trip) {
  constexpr Duration kTick = 15'625us;
  std::vector<flow::Record> records;
  std::uint32_t now = 1000;
  const auto add = [&](Direction way, Duration at, std::uint32_t sent, std::uint32_t acked) {
    flow::Record record;
    record.time = time_from_ns(1'700'000'000'000'000'000) + at / kTick * kTick;
    record.direction = way;
    record.sequence = SeqNum{sent};
    record.acknowledgment = SeqNum{acked};
    record.payload_len = way == Direction::to_server ? 1000 : 0;
    record.flags = kAck;
    record.ttl = 64;
    record.checksum = wire::ChecksumState::partial;
    record.has_timestamps = true;
    record.ts_value = ++now;
    records.push_back(record);
  };
  for (std::uint32_t i = 0; i < 40; ++i) {
    const Duration begin = i * 4 * kTick;
    add(Direction::to_server, begin, 2000 * i, 1);
    add(Direction::to_server, begin, 2000 * i + 1000, 1);
    add(Direction::to_client, begin + round_trip, 1, 2000 * i + 1000);
    add(Direction::to_client, begin + round_trip, 1, 2000 * i + 2000);
  }
  const flow::Witness witness = flow::examine(records, {}, {});
  EXPECT_GT(witness.clock_tick, 10ms);
  return witness.vantage(Direction::to_server);
}

TEST(Witness, EndsThatAnswerTicksLaterAreNotOneHost) {
  EXPECT_EQ(vantage_of_unfinished(0ms), Vantage::both);
  EXPECT_EQ(vantage_of_unfinished(3 * 15'625us), Vantage::unknown);
}

TEST(Witness, WindowScaleOfBothSyns) {
  Exchange x;
  x.server_options = syn_options(9);
  x.handshake(10ms);
  x.to_server({.len = 100});
  x.after(10ms).to_client({.window = 1000});
  const ConnectionFacts c = x.connection();
  const WindowFacts& w = c[Direction::to_server].window;
  EXPECT_EQ(w.knowledge, ScaleKnowledge::negotiated);
  EXPECT_EQ(w.shift, 9);
  EXPECT_EQ(w.max_bytes, 1000u << 9);
  EXPECT_EQ(c[Direction::to_client].window.shift, 7);
}

TEST(Witness, WindowScaleAboveFourteenIsFourteen) {
  Exchange x;
  x.server_options = syn_options(200);
  x.handshake(10ms);
  EXPECT_EQ(x.connection()[Direction::to_server].window.shift, 14);
}

TEST(Witness, NoWindowScaleWhereOneSynLacksIt) {
  Exchange x;
  x.server_options = syn_options(std::nullopt);
  x.handshake(10ms);
  x.to_server({.len = 100});
  x.after(10ms).to_client({.window = 1000});
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c[Direction::to_server].window.knowledge, ScaleKnowledge::not_in_use);
  EXPECT_EQ(c[Direction::to_server].window.max_bytes, 1000u);
}

TEST(Witness, OfAnUnknownWindowScaleTheLeastIsTakenThatTheFlightNeeds) {
  Exchange x;
  x.to_client({.ack = 0, .window = 1000});
  for (int i = 0; i < 20; ++i) x.after(10us).to_server({.len = 1460});
  x.after(10ms).to_client({.window = 1000});
  const ConnectionFacts c = x.connection();
  const WindowFacts& w = c[Direction::to_server].window;
  EXPECT_EQ(w.knowledge, ScaleKnowledge::unknown);
  EXPECT_EQ(w.shift, 5);  // 29200 bytes fit in 1000 << 5, not in 1000 << 4
}

TEST(Witness, SegmentSizeIsTheSmallerMssLessTimestamps) {
  for (const bool timestamps : {false, true}) {
    Exchange x;
    x.client_options = syn_options(7, timestamps);
    x.server_options = syn_options(7, timestamps);
    x.server_options.mss = 1400;
    x.handshake(10ms);
    Sent data{.len = 1388};
    if (timestamps) data.ts_value = 5, data.ts_echo = 6;
    x.to_server(data);
    EXPECT_EQ(x.connection()[Direction::to_server].segment_size, timestamps ? 1388u : 1400u);
  }
}

/// A router's word that no more than 1400 bytes pass, about the first segment.
wire::Packet fragmentation_needed(const Exchange& x) {
  wire::Packet error = x.blank(Direction::to_client);
  error.kind = wire::PacketKind::icmp;
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
                 .dont_fragment = true,
                 .sequence = SeqNum{x.client_isn + 1}};
  return error;
}

TEST(Witness, SegmentsAsLongAsARouterAllowsAreNotShort) {
  const auto small_segments = [](std::uint32_t len, bool told) {
    Exchange x;
    x.handshake(20ms);
    for (int i = 0; i < 10; ++i) x.to_server({.len = 1460});
    if (told) x.after(1ms).add(fragmentation_needed(x));
    for (int i = 0; i < 20; ++i)
      x.after(1ms).to_server({.from = i * std::int64_t{len}, .len = len});
    return x.connection()[Direction::to_server].small_segments;
  };
  EXPECT_EQ(small_segments(1360, true), 0U);
  EXPECT_EQ(small_segments(1200, true), 8U) << "shorter than it allows";
  EXPECT_EQ(small_segments(1360, false), 10U);
  EXPECT_EQ(small_segments(1460, true), 0U) << "the sender did not obey";
}

TEST(Witness, SegmentSizeWithoutAHandshakeIsTheCommonestLength) {
  Exchange x;
  for (int i = 0; i < 10; ++i) x.after(1ms).to_server({.len = i % 5 == 0 ? 300u : 1448u, .ack = 0});
  EXPECT_EQ(x.connection()[Direction::to_server].segment_size, 1448u);
}

// As a sender's host captures them: hardly a frame that is no larger than a segment.
TEST(Witness, SegmentSizeWithoutAHandshakeIsWhatLargeFramesAreMultiplesOf) {
  const auto size_of = [](std::vector<std::uint32_t> lengths, std::uint32_t ts_value) {
    Exchange x;
    for (const std::uint32_t len : lengths)
      x.after(1ms).to_server({.len = len, .ack = 0, .ts_value = ts_value});
    return x.connection()[Direction::to_server].segment_size;
  };
  EXPECT_EQ(size_of({65160, 65160, 21720, 65160, 6808, 65160, 2896}, 1), 1448u);
  EXPECT_EQ(size_of({64240, 64240, 2920, 20440, 64240}, 0), 1460u);
  // A length that came twice is no segment, not even if it is half of one.
  EXPECT_EQ(size_of({65160, 65160, 512, 21720, 65160, 512, 2896}, 1), 1448u);
  EXPECT_EQ(size_of({65160, 65160, 724,   21720, 65160, 724,   2896,  65160, 65160, 65160,
                     65160, 65160, 65160, 65160, 65160, 65160, 65160, 65160, 65160, 65160},
                    1),
            1448u);
  EXPECT_EQ(size_of({62636, 62636, 8948, 17896, 62636, 8948, 700}, 1), 8948u);
  // A path with an MTU of its own shows in the frames that hold one segment.
  EXPECT_EQ(size_of({63860, 1340 * 3, 1340, 63860 / 1340 * 1340, 1340, 1340 * 20}, 1), 1340u);
}

// 60 bytes of each frame hold the MSS of the SYN, and no timestamps.
TEST(Witness, SegmentsLeaveRoomForTimestampsThatWereNotCaptured) {
  for (const std::uint32_t len : {1448u, 1460u}) {
    Exchange x;
    x.client_options = x.server_options = syn_options(7);
    x.client_options.cut = x.server_options.cut = true;
    x.handshake(20ms);
    for (std::uint32_t i = 1; i <= 30; ++i) {
      wire::Packet data = x.packet_of(Direction::to_server, {.len = i % 3 == 0 ? 5 * len : len});
      data.options.cut = true;
      x.after(1ms).add(data);
    }
    EXPECT_EQ(x.connection()[Direction::to_server].segment_size, len);
  }
}

TEST(Handshake, RetriesAreCountedAndTimed) {
  Exchange x;
  x.syn();
  x.at(1s).syn();
  x.at(3s).syn();
  x.at(3010ms).syn_ack();
  x.to_server({.from = 0, .ack = 0});
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c.handshake.syn_count, 3u);
  EXPECT_EQ(c.handshake.syn_times.size(), 3u);
  EXPECT_TRUE(c.handshake.completed);
  EXPECT_FALSE(c.handshake.legs_known);  // which SYN was answered?
  EXPECT_NEAR(c.handshake.duration_s, 3.01, 1e-6);
  EXPECT_NEAR(c[Direction::to_server].time[TimeOwner::handshake], 3.01, 1e-6);
}

// A mirror port sends each twice; the first SYN-ACK was lost behind it.
TEST(Handshake, CopiesOfARetryAreNoFurtherRetries) {
  Exchange x;
  x.client_options = x.server_options = syn_options(7, true);
  const auto twice = [&](std::uint32_t stamp) {
    x.client_options.ts_value = x.server_options.ts_value = stamp;
    x.syn();
    x.after(3us).syn();
    x.after(50us).syn_ack();
    x.after(3us).syn_ack();
  };
  twice(1000);
  x.at(1s);
  twice(2000);
  x.after(20ms).to_server({.from = 0, .ack = 0, .ts_value = 2020, .ts_echo = 2000});
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c.handshake.syn_count, 2u);
  EXPECT_EQ(c.handshake.syn_ack_count, 2u);
  EXPECT_TRUE(c.syn_copies.altered.empty());
}

TEST(Handshake, SynAckMayStandFirstInTheFile) {
  Exchange x;
  x.syn_ack();
  x.syn();
  x.after(20ms).to_server({.from = 0, .ack = 0});
  x.to_server({.len = 100});
  const Case facts = x.finish();
  ASSERT_EQ(facts.connections.size(), 1u);
  const ConnectionFacts& c = facts.connections[0];
  EXPECT_EQ(c.client.port, 40000);
  EXPECT_EQ(c.handshake.syn_count, 1u);
  EXPECT_EQ(c.handshake.syn_ack_count, 1u);
  EXPECT_TRUE(c.handshake.completed);
  EXPECT_EQ(c[Direction::to_server].bytes, 100u);
}

TEST(Handshake, AResetInAnswerIsARefusal) {
  Exchange x;
  x.syn();
  const std::uint64_t frame = x.after(10ms).to_client({.flags = kAck | kRst, .from = -1, .ack = 0});
  const ConnectionFacts c = x.connection();
  EXPECT_TRUE(c.handshake.refused);
  EXPECT_EQ(c.handshake.refusal.number(), frame);
  EXPECT_FALSE(c.handshake.completed);
  EXPECT_EQ(c.close, CloseKind::reset);
}

TEST(Handshake, OptionsThatChangeBetweenSynsAreSeen) {
  Exchange x;
  x.syn();
  x.client_options = syn_options(std::nullopt);
  x.at(1s).syn();
  EXPECT_TRUE(x.connection().handshake.options_differ_between_syns);
}

}  // namespace
}  // namespace slowpath::test

// SPDX-License-Identifier: Apache-2.0
// A connection is read chapter by chapter: where the cuts are must not show.
#include <random>
#include <utility>

#include <gtest/gtest.h>

#include "flow/engine.h"
#include "support/exchange.h"

namespace slowpath::test {
namespace {

constexpr std::uint32_t kSegment = 1460;

flow::EngineOptions with_chapter(std::size_t packets) {
  return {.verify_checksums = false, .chapter_packets = packets};
}

/// A transfer with some losses, repaired after a round trip. The tap is `far` from the sender.
void lossy_transfer(Exchange& x, Duration far, Duration near, int rounds, int flight) {
  x.handshake(near, far);
  std::mt19937 random(5);
  std::int64_t at = 0;
  for (int round = 0; round < rounds; ++round) {
    const int lost =
        random() % 4 == 0 ? static_cast<int>(random() % static_cast<unsigned>(flight - 4)) : -1;
    const std::int64_t begin = at;
    for (int i = 0; i < flight; ++i, at += kSegment) {
      x.after(5us);
      if (i != lost) x.to_server({.from = at, .len = kSegment});
    }
    x.after(near);
    if (lost >= 0) {
      const std::int64_t hole = begin + lost * std::int64_t{kSegment};
      x.to_client({.ack = hole, .sack = {{hole + kSegment, at}}});
      x.after(far + near).to_server({.from = hole, .len = kSegment});
      x.after(near);
    }
    x.to_client({.ack = at});
    x.after(far);
  }
}

void expect_same(const DirectionFacts& a, const DirectionFacts& b) {
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.acked_bytes, b.acked_bytes);
  EXPECT_EQ(a.packets, b.packets);
  EXPECT_EQ(a.resent_packets, b.resent_packets);
  EXPECT_EQ(a.lost_packets, b.lost_packets);
  EXPECT_EQ(a.loss_episodes, b.loss_episodes);
  EXPECT_EQ(a.duplicate_acks, b.duplicate_acks);
  EXPECT_EQ(a.sack_blocks, b.sack_blocks);
  EXPECT_EQ(a.flight_max_bytes, b.flight_max_bytes);
  EXPECT_EQ(a.rtt.total.samples, b.rtt.total.samples);
  EXPECT_EQ(a.stalls.size(), b.stalls.size());
  for (std::size_t i = 0; i < kTimeOwnerCount; ++i) {
    EXPECT_NEAR(a.time.seconds[i], b.time.seconds[i], 1e-6) << to_string(static_cast<TimeOwner>(i));
  }
}

class Chapters : public ::testing::TestWithParam<std::pair<Duration, Duration>> {};

TEST_P(Chapters, OfAnyLengthTellTheSame) {
  const auto [far, near] = GetParam();
  ConnectionFacts told[2];
  const std::size_t lengths[2] = {700, 100'000};
  for (int i = 0; i < 2; ++i) {
    Exchange x(with_chapter(lengths[i]));
    lossy_transfer(x, far, near, 300, 40);
    told[i] = x.connection();
  }
  EXPECT_EQ(told[0][Direction::to_server].acked_bytes, 300u * 40 * kSegment);
  for (const Direction way : {Direction::to_server, Direction::to_client}) {
    expect_same(told[0][way], told[1][way]);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Taps, Chapters,
    ::testing::Values(std::pair<Duration, Duration>{0ms, 20ms},     // at the sender
                      std::pair<Duration, Duration>{20ms, 100us},   // at the receiver
                      std::pair<Duration, Duration>{10ms, 10ms}));  // between them

// 100 ms from its sender, a fast transfer has more packets under way than a chapter holds.
TEST(Chapters, RepliesOnTheirWayToAFarSenderAreNotForgotten) {
  Exchange x(with_chapter(512));
  x.handshake(100us, 100ms);
  constexpr int kCount = 40'000;
  for (int i = 0; i < kCount; ++i) {
    x.after(10us).to_server({.len = kSegment});
    if (i % 2 == 1) x.after(1us).to_client({});
  }
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c[Direction::to_server].acked_bytes, std::uint64_t{kCount} * kSegment);
  // What a sender 100 ms away has outstanding at this rate.
  EXPECT_NEAR(static_cast<double>(c[Direction::to_server].flight_max_bytes),
              0.1 / 10.5e-6 * kSegment, 0.1 * 0.1 / 10.5e-6 * kSegment);
}

TEST(Chapters, AClockThatWasSetBackStaysPut) {
  Exchange x(with_chapter(100));
  x.handshake(10ms);
  for (int i = 0; i < 1000; ++i) {
    if (i == 50) x.after(-5s);
    x.after(1ms).to_server({.len = kSegment});
    x.after(10ms).to_client({});
  }
  const ConnectionFacts c = x.connection();
  EXPECT_NEAR(to_seconds(c.last - c.first), 11.0, 0.1);
  EXPECT_EQ(c[Direction::to_server].resent_packets, 0u);
  EXPECT_NEAR(c[Direction::to_server].rtt.total.max_s, 0.010, 0.002);
}

TEST(Chapters, AClockThatWasSetForwardStaysThere) {
  Exchange x(with_chapter(100));
  x.client_options = x.server_options = syn_options(7, true);
  x.handshake(10ms);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    if (i == 40) x.after(1h);
    x.after(1ms).to_server({.len = kSegment, .ts_value = 5000 + 11 * i, .ts_echo = 900 + 11 * i});
    x.after(10ms).to_client({.ts_value = 911 + 11 * i, .ts_echo = 5000 + 11 * i});
  }
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c.clock_jumps, 1u);
  EXPECT_NEAR(to_seconds(c.last - c.first), 11.0, 0.1);
  EXPECT_NEAR(c[Direction::to_server].time.total(), to_seconds(c.last - c.first), 1e-5);
}

// A window of four segments, 20 ms from its receiver; captured at the sender, the ACKs by a clock
// of their own.
ConnectionFacts windowfuls(Duration lag) {
  Exchange x(with_chapter(100));
  x.client_options = x.server_options = syn_options(7, true);
  x.handshake(20ms, 10us);
  for (std::uint32_t i = 0; i < 500; ++i) {
    x.after(i == 0 ? 20us : 20us - lag);
    for (std::uint32_t n = 0; n < 4; ++n) {
      x.after(1us).to_server({.len = kSegment, .ts_value = 5000 + 20 * i, .ts_echo = 900 + 20 * i});
    }
    x.after(20ms + lag).to_client({.ts_value = 920 + 20 * i, .ts_echo = 5000 + 20 * i});
  }
  return x.connection();
}

TEST(Chapters, AClockOfTheAcksThatIsAheadIsTakenBack) {
  const DirectionFacts alike = windowfuls(0us)[Direction::to_server];
  const ConnectionFacts c = windowfuls(2ms);
  EXPECT_NEAR(c.clock_lag_s, 0.002, 0.0001);
  EXPECT_EQ(c.clock_skew_s, 0) << "a round trip of ten times as much is told well enough";
  EXPECT_EQ(c[Direction::to_server].flight_max_bytes, alike.flight_max_bytes);
  EXPECT_NEAR(c[Direction::to_server].rtt.total.median_s, alike.rtt.total.median_s, 0.0002);
  const ConnectionFacts near = windowfuls(6ms);
  EXPECT_NEAR(near.clock_lag_s, 0.006, 0.0001);
  EXPECT_GT(near.clock_skew_s, 0) << "beside so short a round trip it is not known well enough";
}

// Two ticks a second, as BSD had them: eleven in the 5.9 s between two SYNs are all of that time.
TEST(Chapters, SlowTimestampClocksAreNoClockJumps) {
  Exchange x;
  x.client_options = syn_options(7, true);
  x.client_options.ts_value = 5612;
  x.syn();
  x.client_options.ts_value = 5623;
  x.at(5870ms).syn();
  x.client_options.ts_value = 5647;
  x.at(17870ms).syn();
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c.clock_jumps, 0u);
  EXPECT_NEAR(c[Direction::to_server].time.total(), 17.87, 1e-6);
}

TEST(Chapters, FramesWithoutTimeBelongToTheMomentBefore) {
  Exchange x;
  x.handshake(10ms);
  for (int i = 0; i < 10; ++i) {
    x.has_time = i != 5;
    x.after(1ms).to_server({.len = kSegment});
    x.has_time = true;
    x.after(10ms).to_client({});
  }
  const ConnectionFacts c = x.connection();
  EXPECT_NEAR(to_seconds(c.last - c.first), 0.12, 0.001);
  EXPECT_EQ(c[Direction::to_server].bytes, 10u * kSegment);
}

}  // namespace
}  // namespace slowpath::test

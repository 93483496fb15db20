// SPDX-License-Identifier: Apache-2.0
// Every instant of a connection has one owner, whatever the packets are and wherever the tap is.
#include <random>

#include <gtest/gtest.h>

#include "support/exchange.h"

namespace slowpath::test {
namespace {

/// Random packets that look like a transfer now and then: data, resends, holes, ACKs, SACK, closed
/// windows, silences, clocks set back.
void play(Exchange& x, std::mt19937& random, int packets) {
  const auto pick = [&](unsigned limit) { return static_cast<std::int64_t>(random() % limit); };
  std::int64_t sent = 0;
  for (int i = 0; i < packets; ++i) {
    x.after(std::chrono::microseconds(pick(10) == 0 ? pick(900'000) : pick(3000)));
    if (pick(200) == 0) x.after(-50ms);
    if (pick(2) == 0) {
      const std::int64_t from = pick(8) == 0 ? pick(static_cast<unsigned>(sent + 5000)) : sent;
      const auto len = static_cast<std::uint32_t>(pick(3) == 0 ? pick(3000) : 1460);
      x.to_server({.from = from, .len = len});
      sent = std::max(sent, from + len);
    } else {
      const std::int64_t ack = pick(static_cast<unsigned>(sent + 1));
      x.to_client({.len = pick(20) == 0 ? 500u : 0u,
                   .ack = ack,
                   .window = static_cast<std::uint16_t>(pick(15) == 0 ? 0 : 65535),
                   .sack = pick(4) == 0
                               ? std::vector<std::pair<std::int64_t, std::int64_t>>{{ack + 1460,
                                                                                     ack + 2920}}
                               : std::vector<std::pair<std::int64_t, std::int64_t>>{}});
    }
  }
}

class TimeAccountOf : public ::testing::TestWithParam<unsigned> {};

TEST_P(TimeAccountOf, RandomPacketsAddsUpToTheDuration) {
  std::mt19937 random(GetParam());
  Exchange x({.verify_checksums = false, .chapter_packets = 50 + random() % 500});
  const auto leg = [&] { return std::chrono::microseconds(random() % 50'000); };
  if (random() % 4 != 0) x.handshake(leg(), leg());
  constexpr int kPackets = 1000;
  play(x, random, kPackets);
  const ConnectionFacts c = x.connection();
  const double duration_s = to_seconds(c.last - c.first);
  for (const DirectionFacts& direction : c.directions) {
    for (const double seconds : direction.time.seconds) EXPECT_GE(seconds, 0);
    EXPECT_NEAR(direction.time.total(), duration_s, 1e-9 * kPackets);
    EXPECT_GE(direction.transfer_s, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, TimeAccountOf, ::testing::Range(1u, 41u));

/// Ten flights that are acknowledged, the tail of the last one lost, and later a segment
/// more.
void play_lost_tail(Exchange& x, Duration later = 50ms) {
  constexpr std::uint32_t kSegment = 1460;
  x.handshake(20ms, 0ms);
  std::int64_t sent = 0;
  for (int flight = 0; flight < 10; ++flight) {
    for (int i = 0; i < 4; ++i, sent += kSegment) x.to_server({.from = sent, .len = kSegment});
    x.after(20ms).to_client({.ack = sent - (flight == 9 ? 2 * kSegment : 0)});
  }
  x.after(later).to_server({.from = sent, .len = kSegment});
}

// RFC 8985 section 7.3: new data goes out as a probe.
TEST(TimeAccount, TheWaitForALossProbeIsTheLosses) {
  constexpr std::int64_t kSent = 40 * 1460, kSegment = 1460;
  Exchange lost;
  play_lost_tail(lost);
  lost.after(20ms).to_client({.ack = kSent - 2 * kSegment, .sack = {{kSent, kSent + kSegment}}});
  const DirectionFacts probed = lost.connection()[Direction::to_server];
  EXPECT_GE(probed.time[TimeOwner::loss_recovery], 0.050);
  EXPECT_EQ(probed.time[TimeOwner::pacing_or_cpu] + probed.time[TimeOwner::application], 0);
  EXPECT_EQ(probed.idle.count, 0U);
  // A timer would not have waited for so long: its program came late, whatever was lost.
  Exchange slow;
  play_lost_tail(slow, 150ms);
  slow.after(20ms).to_client({.ack = kSent - 2 * kSegment, .sack = {{kSent, kSent + kSegment}}});
  EXPECT_EQ(slow.connection()[Direction::to_server].time[TimeOwner::loss_recovery], 0);
  // Where all arrived, its program came late.
  Exchange late;
  play_lost_tail(late);
  late.after(20ms).to_client({.ack = kSent + kSegment});
  const DirectionFacts wrote = late.connection()[Direction::to_server];
  EXPECT_EQ(wrote.time[TimeOwner::loss_recovery], 0);
  EXPECT_GE(wrote.time[TimeOwner::pacing_or_cpu] + wrote.time[TimeOwner::application], 0.050);
}

TEST(TimeAccount, TimeBeyondTheLastPacketBelongsToNobody) {
  Exchange x;  // The tap is at the server: the client sees each ACK 20 ms after the tap does.
  x.handshake(0ms, 20ms);
  x.to_server({.len = 1000});
  x.after(1ms).to_client({});
  const ConnectionFacts c = x.connection();
  EXPECT_NEAR(c[Direction::to_server].time.total(), 0.021, 1e-9);
}

TEST(TimeAccount, AThinkingClientOwnsItsPause) {
  Exchange x;
  x.handshake(20ms);
  x.to_server({.len = 100});
  x.after(20ms).to_client({});
  x.after(3s).to_server({.len = 100});
  x.after(20ms).to_client({});
  const ConnectionFacts c = x.connection();
  EXPECT_NEAR(c[Direction::to_server].time[TimeOwner::application], 3.0, 0.05);
}

}  // namespace
}  // namespace slowpath::test

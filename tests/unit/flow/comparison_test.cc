// SPDX-License-Identifier: Apache-2.0
// Two points, and what lies between them: losses, cuts, rewriting, changed bytes, ICMP, NAT.
#include "flow/comparison/comparison.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "support/two_points.h"

namespace slowpath {
namespace {

using namespace std::chrono_literals;
using test::Boxes;
using test::TwoPoints;

const BetweenFacts& towards(const ComparisonFacts& facts, Direction direction) {
  for (const BetweenFacts& between : facts.connections.at(0).between) {
    if (between.direction == direction) return between;
  }
  throw std::logic_error("no such direction");
}

/// A download of `count` segments of 1000 bytes, each acknowledged.
void download(TwoPoints& x, std::uint32_t count, std::uint32_t first = 0) {
  for (std::uint32_t i = first; i < first + count; ++i) {
    x.to_client({.from = i * 1000, .len = 1000});
    x.after(x.path + 1ms);
    x.to_server({.from = 0, .ack = (i + 1) * 1000});
    x.after(1ms);
  }
}

TEST(Comparison, NothingBetweenThePointsIsNothing) {
  TwoPoints x;
  x.handshake();
  download(x, 50);
  const ComparisonFacts facts = x.finish();
  ASSERT_EQ(facts.connections.size(), 1U);
  EXPECT_TRUE(facts.order_known);
  EXPECT_EQ(facts.points.at(0).name, "client");
  const BetweenFacts& down = towards(facts, Direction::to_client);
  EXPECT_EQ(facts.points.at(down.upstream).name, "server");
  EXPECT_EQ(down.upstream_packets, 50U);
  EXPECT_EQ(down.losses.packets, 0U);
  EXPECT_EQ(down.contents.identical_bytes, 50'000U);
  EXPECT_EQ(down.contents.changed_good, 0U);
  EXPECT_EQ(down.cuts.split + down.cuts.merged, 0U);
  EXPECT_EQ(down.unsourced_packets + down.unrecorded_packets, 0U);
  EXPECT_EQ(towards(facts, Direction::to_server).bare_lost, 0U);
  ASSERT_EQ(down.rewrites.size(), 1U);  // one router
  EXPECT_EQ(down.rewrites[0].what, Rewritten::ttl);
  EXPECT_NEAR(down.delay.least_s, 0.010, facts.clocks.at(0).error_s);
}

TEST(Comparison, EachCopyIsLostOrCameByItself) {
  TwoPoints x;
  x.handshake();
  download(x, 10);
  x.to_client({.from = 10'000, .len = 1000, .lost = true});
  x.after(200ms);
  x.to_client({.from = 10'000, .len = 1000, .lost = true});
  x.after(400ms);
  x.to_client({.from = 10'000, .len = 1000});
  x.after(20ms);
  download(x, 10, 11);
  const ComparisonFacts facts = x.finish();
  const BetweenLosses& losses = towards(facts, Direction::to_client).losses;
  EXPECT_EQ(losses.packets, 2U);
  EXPECT_EQ(losses.bytes, 2000U);
  EXPECT_EQ(losses.resends, 1U);
  EXPECT_EQ(losses.episodes, 1U);
  ASSERT_EQ(losses.copies.size(), 2U);
  EXPECT_EQ(losses.copies[0].begin, 10'000);
  EXPECT_FALSE(losses.copies[0].resend);
  EXPECT_TRUE(losses.copies[1].resend);
}

TEST(Comparison, AnOriginalThatComesLateIsNotTheResend) {
  TwoPoints x;
  x.stamps = true;
  x.handshake();
  download(x, 10);
  x.to_client({.from = 10'000, .len = 1000, .delay = 500ms});
  x.after(200ms);
  x.to_client({.from = 10'000, .len = 1000});
  x.after(400ms);
  download(x, 10, 11);
  const ComparisonFacts facts = x.finish();
  const BetweenFacts& down = towards(facts, Direction::to_client);
  EXPECT_EQ(down.losses.packets, 0U);
  EXPECT_EQ(down.overtaken_packets, 1U);
  EXPECT_NEAR(down.delay.max_s, 0.490, 1e-3);
  ASSERT_FALSE(down.delay.worst.empty());
  EXPECT_NEAR(down.delay.worst.front().above_least_s, 0.490, 1e-3);
}

TEST(Comparison, LargeFramesAreCutOrLostWhole) {
  TwoPoints x;
  x.handshake();
  download(x, 5);
  x.to_client({.from = 5000, .len = 7300, .cut = 1460});
  x.after(20ms);
  x.to_client({.from = 12'300, .len = 2920, .lost = true});
  x.after(200ms);
  x.to_client({.from = 12'300, .len = 1460});
  x.after(20ms);
  x.to_client({.from = 13'760, .len = 1460});
  x.after(20ms);
  x.to_server({.ack = 15'220});
  x.after(100ms);
  x.to_server({.ack = 15'220});
  const ComparisonFacts facts = x.finish();
  const BetweenFacts& down = towards(facts, Direction::to_client);
  EXPECT_EQ(down.cuts.split, 1U);
  EXPECT_EQ(down.cuts.split_into, 5U);
  EXPECT_EQ(down.segment_size, 1460U);
  EXPECT_EQ(down.losses.large_lost, 1U);
  EXPECT_EQ(down.losses.large_passed, 1U);
  EXPECT_EQ(down.losses.single_lost, 0U);
  EXPECT_EQ(down.losses.large_then_pieces, 2920U);
  EXPECT_EQ(down.contents.identical_bytes, 5000U + 7300U + 2920U);
}

TEST(Comparison, MergedFramesCarryTheSameBytes) {
  TwoPoints x;  // Upwards: what is cut on its way to the client is merged seen from the other end.
  x.handshake();
  download(x, 3);
  for (int i = 0; i < 4; ++i)
    x.to_client({.from = 3000U + static_cast<std::uint32_t>(i) * 500, .len = 500, .lost = true});
  x.to_client({.from = 3000, .len = 2000, .unseen = true});
  x.after(30ms);
  x.to_server({.ack = 5000});
  x.after(30ms);
  x.to_server({.ack = 5000});
  const ComparisonFacts facts = x.finish();
  const BetweenFacts& down = towards(facts, Direction::to_client);
  EXPECT_EQ(down.losses.packets, 0U);
  EXPECT_EQ(down.cuts.merged, 1U);
  EXPECT_EQ(down.cuts.merged_from, 4U);
  EXPECT_EQ(down.unsourced_packets, 0U);
  EXPECT_EQ(down.contents.identical_bytes, 5000U);
}

TEST(Comparison, ChangedBytesAreFoundAndShown) {
  TwoPoints x;
  x.handshake();
  download(x, 5);
  x.to_client({.from = 5000, .len = 1000, .flip_at = 5123});
  x.after(20ms);
  x.to_client({.from = 6000, .len = 2920, .cut = 1460, .flip_at = 7500});
  x.after(20ms);
  x.to_client({.from = 8920, .len = 1000, .flip_at = 9000, .damaged = true, .unfinished = true});
  x.after(20ms);
  x.to_client({.from = 9920, .len = 1000, .damaged = true, .unfinished = true});
  x.after(20ms);
  download(x, 5, 11);
  const ComparisonFacts facts = x.finish();
  const BetweenContents& contents = towards(facts, Direction::to_client).contents;
  EXPECT_EQ(contents.changed_good, 2U);
  EXPECT_EQ(contents.changed_bad, 1U);
  EXPECT_EQ(contents.changed_bytes, 3U);
  EXPECT_EQ(contents.became_bad, 2U);
  EXPECT_EQ(contents.unfinished_became_bad, 1U);  // of the same bytes: the other one was damaged
  ASSERT_EQ(contents.ranges.size(), 3U);
  const ChangedRange& first = contents.ranges[0];
  EXPECT_EQ(first.begin + first.first_difference, 5123);
  EXPECT_EQ(first.differing, 1U);
  EXPECT_EQ(first.downstream_checksum, ChecksumSeen::good);
  ASSERT_EQ(first.expected.size(), first.seen.size());
  const std::size_t at = first.first_difference - first.excerpt_offset;
  EXPECT_EQ(first.expected.at(at) ^ first.seen.at(at), std::byte{1});
  // The second segment of a large frame: where it lay in the frame is kept.
  const ChangedRange& second = contents.ranges[1];
  EXPECT_EQ(second.upstream_offset, 1460U);
  EXPECT_EQ(second.upstream_len, 2920U);
  EXPECT_EQ(second.begin + second.first_difference, 7500);
}

TEST(Comparison, ConnectionsAreKnownAcrossNatAndShiftedSequenceNumbers) {
  TwoPoints x(Boxes{.client = "192.0.2.7",
                    .server = "10.1.0.9",
                    .client_port = 1025,
                    .server_port = 9000,
                    .client_shift = 77'777,
                    .server_shift = 0xdead'0000,
                    .strips_window_scale = true});
  x.stamps = true;
  x.handshake();
  download(x, 20);
  const ComparisonFacts facts = x.finish();
  ASSERT_EQ(facts.connections_shared, 1U);
  EXPECT_NE(facts.connections[0].paired_by, PairedBy::addresses);
  const BetweenFacts& down = towards(facts, Direction::to_client);
  EXPECT_EQ(down.losses.packets, 0U);
  EXPECT_EQ(down.contents.identical_bytes, 20'000U);
  EXPECT_TRUE(down.addresses_rewritten);
  EXPECT_EQ(static_cast<std::uint32_t>(down.sequence_shift), 0U - 0xdead'0000);
  const BetweenFacts& up = towards(facts, Direction::to_server);
  EXPECT_EQ(up.sequence_shift, 77'777);
  EXPECT_EQ(up.bare_lost, 0U);
  const auto scale = std::ranges::find(up.rewrites, Rewritten::window_scale, &Rewrite::what);
  ASSERT_NE(scale, up.rewrites.end());
  EXPECT_EQ(scale->from, 7);
  EXPECT_EQ(scale->to, -1);
}

TEST(Comparison, WhatTheOtherCaptureMissedIsNotLost) {
  TwoPoints x;
  x.handshake();
  download(x, 5);
  x.to_client({.from = 5000, .len = 1000, .lost = true});
  x.after(15ms);
  x.to_server({.ack = 6000});  // although it is not in the client's capture
  x.after(5ms);
  x.to_client({.from = 6000, .len = 1000, .unseen = true});
  x.after(20ms);
  download(x, 5, 7);
  const ComparisonFacts facts = x.finish();
  const BetweenFacts& down = towards(facts, Direction::to_client);
  EXPECT_EQ(down.losses.packets, 0U);
  EXPECT_EQ(down.unrecorded_packets, 1U);
  EXPECT_EQ(down.unsourced_packets, 1U);
}

TEST(Comparison, WhatWasOnItsWayWhenACaptureEndedIsNotLost) {
  TwoPoints x;
  x.handshake();
  download(x, 20);
  x.to_client({.from = 20'000, .len = 1000, .lost = true});
  const ComparisonFacts facts = x.finish();
  EXPECT_EQ(towards(facts, Direction::to_client).losses.packets, 0U);
}

TEST(Comparison, IcmpErrorsThatStayBehindAreFiltered) {
  TwoPoints x;
  x.handshake();
  download(x, 5);
  x.icmp_to_server(5000, 1460, 1400, true);
  x.after(10ms);
  x.icmp_to_server(5000, 1460, 1400, false);
  x.after(10ms);
  download(x, 5, 6);
  const ComparisonFacts facts = x.finish();
  // About data to the client; errors travel from the client's point to the server's: the second was
  // made between.
  const BetweenIcmp& icmp = towards(facts, Direction::to_client).icmp;
  EXPECT_EQ(icmp.passed, 1U);
  EXPECT_EQ(icmp.refused_between, 1U);
  EXPECT_EQ(icmp.filtered_between, 0U);
  EXPECT_EQ(icmp.mtu, 1400U);
}

TEST(Comparison, OtherTrafficIsNotPaired) {
  TwoPoints x;
  x.handshake();
  download(x, 5);
  x.record(0, x.now(),
           test::packet()
               .ethernet()
               .ipv4("10.7.0.1", "10.7.0.2")
               .tcp(test::syn, test::ports(5, 6), test::seq(9))
               .build());
  download(x, 5, 5);
  const ComparisonFacts facts = x.finish();
  EXPECT_EQ(facts.connections_shared, 1U);
  ASSERT_EQ(facts.unpaired_total, 1U);
  EXPECT_TRUE(facts.unpaired.at(0).only_syns);
}

TEST(Comparison, MemoryIsBounded) {
  TwoPoints x({}, 200'000);
  x.handshake();
  download(x, 2000);
  const ComparisonFacts facts = x.finish();
  EXPECT_GT(facts.points.at(0).forgotten_packets, 0U);
  EXPECT_EQ(towards(facts, Direction::to_client).losses.packets, 0U);
}

/// Clocks: whatever the true offset and drift, they lie within what is said.
struct ClockCase {
  double offset_s, drift_ppm, jitter_s, asymmetry_s;
};
class ComparedClocks : public testing::TestWithParam<ClockCase> {};

TEST_P(ComparedClocks, AreToldWithinTheirError) {
  const ClockCase& given = GetParam();
  TwoPoints x;
  const auto difference = [&](Duration time) {
    return given.offset_s + given.drift_ppm * 1e-6 * to_seconds(time);
  };
  x.server_clock = [&](Duration time) { return from_seconds(difference(time)); };
  std::mt19937 random(7);
  std::exponential_distribution<double> queue(1 / std::max(given.jitter_s, 1e-9));
  x.handshake();
  for (std::uint32_t i = 0; i < 400; ++i) {
    x.to_client({.from = i * 100,
                 .len = 100,
                 .delay = x.path + from_seconds(queue(random) + given.asymmetry_s)});
    x.after(150ms);
    x.to_server({.ack = (i + 1) * 100, .delay = x.path + from_seconds(queue(random))});
    x.after(150ms);
  }
  const ComparisonFacts facts = x.finish();
  const ClockRelation& clock = facts.clocks.at(0);
  ASSERT_TRUE(clock.known);
  const double true_offset = difference(clock.at - Time{} - std::chrono::hours{24});
  EXPECT_LE(std::abs(clock.offset_s - true_offset), clock.error_s);
  EXPECT_LE(std::abs(clock.drift_ppm - given.drift_ppm), clock.drift_error_ppm);
  // Not so wide that it says nothing: half of what a packet needs there and back.
  EXPECT_LT(clock.error_s, to_seconds(x.path) + given.asymmetry_s + 2 * given.jitter_s + 1e-3);
  EXPECT_EQ(towards(facts, Direction::to_client).losses.packets, 0U);
}

INSTANTIATE_TEST_SUITE_P(All, ComparedClocks,
                         testing::Values(ClockCase{0, 0, 0.001, 0}, ClockCase{3600, 0, 0.002, 0},
                                         ClockCase{-5, 50, 0.002, 0},
                                         ClockCase{0.25, -300, 0.001, 0.005},
                                         ClockCase{-0.001, 5, 0.02, 0}));

}  // namespace
}  // namespace slowpath

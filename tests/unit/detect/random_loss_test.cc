// SPDX-License-Identifier: Apache-2.0
// random-loss: losses at any round-trip time fire; bursts of a full queue, one length and a few
// losses do not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

// Losses one a flight at round-trip times from the whole range of 20 to 21 ms.
Case with_losses(std::uint64_t count, std::uint64_t per_flight, double loaded_s = 0.021) {
  Case facts = healthy_case({.bytes = 4'000'000, .seconds = 10});
  DirectionFacts& data = download_of(facts);
  for (std::size_t i = 0; i < data.rtt.quantiles_s.size(); ++i) {
    data.rtt.quantiles_s[i] = 0.020 + (loaded_s - 0.020) * static_cast<double>(i) / 20;
  }
  data.rtt.loaded_s = loaded_s;
  data.lost_packets = data.resent_packets = count;
  data.loss_episodes = (count + per_flight - 1) / per_flight;
  for (std::uint64_t i = 0; i < count; ++i) {
    LossEvent loss;
    loss.original = FrameRef{0, 100 + i * 10};
    loss.resend = FrameRef{0, 105 + i * 10};
    loss.offset = i * 100'000;
    loss.len = 1448;
    loss.original_ip_len = 1500;
    loss.rtt_before_s = data.rtt.quantiles_s[(i * 7) % 21];
    data.losses.push_back(loss);
  }
  data.sizes[0].first_lost = count;
  data.sizes[0].first_delivered = data.sizes[0].first_sent - count;
  charge(data, TimeOwner::loss_recovery, 2);
  return facts;
}

TEST(RandomLoss, LossesAtAnyRoundTripTimeAreAFault) {
  const auto found = run("random-loss", with_losses(30, 1));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_GT(found[0].seconds_lost, 2);
  EXPECT_LE(found[0].seconds_lost, 10);
  EXPECT_EQ(found[0].evidence[0].frames.front().number(), 100U);
}

// Half a round trip is all that such a clock tells: a policer may have chosen them.
TEST(RandomLoss, AClockThatTicksInHalfARoundTripLeavesASuspicion) {
  Case facts = with_losses(30, 1);
  facts.connections.front().clock_tick_s = 0.0156;
  const auto found = run("random-loss", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  facts.connections.front().clock_tick_s = 0.001;
  EXPECT_EQ(run("random-loss", facts).front().severity, Severity::fault);
}

TEST(RandomLoss, WhereNearlyAllResendsWereNeedlessNothingWasLost) {
  Case facts = with_losses(30, 1);
  DirectionFacts& data = download_of(facts);
  data.resent_packets = 800;
  data.spurious.packets = 770;
  data.reorder.packets = 1200;
  EXPECT_TRUE(run("random-loss", facts).empty());
  EXPECT_EQ(silences_of("random-loss", facts).size(), 1U);
  data.spurious.packets = 100;
  EXPECT_EQ(run("random-loss", facts).size(), 1U);
}

// Two virtual machines of one host, seen between them.
TEST(RandomLoss, WhatPassedUnfinishedBetweenVirtualEndsMayHaveBeenRefused) {
  Case facts = with_losses(30, 1);
  DirectionFacts& data = download_of(facts);
  data.vantage = Vantage::both;
  EXPECT_EQ(run("random-loss", facts).size(), 1U);
  data.checksums.partial = 1000;
  data.checksums.partial_needed_resend = 28;
  EXPECT_TRUE(run("random-loss", facts).empty());
  EXPECT_NE(silences_of("random-loss", facts).at(0).why.find("refused"), std::string::npos);
}

// The queue of a link that others fill too: round trips and ranks say nothing of the moment of a
// loss.
TEST(RandomLoss, APathThatIsFullAllTheTimeShowsNoLossWithoutLoad) {
  Case facts = with_losses(30, 1, 0.040);
  DirectionFacts& data = download_of(facts);
  EXPECT_EQ(run("random-loss", facts).size(), 1U);
  data.time = {};
  data.time[TimeOwner::bottleneck] = 9;
  data.time[TimeOwner::loss_recovery] = 1;
  EXPECT_TRUE(run("random-loss", facts).empty());
}

TEST(RandomLoss, NineLossesAreASuspicionAtMost) {
  const auto found = run("random-loss", with_losses(9, 1));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_FALSE(found[0].next_capture.empty());
}

// Losses that cost a suspicion, at most: several in each flight.
Case dying_flights(double timeouts_s) {
  Case facts = with_losses(400, 3);
  charge(download_of(facts), TimeOwner::timeout, timeouts_s);
  return facts;
}

TEST(RandomLoss, FlightsThatDieWholeAreNot) {
  EXPECT_TRUE(run("random-loss", dying_flights(5)).empty());
  EXPECT_EQ(silences_of("random-loss", dying_flights(5)).size(), 1U);
}

TEST(RandomLoss, ResendsThatAreSparedAreNot) {
  // At 14 % chance would take resends too, and leave a twentieth of this rate.
  Case facts = dying_flights(0);
  download_of(facts).goodput_bps = 3.2e6;
  EXPECT_TRUE(run("random-loss", facts).empty());
  download_of(facts).goodput_bps = 100e3;
  EXPECT_EQ(run("random-loss", facts).size(), 1U);
  // Nor can a round trip that nobody measured be so short.
  download_of(facts).rtt = {};
  download_of(facts).goodput_bps = 32e6;
  EXPECT_TRUE(run("random-loss", facts).empty());
}

TEST(RandomLoss, BurstsOfAFullQueueAreNot) {
  Case facts = with_losses(30, 10, 0.080);
  for (LossEvent& loss : download_of(facts).losses) loss.rtt_before_s = 0.079;
  EXPECT_TRUE(run("random-loss", facts).empty());
  EXPECT_EQ(silences_of("random-loss", facts).size(), 1U);
}

TEST(RandomLoss, SingleLossesOfAFullQueueAreNot) {
  Case facts = with_losses(30, 1, 0.080);
  for (LossEvent& loss : download_of(facts).losses) loss.rtt_before_s = 0.079;
  EXPECT_TRUE(run("random-loss", facts).empty());
}

TEST(RandomLoss, OnALinkThatIsBusyAllTheTimeCostsNothing) {
  Case facts = with_losses(30, 1);
  DirectionFacts& data = download_of(facts);
  data.goodput_bps = 3.2e6;
  data.trains = {.trains = 200,
                 .median_bps = 3.25e6,
                 .p75_bps = 3.3e6,
                 .p90_bps = 3.3e6,
                 .pair_bps = 3.3e6,
                 .pair_share = 0.9};
  charge(data, TimeOwner::bottleneck, 6);
  EXPECT_TRUE(run("random-loss", facts).empty());
  data.goodput_bps = 2.5e6;
  EXPECT_EQ(run("random-loss", facts).size(), 1U);
}

TEST(RandomLoss, ALengthThatNeverPassesIsNot) {
  Case facts = with_losses(30, 1);
  DirectionFacts& data = download_of(facts);
  data.sizes = {{600, 600, 500, 500, 0, 0, 0, 0, frames(2), {}},
                {1500, 1500, 30, 0, 30, 30, 0, 30, {}, frames(6)}};
  EXPECT_TRUE(run("random-loss", facts).empty());
}

TEST(RandomLoss, FramesWithWrongChecksumsAreNot) {
  Case facts = with_losses(30, 1);
  download_of(facts).checksums.bad_needed_resend = 30;
  EXPECT_TRUE(run("random-loss", facts).empty());
}

TEST(RandomLoss, DamagedCaptureWithoutRoundTripTimesIsASuspicion) {
  Case facts = with_losses(30, 1);
  DirectionFacts& data = download_of(facts);
  data.rtt = {};
  for (LossEvent& loss : data.losses) loss.rtt_before_s = 0;
  const auto found = run("random-loss", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

TEST(RandomLoss, NothingLostSaysNothing) {
  EXPECT_TRUE(run("random-loss", healthy_case()).empty());
}

}  // namespace
}  // namespace slowpath::testing

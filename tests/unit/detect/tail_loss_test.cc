// SPDX-License-Identifier: Apache-2.0
// tail-loss: timeouts at the end of bursts fire; timeouts elsewhere and lost super-frames do not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_tails(std::uint64_t tails, double tail_s, std::uint64_t timeouts, double timeout_s) {
  Case facts = healthy_case({.seconds = 2});
  DirectionFacts& data = download_of(facts);
  data.tail_timeouts = tails;
  data.tail_timeout_s = tail_s;
  data.timeouts = timeouts;
  data.timeout_s = timeout_s;
  data.tail_timeout_frames = data.timeout_frames = frames(tails, 70);
  data.lost_packets = timeouts;
  data.loss_episodes = timeouts;
  charge(data, TimeOwner::timeout, timeout_s);
  return facts;
}

TEST(TailLoss, SilenceAfterTheEndOfBurstsIsAFault) {
  const auto found = run("tail-loss", with_tails(3, 0.7, 3, 0.7));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 0.7);
  EXPECT_EQ(found[0].evidence[0].frames.front().number(), 70U);
}

TEST(TailLoss, OneThatCostsLittleIsANote) {
  const auto found = run("tail-loss", with_tails(1, 0.1, 1, 0.1));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

TEST(TailLoss, ASingleOneIsAnIncidentUnlessItRulesTheTime) {
  EXPECT_EQ(run("tail-loss", with_tails(1, 0.4, 1, 0.4))[0].severity, Severity::note);
  EXPECT_EQ(run("tail-loss", with_tails(1, 1.0, 1, 1.0))[0].severity, Severity::fault);
}

// The sender's timer would have run out long before: its resends were lost, or its host stood
// still.
TEST(TailLoss, ASilenceThatNoTimerExplainsIsNoTail) {
  Case facts = with_tails(1, 3.1, 1, 3.1);
  Stall stall;
  stall.seconds = 3.1;
  stall.owner = TimeOwner::timeout;
  stall.unanswered_sends = 1;
  download_of(facts).stalls.push_back(stall);
  EXPECT_TRUE(run("tail-loss", facts).empty());
  stall.seconds = 0.9;
  download_of(facts).stalls = {stall};
  EXPECT_EQ(run("tail-loss", facts).size(), 1U);
}

TEST(TailLoss, TimeoutsInTheMiddleAreNot) {
  const Case facts = with_tails(1, 0.2, 5, 1.2);
  EXPECT_TRUE(run("tail-loss", facts).empty());
  EXPECT_EQ(silences_of("tail-loss", facts).size(), 1U);
}

TEST(TailLoss, LostSuperFramesAreNot) {
  Case facts = with_tails(4, 1, 4, 1);
  SuperframeFacts& super = download_of(facts).superframes;
  super.sent = super.lost_whole = 4;
  EXPECT_TRUE(run("tail-loss", facts).empty());
}

TEST(TailLoss, DamagedCaptureBeyondTheLossIsASuspicion) {
  Case facts = with_tails(3, 0.7, 3, 0.7);
  DirectionFacts& data = download_of(facts);
  data.vantage = Vantage::receiver;
  data.lost_before_capture = 3;
  const auto found = run("tail-loss", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_NE(found[0].next_capture.find("10.0.0.2"), std::string::npos);
}

}  // namespace
}  // namespace slowpath::testing

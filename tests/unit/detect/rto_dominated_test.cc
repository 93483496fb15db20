// SPDX-License-Identifier: Apache-2.0
// rto-dominated: timeouts that rule the time fire; a single one, random loss and needless ones do
// not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_timeouts(std::uint64_t timeouts, double seconds) {
  Case facts = healthy_case({.seconds = 5});
  DirectionFacts& data = download_of(facts);
  data.timeouts = data.lost_packets = data.loss_episodes = timeouts;
  data.timeout_s = seconds;
  data.timeout_frames = frames(timeouts, 40);
  charge(data, TimeOwner::timeout, seconds);
  return facts;
}

TEST(RtoDominated, TwoThirdsOfTheTimeIsAFault) {
  const auto found = run("rto-dominated", with_timeouts(6, 3.3));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 3.3);
}

// Two virtual machines of one host, seen between them: what is refused there looks lost.
TEST(RtoDominated, WhatPassedUnfinishedBetweenVirtualEndsMayHaveBeenRefused) {
  Case facts = with_timeouts(6, 3.3);
  DirectionFacts& data = download_of(facts);
  data.vantage = Vantage::both;
  EXPECT_EQ(run("rto-dominated", facts).at(0).severity, Severity::fault);
  data.checksums.partial = 1000;
  data.checksums.partial_needed_resend = 6;
  const auto found = run("rto-dominated", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_NE(found[0].next_capture.find("TcpInCsumErrors"), std::string::npos);
}

TEST(RtoDominated, AFourthOfTheTimeIsNot) {
  const Case facts = with_timeouts(4, 1.25);
  EXPECT_TRUE(run("rto-dominated", facts).empty());
  EXPECT_EQ(silences_of("rto-dominated", facts).size(), 1U);
}

TEST(RtoDominated, ConnectionThatNeverWorkedIsAnotherFault) {
  Case facts = with_timeouts(6, 4.5);
  download_of(facts).acked_bytes = 0;
  EXPECT_TRUE(run("rto-dominated", facts).empty());
  EXPECT_EQ(silences_of("rto-dominated", facts).size(), 1U);
}

TEST(RtoDominated, NeedlessTimeoutsAreNot) {
  Case facts = with_timeouts(6, 3.3);
  download_of(facts).spurious.timeouts = 5;
  EXPECT_TRUE(run("rto-dominated", facts).empty());
}

TEST(RtoDominated, ProbesOfAClosedWindowAreNot) {
  Case facts = with_timeouts(6, 3.3);
  download_of(facts).window.zero_s = 3.5;
  EXPECT_TRUE(run("rto-dominated", facts).empty());
}

TEST(RtoDominated, SilenceThatNeverEndsIsAnothersCause) {
  Case facts = with_timeouts(6, 3.3);
  Stall stall;
  stall.seconds = 3.3;
  stall.ended = false;
  download_of(facts).stalls = {stall};
  EXPECT_TRUE(run("rto-dominated", facts).empty());
}

TEST(RtoDominated, TimeoutsOfRandomLossAreItsPrice) {
  EXPECT_TRUE(run("rto-dominated", with_timeouts(12, 3.3)).empty());
}

TEST(RtoDominated, DamagedCaptureOfOneDirectionIsASuspicion) {
  Case facts = with_timeouts(6, 3.3);
  download_of(facts).acks_seen = false;
  const auto found = run("rto-dominated", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

}  // namespace
}  // namespace slowpath::testing

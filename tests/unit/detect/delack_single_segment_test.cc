// SPDX-License-Identifier: Apache-2.0
// delack-single-segment: full segments alone in flight that wait for a timer fire; a path with that
// round trip does not, and the way to the receiver is no part of the timer.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_waits(std::uint64_t count, double timer_s, double rtt_s = 0.001) {
  Case facts = healthy_case({.bytes = 200'000, .seconds = 4, .rtt_s = rtt_s});
  NagleFacts& lone = download_of(facts).lone;
  lone.count = count;
  lone.seconds = static_cast<double>(count) * timer_s;
  lone.timer_median_s = timer_s;
  lone.ack_frames = frames(count, 60);
  return facts;
}

TEST(DelackSingleSegment, FortyMillisecondsForEachSegmentAreAFault) {
  const auto found = run("delack-single-segment", with_waits(50, 0.042));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_NEAR(found[0].seconds_lost, 2.1, 1e-9);
  EXPECT_EQ(found[0].evidence[0].frames.front().number(), 60U);
}

TEST(DelackSingleSegment, NineteenWaitsAreASuspicion) {
  const auto found = run("delack-single-segment", with_waits(19, 0.042));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

TEST(DelackSingleSegment, TheWayToTheReceiverIsNoPartOfTheTimer) {
  Case facts = with_waits(50, 0.077, 0.017);
  HandshakeFacts& handshake = facts.connections[0].handshake;
  handshake.legs_known = true;
  handshake.server_leg_s = 0;
  handshake.client_leg_s = 0.017;
  EXPECT_EQ(run("delack-single-segment", facts).size(), 1U);
}

TEST(DelackSingleSegment, APathOfThatRoundTripIsNot) {
  const Case facts = with_waits(50, 0.042, 0.040);
  EXPECT_TRUE(run("delack-single-segment", facts).empty());
  EXPECT_EQ(silences_of("delack-single-segment", facts).size(), 1U);
}

TEST(DelackSingleSegment, LossesThatKeepTheWindowAtOneSegmentAreTheCause) {
  Case facts = with_waits(50, 0.042);
  download_of(facts).lost_packets = 13;
  EXPECT_TRUE(run("delack-single-segment", facts).empty());
  ASSERT_EQ(silences_of("delack-single-segment", facts).size(), 1U);
  // One loss in so many does not.
  download_of(facts).lost_packets = 1;
  EXPECT_EQ(run("delack-single-segment", facts).size(), 1U);
}

TEST(DelackSingleSegment, DamagedCaptureWithTwoWaitsSaysNothing) {
  EXPECT_TRUE(run("delack-single-segment", with_waits(2, 0.2)).empty());
}

}  // namespace
}  // namespace slowpath::testing

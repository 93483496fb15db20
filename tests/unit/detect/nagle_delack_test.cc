// SPDX-License-Identifier: Apache-2.0
// nagle-delack: waits of a delayed-ACK timer fire; a path with that round trip does not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_waits(std::uint64_t count, double timer_s, double rtt_s = 0.001) {
  Case facts = healthy_case({.bytes = 20'000, .seconds = 4, .rtt_s = rtt_s});
  NagleFacts& nagle = download_of(facts).nagle;
  nagle.count = count;
  nagle.seconds = static_cast<double>(count) * timer_s;
  nagle.timer_median_s = timer_s;
  nagle.ack_frames = frames(count, 60);
  return facts;
}

TEST(NagleDelack, FortyMillisecondsAgainAndAgainAreAFault) {
  const auto found = run("nagle-delack", with_waits(50, 0.041));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_NEAR(found[0].seconds_lost, 2.05, 1e-9);
  EXPECT_EQ(found[0].evidence[0].frames.front().number(), 60U);
}

TEST(NagleDelack, NineteenWaitsAreASuspicion) {
  const auto found = run("nagle-delack", with_waits(19, 0.041));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

TEST(NagleDelack, APathOfThatRoundTripIsNot) {
  const Case facts = with_waits(50, 0.041, 0.040);
  EXPECT_TRUE(run("nagle-delack", facts).empty());
  EXPECT_EQ(silences_of("nagle-delack", facts).size(), 1U);
}

TEST(NagleDelack, ATimeThatIsNoTimerIsNot) {
  EXPECT_TRUE(run("nagle-delack", with_waits(50, 0.075)).empty());
}

TEST(NagleDelack, DamagedCaptureWithTwoWaitsSaysNothing) {
  EXPECT_TRUE(run("nagle-delack", with_waits(2, 0.2)).empty());
}

}  // namespace
}  // namespace slowpath::testing

// SPDX-License-Identifier: Apache-2.0
// short-flow: a small transfer inside slow start is a note; a large one, one with losses, one
// without round trips and one whose beginning was not captured are not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case small(std::uint64_t bytes) {
  Case facts = healthy_case({.bytes = bytes, .seconds = 0.5, .rtt_s = 0.1});
  DirectionFacts& data = download_of(facts);
  charge(data, TimeOwner::slow_start, data.time[TimeOwner::congestion_window] * 0.9);
  return facts;
}

TEST(ShortFlow, TwoHundredKilobytesAreFourRoundTrips) {
  const auto found = run("short-flow", small(200'000));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
  EXPECT_NEAR(found[0].evidence[0].values[0].second, 0.4, 0.05);
}

TEST(ShortFlow, ALargeTransferIsNotShort) {
  EXPECT_TRUE(run("short-flow", small(50'000'000)).empty());
}

TEST(ShortFlow, LossesEndSlowStart) {
  Case facts = small(200'000);
  download_of(facts).lost_packets = 2;
  EXPECT_TRUE(run("short-flow", facts).empty());
}

TEST(ShortFlow, WithoutRoundTripTimesItSaysNothing) {
  Case facts = small(200'000);
  download_of(facts).rtt = {};
  EXPECT_TRUE(run("short-flow", facts).empty());
}

TEST(ShortFlow, ACaptureThatJoinsMidwayDoesNotShowHowLargeItWas) {
  Case facts = small(200'000);
  facts.connections[0].handshake.syn.reset();
  facts.connections[0].handshake.syn_ack.reset();
  EXPECT_TRUE(run("short-flow", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

// SPDX-License-Identifier: Apache-2.0
// path-latency: a round trip that no distance explains fires; geography is a note.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_round_trip(double rtt_s, double seconds) {
  Case facts = healthy_case({.bytes = 50'000, .seconds = seconds, .rtt_s = rtt_s});
  download_of(facts).rtt.total.samples = 5;
  return facts;
}

TEST(PathLatency, ASatelliteIsAFault) {
  const auto found = run("path-latency", with_round_trip(0.6, 3));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_LE(found[0].seconds_lost, 3);
}

TEST(PathLatency, AnotherContinentIsANote) {
  const auto found = run("path-latency", with_round_trip(0.15, 0.75));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

// London to Sydney, and then some: fibre takes no straight way.
TEST(PathLatency, TheOtherEndOfTheEarthIsANote) {
  const auto found = run("path-latency", with_round_trip(0.28, 1.4));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

TEST(PathLatency, FiftyMillisecondsAreNothing) {
  EXPECT_TRUE(run("path-latency", with_round_trip(0.051, 0.55)).empty());
}

TEST(PathLatency, ABulkTransferIsNoExchange) {
  EXPECT_TRUE(run("path-latency", with_round_trip(0.6, 60)).empty());
}

TEST(PathLatency, AQueueIsNotThePath) {
  Case facts = with_round_trip(0.6, 3);
  download_of(facts).rtt.total.median_s = 1.5;
  EXPECT_TRUE(run("path-latency", facts).empty());
  EXPECT_EQ(silences_of("path-latency", facts).size(), 1U);
}

TEST(PathLatency, DamagedCaptureWithoutTheHandshakeSaysNothing) {
  Case facts = with_round_trip(0.6, 3);
  download_of(facts).rtt.handshake_s.reset();
  EXPECT_TRUE(run("path-latency", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

// SPDX-License-Identifier: Apache-2.0
// ack-path-congestion: a way back that takes longer fires; a queue on the data's way does not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

// Ten seconds at a round trip of 20 ms that grew to 320 ms: on the ACKs' way, or on the data's.
Case with_growth(double data_s, double ack_s, Vantage vantage = Vantage::sender) {
  Case facts = healthy_case({.seconds = 10, .vantage = vantage});
  DirectionFacts& data = download_of(facts);
  data.rtt.total.median_s = data.rtt.total.p95_s = data.rtt.loaded_s = 0.020 + data_s + ack_s;
  LegWays leg;
  leg.samples = 500;
  leg.tick_s = 0.001;
  leg.span_s = 10;
  leg.data = {.p25_s = data_s, .median_s = data_s, .p95_s = data_s};
  leg.ack = {.p25_s = ack_s, .median_s = ack_s, .p95_s = ack_s};
  if (vantage == Vantage::sender) {
    data.rtt.receiver_leg = data.rtt.total;
    data.ways.receiver_leg = leg;
  } else {
    data.rtt.receiver_leg = {};
    data.rtt.sender_leg = data.rtt.total;
    data.ways.sender_leg = leg;
  }
  charge(data, TimeOwner::bottleneck, 9);
  return facts;
}

TEST(AckPathCongestion, AWayBackThatIsFullIsAFault) {
  const auto found = run("ack-path-congestion", with_growth(0.005, 0.3));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_NEAR(found[0].seconds_lost, 10 * 0.3 / 0.325, 0.2);
  EXPECT_TRUE(run("bufferbloat", with_growth(0.005, 0.3)).empty());
}

TEST(AckPathCongestion, AQueueOnTheDatasWayIsNot) {
  const Case facts = with_growth(0.3, 0.005);
  EXPECT_TRUE(run("ack-path-congestion", facts).empty());
  EXPECT_EQ(silences_of("ack-path-congestion", facts).size(), 1U);
}

TEST(AckPathCongestion, QueuesOnBothWaysAreNot) {
  EXPECT_TRUE(run("ack-path-congestion", with_growth(0.2, 0.3)).empty());
}

TEST(AckPathCongestion, AtTheReceiverItIsASuspicion) {
  const auto found = run("ack-path-congestion", with_growth(0.005, 0.3, Vantage::receiver));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

TEST(AckPathCongestion, ClocksThatDriftApartAreNoQueue) {
  Case facts = with_growth(0.0, 0.15);
  download_of(facts).ways.receiver_leg.span_s = 600;  // 200 ppm: 120 ms
  EXPECT_TRUE(run("ack-path-congestion", facts).empty());
}

TEST(AckPathCongestion, DamagedCaptureWithoutTimestampsSaysNothing) {
  Case facts = with_growth(0.005, 0.3);
  download_of(facts).ways = {};
  EXPECT_TRUE(run("ack-path-congestion", facts).empty());
  EXPECT_EQ(silences_of("ack-path-congestion", facts).size(), 1U);
}

}  // namespace
}  // namespace slowpath::testing

// SPDX-License-Identifier: Apache-2.0
// sender-limited: a flat flight below the window fires; a full window, a queue, loss and a fast LAN
// do not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

// 10 MB in 10 s at 20 ms: 20 KB in flight of 3 MB that are allowed.
Case with_flat_flight(double rtt_s = 0.020) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 10, .rtt_s = rtt_s});
  DirectionFacts& data = download_of(facts);
  data.flight_plateau_bytes = 32'000;
  data.flight_plateau_spread = 0.03;
  data.flight_idle_share = 0.7;
  data.app_data_ready_share = 0.9;
  return facts;
}

TEST(SenderLimited, AFlatFlightBelowTheWindowIsAFault) {
  const auto found = run("sender-limited", with_flat_flight());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_GT(found[0].seconds_lost, 9);
  EXPECT_NE(found[0].next_capture.find("ss -tin"), std::string::npos);
}

TEST(SenderLimited, AFullReceiveWindowIsNot) {
  Case facts = with_flat_flight();
  download_of(facts).window.median_bytes = 33'000;
  EXPECT_TRUE(run("sender-limited", facts).empty());
  EXPECT_EQ(silences_of("sender-limited", facts).size(), 1U);
}

TEST(SenderLimited, AQueueOnThePathIsNot) {
  Case facts = with_flat_flight();
  download_of(facts).rtt.loaded_s = 0.040;
  EXPECT_TRUE(run("sender-limited", facts).empty());
}

TEST(SenderLimited, LossesAreAnotherCause) {
  Case facts = with_flat_flight();
  download_of(facts).lost_packets = 20;
  EXPECT_TRUE(run("sender-limited", facts).empty());
}

// On a path that reorders: nothing is lost, and the window goes down all the same.
TEST(SenderLimited, NeedlessResendsTimeAndAgainAreAnotherCause) {
  Case facts = with_flat_flight();
  DirectionFacts& data = download_of(facts);
  data.spurious.packets = data.flight_rounds / 20;
  EXPECT_EQ(run("sender-limited", facts).size(), 1U);
  data.spurious.packets = data.flight_rounds / 2;
  EXPECT_TRUE(run("sender-limited", facts).empty());
}

TEST(SenderLimited, AGrowingFlightIsNot) {
  Case facts = with_flat_flight();
  download_of(facts).flight_plateau_spread = 0.6;
  EXPECT_TRUE(run("sender-limited", facts).empty());
}

// 80 round trips of a flight of 226 segments: slow growth would be a sixth of it.
Case with_large_flat_flight(double spread) {
  Case facts = with_flat_flight();
  DirectionFacts& data = download_of(facts);
  data.flight_rounds = 80;
  data.flight_plateau_bytes = 226 * std::uint64_t{data.segment_size};
  data.flight_plateau_spread = spread;
  return facts;
}

TEST(SenderLimited, ALargeFlightThatHardlyVariesIsFlat) {
  EXPECT_EQ(run("sender-limited", with_large_flat_flight(0.007)).size(), 1U);
  EXPECT_TRUE(run("sender-limited", with_large_flat_flight(0.06)).empty());
}

TEST(SenderLimited, ALargeFlightAfterALossMayBeCubicsPlateau) {
  Case facts = with_large_flat_flight(0.007);
  DirectionFacts& data = download_of(facts);
  data.data_packets = 20'000;
  data.lost_packets = 1;
  EXPECT_TRUE(run("sender-limited", facts).empty());
}

// A path that was out for two seconds: 155 segments of CUBIC's need 4.9 s to be as many again, and
// then grow as slowly.
TEST(SenderLimited, ShortlyAfterALossCubicIsFlat) {
  Case facts = with_flat_flight(0.005);
  DirectionFacts& data = download_of(facts);
  data.flight_plateau_bytes = std::uint64_t{155} * data.segment_size;
  data.lost_packets = 1;
  data.transfer_s = 11;
  EXPECT_EQ(run("sender-limited", facts).size(), 1U);
  data.timeout_s = 2;
  EXPECT_TRUE(run("sender-limited", facts).empty());
  data.lost_packets = 0;
  EXPECT_EQ(run("sender-limited", facts).size(), 1U);
}

TEST(SenderLimited, DataThatThePathSpacesIsNot) {
  Case facts = with_flat_flight();
  download_of(facts).flight_idle_share = 0.05;
  EXPECT_TRUE(run("sender-limited", facts).empty());
  EXPECT_EQ(silences_of("sender-limited", facts).size(), 1U);
}

// Two bursts in each round trip leave no long pause, but the path takes them far faster than they
// come.
TEST(SenderLimited, DataThatAFasterPathLeavesInBurstsIs) {
  Case facts = with_flat_flight();
  DirectionFacts& data = download_of(facts);
  data.flight_idle_share = 0.19;
  data.trains = {.trains = 20, .median_bps = 4 * data.goodput_bps};
  EXPECT_EQ(run("sender-limited", facts).size(), 1U);
  data.trains.trains = 19;
  EXPECT_TRUE(run("sender-limited", facts).empty());
  data.trains = {.trains = 200, .median_bps = 3 * data.goodput_bps};
  EXPECT_TRUE(run("sender-limited", facts).empty());
}

// A link of 8 Mbit/s holds a full segment for 1.45 ms, and a SYN for hardly anything.
TEST(SenderLimited, SegmentsThatTakeNoLongerThanASynCrossAFasterPath) {
  Case facts = with_flat_flight();
  DirectionFacts& data = download_of(facts);
  data.flight_idle_share = 0.05;
  data.rtt.handshake_s = data.rtt.total.min_s = 0.020;
  data.rtt.total.p95_s = 0.0205;
  EXPECT_EQ(run("sender-limited", facts).size(), 1U);
  data.rtt.total.p95_s = 0.0212;
  EXPECT_TRUE(run("sender-limited", facts).empty());
  data.rtt.total.p95_s = 0.0205;
  data.rtt.handshake_s.reset();
  EXPECT_TRUE(run("sender-limited", facts).empty());
}

TEST(SenderLimited, RequestsOneAtATimeAreNot) {
  Case facts = with_flat_flight();
  download_of(facts).flight_plateau_bytes = 560;
  EXPECT_TRUE(run("sender-limited", facts).empty());
}

// Round trips of 0.4 ms, all alike, each of which lets the next flight go.
Case with_steady_flight_on_a_lan() {
  Case facts = with_flat_flight(0.0004);
  DirectionFacts& data = download_of(facts);
  data.rtt.total.p95_s = 0.00045;
  data.time = {};
  data.time[TimeOwner::congestion_window] = 9.5;
  data.time[TimeOwner::slow_start] = 0.5;
  return facts;
}

TEST(SenderLimited, AFlightHoldsTheRateOnALanWhereRoundTripsAreAlike) {
  EXPECT_EQ(run("sender-limited", with_steady_flight_on_a_lan()).size(), 1U);
}

TEST(SenderLimited, AFastLanIsNot) {
  Case facts = with_steady_flight_on_a_lan();
  download_of(facts).rtt.total.p95_s = 0.0006;
  EXPECT_TRUE(run("sender-limited", facts).empty());
  facts = with_steady_flight_on_a_lan();
  download_of(facts).time[TimeOwner::pacing_or_cpu] = 2;
  EXPECT_TRUE(run("sender-limited", facts).empty());
  facts = with_steady_flight_on_a_lan();
  download_of(facts).flight_idle_share = 0.1;
  download_of(facts).trains = {.trains = 20, .median_bps = 10 * download_of(facts).goodput_bps};
  EXPECT_TRUE(run("sender-limited", facts).empty());
  facts = with_steady_flight_on_a_lan();
  download_of(facts).rtt.total.min_s = 0.0001;
  EXPECT_TRUE(run("sender-limited", facts).empty());
}

TEST(SenderLimited, AWindowReadWithoutItsScaleIsNot) {
  Case facts = with_flat_flight();
  DirectionFacts& data = download_of(facts);
  data.window.raw_max = 32'500;
  EXPECT_TRUE(run("sender-limited", facts).empty());
}

TEST(SenderLimited, DamagedCaptureWithoutTheScaleSaysNothing) {
  Case facts = with_flat_flight();
  download_of(facts).window.knowledge = ScaleKnowledge::unknown;
  EXPECT_TRUE(run("sender-limited", facts).empty());
}

TEST(SenderLimited, AtTheReceiverItIsASuspicion) {
  Case facts = with_flat_flight();
  download_of(facts).vantage = Vantage::receiver;
  const auto found = run("sender-limited", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

}  // namespace
}  // namespace slowpath::testing

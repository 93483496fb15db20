// SPDX-License-Identifier: Apache-2.0
// bufferbloat: latency that explodes under load fires; a queue of tens of milliseconds does not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_latency(double idle_s, double loaded_s) {
  Case facts = healthy_case({.seconds = 10, .rtt_s = idle_s});
  DirectionFacts& data = download_of(facts);
  data.rtt.idle_s = idle_s;
  data.rtt.loaded_s = loaded_s;
  return facts;
}

TEST(Bufferbloat, TenfoldLatencyUnderLoadIsAFault) {
  const auto found = run("bufferbloat", with_latency(0.020, 0.300));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_GT(found[0].confidence, 0.85);
  EXPECT_NEAR(found[0].seconds_lost, 0.28, 1e-9);
}

TEST(Bufferbloat, NinetyMillisecondsMoreAreNot) {
  const Case facts = with_latency(0.020, 0.110);
  EXPECT_TRUE(run("bufferbloat", facts).empty());
  EXPECT_EQ(silences_of("bufferbloat", facts).size(), 1U);
}

TEST(Bufferbloat, LessThanThreefoldIsNot) {
  EXPECT_TRUE(run("bufferbloat", with_latency(0.100, 0.290)).empty());
}

TEST(Bufferbloat, APathThatIsSlowWithoutLoadIsNot) {
  Case facts = with_latency(0.020, 0.300);
  download_of(facts).rtt.idle_s = 0.250;
  EXPECT_TRUE(run("bufferbloat", facts).empty());
}

TEST(Bufferbloat, WhatLiesBehindHolesIsAcknowledgedLate) {
  Case facts = with_latency(0.020, 0.300);
  charge(download_of(facts), TimeOwner::loss_recovery, 4);
  EXPECT_EQ(run("bufferbloat", facts).size(), 1U);
  charge(download_of(facts), TimeOwner::loss_recovery, 2);
  EXPECT_TRUE(run("bufferbloat", facts).empty());
  EXPECT_EQ(silences_of("bufferbloat", facts).size(), 1U);
}

// A few answers on a path of 40 ms whose ACKs came 160 ms late: nobody waits behind 8 segments.
TEST(Bufferbloat, AFewSegmentsAreNoLongQueue) {
  Case facts = with_latency(0.040, 0.200);
  download_of(facts).goodput_bps = 0.55e6;
  EXPECT_TRUE(run("bufferbloat", facts).empty());
  EXPECT_EQ(silences_of("bufferbloat", facts).size(), 1U);
  download_of(facts).goodput_bps = 0.62e6;
  EXPECT_EQ(run("bufferbloat", facts).size(), 1U);
}

TEST(Bufferbloat, AHundredPacketsThatSpeechDoesNotSufferFromAreAUsualQueue) {
  Case facts = with_latency(0.003, 0.122);
  download_of(facts).goodput_bps = 7.8e6;
  EXPECT_TRUE(run("bufferbloat", facts).empty()) << "80 segments";
  download_of(facts).goodput_bps = 11e6;
  EXPECT_EQ(run("bufferbloat", facts).size(), 1U) << "113";
  facts = with_latency(0.003, 0.160);
  download_of(facts).goodput_bps = 4e6;
  EXPECT_EQ(run("bufferbloat", facts).size(), 1U) << "fewer, but longer";
}

TEST(Bufferbloat, AQueueThatConnectionsOfTheSameHostsFillTogetherIsTheirs) {
  Case facts = with_latency(0.020, 0.300);
  download_of(facts).rtt.idle_s = 0.250;
  ConnectionFacts beside = facts.connections[0];
  beside.id = 1;
  ++beside.client.port;
  facts.connections.push_back(beside);
  EXPECT_EQ(run("bufferbloat", facts).size(), 2U);
}

// ARP held the SYN back, so that the handshake took two round trips; all data queued.
TEST(Bufferbloat, AHandshakeThatWaitedHidesNoQueue) {
  Case facts = with_latency(0.010, 0.300);
  RttSet& rtt = download_of(facts).rtt;
  rtt.handshake_s = 0.021;
  rtt.quantiles_s.fill(0.250);
  EXPECT_EQ(run("bufferbloat", facts).size(), 1U);
}

// At a receiver the flight may be computed so badly that much of it looks quicker than all of it:
// then the handshake says what was there before the load.
TEST(Bufferbloat, WhereTheFlightDoesNotTellTheHandshakeDoes) {
  Case facts = with_latency(0.005, 0.160);
  DirectionFacts& data = download_of(facts);
  data.rtt.idle_s = 0.085;
  data.rtt.total.median_s = 0.205;
  data.rtt.handshake_s = 0.005;
  EXPECT_EQ(run("bufferbloat", facts).size(), 1U);
  data.rtt.handshake_s = 0.060;
  EXPECT_TRUE(run("bufferbloat", facts).empty());
  data.rtt.handshake_s = 0.005;
  data.rtt.total.median_s = 0.130;
  EXPECT_TRUE(run("bufferbloat", facts).empty());
}

TEST(Bufferbloat, DamagedCaptureWithFewSamplesSaysNothing) {
  Case facts = with_latency(0.020, 0.300);
  download_of(facts).rtt.total.samples = 4;
  EXPECT_TRUE(run("bufferbloat", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

// SPDX-License-Identifier: Apache-2.0
// congestion-external: round trips that stay long with little in flight fire; those that fall with
// the flight, and short series, do not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

// A hundred parts: one in four with a tenth of the flight and round trips of `little_s`, which vary
// by this share, as others come and go.
Case with_loads(float little_s, float much_s, float varies = 0.03F) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 10, .rtt_s = 0.030});
  DirectionFacts& data = download_of(facts);
  data.timeline.bin_s = 0.1;
  for (int i = 0; i < 100; ++i) {
    TimelineBin bin;
    const bool little = i % 4 == 0;
    bin.flight_max_bytes = little ? 20'000 : 200'000;
    const float part = 1 + varies * static_cast<float>(i / 4 % 3 - 1);
    bin.rtt_min_s = bin.rtt_max_s = little ? little_s * part : much_s;
    data.timeline.bins.push_back(bin);
  }
  data.lost_packets = data.resent_packets = data.loss_episodes = 4;
  charge(data, TimeOwner::bottleneck, 8);
  return facts;
}

TEST(CongestionExternal, AQueueThatStaysWithLittleInFlightIsOthers) {
  const auto found = run("congestion-external", with_loads(0.085F, 0.09F));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_GT(found[0].seconds_lost, 3);
}

TEST(CongestionExternal, WhatWasNotCapturedMayHaveBeenInFlight) {
  Case facts = with_loads(0.085F, 0.09F);
  download_of(facts).unseen_acked_bytes = download_of(facts).bytes / 10;
  EXPECT_TRUE(run("congestion-external", facts).empty());
  EXPECT_EQ(silences_of("congestion-external", facts).size(), 1U);
}

TEST(CongestionExternal, AQueueThatDrainsIsItsOwn) {
  EXPECT_TRUE(run("congestion-external", with_loads(0.050F, 0.09F)).empty());
}

TEST(CongestionExternal, AFlatRoundTripIsNoQueue) {
  EXPECT_TRUE(run("congestion-external", with_loads(0.031F, 0.032F)).empty());
}

// 30 ms at first and 85 ms ever after, with little in flight as with much: another route.
TEST(CongestionExternal, ALongerWayIsNoQueue) {
  Case facts = with_loads(0.085F, 0.085F, 0.001F);
  EXPECT_TRUE(run("congestion-external", facts).empty());
  EXPECT_EQ(silences_of("congestion-external", facts).size(), 1U);
  // A queue that others keep full stands as still, and drops what it has no room for.
  DirectionFacts& data = download_of(facts);
  data.lost_packets = data.data_packets / 20;
  EXPECT_EQ(run("congestion-external", facts).size(), 1U);
}

// At the receiver nobody sees what waits before the tap: where 200 kB pass in a round trip of 90
// ms, they were on their way.
TEST(CongestionExternal, AtTheReceiverWhatPassesWasOnItsWay) {
  Case facts = with_loads(0.085F, 0.09F);
  DirectionFacts& data = download_of(facts);
  data.vantage = Vantage::receiver;
  EXPECT_EQ(run("congestion-external", facts).size(), 1U);
  for (TimelineBin& bin : data.timeline.bins.kept()) bin.sent_bytes = 220'000;
  EXPECT_TRUE(run("congestion-external", facts).empty());
  data.vantage = Vantage::sender;
  EXPECT_EQ(run("congestion-external", facts).size(), 1U);
}

// As a browser or a test with several streams does: to each of them the path is full anyway.
TEST(CongestionExternal, OtherConnectionsOfTheSameHostsAreNoOthers) {
  Case facts = with_loads(0.085F, 0.09F);
  ConnectionFacts sibling = facts.connections[0];
  sibling.id = 1;
  ++sibling.client.port;
  facts.connections.push_back(sibling);
  EXPECT_TRUE(run("congestion-external", facts).empty());
  facts.connections[1].client.address = facts.connections[1].server.address;
  EXPECT_EQ(run("congestion-external", facts).size(), 2U);
  facts.connections[1] = facts.connections[0];  // seen at another point
  EXPECT_EQ(run("congestion-external", facts).size(), 2U);
}

TEST(CongestionExternal, WithoutAnyLossItIsANote) {
  Case facts = with_loads(0.085F, 0.09F);
  download_of(facts).lost_packets = 0;
  const auto found = run("congestion-external", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

// All round trips but one take as long as the handshake did.
TEST(CongestionExternal, OneStrayRoundTripIsNoPathWithoutQueue) {
  Case facts = with_loads(0.085F, 0.09F);
  RttSet& rtt = download_of(facts).rtt;
  rtt.handshake_s = 0.088;
  rtt.quantiles_s.fill(0.086);
  rtt.quantiles_s[0] = rtt.total.min_s;
  EXPECT_TRUE(run("congestion-external", facts).empty());
  rtt.quantiles_s.fill(0.035);
  EXPECT_EQ(run("congestion-external", facts).size(), 1U);
}

TEST(CongestionExternal, AShortSeriesSaysNothing) {
  Case facts = with_loads(0.085F, 0.09F);
  download_of(facts).timeline.bins.resize(12);
  EXPECT_TRUE(run("congestion-external", facts).empty());
  EXPECT_EQ(silences_of("congestion-external", facts).size(), 1U);
}

}  // namespace
}  // namespace slowpath::testing

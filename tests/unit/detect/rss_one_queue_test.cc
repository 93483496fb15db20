// SPDX-License-Identifier: Apache-2.0
// rss-one-queue: eight flows that lose side by side within a site are a suspicion; seven are not,
// nor is one lossy flow among many, nor a long path.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_flows(std::size_t count, double rtt_s = 0.001, std::size_t lossy = 100) {
  const Download flow{
      .bytes = 10'000'000, .seconds = 2, .rtt_s = rtt_s, .vantage = Vantage::sender};
  Case facts = healthy_case(flow);
  while (facts.connections.size() < count) add_connection(facts, flow);
  PathFacts path;
  path.a = facts.connections[0].client.address;
  path.b = facts.connections[0].server.address;
  for (std::size_t i = 0; i < facts.connections.size(); ++i) {
    path.connections.push_back(facts.connections[i].id);
    if (i < lossy) download_of(facts, i).lost_packets = 5;
  }
  facts.paths = {path};
  return facts;
}

TEST(RssOneQueue, EightFlowsThatLoseSideBySideAreASuspicion) {
  const auto found = run("rss-one-queue", with_flows(8));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_EQ(found[0].connections.size(), 8U);
  EXPECT_NE(found[0].next_capture.find("/proc/interrupts"), std::string::npos);
}

TEST(RssOneQueue, SevenFlowsMayShareAQueueByChance) {
  EXPECT_TRUE(run("rss-one-queue", with_flows(7)).empty());
}

TEST(RssOneQueue, FiveLossyFlowsOfEightAreNotSideBySide) {
  const Case facts = with_flows(8, 0.001, 5);
  EXPECT_TRUE(run("rss-one-queue", facts).empty());
  EXPECT_EQ(silences_of("rss-one-queue", facts).size(), 1U);
}

TEST(RssOneQueue, ALongPathLosesByItself) {
  EXPECT_TRUE(run("rss-one-queue", with_flows(8, 0.030)).empty());
}

}  // namespace
}  // namespace slowpath::testing

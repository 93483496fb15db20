// SPDX-License-Identifier: Apache-2.0
#include "flow/edge_memory.h"

#include <gtest/gtest.h>

namespace slowpath::flow {
namespace {

Time at_ms(std::int64_t ms) { return Time{} + std::chrono::milliseconds(ms); }

TEST(EdgeMemory, KnowsNothingAtFirst) {
  const EdgeMemory edges;
  EXPECT_FALSE(edges.was_edge(0, at_ms(1), 1.0));
}

TEST(EdgeMemory, TheNewestEdgeHoldsHoweverOldItIs) {
  EdgeMemory edges;
  edges.moved(65535, at_ms(0));
  EXPECT_TRUE(edges.was_edge(65535, at_ms(9000), 0.01));
  EXPECT_FALSE(edges.was_edge(65534, at_ms(9000), 0.01));
}

TEST(EdgeMemory, AnEarlierOneIsKnownForARoundTripAfterItWasReplaced) {
  EdgeMemory edges;
  edges.moved(1000, at_ms(0));
  edges.moved(2000, at_ms(100));
  edges.moved(3000, at_ms(105));
  EXPECT_TRUE(edges.was_edge(1000, at_ms(109), 0.010));
  EXPECT_TRUE(edges.was_edge(2000, at_ms(111), 0.010));
  EXPECT_FALSE(edges.was_edge(1000, at_ms(111), 0.010));
}

TEST(EdgeMemory, TheSameEdgeAgainReplacesNothing) {
  EdgeMemory edges;
  edges.moved(1000, at_ms(0));
  edges.moved(2000, at_ms(100));
  for (int i = 0; i < 40; ++i) edges.moved(2000, at_ms(101));
  EXPECT_TRUE(edges.was_edge(1000, at_ms(105), 0.010));
}

TEST(EdgeMemory, OnlyTheNewestAreKept) {
  EdgeMemory edges;
  for (int i = 0; i < 40; ++i) edges.moved(i, at_ms(0));
  EXPECT_TRUE(edges.was_edge(24, at_ms(0), 1.0));
  EXPECT_FALSE(edges.was_edge(23, at_ms(0), 1.0));
}

}  // namespace
}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
// Gaps between segments: the rate on which many agree is found among those that scatter.
#include "flow/pair_spacing.h"

#include <cmath>

#include <gtest/gtest.h>

namespace slowpath::flow {
namespace {

constexpr double kSegmentBits = 1448 * 8;

void add(PairSpacing& spacing, int count, double gap_us) {
  for (int i = 0; i < count; ++i) spacing.add(kSegmentBits, gap_us * 1e-6);
}

/// Gaps from 12 us to 12 ms, evenly on a scale of logarithms: what late hosts and waits leave.
void add_scatter(PairSpacing& spacing, int count) {
  for (int i = 0; i < count; ++i) add(spacing, 1, 12 * std::pow(1000.0, (i + 0.5) / count));
}

TEST(PairSpacing, AThirdThatAgreesIsFoundAmongScatter) {
  PairSpacing spacing;
  add(spacing, 300, 240);  // 11584 bits in 240 us: 48.27 Mbit/s
  add_scatter(spacing, 600);
  const PairSpacing::Peak peak = spacing.peak();
  EXPECT_NEAR(peak.bps, 48.27e6, 0.03 * 48.27e6);
  EXPECT_GE(peak.pairs, 300u);
  EXPECT_LE(peak.pairs, 330u);
  EXPECT_EQ(spacing.pairs(), 900u);
}

TEST(PairSpacing, HalvedWindowsDoNotHideThePath) {
  PairSpacing spacing;
  add(spacing, 400, 480);  // every second ACK sent one segment
  add(spacing, 120, 240);
  add_scatter(spacing, 200);
  EXPECT_NEAR(spacing.peak().bps, 48.27e6, 0.03 * 48.27e6);
}

TEST(PairSpacing, AFewThatAgreeBesideManyAreNotThePath) {
  PairSpacing spacing;
  add(spacing, 900, 480);
  add(spacing, 60, 15);  // a host that handed over some late
  EXPECT_NEAR(spacing.peak().bps, 24.13e6, 0.03 * 24.13e6);
}

TEST(PairSpacing, ScatterHasNoPeak) {
  PairSpacing spacing;
  add_scatter(spacing, 5000);
  EXPECT_EQ(spacing.peak().bps, 0);
}

TEST(PairSpacing, AWideHumpIsNoPeak) {
  PairSpacing spacing;
  for (int i = 0; i < 1000; ++i) add(spacing, 1, 160 + 0.16 * i);  // 160 to 320 us
  EXPECT_EQ(spacing.peak().bps, 0);
}

TEST(PairSpacing, FewPairsAgreeByChance) {
  PairSpacing spacing;
  add(spacing, 19, 240);
  EXPECT_EQ(spacing.peak().bps, 0);
  add(spacing, 1, 240);
  EXPECT_NEAR(spacing.peak().bps, 48.27e6, 0.03 * 48.27e6);
}

TEST(PairSpacing, WhatNoClockResolvesIsNoRate) {
  PairSpacing spacing;
  add(spacing, 1000, 1);    // 11.6 Gbit/s
  add(spacing, 1000, 1e6);  // 11.6 kbit/s
  EXPECT_EQ(spacing.peak().bps, 0);
  EXPECT_EQ(spacing.pairs(), 2000u);
}

TEST(PairSpacing, NothingIsKeptBeforeTheFirstPair) {
  PairSpacing spacing;
  EXPECT_EQ(spacing.memory_bytes(), 0u);
  EXPECT_EQ(spacing.peak().bps, 0);
  add(spacing, 1, 240);
  EXPECT_GT(spacing.memory_bytes(), 0u);
}

}  // namespace
}  // namespace slowpath::flow

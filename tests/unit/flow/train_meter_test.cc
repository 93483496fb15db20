// SPDX-License-Identifier: Apache-2.0
#include "flow/train_meter.h"

#include <gtest/gtest.h>

namespace slowpath::flow {
namespace {

constexpr std::uint32_t kSegment = 1448;
constexpr double kRtt = 0.020;

Time at_us(std::int64_t us) { return Time{} + std::chrono::microseconds(us); }

TEST(TrainMeter, PausesBetweenFlightsDoNotHideTheRate) {
  TrainMeter meter;
  for (std::int64_t round = 0; round < 20; ++round) {
    // Forty segments 116 us apart, 100 Mbit/s, then nothing until the next round trip.
    for (std::int64_t i = 0; i < 40; ++i)
      meter.arrived(at_us(round * 100'000 + i * 116), kSegment, kSegment, kRtt);
  }
  const TrainFacts facts = meter.take(kSegment);
  EXPECT_EQ(facts.trains, 20u);
  EXPECT_NEAR(facts.p75_bps, 100e6, 1e6);
  EXPECT_NEAR(facts.median_bps, 100e6, 1e6);
}

TEST(TrainMeter, LoneSegmentsShowNoRateOfThePath) {
  TrainMeter meter;
  for (std::int64_t i = 0; i < 60; ++i) meter.arrived(at_us(i * 200'000), kSegment, kSegment, kRtt);
  EXPECT_LT(meter.take(kSegment).p90_bps, 100e3);
}

TEST(TrainMeter, AFlightOfFewSegmentsHasNoTrain) {
  TrainMeter meter;
  for (std::int64_t round = 0; round < 50; ++round) {
    for (std::int64_t i = 0; i < 4; ++i)
      meter.arrived(at_us(round * 20'000 + i * 10), kSegment, kSegment, kRtt);
  }
  EXPECT_EQ(meter.take(kSegment).trains, 0u);
}

TEST(TrainMeter, GapsThatAgreeAreTheRateWhereNoTrainsDo) {
  TrainMeter meter;
  // Pairs 240 us apart, as delayed ACKs clock them out, 3 to 4 ms from one another: 48 Mbit/s.
  for (std::int64_t i = 0; i < 100; ++i) {
    const std::int64_t begin = i * 3'500 + 500 * (i % 3);
    meter.arrived(at_us(begin), kSegment, kSegment, kRtt);
    meter.arrived(at_us(begin + 240), kSegment, kSegment, kRtt);
  }
  const TrainFacts facts = meter.take(kSegment);
  EXPECT_LT(facts.median_bps, 10e6);
  EXPECT_NEAR(facts.p75_bps, 48.27e6, 0.03 * 48.27e6);
  EXPECT_EQ(facts.p90_bps, facts.p75_bps);
  EXPECT_EQ(facts.trains, 100u);
}

TEST(TrainMeter, CopiesAreSpacedByThePathToo) {
  // Of six segments sent anew 240 us apart the first fills a hole; order is lost before each.
  const auto gaps_of = [](bool beside) {
    TrainMeter meter;
    for (std::int64_t i = 0; i < 20; ++i) {
      const std::int64_t begin = i * 210'000 + 370 * (i % 3);
      for (std::int64_t k = 0; k < 6; ++k) {
        meter.interrupt(kSegment);
        if (beside) meter.arrived_beside(at_us(begin + 240 * k), kSegment, kSegment, kRtt);
      }
    }
    return meter.take(kSegment);
  };
  const TrainFacts facts = gaps_of(true);
  EXPECT_EQ(facts.trains, 100u);  // five pairs each, and no train
  EXPECT_EQ(facts.median_bps, 0);
  EXPECT_NEAR(facts.p75_bps, 48.27e6, 0.03 * 48.27e6);
  EXPECT_EQ(gaps_of(false).trains, 0u);
}

TEST(TrainMeter, PausesOfAHostInEachTrainDoNotHideTheGaps) {
  TrainMeter meter;
  // Three segments 240 us apart, 48 Mbit/s, then 2.5 ms in which the host sleeps: trains agree.
  for (std::int64_t i = 0; i < 200; ++i) {
    for (std::int64_t k = 0; k < 3; ++k)
      meter.arrived(at_us(i * 3'000 + 37 * (i % 5) + 240 * k), kSegment, kSegment, kRtt);
  }
  const TrainFacts facts = meter.take(kSegment);
  EXPECT_NEAR(facts.median_bps, 11.6e6, 0.5e6);
  EXPECT_NEAR(facts.p75_bps, 48.27e6, 0.03 * 48.27e6);
}

TEST(TrainMeter, SmallSegmentsAndPausesAreNoPairs) {
  TrainMeter meter;
  for (std::int64_t i = 0; i < 50; ++i) {
    meter.arrived(at_us(i * 20'000), kSegment, kSegment, kRtt);  // a pause of a round trip
    meter.arrived(at_us(i * 20'000 + 100), 500, kSegment, kRtt);
  }
  EXPECT_EQ(meter.take(kSegment).trains, 0u);
}

TEST(TrainMeter, WhatFillsAHoleIsNoTrain) {
  TrainMeter meter;
  meter.arrived(at_us(0), kSegment, kSegment, kRtt);
  meter.interrupt(kSegment);
  meter.arrived(at_us(10), 100 * kSegment, kSegment, kRtt);
  EXPECT_EQ(meter.take(kSegment).trains, 0u);
}

}  // namespace
}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
// WayMeter: the tick is found whatever waits, and growth is laid to the way that made it.
#include "flow/way_meter.h"

#include <algorithm>
#include <cstdint>

#include <gtest/gtest.h>

namespace slowpath::flow {
namespace {

constexpr double kWay_s = 0.010;  // each, without queue

// A question every 10 ms; `there` and `back` = what the i-th waits.
template <typename There, typename Back>
WayMeter meter_of(int count, double tick_s, There there, Back back) {
  WayMeter meter;
  for (int i = 0; i < count; ++i) {
    const double asked_s = 0.010 * i;
    const double far_s = asked_s + kWay_s + there(i);
    const double clock_s = 12'345.6 + far_s;  // another clock's zero
    meter.add(Time{} + from_seconds(asked_s),
              static_cast<std::uint32_t>(static_cast<std::uint64_t>(clock_s / tick_s)),
              Time{} + from_seconds(far_s + kWay_s + back(i)));
  }
  return meter;
}

constexpr auto kNothing = [](int) { return 0.0; };
constexpr auto kGrowing = [](int i) { return i < 100 ? 0.0 : std::min(0.3, 0.002 * (i - 100)); };

TEST(WayMeter, GrowthIsLaidToTheWayThatMadeIt) {
  for (const double tick_s : {1e-6, 1e-3, 4e-3, 1e-2}) {
    const WayMeter::Ways on_back = meter_of(1000, tick_s, kNothing, kGrowing).ways();
    ASSERT_GT(on_back.samples, 0U) << tick_s;
    EXPECT_NEAR(on_back.tick_s, tick_s, 1e-9);
    EXPECT_NEAR(on_back.back.median_s, 0.3, 2 * tick_s + 1e-5);
    EXPECT_LE(on_back.there.p95_s, 2 * tick_s);
    const WayMeter::Ways on_there = meter_of(1000, tick_s, kGrowing, kNothing).ways();
    EXPECT_NEAR(on_there.there.median_s, 0.3, 2 * tick_s + 1e-5);
    EXPECT_LE(on_there.back.p95_s, 2 * tick_s);
  }
}

TEST(WayMeter, AClockOfUnknownTickSaysNothing) {
  EXPECT_EQ(meter_of(1000, 0.0456, kNothing, kGrowing).ways().samples, 0U);
}

TEST(WayMeter, RoundTripsAsLongAsTheCaptureLeaveTheTickOpen) {
  const auto long_wait = [](int i) { return i == 0 ? 0.0 : 5.0; };
  EXPECT_EQ(meter_of(50, 1e-3, kNothing, long_wait).ways().samples, 0U);
}

// The ways of 0.1 s each, and a capture that stamps the first three quarters late: both their
// question and their answer.
TEST(WayMeter, FramesThatAreStampedLateAreNoQueue) {
  WayMeter late, queued;
  for (int i = 0; i < 100; ++i) {
    const double asked_s = 0.05 * i;
    const double later_s = i < 75 ? 0.15 : 0;
    const auto stamp = static_cast<std::uint32_t>(50 * i + 100);
    const Time answered = Time{} + from_seconds(asked_s + 0.2 + later_s);
    late.add(Time{} + from_seconds(asked_s + later_s), stamp, answered);
    queued.add(Time{} + from_seconds(asked_s), stamp, answered);
  }
  EXPECT_EQ(late.ways().samples, 0U);
  EXPECT_NEAR(queued.ways().back.median_s, 0.15, 0.002);
}

TEST(WayMeter, FewSamplesSayNothing) {
  EXPECT_EQ(meter_of(5, 1e-3, kNothing, kNothing).ways().samples, 0U);
}

TEST(WayMeter, TheLastQuestionOfOneAnswerCounts) {
  WayMeter meter;
  for (int i = 0; i < 100; ++i) {
    const double answered_s = 0.1 * i + 0.020;
    const auto stamp = static_cast<std::uint32_t>(100 * i + 10);
    for (const double early_s : {0.05, 0.0}) {
      meter.add(Time{} + from_seconds(0.1 * i - early_s), stamp, Time{} + from_seconds(answered_s));
    }
  }
  const WayMeter::Ways ways = meter.ways();
  EXPECT_EQ(ways.samples, 100U);
  EXPECT_NEAR(ways.there.p95_s, 0, 1e-9);
}

TEST(WayMeter, MemoryIsBounded) {
  const WayMeter meter = meter_of(100'000, 1e-3, kNothing, kGrowing);
  EXPECT_LE(meter.memory_bytes(), 512U * 24);
  EXPECT_NEAR(meter.ways().back.median_s, 0.3, 0.002);
}

}  // namespace
}  // namespace slowpath::flow

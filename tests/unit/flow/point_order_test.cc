// SPDX-License-Identifier: Apache-2.0
// distance_s: the shortest ways tell how far apart two points are; what waited tells nothing.
#include "flow/comparison/point_order.h"

#include <gtest/gtest.h>

namespace slowpath::flow::comparison {
namespace {

constexpr double kClock_s = 7;  // how far the second point's clock is ahead

std::vector<ClockSample> samples(std::initializer_list<double> took_s) {
  std::vector<ClockSample> made;
  for (const double seconds : took_s) made.push_back({Time{}, kClock_s + seconds});
  return made;
}

TEST(PointOrder, WaitingMakesNoDistance) {
  // Ten microseconds each way; most packets waited for milliseconds.
  const PairSamples nearer{samples({0.003, 0.00001, 0.005}), samples({-0.004, -0.00001, -0.002})};
  EXPECT_NEAR(distance_s(nearer).value(), 0.00002, 1e-9);
  const PairSamples farther{samples({-0.003, -0.00001}), samples({0.004, 0.00001})};
  EXPECT_NEAR(distance_s(farther).value(), -0.00002, 1e-9);
}

TEST(PointOrder, WhereClocksWereSetMostPacketsDecide) {
  const PairSamples set{samples({0.010, 0.010, 0.010, -5}), samples({-0.010, -0.010, -0.010, 5})};
  EXPECT_NEAR(distance_s(set).value(), 0.020, 1e-9);
}

TEST(PointOrder, OneWayAloneTellsNothing) {
  EXPECT_FALSE(distance_s({samples({0.010}), {}}).has_value());
}

}  // namespace
}  // namespace slowpath::flow::comparison

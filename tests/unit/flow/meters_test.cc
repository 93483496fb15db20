// SPDX-License-Identifier: Apache-2.0
// Seconds by width: what a window spent well below its widest is told from what it spent near it.
#include "flow/meters.h"

#include <gtest/gtest.h>

namespace slowpath::flow {
namespace {

TEST(WidthSeconds, TimeNearTheWidestIsNotWellBelowIt) {
  WidthSeconds seconds;
  seconds.add(65'535, 1);
  seconds.add(60'000, 2);
  EXPECT_DOUBLE_EQ(seconds.well_below(65'535), 0);
}

TEST(WidthSeconds, AThirdWiderIsWellAbove) {
  WidthSeconds seconds;
  seconds.add(4'000'000, 0.5);
  seconds.add(5'000'000, 0.25);
  seconds.add(7'500'000, 1);
  EXPECT_NEAR(seconds.well_below(7'500'000), 0.75, 1e-6);
}

TEST(WidthSeconds, TinyAndHugeWidthsHaveAClass) {
  WidthSeconds seconds;
  for (const std::uint64_t width : {0ULL, 1ULL, 3ULL, 4ULL, 1ULL << 30, ~0ULL})
    seconds.add(width, 1);
  EXPECT_NEAR(seconds.well_below(1ULL << 30), 4, 1e-6);
}

}  // namespace
}  // namespace slowpath::flow

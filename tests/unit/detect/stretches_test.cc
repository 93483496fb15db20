// SPDX-License-Identifier: Apache-2.0
// stretches_of: each bin ends one, and what lies before it is out again.
#include "detect/stretches.h"

#include <gtest/gtest.h>

namespace slowpath::detect {
namespace {

TEST(Stretches, EachHoldsItsBinsOnly) {
  Timeline timeline;
  timeline.bin_s = 0.5;
  for (const std::uint64_t bytes : {100U, 0U, 300U, 50U}) {
    TimelineBin bin;
    bin.acked_bytes = bytes;
    timeline.bins.push_back(bin);
  }
  EXPECT_EQ(stretches_of(timeline, &TimelineBin::acked_bytes, 2),
            (std::vector<double>{100, 100, 300, 350}));
  EXPECT_EQ(stretches_of(timeline, &TimelineBin::sent_bytes, 2), (std::vector<double>(4, 0)));
  EXPECT_DOUBLE_EQ(rate_in_stretch_bps(timeline, 350, 2), 2800);
}

TEST(Stretches, ThereAreNoneInAnEmptyTimeline) {
  EXPECT_TRUE(stretches_of({}, &TimelineBin::acked_bytes, 3).empty());
}

// Most bins of a slow transfer are empty, and those are not kept.
TEST(Stretches, EmptyBinsCount) {
  Timeline timeline;
  timeline.bin_s = 1;
  for (const std::size_t number : {0U, 3U, 4U, 9U}) timeline.bins[number].acked_bytes = number + 1;
  EXPECT_EQ(stretches_of(timeline, &TimelineBin::acked_bytes, 3),
            (std::vector<double>{1, 1, 1, 4, 9, 9, 5, 0, 0, 10}));
  EXPECT_EQ(bytes_within(timeline, &TimelineBin::acked_bytes, 0, 10), 20U);
  EXPECT_EQ(bytes_within(timeline, &TimelineBin::acked_bytes, 1, 4), 4U);
  EXPECT_EQ(bytes_within(timeline, &TimelineBin::acked_bytes, 4, 9), 5U);
  EXPECT_EQ(bytes_within(timeline, &TimelineBin::acked_bytes, 5, 9), 0U);
}

}  // namespace
}  // namespace slowpath::detect

// SPDX-License-Identifier: Apache-2.0
// shaper: a constant rate over a standing queue fires; a link without one is at most a note.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

// A hundred bins of 100 ms at 10 Mbit/s; the first `fast` of them at three times the rate.
Case with_rate(std::size_t fast, double loaded_s, std::uint64_t jitter = 0) {
  Case facts = healthy_case({.bytes = 12'500'000, .seconds = 10});
  DirectionFacts& data = download_of(facts);
  data.rtt.loaded_s = loaded_s;
  data.timeline.bin_s = 0.1;
  for (std::size_t i = 0; i < 100; ++i) {
    TimelineBin bin;
    bin.acked_bytes = (i < fast ? 375'000 : 125'000) + (i % 2 == 0 ? jitter : 0);
    data.timeline.bins.push_back(bin);
  }
  charge(data, TimeOwner::bottleneck, 9);
  return facts;
}

TEST(Shaper, BurstCreditAndThenAConstantRateIsAFault) {
  const auto found = run("shaper", with_rate(10, 0.080));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_NEAR(found[0].evidence[0].values[0].second, 1e7, 1e5);
  EXPECT_GT(found[0].seconds_lost, 3);
}

TEST(Shaper, AQueueThatNobodyNoticesIsANote) {
  const auto found = run("shaper", with_rate(0, 0.030));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

TEST(Shaper, AVaryingRateIsNot) {
  EXPECT_TRUE(run("shaper", with_rate(0, 0.080, 250'000)).empty());
}

TEST(Shaper, AConstantRateWithoutAQueueIsNot) {
  const Case facts = with_rate(0, 0.021);
  EXPECT_TRUE(run("shaper", facts).empty());
  EXPECT_EQ(silences_of("shaper", facts).size(), 1U);
}

TEST(Shaper, DamagedCaptureWithAShortPlateauSaysNothing) {
  Case facts = with_rate(0, 0.080);
  download_of(facts).timeline.bins.resize(9);
  EXPECT_TRUE(run("shaper", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

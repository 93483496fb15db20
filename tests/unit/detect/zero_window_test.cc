// SPDX-License-Identifier: Apache-2.0
// zero-window: fires on closings that matter, stays silent on a short one.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_zero_windows(std::uint64_t episodes, double seconds, double longest_s) {
  Case facts = healthy_case({.seconds = 10});
  DirectionFacts& data = download_of(facts);
  data.window.zero = frames(episodes, 50);
  data.window.zero_episodes = episodes;
  data.window.zero_s = seconds;
  data.window.zero_longest_s = longest_s;
  data.window.zero_longest_begin = FrameRef{0, 50};
  data.window.zero_longest_end = FrameRef{0, 60};
  charge(data, TimeOwner::zero_window, seconds);
  return facts;
}

TEST(ZeroWindow, SeveralEpisodesAreAFault) {
  const auto found = run("zero-window", with_zero_windows(3, 6, 3));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 6);
  EXPECT_EQ(found[0].evidence[0].frames.front().number(), 50U);
}

TEST(ZeroWindow, OneLongEpisodeIsAFault) {
  const auto found = run("zero-window", with_zero_windows(1, 5, 5));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
}

TEST(ZeroWindow, OneShortEpisodeIsPassedOverWithFigures) {
  const Case facts = with_zero_windows(1, 0.9, 0.9);
  EXPECT_TRUE(run("zero-window", facts).empty());
  ASSERT_EQ(silences_of("zero-window", facts).size(), 1U);
}

TEST(ZeroWindow, CheapEpisodesAreANote) {
  const auto found = run("zero-window", with_zero_windows(4, 0.4, 0.1));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

TEST(ZeroWindow, DamagedCaptureWithoutTheEndStillCounts) {
  Case facts = with_zero_windows(1, 4, 4);
  download_of(facts).window.zero_at_end = true;
  download_of(facts).window.zero_longest_end = FrameRef{};
  const auto found = run("zero-window", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].evidence[1].frames.size(), 1U);
}

}  // namespace
}  // namespace slowpath::testing

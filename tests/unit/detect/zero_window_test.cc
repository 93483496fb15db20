// SPDX-License-Identifier: Apache-2.0
// zero-window: fires on closings that matter, stays silent on a short one.
#include <gtest/gtest.h>

#include "detect/synthesis.h"
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

TEST(ZeroWindow, OneShortEpisodeThatTookMuchOfTheTimeIsASuspect) {
  Case facts = healthy_case({.seconds = 2});
  DirectionFacts& data = download_of(facts);
  data.window.zero = frames(1, 50);
  data.window.zero_episodes = 1;
  data.window.zero_s = data.window.zero_longest_s = 0.9;
  charge(data, TimeOwner::zero_window, 0.9);
  const auto found = run("zero-window", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_NE(detect::diagnose(facts).verdict, "healthy");
}

TEST(ZeroWindow, CheapEpisodesAreANote) {
  const auto found = run("zero-window", with_zero_windows(4, 0.4, 0.1));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

// Full for six seconds beside the closings.
Case with_full_window(std::uint64_t episodes) {
  Case facts = with_zero_windows(episodes, 0.4, 0.1);
  charge(download_of(facts), TimeOwner::receive_window, 6);
  return facts;
}

TEST(ZeroWindow, AWindowThatClosesAgainAndAgainOwnsTheTimeInWhichItWasFull) {
  const auto found = run("zero-window", with_full_window(8));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 6.4);
  // So rwnd-limited has nothing left to say.
  const Diagnosis diagnosis = detect::diagnose(with_full_window(8));
  EXPECT_EQ(diagnosis.verdict, "zero-window");
  for (const Finding& finding : diagnosis.findings) EXPECT_NE(finding.fault, "rwnd-limited");
}

TEST(ZeroWindow, ClosingsDoNotExplainAWindowThatWasWideOpenWhenItWasFull) {
  Case facts = with_full_window(8);
  DirectionFacts& data = download_of(facts);
  data.window.max_bytes = data.window.median_bytes = 30'000;
  EXPECT_DOUBLE_EQ(run("zero-window", facts).at(0).seconds_lost, 0.4);
  EXPECT_EQ(detect::diagnose(facts).verdict, "rwnd-limited");
}

TEST(ZeroWindow, TwoClosingsDoNotExplainAWindowThatWasFullAllTheTime) {
  const auto found = run("zero-window", with_full_window(2));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 0.4);
  EXPECT_EQ(detect::diagnose(with_full_window(2)).verdict, "rwnd-limited");
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

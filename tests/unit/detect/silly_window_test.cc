// SPDX-License-Identifier: Apache-2.0
// silly-window: small openings that small segments fill are a fault where they own the time; few of
// them, a window that does not limit, or a guessed scale are not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_silly_segments(std::uint64_t count) {
  Case facts = healthy_case({.bytes = 400'000, .seconds = 10});
  DirectionFacts& data = download_of(facts);
  data.data_packets = 1000;
  data.flight_rounds = 500;
  data.window.silly = frames(count);
  data.window.silly_bytes = count * 400;
  data.window.max_bytes = data.window.median_bytes = 400;
  facts.connections[0].handshake.syn->window = 1460;
  charge(data, TimeOwner::receive_window, 9);
  return facts;
}

TEST(SillyWindow, SmallSegmentsAtTheEdgeOfSmallOpeningsAreAFault) {
  const auto found = run("silly-window", with_silly_segments(900));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_NEAR(found[0].seconds_lost, 9, 0.01);
}

TEST(SillyWindow, AFewOfManyAreTheOddEndsOfAWindow) {
  EXPECT_TRUE(run("silly-window", with_silly_segments(100)).empty());
  EXPECT_EQ(silences_of("silly-window", with_silly_segments(100)).size(), 1U);
}

TEST(SillyWindow, AWindowThatOwnsNoTimeCostsNothing) {
  Case facts = with_silly_segments(900);
  DirectionFacts& data = download_of(facts);
  data.time[TimeOwner::congestion_window] += data.time[TimeOwner::receive_window];
  data.time[TimeOwner::receive_window] = 0;
  EXPECT_TRUE(run("silly-window", facts).empty());
}

TEST(SillyWindow, WindowsFarBelowTheSynsHaveLostTheirScale) {
  Case facts = with_silly_segments(900);
  facts.connections[0].handshake.syn->window = 65'535;
  EXPECT_TRUE(run("silly-window", facts).empty());
}

TEST(SillyWindow, AGuessedScaleIsNoProof) {
  Case facts = with_silly_segments(900);
  download_of(facts).window.knowledge = ScaleKnowledge::guessed;
  const auto found = run("silly-window", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

}  // namespace
}  // namespace slowpath::testing

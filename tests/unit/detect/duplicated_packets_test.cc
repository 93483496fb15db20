// SPDX-License-Identifier: Apache-2.0
// duplicated-packets: copies cost bandwidth alone: a note, unless they fill a bottleneck.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_copies(std::uint64_t copies) {
  Case facts = healthy_case({.seconds = 4, .vantage = Vantage::receiver});
  DirectionFacts& data = download_of(facts);
  data.duplicates.packets = copies;
  data.duplicates.frames = frames(copies, 20);
  data.duplicates.dsack_without_resend = copies;
  data.duplicates.dsack_frames = frames(copies, 21);
  return facts;
}

TEST(DuplicatedPackets, TwoPerCentAreANote) {
  const auto found = run("duplicated-packets", with_copies(140));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
  EXPECT_EQ(found[0].evidence.size(), 2U);
}

TEST(DuplicatedPackets, CopiesThatFillABottleneckAreAFault) {
  Case facts = with_copies(6900);
  charge(download_of(facts), TimeOwner::bottleneck, 3.5);
  const auto found = run("duplicated-packets", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_NEAR(found[0].seconds_lost, 1.75, 0.05);
}

TEST(DuplicatedPackets, TwoCopiesAreNoHabit) {
  EXPECT_TRUE(run("duplicated-packets", with_copies(2)).empty());
}

TEST(DuplicatedPackets, DamagedCaptureFromSeveralTapsIsItsOwnDoing) {
  Case facts = with_copies(140);
  facts.connections[0].tap_copies = 3000;
  EXPECT_TRUE(run("duplicated-packets", facts).empty());
  EXPECT_EQ(silences_of("duplicated-packets", facts).size(), 1U);
}

}  // namespace
}  // namespace slowpath::testing

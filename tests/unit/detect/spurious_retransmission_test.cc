// SPDX-License-Identifier: Apache-2.0
// spurious-retransmission: proved needless resends fire; single ones, real loss and reordering do
// not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_needless(std::uint64_t packets, std::uint64_t dsacks, double seconds) {
  Case facts = healthy_case({.seconds = 4});
  DirectionFacts& data = download_of(facts);
  data.resent_packets = packets;
  data.spurious.packets = data.spurious.timeouts = packets;
  data.spurious.by_dsack = dsacks;
  data.spurious.seconds = seconds;
  data.spurious.frames = frames(packets, 30);
  data.spurious.proof = frames(dsacks, 31);
  return facts;
}

TEST(SpuriousRetransmission, NeedlessTimeoutsWithDsackAreAFault) {
  const auto found = run("spurious-retransmission", with_needless(5, 5, 1.5));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_EQ(found[0].evidence[1].frames.front().number(), 31U);
}

TEST(SpuriousRetransmission, CheapOnesAreANote) {
  const auto found = run("spurious-retransmission", with_needless(5, 5, 0.1));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

TEST(SpuriousRetransmission, WhileTheApplicationHasNothingToSendTheyCostNothing) {
  Case facts = with_needless(5, 5, 1.5);
  charge(download_of(facts), TimeOwner::application, 3.7);
  const auto found = run("spurious-retransmission", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_GT(found[0].seconds_lost, 0);
  EXPECT_LT(found[0].seconds_lost, 0.6);
}

TEST(SpuriousRetransmission, OneProofIsTooFew) {
  const Case facts = with_needless(1, 1, 1.5);
  EXPECT_TRUE(run("spurious-retransmission", facts).empty());
  EXPECT_EQ(silences_of("spurious-retransmission", facts).size(), 1U);
}

TEST(SpuriousRetransmission, AmongRealLossesTheyAreNotTheStory) {
  Case facts = with_needless(5, 5, 1.5);
  download_of(facts).resent_packets = 40;
  EXPECT_TRUE(run("spurious-retransmission", facts).empty());
}

TEST(SpuriousRetransmission, FastOnesAfterReorderingBelongToIt) {
  Case facts = with_needless(5, 5, 1.5);
  download_of(facts).spurious.timeouts = 0;
  download_of(facts).reorder.packets = 30;
  EXPECT_TRUE(run("spurious-retransmission", facts).empty());
  // Of two nobody else speaks.
  download_of(facts).reorder.packets = 0;
  download_of(facts).reorder.taken_for_lost = 2;
  EXPECT_EQ(run("spurious-retransmission", facts).size(), 1U);
}

TEST(SpuriousRetransmission, DamagedCaptureWithoutAcksIsNoFault) {
  Case facts = with_needless(5, 5, 1.5);
  download_of(facts).acks_seen = false;
  for (const Finding& finding : run("spurious-retransmission", facts)) {
    EXPECT_NE(finding.severity, Severity::fault);
  }
}

}  // namespace
}  // namespace slowpath::testing

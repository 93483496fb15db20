// SPDX-License-Identifier: Apache-2.0
// rst-injected: a foreign fingerprint fires; resets at a close and with the peer's own do not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_reset(const ResetFacts& reset) {
  Case facts = healthy_case();
  facts.connections[0].resets = {reset};
  facts.connections[0].reset_count = 1;
  facts.connections[0].close = CloseKind::reset;
  return facts;
}

ResetFacts own_reset() {
  ResetFacts reset;
  reset.frame = FrameRef{0, 40};
  reset.direction = Direction::to_client;
  reset.ttl = reset.sender_ttl_min = reset.sender_ttl_max = 57;
  reset.ip_id = 0x1234;
  return reset;
}

TEST(RstInjected, AForeignTimeToLiveAndACopiedIdAreAFault) {
  ResetFacts reset = own_reset();
  reset.ttl = 46;
  reset.ip_id_copied_from_other_side = true;
  const auto found = run("rst-injected", with_reset(reset));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_EQ(found[0].evidence.size(), 2U);
  EXPECT_EQ(found[0].evidence[0].frames[0].number(), 40U);
}

TEST(RstInjected, ASenderThatGoesOnWithAnotherTimeToLiveIsAFault) {
  ResetFacts reset = own_reset();
  reset.ttl = 120;
  reset.sender_packets_after = 12;
  EXPECT_EQ(run("rst-injected", with_reset(reset))[0].severity, Severity::fault);
}

TEST(RstInjected, OneMarkIsASuspicion) {
  ResetFacts reset = own_reset();
  reset.ttl = 46;
  const auto found = run("rst-injected", with_reset(reset));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

TEST(RstInjected, AForeignResetBesideOnesOfTheSenderItselfIsAFault) {
  ResetFacts forged = own_reset();
  forged.ttl = 200;
  ResetFacts own = own_reset();
  own.frame = FrameRef{0, 44};
  Case facts = with_reset(forged);
  facts.connections[0].resets.push_back(own);
  const auto found = run("rst-injected", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_EQ(found[0].evidence[1].frames[0].number(), 44U);
}

TEST(RstInjected, ThePeersOwnResetIsNot) {
  const Case facts = with_reset(own_reset());
  EXPECT_TRUE(run("rst-injected", facts).empty());
  EXPECT_EQ(silences_of("rst-injected", facts).size(), 1U);
}

TEST(RstInjected, AnotherInitialTimeToLiveAtTheSameDistanceIsTheStacks) {
  ResetFacts reset = own_reset();
  reset.ttl = 248;  // 255 - 7, as 57 is 64 - 7.
  EXPECT_TRUE(run("rst-injected", with_reset(reset)).empty());
}

TEST(RstInjected, AResetAfterFinIsAClose) {
  ResetFacts reset = own_reset();
  reset.ttl = 46;
  reset.after_fin = true;
  EXPECT_TRUE(run("rst-injected", with_reset(reset)).empty());
}

TEST(RstInjected, DamagedCaptureWithoutThePeersPacketsSaysNothing) {
  ResetFacts reset = own_reset();
  reset.ttl = 46;
  reset.sender_ttl_min = reset.sender_ttl_max = 0;
  EXPECT_TRUE(run("rst-injected", with_reset(reset)).empty());
}

}  // namespace
}  // namespace slowpath::testing

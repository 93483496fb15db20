// SPDX-License-Identifier: Apache-2.0
// peer-gone: resends to the end without an answer fire; a capture that just ends does not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_end(std::uint32_t sends, std::uint32_t len) {
  Case facts = healthy_case({.seconds = 20});
  facts.connections[0].close = CloseKind::open;
  DirectionFacts& data = download_of(facts);
  Stall stall;
  stall.begin = facts.connections[0].first + from_seconds(5);
  stall.seconds = 15;
  stall.owner = TimeOwner::timeout;
  stall.before = FrameRef{0, 500};
  stall.unanswered_sends = sends;
  stall.smallest_unanswered_ip_len = stall.largest_unanswered_ip_len = len;
  stall.ended = false;
  data.stalls = {stall};
  return facts;
}

TEST(PeerGone, FourDoublingsToTheEndAreAFault) {
  const auto found = run("peer-gone", with_end(7, 1500));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 15);
}

TEST(PeerGone, ThreeTransmissionsAreASuspicion) {
  const auto found = run("peer-gone", with_end(3, 1500));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

TEST(PeerGone, ACaptureThatEndsAfterOneResendIsNot) {
  const Case facts = with_end(2, 1500);
  EXPECT_TRUE(run("peer-gone", facts).empty());
  EXPECT_EQ(silences_of("peer-gone", facts).size(), 1U);
}

TEST(PeerGone, PacketsLongerThanAnyThatPassedAreASuspicion) {
  Case facts = with_end(7, 1500);
  download_of(facts).largest_delivered_ip_len = 600;
  const auto found = run("peer-gone", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

TEST(PeerGone, APathThatTookEverySecondResendMayHaveTakenTheLast) {
  Case facts = with_end(5, 1500);
  DirectionFacts& data = download_of(facts);
  data.resent_packets = 25;
  data.lost_resends = 15;  // 5 of them in the silence
  data.lost_packets = 11;
  auto found = run("peer-gone", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  // Beyond chance even so.
  data.stalls[0].unanswered_sends = 20;
  data.resent_packets = 40;
  data.lost_resends = 30;
  found = run("peer-gone", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
}

// No resend was lost before; but a path that loses a quarter of everything takes five in a row.
TEST(PeerGone, APathThatLosesAQuarterMayHaveTakenTheLast) {
  Case facts = with_end(5, 1500);
  DirectionFacts& data = download_of(facts);
  data.data_packets = 275;
  data.resent_packets = 67;
  data.lost_resends = 5;
  data.lost_packets = 63;
  EXPECT_EQ(run("peer-gone", facts).at(0).severity, Severity::suspect);
  data.lost_packets = 10;
  EXPECT_EQ(run("peer-gone", facts).at(0).severity, Severity::fault);
}

TEST(PeerGone, TheResendsOfTheSilenceAreNoHabitOfThePath) {
  Case facts = with_end(7, 1500);
  download_of(facts).resent_packets = 7;
  download_of(facts).lost_resends = 6;
  const auto found = run("peer-gone", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
}

TEST(PeerGone, APeerThatGoesOnSendingIsThere) {
  Case facts = with_end(7, 1500);
  DirectionFacts& requests = facts.connections[0][Direction::to_server];
  requests.last_data = facts.connections[0].first + from_seconds(19);
  EXPECT_TRUE(run("peer-gone", facts).empty());
  EXPECT_EQ(silences_of("peer-gone", facts).size(), 1U);
  // What was under way when it went away.
  requests.last_data = facts.connections[0].first + from_seconds(6);
  EXPECT_EQ(run("peer-gone", facts).size(), 1U);
}

TEST(PeerGone, AClosedWindowIsAnswered) {
  Case facts = with_end(7, 1500);
  download_of(facts).stalls[0].owner = TimeOwner::zero_window;
  EXPECT_TRUE(run("peer-gone", facts).empty());
}

TEST(PeerGone, DamagedCaptureOfOneDirectionSaysNothing) {
  Case facts = with_end(7, 1500);
  download_of(facts).acks_seen = false;
  EXPECT_TRUE(run("peer-gone", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

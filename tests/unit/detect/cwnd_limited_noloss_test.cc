// SPDX-License-Identifier: Apache-2.0
// cwnd-limited-noloss: a small flight that grows by a segment a round trip fires; a flat one, one
// after losses, and one that fills the window do not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

// A hundred round trips from ten segments to sixty.
Case growing(double segments_a_round) {
  Case facts = healthy_case({.bytes = 5'000'000, .seconds = 4, .rtt_s = 0.040});
  DirectionFacts& data = download_of(facts);
  data.flight_rounds = 100;
  data.flight_growth_bytes = segments_a_round * 1448;
  data.flight_plateau_bytes = 50'000;
  data.flight_max_bytes = 90'000;
  data.flight_plateau_spread = 0.5;
  data.flight_idle_share = 0.7;
  data.window.median_bytes = data.window.max_bytes = 3'000'000;
  return facts;
}

TEST(CwndLimitedNoloss, LinearGrowthWithoutLossIsAFault) {
  const auto found = run("cwnd-limited-noloss", growing(0.6));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_GT(found[0].seconds_lost, 1);
  EXPECT_FALSE(found[0].next_capture.empty());
}

TEST(CwndLimitedNoloss, AFlatFlightIsNot) {
  EXPECT_TRUE(run("cwnd-limited-noloss", growing(0.05)).empty());
}

TEST(CwndLimitedNoloss, LossesExplainASmallWindow) {
  Case facts = growing(0.6);
  download_of(facts).lost_packets = 3;
  EXPECT_TRUE(run("cwnd-limited-noloss", facts).empty());
}

TEST(CwndLimitedNoloss, NeedlessResendsExplainOneAsWell) {
  Case facts = growing(0.6);
  DirectionFacts& data = download_of(facts);
  data.spurious.packets = data.flight_rounds / 2;
  EXPECT_TRUE(run("cwnd-limited-noloss", facts).empty());
}

TEST(CwndLimitedNoloss, AFlightThatFillsTheWindowIsTheReceivers) {
  Case facts = growing(0.6);
  charge(download_of(facts), TimeOwner::receive_window, 1);
  EXPECT_TRUE(run("cwnd-limited-noloss", facts).empty());
}

TEST(CwndLimitedNoloss, AWindowThatGrowsWithTheFlightDoesNotHoldItBack) {
  Case facts = growing(0.6);
  download_of(facts).window.median_bytes = 65'000;
  EXPECT_EQ(run("cwnd-limited-noloss", facts).size(), 1U);
}

TEST(CwndLimitedNoloss, AtTheReceiverItIsASuspicion) {
  Case facts = growing(0.6);
  download_of(facts).vantage = Vantage::receiver;
  const auto found = run("cwnd-limited-noloss", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

}  // namespace
}  // namespace slowpath::testing

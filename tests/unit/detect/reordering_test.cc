// SPDX-License-Identifier: Apache-2.0
// reordering: costs nothing by itself: a note; with needless recovery a fault.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_reordering(std::uint64_t packets, std::uint64_t needless, double recovery_s) {
  Case facts = healthy_case({.seconds = 4, .vantage = Vantage::receiver});
  DirectionFacts& data = download_of(facts);
  data.reorder.packets = packets;
  data.reorder.max_late_s = 0.005;
  data.reorder.median_late_s = 0.004;
  data.reorder.frames = frames(packets, 20);
  data.resent_packets = data.spurious.packets = needless;
  data.resends[static_cast<std::size_t>(ResendClass::fast)].packets = needless;
  charge(data, TimeOwner::loss_recovery, recovery_s);
  return facts;
}

TEST(Reordering, NeedlessRecoveryIsAFault) {
  const auto found = run("reordering", with_reordering(80, 30, 1.0));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_GE(found[0].seconds_lost, 1.0);
}

TEST(Reordering, WithoutResendsItIsANote) {
  const auto found = run("reordering", with_reordering(80, 0, 0));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 0);
}

TEST(Reordering, TwoPacketsAreNoHabit) {
  const Case facts = with_reordering(2, 0, 0);
  EXPECT_TRUE(run("reordering", facts).empty());
  EXPECT_EQ(silences_of("reordering", facts).size(), 1U);
}

TEST(Reordering, DamagedCaptureWithRecoveryOfRealLossIsNoFault) {
  Case facts = with_reordering(80, 3, 1.0);
  download_of(facts).resent_packets = 40;
  const auto found = run("reordering", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

TEST(Reordering, PacketsSentAgainBeforeTheyCameCameLateAsWell) {
  Case facts = with_reordering(1, 30, 1.0);
  ReorderFacts& reorder = download_of(facts).reorder;
  reorder.by_sack = true;
  EXPECT_TRUE(run("reordering", facts).empty()) << "needless for another reason";
  reorder.taken_for_lost = 30;
  auto found = run("reordering", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_NE(found[0].claim.find("31 packets"), std::string::npos) << found[0].claim;
  EXPECT_EQ(found[0].claim.find("late at most"), std::string::npos) << found[0].claim;
  // Each was sent again before it came: how late it was does not show.
  reorder.packets = 0;
  reorder.by_sack = false;
  reorder.max_late_s = reorder.median_late_s = 0;
  found = run("reordering", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].claim.find("30 packets"), std::string::npos) << found[0].claim;
  EXPECT_EQ(found[0].evidence[0].text.find("median"), std::string::npos);
}

TEST(Reordering, WhereTheyArriveALatePacketCountsOnce) {
  const auto found = run("reordering", with_reordering(30, 30, 1.0));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].claim.find("30 packets"), 0U) << found[0].claim;
  EXPECT_TRUE(run("reordering", with_reordering(1, 30, 1.0)).empty());
}

TEST(Reordering, NeedlessResendsKeepTheWindowSmallOnlyWhereTheRateFits) {
  Case facts = with_reordering(20, 60, 0.1);  // 60 of 7000 segments at 20 ms leave 6 Mbit/s
  download_of(facts).goodput_bps = 10e6;
  download_of(facts).window.max_bytes = 8'000'000;
  const auto held = run("reordering", facts);
  ASSERT_EQ(held.size(), 1U);
  EXPECT_GT(held[0].seconds_lost, 2);
  download_of(facts).goodput_bps = 500e6;  // the sender does not mind them
  const auto fast = run("reordering", facts);
  ASSERT_EQ(fast.size(), 1U);
  EXPECT_LT(fast[0].seconds_lost, 0.2);
}

}  // namespace
}  // namespace slowpath::testing

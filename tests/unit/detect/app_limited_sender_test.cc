// SPDX-License-Identifier: Apache-2.0
// app-limited-sender: a slow producer of bulk fires; idle connections and people do not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_pauses(std::uint64_t count, double seconds, double longest_s, std::uint64_t bytes) {
  Case facts = healthy_case({.bytes = bytes, .seconds = 10});
  DirectionFacts& data = download_of(facts);
  data.idle.count = count;
  data.idle.seconds = seconds;
  data.idle.longest_s = longest_s;
  data.idle.ends = frames(count, 80);
  charge(data, TimeOwner::application, seconds);
  return facts;
}

TEST(AppLimitedSender, ASlowProducerOfBulkIsAFault) {
  const auto found = run("app-limited-sender", with_pauses(400, 6, 0.03, 20'000'000));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 6);
}

// 15 ms each, by a clock that ticks as often, and nothing tells on which side it was.
TEST(AppLimitedSender, PausesOfAFewTicksMayBeRoundTrips) {
  Case facts = with_pauses(400, 6, 0.03, 20'000'000);
  facts.connections[0].clock_tick_s = 0.0156;
  EXPECT_EQ(run("app-limited-sender", facts).size(), 1U) << "at the sender no ACK was due";
  download_of(facts).vantage = Vantage::unknown;
  EXPECT_TRUE(run("app-limited-sender", facts).empty());
  facts.connections[0].clock_tick_s = 0.003;
  EXPECT_EQ(run("app-limited-sender", facts).size(), 1U);
}

TEST(AppLimitedSender, WhereBothEndsTalkNobodyIsSlow) {
  Case facts = with_pauses(400, 6, 0.03, 20'000'000);
  facts.connections[0][Direction::to_server].data_packets = download_of(facts).data_packets / 2;
  EXPECT_TRUE(run("app-limited-sender", facts).empty());
  EXPECT_EQ(silences_of("app-limited-sender", facts).size(), 1U);
}

TEST(AppLimitedSender, AFifthOfTheTimeIsNeeded) {
  const Case facts = with_pauses(400, 1.5, 0.03, 20'000'000);
  EXPECT_TRUE(run("app-limited-sender", facts).empty());
  EXPECT_EQ(silences_of("app-limited-sender", facts).size(), 1U);
}

TEST(AppLimitedSender, OneLongPauseIsAnIdleConnection) {
  EXPECT_TRUE(run("app-limited-sender", with_pauses(1, 8, 8, 20'000'000)).empty());
  EXPECT_TRUE(run("app-limited-sender", with_pauses(12, 8, 5, 20'000'000)).empty());
}

TEST(AppLimitedSender, ShortPausesOfAFastSenderMayBeASmallHosts) {
  Case facts = with_pauses(400, 4, 0.011, 2'000'000'000);
  DirectionFacts& data = download_of(facts);
  data.goodput_bps = 1.8e9;
  data.rtt.total.median_s = 0.024;
  EXPECT_TRUE(run("app-limited-sender", facts).empty());
  data.rtt.total.median_s = 0.001;
  EXPECT_EQ(run("app-limited-sender", facts).size(), 1U) << "nothing is in flight any more";
  data.rtt.total.median_s = 0.024;
  data.goodput_bps = 0.8e9;
  EXPECT_EQ(run("app-limited-sender", facts).size(), 1U);
}

// 4.6 Gbit/s of a machine whose two cores also play the network: 2 ms each, 4 ms at the longest.
TEST(AppLimitedSender, PausesOfASchedulersTurnAreABusyHosts) {
  Case facts = with_pauses(1500, 3, 0.004, 5'700'000'000);
  DirectionFacts& data = download_of(facts);
  data.rtt.total.median_s = 0.0026;
  data.goodput_bps = 4.6e9;
  EXPECT_TRUE(run("app-limited-sender", facts).empty());
  data.goodput_bps = 0.8e9;
  EXPECT_EQ(run("app-limited-sender", facts).size(), 1U);
}

TEST(AppLimitedSender, AHostThatCopiesAsFastAsItCanIsNot) {
  Case facts = with_pauses(400, 6, 0.03, 20'000'000);
  download_of(facts).goodput_bps = 11e9;
  EXPECT_TRUE(run("app-limited-sender", facts).empty());
  EXPECT_EQ(silences_of("app-limited-sender", facts).size(), 1U);
}

TEST(AppLimitedSender, PausesAsLongAsTheTimeoutsBesideThemAreNot) {
  Case facts = with_pauses(21, 4.38, 0.212, 1'700'000);
  download_of(facts).timeouts = 16;
  download_of(facts).timeout_s = 3.32;
  EXPECT_TRUE(run("app-limited-sender", facts).empty());
  download_of(facts).timeout_s = 16;
  EXPECT_EQ(run("app-limited-sender", facts).size(), 1U);
}

TEST(AppLimitedSender, AnOutageIsNoPartOfTheTimeThatItIsMeasuredAgainst) {
  Case facts = with_pauses(150, 1.5, 0.03, 20'000'000);
  DirectionFacts& data = download_of(facts);
  data.timeouts = 2;
  data.timeout_s = 5;
  charge(data, TimeOwner::timeout, 5);
  EXPECT_EQ(run("app-limited-sender", facts).size(), 1U);
}

TEST(AppLimitedSender, TypingIsNoBulk) {
  EXPECT_TRUE(run("app-limited-sender", with_pauses(100, 9, 0.5, 10'000)).empty());
}

TEST(AppLimitedSender, PausesThatWereTimeoutsAreNot) {
  Case facts = with_pauses(24, 6, 0.3, 20'000'000);
  charge(download_of(facts), TimeOwner::application, -5.5);
  charge(download_of(facts), TimeOwner::timeout, 5.5);
  EXPECT_TRUE(run("app-limited-sender", facts).empty());
}

TEST(AppLimitedSender, AtTheReceiverItIsASuspicion) {
  Case facts = with_pauses(400, 6, 0.03, 20'000'000);
  download_of(facts).vantage = Vantage::receiver;
  const auto found = run("app-limited-sender", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

TEST(AppLimitedSender, DamagedCaptureFromAnUnknownPlaceIsASuspicion) {
  Case facts = with_pauses(400, 6, 0.03, 20'000'000);
  download_of(facts).vantage = Vantage::unknown;
  const auto found = run("app-limited-sender", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

}  // namespace
}  // namespace slowpath::testing

// SPDX-License-Identifier: Apache-2.0
// path-outage: silence of every length that ends fires; one lost resend and lengths that never pass
// do not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_silence(double seconds, std::uint32_t sends, std::uint32_t smallest,
                  std::uint32_t largest) {
  Case facts = healthy_case({.seconds = 10});
  DirectionFacts& data = download_of(facts);
  Stall stall;
  stall.begin = facts.connections[0].first + from_seconds(3);
  stall.seconds = seconds;
  stall.owner = TimeOwner::timeout;
  stall.before = FrameRef{0, 300};
  stall.after = FrameRef{0, 310};
  stall.unanswered_sends = sends;
  stall.smallest_unanswered_ip_len = smallest;
  stall.largest_unanswered_ip_len = largest;
  data.stalls = {stall};
  data.timeouts = sends;
  data.timeout_s = seconds;
  data.lost_packets = data.loss_episodes = 1;
  charge(data, TimeOwner::timeout, seconds);
  return facts;
}

TEST(PathOutage, SecondsOfSilenceThatEndAreAFault) {
  const auto found = run("path-outage", with_silence(4, 5, 1500, 1500));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 4);
  EXPECT_EQ(found[0].evidence[0].frames[0].number(), 300U);
}

TEST(PathOutage, TwoConnectionsSilentTogetherAreNamed) {
  Case facts = with_silence(4, 5, 1500, 1500);
  PathFacts path;
  path.connections = {0};
  path.outages.push_back({facts.connections[0].first + from_seconds(3), 4, 2, true});
  facts.paths.push_back(path);
  const auto found = run("path-outage", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].evidence.size(), 3U);
}

TEST(PathOutage, TwoTransmissionsAreASingleLoss) {
  const Case facts = with_silence(4, 2, 1500, 1500);
  EXPECT_TRUE(run("path-outage", facts).empty());
  EXPECT_EQ(silences_of("path-outage", facts).size(), 1U);
}

TEST(PathOutage, ThreeTransmissionsOfOneLengthAreASuspicion) {
  EXPECT_EQ(run("path-outage", with_silence(4, 3, 1500, 1500))[0].severity, Severity::suspect);
  EXPECT_EQ(run("path-outage", with_silence(4, 3, 600, 1500))[0].severity, Severity::fault);
}

TEST(PathOutage, HeavyLossMakesSilencesByChance) {
  Case facts = with_silence(1.5, 4, 1500, 1500);
  DirectionFacts& data = download_of(facts);
  data.lost_packets = 170;
  data.resent_packets = 250;
  data.lost_resends = 76;
  EXPECT_TRUE(run("path-outage", facts).empty());
}

// One packet in nine is lost: four in a row happen once in fifty such transfers, six hardly ever.
// The last transmission is the one that arrived.
TEST(PathOutage, ARowThatLossExplainsIsASuspicion) {
  Case facts = with_silence(1.7, 5, 1500, 1500);
  DirectionFacts& data = download_of(facts);
  data.data_packets = 128;
  data.lost_packets = 15;
  data.resent_packets = 19;
  data.lost_resends = 3;
  EXPECT_EQ(run("path-outage", facts).at(0).severity, Severity::suspect);
  data.stalls[0].unanswered_sends = 7;
  data.lost_resends = 5;
  EXPECT_EQ(run("path-outage", facts).at(0).severity, Severity::fault);
}

TEST(PathOutage, SilenceThatNeverEndsIsAnothersCause) {
  Case facts = with_silence(4, 5, 1500, 1500);
  download_of(facts).stalls[0].ended = false;
  EXPECT_TRUE(run("path-outage", facts).empty());
}

TEST(PathOutage, ALengthThatNeverPassesIsASuspicionAtMost) {
  Case facts = with_silence(4, 5, 1500, 1500);
  download_of(facts).largest_delivered_ip_len = 1200;
  const auto found = run("path-outage", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

TEST(PathOutage, DamagedCaptureOfOneDirectionIsASuspicion) {
  Case facts = with_silence(4, 5, 1500, 1500);
  download_of(facts).acks_seen = false;
  const auto found = run("path-outage", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

}  // namespace
}  // namespace slowpath::testing

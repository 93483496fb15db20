// SPDX-License-Identifier: Apache-2.0
// receiver-cpu-drops: what the receiver's own capture shows and TCP asks for again is a suspicion,
// and so are losses at a high packet rate within one site; losses on a long path are not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_losses(std::uint64_t losses, double rtt_s, Vantage vantage) {
  Case facts =
      healthy_case({.bytes = 40'000'000, .seconds = 2, .rtt_s = rtt_s, .vantage = vantage});
  DirectionFacts& data = download_of(facts);
  data.lost_packets = losses;
  data.loss_episodes = losses / 2;
  data.resent_packets = losses;
  data.checksums.good = 28'000;
  charge(data, TimeOwner::loss_recovery, 0.5);
  return facts;
}

TEST(ReceiverCpuDrops, CapturedThereAndAskedForAgainIsASuspicion) {
  const auto found = run("receiver-cpu-drops", with_losses(40, 0.050, Vantage::receiver));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_NE(found[0].next_capture.find("softnet_stat"), std::string::npos);
}

TEST(ReceiverCpuDrops, LostBeforeTheReceiversCaptureOnALongPathIsNot) {
  Case facts = with_losses(40, 0.050, Vantage::receiver);
  download_of(facts).lost_before_capture = 40;
  EXPECT_TRUE(run("receiver-cpu-drops", facts).empty());
  EXPECT_EQ(silences_of("receiver-cpu-drops", facts).size(), 1U);
}

TEST(ReceiverCpuDrops, ManyPacketsWithinASiteAreASuspicion) {
  EXPECT_EQ(run("receiver-cpu-drops", with_losses(40, 0.001, Vantage::sender)).size(), 1U);
}

TEST(ReceiverCpuDrops, ALongPathIsThePaths) {
  EXPECT_TRUE(run("receiver-cpu-drops", with_losses(40, 0.050, Vantage::sender)).empty());
}

TEST(ReceiverCpuDrops, WrongChecksumsExplainThemselves) {
  Case facts = with_losses(40, 0.050, Vantage::receiver);
  download_of(facts).checksums.bad = 40;
  EXPECT_TRUE(run("receiver-cpu-drops", facts).empty());
}

TEST(ReceiverCpuDrops, ChecksumsThatWereCutOffMayBeWrong) {
  Case facts = with_losses(40, 0.050, Vantage::receiver);
  download_of(facts).checksums.unverifiable = 28'000;
  EXPECT_TRUE(run("receiver-cpu-drops", facts).empty());
}

TEST(ReceiverCpuDrops, AFewLossesSayNothing) {
  EXPECT_TRUE(run("receiver-cpu-drops", with_losses(19, 0.001, Vantage::sender)).empty());
}

}  // namespace
}  // namespace slowpath::testing

// SPDX-License-Identifier: Apache-2.0
// Bad checksums that mean something, those that do not, and copies that differ.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case damaged(std::uint64_t bad, std::uint64_t twins, std::uint64_t bad_again) {
  Case facts = healthy_case({.seconds = 10, .vantage = Vantage::receiver});
  DirectionFacts& data = download_of(facts);
  data.checksums.good = 1000;
  data.checksums.bad = bad;
  data.checksums.bad_frames = frames(bad, 30);
  data.checksums.bad_needed_resend = bad;
  data.checksums.good_twins = frames(twins, 60);
  data.checksums.bad_resent_bad = bad_again;
  data.checksums.bad_len_min = data.checksums.bad_len_max = 1448;
  data.lost_packets = bad;
  charge(data, TimeOwner::loss_recovery, 3);
  return facts;
}

TEST(CsumBadOnArrival, DamageWithGoodTwinsIsAFault) {
  const auto found = run("csum-bad-on-arrival", damaged(5, 5, 0));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 3);
}

TEST(CsumBadOnArrival, TwoAreTooFewAndAcknowledgedOnesDoNotCount) {
  EXPECT_TRUE(run("csum-bad-on-arrival", damaged(2, 2, 0)).empty());
  Case facts = damaged(5, 5, 0);
  download_of(facts).checksums.bad_but_acknowledged = 4;
  EXPECT_TRUE(run("csum-bad-on-arrival", facts).empty());
}

TEST(CsumBadOnArrival, OffloadAtTheSenderAndEditedFilesAreNormal) {
  Case at_sender = damaged(900, 5, 5);
  download_of(at_sender).vantage = Vantage::sender;
  EXPECT_TRUE(run("csum-bad-on-arrival", at_sender).empty());
  EXPECT_TRUE(run("tx-csum-offload-broken", at_sender).empty());
  Case edited = damaged(5, 5, 3);
  edited.captures[0].addresses_rewritten = true;
  EXPECT_TRUE(run("csum-bad-on-arrival", edited).empty());
  EXPECT_TRUE(run("tx-csum-offload-broken", edited).empty());
}

TEST(TxCsumOffloadBroken, ResendsBadAgainAreAFault) {
  const auto found = run("tx-csum-offload-broken", damaged(12, 4, 8));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
}

TEST(TxCsumOffloadBroken, NothingThatGetsThroughCostsTheWholeConnection) {
  Case facts = damaged(12, 0, 11);
  download_of(facts).checksums.good = 0;
  const auto found = run("tx-csum-offload-broken", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 10);
}

TEST(TxCsumOffloadBroken, DamageByChanceIsNot) {
  EXPECT_TRUE(run("tx-csum-offload-broken", damaged(12, 12, 1)).empty());
  // A third of all segments damaged at random: a third of the resends is, too.
  Case noisy = damaged(500, 300, 180);
  EXPECT_TRUE(run("tx-csum-offload-broken", noisy).empty());
}

TEST(TxCsumOffloadBroken, UnknownVantageIsASuspect) {
  Case facts = damaged(12, 4, 8);
  download_of(facts).vantage = Vantage::unknown;
  EXPECT_EQ(run("tx-csum-offload-broken", facts).at(0).severity, Severity::suspect);
}

Case differing(std::uint32_t compared) {
  Case facts = healthy_case();
  DirectionFacts& data = download_of(facts);
  data.payload.compared_bytes = 100'000;
  data.payload.differing_packets = 1;
  data.payload.differences = {{FrameRef{0, 40}, FrameRef{0, 55}, 14'480, compared, 3, 100}};
  return facts;
}

TEST(RetransDiffers, OtherBytesInTheResendAreAFault) {
  const auto found = run("retrans-differs", differing(1448));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_EQ(found[0].evidence[0].text, "3 of 1448 bytes differ from byte 14580 of the stream on");
}

TEST(RetransDiffers, UnverifiedCopiesAwayFromTheSenderAreASuspect) {
  Case facts = differing(62);
  download_of(facts).vantage = Vantage::receiver;
  download_of(facts).checksums.good = 100;
  download_of(facts).checksums.unverifiable = 900;
  const auto found = run("retrans-differs", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_NE(found[0].next_capture.find("-s 0"), std::string::npos);
  download_of(facts).checksums.unverifiable = 0;
  EXPECT_EQ(run("retrans-differs", facts).at(0).severity, Severity::fault);
}

TEST(RetransDiffers, KeepAliveFillingIsNormal) {
  EXPECT_TRUE(run("retrans-differs", differing(1)).empty());
}

TEST(RetransDiffers, CopyWithABadChecksumWasDamaged) {
  Case facts = differing(1448);
  note(download_of(facts).checksums.bad_frames, FrameRef{0, 40});
  download_of(facts).checksums.bad = 1;
  EXPECT_TRUE(run("retrans-differs", facts).empty());
  EXPECT_EQ(silences_of("retrans-differs", facts).size(), 1U);
}

TEST(RetransDiffers, EditedFileSaysNothing) {
  Case facts = differing(1448);
  facts.captures[0].lengths_rewritten = true;
  EXPECT_TRUE(run("retrans-differs", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

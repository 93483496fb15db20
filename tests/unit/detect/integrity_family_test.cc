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

// One segment in a hundred is damaged, and so is one resend in a hundred.
TEST(TxCsumOffloadBroken, ResendsThatChanceDamagesAgainAreDamage) {
  Case facts = damaged(47, 45, 2);
  download_of(facts).checksums.good = 4147;
  EXPECT_TRUE(run("tx-csum-offload-broken", facts).empty());
  EXPECT_EQ(run("csum-bad-on-arrival", facts).size(), 1U);
}

TEST(TxCsumOffloadBroken, BytesThatDifferFromTheirGoodCopiesWereDamaged) {
  Case facts = damaged(12, 4, 8);
  download_of(facts).payload.damaged_packets = 12;
  EXPECT_TRUE(run("tx-csum-offload-broken", facts).empty());
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
  PayloadDifference& difference = data.payload.differences.emplace_back();
  difference.original = FrameRef{0, 40};
  difference.resend = FrameRef{0, 55};
  difference.offset = 14'480;
  difference.compared = compared;
  difference.differing = 3;
  difference.first_difference = 100;
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

TEST(LsoWrongCsumSeed, ErrorsThatNameLargeSendsAreAFault) {
  Case facts = damaged(24, 8, 0);
  ChecksumFacts& sums = download_of(facts).checksums;
  sums.seeded_superframes = 8;
  sums.seeded_frames = 24;
  sums.seeded_max_payload = 4344;
  sums.seeded = frames(8, 30);
  const auto found = run("lso-wrong-csum-seed", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_TRUE(run("tx-csum-offload-broken", facts).empty());
}

TEST(LsoWrongCsumSeed, FewOrOtherErrorsAreNotItsOwn) {
  Case few = damaged(24, 8, 0);
  download_of(few).checksums.seeded_superframes = 2;
  download_of(few).checksums.seeded_frames = 24;
  EXPECT_TRUE(run("lso-wrong-csum-seed", few).empty());
  Case mostly_other = damaged(24, 8, 0);
  download_of(mostly_other).checksums.seeded_superframes = 3;
  download_of(mostly_other).checksums.seeded_frames = 9;
  EXPECT_TRUE(run("lso-wrong-csum-seed", mostly_other).empty());
  EXPECT_EQ(silences_of("lso-wrong-csum-seed", mostly_other).size(), 1U);
}

TEST(LsoWrongCsumSeed, AtTheSenderNothingIsDecidedAndAnywhereItIsASuspect) {
  Case facts = damaged(24, 8, 0);
  download_of(facts).checksums.no_length_frames = 24;
  download_of(facts).vantage = Vantage::sender;
  EXPECT_TRUE(run("lso-wrong-csum-seed", facts).empty());
  download_of(facts).vantage = Vantage::unknown;
  EXPECT_EQ(run("lso-wrong-csum-seed", facts).at(0).severity, Severity::suspect);
}

Case taken_though_bad(std::uint64_t bad, std::uint64_t errors) {
  Case facts = healthy_case({.seconds = 2, .vantage = Vantage::receiver});
  ChecksumFacts& sums = download_of(facts).checksums;
  sums.good = 1000;
  sums.bad = sums.bad_but_acknowledged = bad;
  sums.bad_acknowledged_frames = frames(bad, 30);
  sums.error_distinct = errors;
  return facts;
}

TEST(RxCsumSkipped, DamagedSegmentsThatAreTakenAreASuspect) {
  EXPECT_EQ(run("rx-csum-skipped", taken_though_bad(6, 6)).at(0).severity, Severity::suspect);
  Case at_sender = taken_though_bad(6, 6);
  download_of(at_sender).vantage = Vantage::sender;
  EXPECT_TRUE(run("rx-csum-skipped", at_sender).empty());
}

TEST(RxCsumSkipped, WhereTheCaptureWasTakenNeedNotBeKnown) {
  Case unknown = taken_though_bad(6, 6);
  download_of(unknown).vantage = Vantage::unknown;
  EXPECT_EQ(run("rx-csum-skipped", unknown).at(0).severity, Severity::suspect);
}

TEST(RxCsumSkipped, OneErrorForAllOrMostBeingBadIsNoDamage) {
  EXPECT_TRUE(run("rx-csum-skipped", taken_though_bad(6, 1)).empty());
  EXPECT_TRUE(run("rx-csum-skipped", taken_though_bad(2, 2)).empty());
  EXPECT_TRUE(run("rx-csum-skipped", taken_though_bad(500, 16)).empty());
}

Case unfinished(std::uint64_t refused, std::uint64_t lost) {
  Case facts = healthy_case({.seconds = 4, .vantage = Vantage::receiver});
  DirectionFacts& data = download_of(facts);
  data.checksums.partial = 1000;
  data.checksums.partial_needed_resend = refused;
  data.lost_packets = lost;
  charge(data, TimeOwner::timeout, 2);
  return facts;
}

TEST(TxCsumOffloadBroken, UnfinishedSumsThatTheReceiverRefusesAreAFault) {
  const auto found = run("tx-csum-offload-broken", unfinished(10, 10));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
}

TEST(TxCsumOffloadBroken, UnfinishedSumsElsewhereOrOtherLossesAreNot) {
  EXPECT_TRUE(run("tx-csum-offload-broken", unfinished(4, 4)).empty());
  EXPECT_TRUE(run("tx-csum-offload-broken", unfinished(10, 40)).empty());
  Case midpath = unfinished(10, 10);
  download_of(midpath).vantage = Vantage::midpath;
  EXPECT_TRUE(run("tx-csum-offload-broken", midpath).empty());
  Case closed = unfinished(10, 10);
  download_of(closed).window.zero_episodes = 2;
  EXPECT_TRUE(run("tx-csum-offload-broken", closed).empty());
}

TEST(PayloadAltered, DifferentCopiesAwayFromTheSenderAreASuspect) {
  Case facts = differing(1448);
  DirectionFacts& data = download_of(facts);
  data.vantage = Vantage::receiver;
  data.checksums.good = 1000;
  EXPECT_EQ(run("payload-altered-csum-good", facts).at(0).severity, Severity::suspect);
  data.checksums.unverifiable = 900;
  EXPECT_TRUE(run("payload-altered-csum-good", facts).empty());
  data.checksums.unverifiable = 0;
  data.vantage = Vantage::sender;
  EXPECT_TRUE(run("payload-altered-csum-good", facts).empty());
}

Case reused(std::uint64_t all, std::uint64_t open) {
  Case facts = healthy_case({.seconds = 5});
  PathFacts path;
  path.a = facts.connections[0].client.address;
  path.b = facts.connections[0].server.address;
  path.connections = {0};
  path.fragments[1].datagrams = 1000;
  path.fragments[1].id_reuses = all;
  path.fragments[1].id_reuses_open = open;
  path.fragments[1].id_reuse_shortest_s = 0.02;
  facts.paths = {path};
  facts.captures.at(0).fragment_packets = 2000;
  charge(download_of(facts), TimeOwner::loss_recovery, 2);
  return facts;
}

TEST(FragmentMixup, IdsUsedAgainBesideIncompleteDatagramsAreAFault) {
  const auto found = run("fragment-mixup", reused(900, 12));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  // Recovery, and part of the waiting with a window that losses keep small.
  EXPECT_GE(found[0].seconds_lost, 2);
  EXPECT_LE(found[0].seconds_lost, 5);
}

TEST(FragmentMixup, WholeDatagramsMixNothingAndALossyCaptureIsASuspect) {
  EXPECT_TRUE(run("fragment-mixup", reused(900, 2)).empty());
  Case lossy = reused(900, 12);
  lossy.captures[0].reported_drops = 50;
  EXPECT_EQ(run("fragment-mixup", lossy).at(0).severity, Severity::suspect);
}

}  // namespace
}  // namespace slowpath::testing

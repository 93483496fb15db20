// SPDX-License-Identifier: Apache-2.0
// What copies of a download prove, from facts alone. tests/fetch does the same with real copies.
#include "detect/fetch_verdict.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slowpath::detect {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kMss = 1448;
constexpr std::uint64_t kHeader = 200;

FetchedCopy copy_with(const std::string& hash) {
  FetchedCopy copy;
  copy.status = 200;
  copy.http_version = "1.1";
  copy.server = "192.0.2.1";
  copy.etag = "\"v1\"";
  copy.bytes = 1 << 20;
  copy.header_bytes = kHeader;
  copy.answers = 1;
  copy.digests = {{"sha256", hash, ""}};
  copy.tcp.known = true;
  copy.tcp.segment_size = kMss;
  return copy;
}

FetchFacts facts_with(std::initializer_list<const char*> hashes) {
  FetchFacts facts;
  facts.url = "http://192.0.2.1/x";
  facts.repeats = static_cast<std::uint32_t>(hashes.size());
  facts.block_bytes = 65536;
  for (const char* hash : hashes) facts.copies.push_back(copy_with(hash));
  return facts;
}

/// One bit of one byte at `offset` in copy 1.
FetchDifference flip_at(std::uint64_t offset) {
  FetchDifference difference;
  difference.copy = 1;
  difference.offset = offset - 100;
  for (int i = 0; i < 200; ++i) difference.expected.push_back(static_cast<std::byte>(i * 7));
  difference.seen = difference.expected;
  difference.seen[100] ^= std::byte{4};
  difference.first = difference.last = offset;
  difference.differing = 1;
  difference.authority = FetchAuthority::majority;
  return difference;
}

TEST(FetchVerdict, TheSameEachTime) {
  const FetchVerdict verdict = judge_fetch(facts_with({"a", "a", "a"}));
  EXPECT_EQ(verdict.outcome, FetchOutcome::consistent);
  EXPECT_EQ(verdict.fault, "healthy");
}

TEST(FetchVerdict, AsExpected) {
  FetchFacts facts = facts_with({"a"});
  facts.expected = FetchDigest{"sha256", "a", "--expect"};
  EXPECT_EQ(judge_fetch(facts).outcome, FetchOutcome::intact);
  facts.expected->hex = "b";
  EXPECT_EQ(judge_fetch(facts).outcome, FetchOutcome::unexpected);
  EXPECT_EQ(judge_fetch(facts).fault, "unclear");
}

TEST(FetchVerdict, CopiesOfOneVersionThatDiffer) {
  FetchFacts facts = facts_with({"a", "b", "a"});
  facts.differences.push_back(flip_at(70'000));
  const FetchVerdict verdict = judge_fetch(facts);
  EXPECT_EQ(verdict.fault, "payload-altered-csum-good");
  ASSERT_TRUE(verdict.pattern);
  EXPECT_EQ(verdict.pattern->kind, arithmetic::CorruptionKind::bit_flips);
  ASSERT_EQ(verdict.places.size(), 1U);
  EXPECT_EQ(verdict.places[0].stream_offset, 70'000 + kHeader);
  EXPECT_EQ(verdict.places[0].segment, (70'000 + kHeader) / kMss);
}

TEST(FetchVerdict, BodyThatBeginsASegmentOfItsOwn) {
  FetchFacts facts = facts_with({"a", "b", "a"});
  FetchDifference difference = flip_at(50 * kMss);  // the first byte of a segment, if it does
  facts.differences.push_back(difference);
  const FetchVerdict verdict = judge_fetch(facts);
  EXPECT_EQ(verdict.places[0].in_segment, 0U);
  EXPECT_EQ(verdict.places[0].segment, 50U);
}

TEST(FetchVerdict, AFileThatChangedIsNoCorruption) {
  FetchFacts facts = facts_with({"a", "b", "a"});
  facts.differences.push_back(flip_at(70'000));
  facts.copies[1].etag = "\"v2\"";
  EXPECT_EQ(judge_fetch(facts).outcome, FetchOutcome::changed);
}

TEST(FetchVerdict, WithoutAVersionTwoDifferentPagesProveNothing) {
  FetchFacts facts = facts_with({"a", "b"});
  facts.differences.push_back(flip_at(70'000));
  for (FetchedCopy& copy : facts.copies) copy.etag.clear();
  EXPECT_EQ(judge_fetch(facts).outcome, FetchOutcome::unclear);
  // Three of four the same, and one bit: no page is made anew like that.
  facts.copies.push_back(facts.copies[0]);
  facts.copies.push_back(facts.copies[0]);
  EXPECT_EQ(judge_fetch(facts).outcome, FetchOutcome::corrupted);
}

TEST(FetchVerdict, AfterAnotherAnswerNobodyKnowsWhereTheBodyBegins) {
  FetchFacts facts = facts_with({"a", "b", "a"});
  facts.differences.push_back(flip_at(70'000));
  facts.copies[1].answers = 2;
  EXPECT_FALSE(judge_fetch(facts).places[0].stream_offset);
}

TEST(FetchVerdict, TlsClearsTheWay) {
  FetchFacts facts = facts_with({"a", "b", "a"});
  facts.differences.push_back(flip_at(70'000));
  for (FetchedCopy& copy : facts.copies) copy.tls_version = "TLSv1.3";
  const FetchVerdict verdict = judge_fetch(facts);
  EXPECT_EQ(verdict.fault, "corrupt-outside-network");
  EXPECT_FALSE(verdict.places[0].segment);  // bytes of the body are not those of the stream
}

TEST(FetchVerdict, ARecordThatTlsRefuses) {
  FetchFacts facts = facts_with({"a", "a"});
  facts.copies[1].end = FetchEnd::tls_damaged;
  facts.copies[1].end_words = "a TLS record failed its authentication after 3 MiB";
  EXPECT_EQ(judge_fetch(facts).fault, "payload-altered-csum-good");
}

TEST(FetchVerdict, PacketsSayWhoDidIt) {
  FetchFacts facts = facts_with({"a", "b", "a"});
  facts.differences.push_back(flip_at(70'000));
  FetchPacket packet{.difference = 0,
                     .frame = 9,
                     .checksum_good = true,
                     .checksum_known = true,
                     .carried_wrong = true};
  facts.packets = {packet};
  EXPECT_EQ(judge_fetch(facts).fault, "payload-altered-csum-good");
  packet.checksum_good = false;
  facts.packets = {packet};
  EXPECT_EQ(judge_fetch(facts).fault, "rx-csum-skipped");
  packet.carried_wrong = false;
  facts.packets = {packet};
  EXPECT_EQ(judge_fetch(facts).fault, "corrupt-outside-network");
}

TEST(FetchVerdict, WhichLegOfAnUpload) {
  FetchFacts facts = facts_with({"up", "b", "b"});
  facts.uploaded_file = "x";
  facts.has_file = true;
  facts.expected = FetchDigest{"sha256", "a", "x"};
  facts.copies[0].is_upload = true;
  EXPECT_THAT(judge_fetch(facts).summary, HasSubstr("way up"));
  facts.copies[2] = copy_with("a");
  EXPECT_THAT(judge_fetch(facts).summary, HasSubstr("the way down changes"));
  facts.copies[1] = copy_with("a");
  EXPECT_EQ(judge_fetch(facts).outcome, FetchOutcome::intact);
}

/// One upload and two downloads of it, which have these bits of these bytes wrong.
FetchFacts upload_with(std::initializer_list<std::pair<std::size_t, std::uint64_t>> flips) {
  FetchFacts facts = facts_with({"up", "b", "b"});
  facts.uploaded_file = "x";
  facts.has_file = true;
  facts.expected = FetchDigest{"sha256", "a", "x"};
  facts.copies[0].is_upload = true;
  for (const auto& [copy, offset] : flips) {
    facts.differences.push_back(flip_at(offset));
    facts.differences.back().copy = copy;
  }
  return facts;
}

TEST(FetchVerdict, WhatBothDownloadsHaveWrongIsOnePlaceOfTheWayUp) {
  const FetchVerdict verdict = judge_fetch(upload_with({{1, 70'000}, {2, 70'000}}));
  EXPECT_THAT(verdict.summary, HasSubstr("way up"));
  EXPECT_THAT(verdict.evidence, testing::Contains(HasSubstr("1 place came the same")));
  FetchFacts both = upload_with({{1, 70'000}, {2, 70'000}, {2, 90'000}});
  both.copies[2].digests[0].hex = "c";
  EXPECT_THAT(judge_fetch(both).evidence, testing::Contains(HasSubstr("1 place came the same")));
  EXPECT_THAT(judge_fetch(both).summary, HasSubstr("both the way up"));
}

TEST(FetchVerdict, PlacesThatNobodyCanTellLeaveTheHashesTheirWord) {
  // One byte the same twice; what else differs was not kept, and the hashes say that some does.
  FetchFacts facts = upload_with({{1, 70'000}, {2, 70'000}, {2, 90'000}});
  facts.copies[2].digests[0].hex = "c";
  facts.blocks_not_kept = 3;
  const FetchVerdict verdict = judge_fetch(facts);
  EXPECT_THAT(verdict.summary, HasSubstr("both the way up"));
  EXPECT_THAT(verdict.evidence, testing::Contains(HasSubstr("of 1 place nobody can tell")));
}

TEST(FetchVerdict, NothingCame) {
  EXPECT_EQ(judge_fetch(FetchFacts{}).outcome, FetchOutcome::failed);
  FetchFacts facts = facts_with({"a", "a"});
  facts.copies[1].end = FetchEnd::truncated;
  facts.copies[1].end_words = "the server closed the connection after 1 MiB of 2 MiB";
  EXPECT_EQ(judge_fetch(facts).outcome, FetchOutcome::truncated);
}

}  // namespace
}  // namespace slowpath::detect

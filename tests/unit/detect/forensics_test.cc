// SPDX-License-Identifier: Apache-2.0
// From kept excerpts to the evidence of three detectors: which copy is wrong, where it lies, and
// that nothing is said without bytes.
#include "detect/forensics.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

using arithmetic::ChecksumWitness;
using arithmetic::CorruptionKind;
using detect::pattern_of;
using detect::what_changed;

constexpr std::uint32_t kSegment = 1448;

std::vector<std::byte> random_bytes(std::size_t len, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(len);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

/// A whole segment in both copies.
PayloadDifference difference(std::vector<std::byte> original, std::vector<std::byte> resend,
                             std::uint64_t offset = 20 * kSegment) {
  PayloadDifference made;
  made.original = FrameRef{0, 40};
  made.resend = FrameRef{0, 55};
  made.offset = offset;
  made.compared = made.original_payload = made.resend_payload =
      static_cast<std::uint32_t>(original.size());
  for (std::uint32_t i = 0; i < made.compared; ++i) {
    if (original[i] == resend[i]) continue;
    if (made.differing++ == 0) made.first_difference = i;
    made.last_difference = i;
  }
  made.original_bytes = std::move(original);
  made.resend_bytes = std::move(resend);
  return made;
}

DirectionFacts direction() {
  DirectionFacts data;
  data.segment_size = kSegment;
  return data;
}

TEST(Forensics, NothingIsSaidWithoutBytes) {
  PayloadDifference bare = difference(random_bytes(kSegment, 1), random_bytes(kSegment, 2));
  bare.original_bytes.clear();
  bare.resend_bytes.clear();
  EXPECT_FALSE(what_changed({}, direction(), ChecksumWitness::unknown));
  EXPECT_FALSE(what_changed({bare}, direction(), ChecksumWitness::unknown));
}

TEST(Forensics, TheCopyOfZerosIsTheWrongOneWhicheverCameFirst) {
  const auto good = random_bytes(kSegment, 1);
  auto zeros = good;
  std::fill(zeros.begin() + 100, zeros.end(), std::byte{0});
  for (const auto& made : {difference(good, zeros), difference(zeros, good)}) {
    const auto evidence = what_changed({made}, direction(), ChecksumWitness::passed);
    ASSERT_TRUE(evidence);
    EXPECT_EQ(evidence->pattern, "zeros");
    EXPECT_NE(evidence->text.find("up to where a segment ends"), std::string::npos);
    EXPECT_NE(evidence->text.find("at byte 100 of its segment"), std::string::npos);
    EXPECT_EQ(evidence->frames.size(), 2U);
  }
}

TEST(Forensics, TheCopyWithTheBadChecksumIsTheWrongOne) {
  const auto zeros = std::vector<std::byte>(kSegment);
  PayloadDifference made = difference(random_bytes(kSegment, 1), zeros);
  made.original_bad = true;  // so the file really held zeros
  const auto evidence = what_changed({made}, direction(), ChecksumWitness::failed);
  ASSERT_TRUE(evidence);
  EXPECT_EQ(evidence->pattern, "unknown pattern");
}

TEST(Forensics, BytesKnownFromElsewhereAreStale) {
  PayloadDifference made = difference(random_bytes(kSegment, 1), random_bytes(kSegment, 2));
  made.resend_found_at = made.offset + 3 * kSegment;
  const auto pattern = pattern_of({made}, direction(), ChecksumWitness::unknown);
  ASSERT_TRUE(pattern);
  EXPECT_EQ(pattern->kind, CorruptionKind::stale);
  EXPECT_EQ(pattern->distance, -3 * static_cast<std::int64_t>(kSegment));
  made.resend_found_at.reset();
  made.original_found_at = made.offset - kSegment;
  EXPECT_EQ(pattern_of({made}, direction(), ChecksumWitness::unknown)->distance,
            static_cast<std::int64_t>(kSegment));
}

TEST(Forensics, PlaceInTheLargeSendAndInItsSegment) {
  const auto good = random_bytes(kSegment, 1);
  auto bad = good;
  bad[50] ^= std::byte{0x40};
  PayloadDifference made = difference(bad, good);
  made.at_original = 5 * kSegment;  // of a large send that was resent in segments
  made.original_payload = 10 * kSegment;
  const auto evidence = what_changed({made}, direction(), ChecksumWitness::unknown);
  ASSERT_TRUE(evidence);
  EXPECT_NE(evidence->text.find("at byte 50 of its segment"), std::string::npos) << evidence->text;
  EXPECT_NE(evidence->text.find("byte 7290 of the large send"), std::string::npos);
  const auto value = std::ranges::find(evidence->values, "superframe_offset_bytes",
                                       &std::pair<std::string, double>::first);
  ASSERT_NE(value, evidence->values.end());
  EXPECT_DOUBLE_EQ(value->second, 7290);
}

TEST(Forensics, LanesAreSeenOverSeveralDifferences) {
  std::vector<PayloadDifference> made;
  for (unsigned i = 0; i < 6; ++i) {
    const auto good = random_bytes(kSegment, i);
    auto bad = good;
    bad[8 * (i * 7 + 3) + 5] ^= std::byte{0x08};
    made.push_back(difference(good, bad, i * 10 * kSegment));
  }
  const auto pattern = pattern_of(made, direction(), ChecksumWitness::passed);
  ASSERT_TRUE(pattern);
  EXPECT_EQ(pattern->lane.width_bytes, 8U);
  EXPECT_EQ(pattern->lane.byte, 5U);
  EXPECT_EQ(pattern->lane.bit, 3U);
}

const Evidence* comparison_of(const std::vector<Finding>& findings) {
  if (findings.empty()) return nullptr;
  const auto& evidence = findings[0].evidence;
  const auto found =
      std::ranges::find_if(evidence, [](const Evidence& item) { return !item.pattern.empty(); });
  return found == evidence.end() ? nullptr : &*found;
}

TEST(Forensics, RetransDiffersSaysWhatChanged) {
  Case facts = healthy_case();
  DirectionFacts& data = download_of(facts);
  data.payload.compared_bytes = 100'000;
  data.payload.differing_packets = 1;
  const auto good = random_bytes(kSegment, 1);
  auto bad = good;
  bad[812] ^= std::byte{1};
  data.payload.differences = {difference(bad, good)};
  const auto found = run("retrans-differs", facts);
  const Evidence* evidence = comparison_of(found);
  ASSERT_NE(evidence, nullptr);
  EXPECT_EQ(evidence->pattern, "bit flips");
}

TEST(Forensics, DamageOnTheWaySaysWhatChanged) {
  Case facts = healthy_case({.seconds = 10, .vantage = Vantage::receiver});
  DirectionFacts& data = download_of(facts);
  data.checksums.good = 1000;
  data.checksums.bad = data.checksums.bad_needed_resend = 5;
  data.checksums.bad_frames = frames(5, 30);
  data.checksums.good_twins = frames(5, 60);
  charge(data, TimeOwner::loss_recovery, 3);
  const auto without = run("csum-bad-on-arrival", facts);
  EXPECT_EQ(comparison_of(without), nullptr);
  const auto good = random_bytes(kSegment, 1);
  auto bad = good;
  bad[812] ^= std::byte{1};
  PayloadDifference made = difference(bad, good);
  made.original_bad = true;
  data.payload.damages = {made};
  const auto with = run("csum-bad-on-arrival", facts);
  ASSERT_NE(comparison_of(with), nullptr);
  EXPECT_NE(comparison_of(with)->text.find("noise on a cable"), std::string::npos);
}

}  // namespace
}  // namespace slowpath::testing

// SPDX-License-Identifier: Apache-2.0
// Damage on the way: corrupt and bit-errors change what they say, and the checksum shows it.
#include <bit>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/lab/stage_test_context.h"

namespace slowpath::test {
namespace {

using Keys = std::map<std::string, std::string>;

Buffer bytes_of(const lab::Frame& frame) { return {frame.bytes().begin(), frame.bytes().end()}; }

/// Offsets at which two frames of the same length differ, and by how many bits in all.
struct Difference {
  std::vector<std::size_t> offsets;
  int bits = 0;
};
Difference compare(const Buffer& before, const Buffer& after) {
  Difference found;
  EXPECT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == after[i]) continue;
    found.offsets.push_back(i);
    found.bits += std::popcount(std::to_integer<unsigned>(before[i] ^ after[i]));
  }
  return found;
}

TEST(CorruptStage, TurnsOneBitOfThePayloadOverAndSaysWhere) {
  StageTestContext context;
  const auto stage = stage_of("corrupt", {{"only", "data"}});
  for (const bool ipv6 : {false, true}) {
    auto frame = tcp_frame(context.pool(), ack, 100, {.ipv6 = ipv6});
    const auto before = bytes_of(*frame);
    const auto headers = before.size() - 100;
    context.give(*stage, std::move(frame));
    const auto& after = *context.passed.back().frame;
    const auto difference = compare(before, bytes_of(after));
    ASSERT_EQ(difference.bits, 1);
    const auto at = difference.offsets[0];
    EXPECT_GE(at, headers);
    EXPECT_FALSE(checksums_right(after));
    EXPECT_EQ(context.touches.back().frame_id, after.id);
    EXPECT_EQ(context.touches.back().what, "corrupted");
    char expected[80];
    std::snprintf(expected, sizeof expected, "byte %zu, payload %zu: %02x -> %02x", at,
                  at - headers, std::to_integer<unsigned>(before[at]),
                  std::to_integer<unsigned>(after.bytes()[at]));
    EXPECT_EQ(context.touches.back().detail, expected);
  }
}

TEST(CorruptStage, ARunOfBitsBeginsWhereItIsTold) {
  StageTestContext context;
  const auto stage = stage_of("corrupt", {{"bits", "12"}, {"at", "5"}});
  const Buffer payload(10, std::byte{0x0f});
  context.give(*stage, tcp_frame(context.pool(), ack, 0, {.payload = payload}));
  EXPECT_EQ(context.touches.at(0).detail, "bytes 71-72, payload 5: 0f0f -> f0ff");
}

TEST(CorruptStage, ADamageThatTheChecksumWouldNotNoticeIsMadeSmaller) {
  StageTestContext context;
  const auto stage = stage_of("corrupt", {{"bits", "16"}, {"at", "4"}});
  context.give(*stage, tcp_frame(context.pool(), ack, 0, {.payload = Buffer(10)}));
  EXPECT_EQ(context.touches.at(0).detail, "bytes 70-71, payload 4: 0000 -> fffe");
  EXPECT_FALSE(checksums_right(*context.passed.at(0).frame));
}

TEST(CorruptStage, OnlyFramesThatHaveTheBytesAreCountedAndTheOthersPassWhole) {
  StageTestContext context;
  const auto stage = stage_of("corrupt", {{"at", "50"}, {"nth", "2"}});
  std::vector<Buffer> given;
  for (const std::size_t len : {100U, 50U, 0U, 51U, 100U}) {
    auto frame = tcp_frame(context.pool(), ack, len);
    given.push_back(bytes_of(*frame));
    context.give(*stage, std::move(frame));
  }
  ASSERT_EQ(context.passed.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(bytes_of(*context.passed[i].frame) == given[i], i != 3) << i;
  }
  EXPECT_EQ(context.touches.size(), 1U);
}

TEST(CorruptStage, SameSeedSameDamageAndAnyLengthSurvives) {
  const auto details = [](std::uint64_t seed) {
    StageTestContext context(seed);
    const auto stage = stage_of("corrupt", {{"bits", "128"}});
    for (std::uint32_t len = 0; len <= 200; ++len) {
      auto frame = tcp_frame(context.pool(), ack, 134);
      frame->len = len;
      context.give(*stage, std::move(frame));
    }
    EXPECT_EQ(context.passed.size(), 201U);
    std::string all;
    for (const auto& touch : context.touches) all += touch.detail + "\n";
    return all;
  };
  EXPECT_NE(details(1), "");
  EXPECT_EQ(details(1), details(1));
  EXPECT_NE(details(1), details(2));
  EXPECT_NE(complaint_of("corrupt", {{"bits", "0"}}), "");
  EXPECT_NE(complaint_of("corrupt", {{"at", "middle"}}), "");
}

/// How many of `frames` frames with `payload` bytes are hit, and the bits hit in all.
struct Hits {
  int frames = 0, bits = 0;
};
Hits hits_of(const Keys& keys, std::size_t payload, int frames) {
  StageTestContext context;
  const auto stage = stage_of("bit-errors", keys);
  const auto model = tcp_frame(context.pool(), ack, payload);
  const auto before = bytes_of(*model);
  Hits hits;
  for (int i = 0; i < frames; ++i) {
    context.give(*stage, context.pool().copy(*model));
    const auto difference = compare(before, bytes_of(*context.passed.back().frame));
    hits.frames += difference.bits > 0;
    hits.bits += difference.bits;
    if (!difference.offsets.empty()) {
      EXPECT_GE(difference.offsets[0], 14U);
    }
    context.passed.clear();
  }
  EXPECT_EQ(context.touches.size(), static_cast<std::size_t>(hits.frames));
  return hits;
}

TEST(BitErrorsStage, LongPacketsAreHitMoreOftenByTheFormula) {
  // 1-(1-1e-5)^12000 = 11.3 %, 1-(1-1e-5)^416 = 0.42 %.
  EXPECT_NEAR(hits_of({{"rate", "1e-5"}}, 1448, 10'000).frames, 1131, 100);
  EXPECT_NEAR(hits_of({{"rate", "1e-5"}}, 0, 10'000).frames, 42, 20);
  // Several in one packet: 0.002 of 12000 bits.
  EXPECT_NEAR(hits_of({{"rate", "0.2%"}}, 1448, 500).bits, 12'000, 400);
}

TEST(BitErrorsStage, SaysWhichBytesAndLeavesOtherFramesAlone) {
  StageTestContext context;
  const auto stage = stage_of("bit-errors", {{"rate", "20%"}, {"only", "data"}});
  context.give(*stage, tcp_frame(context.pool(), ack, 0));
  EXPECT_TRUE(checksums_right(*context.passed.at(0).frame));
  EXPECT_TRUE(context.touches.empty());
  context.give(*stage, tcp_frame(context.pool(), ack, 100));
  ASSERT_EQ(context.touches.size(), 1U);
  EXPECT_TRUE(context.touches[0].detail.starts_with("byte "));
  EXPECT_NE(context.touches[0].detail.find(" more"), std::string::npos);
}

TEST(BitErrorsStage, SurvivesAnyLengthAndRefusesSenselessRates) {
  StageTestContext context;
  const auto stage = stage_of("bit-errors", {{"rate", "1%"}});
  for (std::uint32_t len = 0; len <= 100; ++len) {
    auto frame = tcp_frame(context.pool(), ack, 34);
    frame->len = len;
    context.give(*stage, std::move(frame));
  }
  EXPECT_EQ(context.passed.size(), 101U);
  EXPECT_NE(complaint_of("bit-errors", {}), "");
  EXPECT_NE(complaint_of("bit-errors", {{"rate", "0"}}), "");
  EXPECT_NE(complaint_of("bit-errors", {{"rate", "1"}}), "");
}

}  // namespace
}  // namespace slowpath::test

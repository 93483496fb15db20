// SPDX-License-Identifier: Apache-2.0
// Broken sending NICs: what they do to super-frames and to checksums left to them.
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "support/lab/stage_test_context.h"

namespace slowpath::test {
namespace {

Buffer bytes_of(const lab::Frame& frame) { return {frame.bytes().begin(), frame.bytes().end()}; }

TEST(TsoDropStage, DropsSuperFramesOnly) {
  StageTestContext context;
  const auto stage = stage_of("tso-drop");
  context.give(*stage, tcp_frame(context.pool(), ack, 1448, {.partial_checksum = true}));
  context.give(*stage, super_frame(context.pool(), 2896));
  context.give(*stage, super_frame(context.pool(), 2896, 1428, {.ipv6 = true}));
  context.give(*stage, tcp_frame(context.pool(), ack, 0));
  EXPECT_EQ(context.passed.size(), 2U);
  EXPECT_TRUE(context.touches.empty());
  ASSERT_EQ(context.dropped.size(), 2U);
  EXPECT_EQ(context.dropped[0].why, "large send not segmented");
}

TEST(TsoDropStage, AboveIsTheSizeOfTheIpPacket) {
  StageTestContext context;
  const auto stage = stage_of("tso-drop", {{"above", "10000"}});
  context.give(*stage, super_frame(context.pool(), 10000 - 52));
  EXPECT_TRUE(context.dropped.empty());
  context.give(*stage, super_frame(context.pool(), 10000 - 51));
  EXPECT_EQ(context.dropped.size(), 1U);
}

TEST(TsoDropStage, ThePredicateCountsWhatItCouldDrop) {
  StageTestContext context;
  const auto stage = stage_of("tso-drop", {{"nth", "2"}});
  context.give(*stage, super_frame(context.pool(), 4000, 1448, {.seq = 1}));
  context.give(*stage, tcp_frame(context.pool(), ack, 100, {.seq = 2}));
  context.give(*stage, super_frame(context.pool(), 4000, 1448, {.seq = 3}));
  context.give(*stage, super_frame(context.pool(), 4000, 1448, {.seq = 4}));
  ASSERT_EQ(context.dropped.size(), 1U);
  EXPECT_EQ(lab::view(*context.dropped[0].frame).sequence, 3U);
}

TEST(TsoWholeStage, ASuperFrameBecomesOnePlainPacketWithRightChecksums) {
  for (const bool ipv6 : {false, true}) {
    StageTestContext context;
    const auto stage = stage_of("tso-whole");
    auto frame = super_frame(context.pool(), 2908, 1448, {.ipv6 = ipv6});
    // Some kernels leave the length of large sends to the NIC.
    const std::size_t length_field = ipv6 ? 18 : 16;
    frame->data[length_field] = frame->data[length_field + 1] = std::byte{0};
    context.give(*stage, std::move(frame));
    const auto& after = *context.passed.at(0).frame;
    EXPECT_FALSE(after.is_super_frame());
    EXPECT_FALSE(after.vnet.needs_checksum());
    EXPECT_EQ(after.vnet.gso_size, 0);
    EXPECT_TRUE(checksums_right(after));
    EXPECT_EQ(lab::view(after).payload_len, 2908U);
    ASSERT_EQ(context.touches.size(), 1U);
    EXPECT_EQ(context.touches[0].detail,
              ipv6 ? "2980 bytes of IP in one packet" : "2960 bytes of IP in one packet");
  }
}

TEST(TsoWholeStage, OtherFramesPassAsTheyAre) {
  StageTestContext context;
  const auto stage = stage_of("tso-whole");
  auto frame = tcp_frame(context.pool(), ack, 1448, {.partial_checksum = true});
  const auto before = bytes_of(*frame);
  context.give(*stage, std::move(frame));
  EXPECT_EQ(bytes_of(*context.passed.at(0).frame), before);
  EXPECT_TRUE(context.passed[0].frame->vnet.needs_checksum());
  EXPECT_TRUE(context.touches.empty());
}

TEST(TsoWholeStage, TheLargestFrameThatFitsKeepsARightLength) {
  StageTestContext context;
  const auto stage = stage_of("tso-whole");
  context.give(*stage, super_frame(context.pool(), 65535 - 52));
  EXPECT_TRUE(checksums_right(*context.passed.at(0).frame));
}

TEST(CsumSkipStage, ThePartialSumStaysWhereTheNicWasToCompleteIt) {
  StageTestContext context;
  const auto stage = stage_of("csum-skip");
  auto frame = tcp_frame(context.pool(), ack, 300, {.partial_checksum = true});
  const auto before = bytes_of(*frame);
  context.give(*stage, std::move(frame));
  const auto& after = *context.passed.at(0).frame;
  EXPECT_EQ(bytes_of(after), before);
  EXPECT_FALSE(after.vnet.needs_checksum());
  EXPECT_TRUE(after.leave_checksum);
  EXPECT_FALSE(checksums_right(after));
  EXPECT_EQ(context.touches.size(), 1U);
}

TEST(CsumSkipStage, ASuperFrameKeepsItsHeaderAndAsksSegmentationToSkip) {
  StageTestContext context;
  const auto stage = stage_of("csum-skip");
  context.give(*stage, super_frame(context.pool(), 4000));
  const auto& after = *context.passed.at(0).frame;
  EXPECT_TRUE(after.is_super_frame());
  EXPECT_TRUE(after.vnet.needs_checksum());
  EXPECT_TRUE(after.leave_checksum);
}

TEST(CsumSkipStage, ChecksumsOfTheSenderAreOutOfReach) {
  StageTestContext context;
  const auto stage = stage_of("csum-skip", {{"nth", "1"}});
  context.give(*stage, tcp_frame(context.pool(), ack, 300));
  EXPECT_FALSE(context.passed.at(0).frame->leave_checksum);
  EXPECT_TRUE(checksums_right(*context.passed[0].frame));
  EXPECT_TRUE(context.touches.empty());
  // It was not counted as the first.
  context.give(*stage, tcp_frame(context.pool(), ack, 300, {.partial_checksum = true}));
  EXPECT_TRUE(context.passed.at(1).frame->leave_checksum);
}

TEST(CorruptBeforeCsumStage, TheChecksumVouchesForTheDamage) {
  for (const bool partial : {false, true}) {
    StageTestContext context;
    const auto stage = stage_of("corrupt-before-csum", {{"at", "10"}});
    auto frame = tcp_frame(context.pool(), ack, 300, {.partial_checksum = partial});
    auto before = payload_of(*frame);
    context.give(*stage, std::move(frame));
    const auto& after = *context.passed.at(0).frame;
    before[10] ^= std::byte{0x80};
    EXPECT_EQ(payload_of(after), before);
    EXPECT_TRUE(checksums_right(after));
    EXPECT_EQ(after.vnet.needs_checksum(), partial);
    ASSERT_EQ(context.touches.size(), 1U);
    EXPECT_TRUE(context.touches[0].detail.starts_with("byte 76, payload 10: "));
  }
}

TEST(CorruptBeforeCsumStage, UdpTooButNeitherFragmentsNorIcmpNorEmptyFrames) {
  StageTestContext context;
  const auto stage = stage_of("corrupt-before-csum");
  context.give(*stage, udp_frame(context.pool(), 40, {.ipv6 = true}));
  EXPECT_TRUE(checksums_right(*context.passed.at(0).frame));
  EXPECT_EQ(context.touches.size(), 1U);
  context.give(*stage, fragment_frame(context.pool(), 0, true, 80));
  context.give(*stage, fragment_frame(context.pool(), 80, false, 80));
  context.give(*stage, echo_frame(context.pool(), 40));
  context.give(*stage, tcp_frame(context.pool(), ack, 0));
  EXPECT_EQ(context.touches.size(), 1U);
  EXPECT_EQ(context.passed.size(), 5U);
}

TEST(CorruptSuperStage, OnlyLargeSendsAboveTheSizeAreDamaged) {
  StageTestContext context;
  const auto stage = stage_of("corrupt-super", {{"above", "24KiB"}});
  context.give(*stage, tcp_frame(context.pool(), ack, 1448, {.partial_checksum = true}));
  context.give(*stage, super_frame(context.pool(), 24 * 1024 - 52));
  EXPECT_TRUE(context.touches.empty());
  auto large = super_frame(context.pool(), 24 * 1024 - 51);
  const auto before = payload_of(*large);
  context.give(*stage, std::move(large));
  const auto& after = *context.passed.at(2).frame;
  EXPECT_NE(payload_of(after), before);
  EXPECT_TRUE(checksums_right(after));
  EXPECT_TRUE(after.is_super_frame());
  EXPECT_EQ(context.touches.size(), 1U);
}

TEST(MtuDropTxStage, JudgesByWhatWouldBeOnTheWire) {
  StageTestContext context;
  const auto stage = stage_of("mtu-drop-tx", {{"above", "1400"}});
  context.give(*stage, tcp_frame(context.pool(), ack, 1400 - 52));
  context.give(*stage, super_frame(context.pool(), 20'000, 1400 - 52));
  EXPECT_TRUE(context.dropped.empty());
  context.give(*stage, tcp_frame(context.pool(), ack, 1400 - 51));
  context.give(*stage, super_frame(context.pool(), 20'000, 1400 - 51));
  EXPECT_EQ(context.dropped.size(), 2U);
  EXPECT_EQ(context.passed.size(), 2U);
  EXPECT_NE(complaint_of("mtu-drop-tx", {}), "");
}

TEST(NicTxStages, SurviveFramesOfAnyLengthAndHeadersThatLie) {
  const std::map<std::string, std::map<std::string, std::string>> kinds{
      {"tso-drop", {}},      {"tso-whole", {}},
      {"csum-skip", {}},     {"corrupt-before-csum", {}},
      {"corrupt-super", {}}, {"mtu-drop-tx", {{"above", "40"}}}};
  for (const auto& [kind, keys] : kinds) {
    for (const bool ipv6 : {false, true}) {
      StageTestContext context;
      const auto stage = stage_of(kind, keys);
      for (std::uint32_t len = 0; len <= 200; ++len) {
        auto frame = super_frame(context.pool(), 300, 100, {.ipv6 = ipv6});
        frame->len = len;
        context.give(*stage, std::move(frame));
      }
      EXPECT_EQ(context.passed.size() + context.dropped.size(), 201U) << kind;
    }
  }
}

}  // namespace
}  // namespace slowpath::test

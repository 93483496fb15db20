// SPDX-License-Identifier: Apache-2.0
// Broken receiving NICs: checksums trusted or mistrusted, rings and queues that overflow.
#include <array>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "support/lab/stage_test_context.h"

namespace slowpath::test {
namespace {

using namespace std::chrono_literals;

Buffer bytes_of(const lab::Frame& frame) { return {frame.bytes().begin(), frame.bytes().end()}; }

TEST(RxCsumTrustStage, HandsUpPartialChecksumsAndNotesTheBadOnes) {
  for (const bool ipv6 : {false, true}) {
    StageTestContext context;
    const auto stage = stage_of("rx-csum-trust");
    auto good = tcp_frame(context.pool(), ack, 101, {.ipv6 = ipv6});
    const auto id_of_good = good->id;
    const auto payload = payload_of(*good);
    context.give(*stage, std::move(good));
    auto bad = tcp_frame(context.pool(), ack, 101, {.ipv6 = ipv6});
    bad->data[bad->len - 1] ^= std::byte{4};
    const auto damaged = payload_of(*bad);
    context.give(*stage, std::move(bad));

    ASSERT_EQ(context.passed.size(), 2U);
    for (const auto& one : context.passed) {
      EXPECT_TRUE(one.frame->vnet.needs_checksum());
      EXPECT_EQ(one.frame->vnet.csum_offset, 16);
      EXPECT_EQ(one.frame->vnet.csum_start, ipv6 ? 54 : 34);
      EXPECT_TRUE(checksums_right(*one.frame));  // as partial ones
    }
    EXPECT_EQ(payload_of(*context.passed[0].frame), payload);
    EXPECT_EQ(payload_of(*context.passed[1].frame), damaged);
    ASSERT_EQ(context.touches.size(), 1U);
    EXPECT_NE(context.touches[0].frame_id, id_of_good);
    EXPECT_EQ(context.touches[0].what, "bad checksum accepted");
  }
}

TEST(RxCsumTrustStage, WhatHasNoTransportChecksumPassesAsItIs) {
  StageTestContext context;
  const auto stage = stage_of("rx-csum-trust");
  context.give(*stage, udp_frame(context.pool(), 33));
  EXPECT_TRUE(context.passed.back().frame->vnet.needs_checksum());
  EXPECT_EQ(context.passed.back().frame->vnet.csum_offset, 6);
  EXPECT_TRUE(checksums_right(*context.passed.back().frame));

  auto unchecked = udp_frame(context.pool(), 33);
  unchecked->data[40] = unchecked->data[41] = std::byte{0};
  auto fragment = fragment_frame(context.pool(), 0, true, 80);
  auto echo = echo_frame(context.pool(), 20);
  for (auto* frame : {&unchecked, &fragment, &echo}) {
    const auto before = bytes_of(**frame);
    context.give(*stage, std::move(*frame));
    EXPECT_EQ(bytes_of(*context.passed.back().frame), before);
    EXPECT_FALSE(context.passed.back().frame->vnet.needs_checksum());
  }
  EXPECT_TRUE(context.touches.empty());
}

TEST(CsumVerifyBadStage, DropsGoodFramesThatAreChosen) {
  StageTestContext context;
  const auto stage = stage_of("csum-verify-bad", {{"every", "3"}});
  for (std::uint32_t i = 1; i <= 6; ++i) {
    context.give(*stage, echo_frame(context.pool(), 20));  // not counted
    context.give(*stage, tcp_frame(context.pool(), ack, 100, {.seq = i}));
  }
  ASSERT_EQ(context.dropped.size(), 2U);
  EXPECT_EQ(lab::view(*context.dropped[0].frame).sequence, 3U);
  EXPECT_EQ(lab::view(*context.dropped[1].frame).sequence, 6U);
  EXPECT_TRUE(checksums_right(*context.dropped[0].frame));
  EXPECT_EQ(context.passed.size(), 10U);
}

TEST(RingDropStage, ABurstLongerThanTheRingOverflows) {
  StageTestContext context;
  const auto stage = stage_of("ring-drop", {{"ring", "8"}, {"pps", "10000"}});
  const auto begin = context.now();
  const auto burst = [&](int frames) {
    const auto before = context.dropped.size();
    for (int i = 0; i < frames; ++i) context.give(*stage, tcp_frame(context.pool(), ack, 10));
    return context.dropped.size() - before;
  };
  EXPECT_EQ(burst(10), 2U);
  ASSERT_EQ(context.passed.size(), 8U);
  EXPECT_EQ(context.passed[0].due, begin + 100us);
  EXPECT_EQ(context.passed[7].due, begin + 800us);
  EXPECT_EQ(context.dropped[0].why, "receive ring full");
  context.set_now(begin + 200us);
  EXPECT_EQ(burst(3), 1U);
  context.set_now(begin + 1s);
  for (int i = 0; i < 100; ++i) {  // as fast as it is emptied: never full
    context.set_now(context.now() + 100us);
    EXPECT_EQ(burst(1), 0U);
  }
  EXPECT_NE(complaint_of("ring-drop", {}), "");
  EXPECT_NE(complaint_of("ring-drop", {{"pps", "0"}}), "");
}

/// Frames that pass when 40 flows send one each at once into queues of 5.
std::size_t passed_of(const char* used) {
  StageTestContext context;
  const auto stage =
      stage_of("rss-one-queue", {{"used", used}, {"queues", "8"}, {"ring", "5"}, {"pps", "1000"}});
  for (std::uint16_t flow = 0; flow < 40; ++flow) {
    const auto port = static_cast<std::uint16_t>(40000 + flow);
    context.give(*stage, tcp_frame(context.pool(), ack, 10, {.destination_port = port}));
  }
  EXPECT_EQ(context.passed.size() + context.dropped.size(), 40U);
  return context.passed.size();
}

TEST(RssOneQueueStage, OneQueueServesAllFlowsWhereSeveralWouldShare) {
  EXPECT_EQ(passed_of("1"), 5U);
  EXPECT_EQ(passed_of("2"), 10U);
  EXPECT_GE(passed_of("8"), 25U);
}

TEST(RssOneQueueStage, AFlowStaysInItsQueueAndInOrder) {
  StageTestContext context;
  const auto stage = stage_of("rss-one-queue", {{"used", "4"}, {"pps", "1000"}});
  const auto begin = context.now();
  for (std::uint32_t i = 1; i <= 5; ++i) {
    context.give(*stage, tcp_frame(context.pool(), ack, 10, {.seq = i}));
  }
  for (std::uint32_t i = 1; i <= 5; ++i) {
    EXPECT_EQ(context.passed[i - 1].due, begin + i * 1ms);
    EXPECT_EQ(lab::view(*context.passed[i - 1].frame).sequence, i);
  }
  EXPECT_NE(complaint_of("rss-one-queue", {{"pps", "1000"}, {"used", "5"}}), "");
}

TEST(FragmentMixupStage, FragmentsOfPacketsThatAreFarApartGetTheSameIdentification) {
  StageTestContext context;
  const auto stage = stage_of("fragment-mixup", {{"ids", "4"}});
  for (const std::uint16_t id : std::array<std::uint16_t, 3>{1001, 1002, 1005}) {
    context.give(*stage, fragment_frame(context.pool(), 0, true, 80, {.ip_id = id}));
    context.give(*stage, fragment_frame(context.pool(), 88, false, 80, {.ip_id = id}));
  }
  ASSERT_EQ(context.passed.size(), 6U);
  const auto id_of = [&](std::size_t i) { return lab::view(*context.passed[i].frame).ip_id; };
  EXPECT_EQ(id_of(0), id_of(1));
  EXPECT_EQ(id_of(0), id_of(4));
  EXPECT_EQ(id_of(1), id_of(5));
  EXPECT_NE(id_of(0), id_of(2));
  for (const auto& one : context.passed) EXPECT_TRUE(checksums_right(*one.frame));
  ASSERT_EQ(context.touches.size(), 6U);
  EXPECT_EQ(context.touches[4].detail, "1005 -> 1");
}

TEST(FragmentMixupStage, Ipv6TooAndWholePacketsNever) {
  StageTestContext context;
  const auto stage = stage_of("fragment-mixup", {{"ids", "3"}});
  auto fragment = fragment_frame(context.pool(), 88, false, 80, {.ip_id = 11, .ipv6 = true});
  const auto before = bytes_of(*fragment);
  context.give(*stage, std::move(fragment));
  auto after = bytes_of(*context.passed.at(0).frame);
  EXPECT_EQ(lab::view(*context.passed[0].frame).ip_id, 2);
  after[14 + 40 + 7] = std::byte{11};  // the identification alone changed
  EXPECT_EQ(after, before);

  auto whole = udp_frame(context.pool(), 80, {.ip_id = 11});
  const auto untouched = bytes_of(*whole);
  context.give(*stage, std::move(whole));
  EXPECT_EQ(bytes_of(*context.passed.at(1).frame), untouched);
  EXPECT_EQ(context.touches.size(), 1U);
}

TEST(NicRxStages, SurviveFramesOfAnyLength) {
  const std::map<std::string, std::map<std::string, std::string>> kinds{
      {"rx-csum-trust", {}},
      {"csum-verify-bad", {}},
      {"fragment-mixup", {}},
      {"ring-drop", {{"pps", "1000"}}},
      {"rss-one-queue", {{"pps", "1000"}}}};
  for (const auto& [kind, keys] : kinds) {
    for (const bool ipv6 : {false, true}) {
      StageTestContext context;
      const auto stage = stage_of(kind, keys);
      for (std::uint32_t len = 0; len <= 150; ++len) {
        auto frame = len % 3 == 0   ? tcp_frame(context.pool(), ack, 100, {.ipv6 = ipv6})
                     : len % 3 == 1 ? udp_frame(context.pool(), 200, {.ipv6 = ipv6})
                                    : fragment_frame(context.pool(), 8, true, 200, {.ipv6 = ipv6});
        frame->len = len;
        context.give(*stage, std::move(frame));
      }
      EXPECT_EQ(context.passed.size() + context.dropped.size(), 151U) << kind;
    }
  }
}

}  // namespace
}  // namespace slowpath::test

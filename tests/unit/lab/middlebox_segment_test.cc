// SPDX-License-Identifier: Apache-2.0
// Boxes that look at single segments: ECN, Fast Open, payload, timestamps, and forged resets.
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/packet_edit.h"
#include "support/lab/stage_test_context.h"
#include "wire/packet.h"

namespace slowpath::test {
namespace {

using lab::FramePtr;
using lab::view;

Buffer bytes_of(const lab::Frame& frame) { return {frame.data, frame.data + frame.len}; }

/// ECN field of an IP header.
unsigned ecn_of(const lab::Frame& frame) {
  const std::byte* ip = frame.data + 14;
  return load_u8(ip) >> 4U == 4 ? load_u8(ip + 1) & 3U : (load_be16(ip) >> 4U) & 3U;
}

TEST(EcnBleach, ClearsTheFieldAndKeepsTheRestOfTheTos) {
  for (const bool ipv6 : {false, true}) {
    for (const std::uint8_t tos : std::vector<std::uint8_t>{0xb9, 0xba, 0xbb}) {
      StageTestContext context;
      auto stage = stage_of("ecn-bleach");
      context.give(*stage, tcp_frame(context.pool(), ack, 100, {.tos = tos, .ipv6 = ipv6}));
      const auto expected = tcp_frame(context.pool(), ack, 100, {.tos = 0xb8, .ipv6 = ipv6});
      ASSERT_EQ(context.passed.size(), 1U);
      EXPECT_EQ(bytes_of(*context.passed[0].frame), bytes_of(*expected));
      EXPECT_TRUE(checksums_right(*context.passed[0].frame));
      EXPECT_EQ(context.touches.size(), 1U);
    }
  }
}

TEST(EcnBleach, ForgesMarksOnlyOnEctPackets) {
  StageTestContext context;
  auto stage = stage_of("ecn-bleach", {{"mark", "ce"}});
  context.give(*stage, tcp_frame(context.pool(), ack, 100, {.tos = 2}));
  context.give(*stage, tcp_frame(context.pool(), ack, 100, {.tos = 0}));
  context.give(*stage, tcp_frame(context.pool(), ack, 100, {.tos = 3}));
  const auto frames = context.take_passed();
  EXPECT_EQ(ecn_of(*frames[0]), 3U);
  EXPECT_TRUE(checksums_right(*frames[0]));
  EXPECT_EQ(ecn_of(*frames[1]), 0U);
  EXPECT_EQ(context.touches.size(), 1U);
}

TEST(EcnBleach, ClearsTheSetupOnlyIfAskedTo) {
  const auto flags_after = [](std::map<std::string, std::string> keys, Flags flags) {
    StageTestContext context;
    auto stage = stage_of("ecn-bleach", std::move(keys));
    context.give(*stage, tcp_frame(context.pool(), flags, 0));
    EXPECT_TRUE(checksums_right(*context.passed.at(0).frame));
    return int{view(*context.passed.at(0).frame).tcp_flags};
  };
  EXPECT_EQ(flags_after({{"syn", "true"}}, syn | ece | cwr), wire::kSyn);
  EXPECT_EQ(flags_after({{"syn", "true"}}, syn | ack | ece), wire::kSyn | wire::kAck);
  EXPECT_EQ(flags_after({{"syn", "true"}}, ack | ece), wire::kAck | wire::kEce);
  EXPECT_EQ(flags_after({}, syn | ece | cwr), wire::kSyn | wire::kEce | wire::kCwr);
}

TEST(EcnSynDrop, DropsOnlyTheSetup) {
  StageTestContext context;
  auto stage = stage_of("ecn-syn-drop");
  context.give(*stage, tcp_frame(context.pool(), syn | ece | cwr, 0));
  EXPECT_EQ(context.dropped.size(), 1U);
  for (const Flags flags : {syn, syn | ack | ece, ack | ece | cwr}) {
    context.give(*stage, tcp_frame(context.pool(), flags, 0));
  }
  EXPECT_EQ(context.passed.size(), 3U);
}

TEST(TfoDrop, DropsSynsWithDataOrCookie) {
  StageTestContext context;
  auto stage = stage_of("tfo-drop");
  context.give(*stage, tcp_frame(context.pool(), syn, 100));
  auto asking = packet();
  asking.ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(syn, mss(1460), option(34, {})).payload(0);
  context.give(*stage, frame_of(context.pool(), asking));
  EXPECT_EQ(context.dropped.size(), 2U);
  context.give(*stage, syn_frame(context.pool()));
  context.give(*stage, tcp_frame(context.pool(), ack, 100));
  EXPECT_EQ(context.passed.size(), 2U);
}

/// Positions at which two buffers of the same length differ.
std::vector<std::size_t> differences(const Buffer& a, const Buffer& b) {
  std::vector<std::size_t> found;
  EXPECT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] != b[i]) found.push_back(i);
  }
  return found;
}

TEST(PayloadRewrite, ChangesThePayloadUnderAGoodChecksum) {
  for (const bool ipv6 : {false, true}) {
    StageTestContext context;
    auto stage = stage_of("payload-rewrite", {{"at", "301"}, {"bytes", "3"}});
    const auto before = tcp_frame(context.pool(), ack, 1000, {.ipv6 = ipv6});
    context.give(*stage, tcp_frame(context.pool(), ack, 1000, {.ipv6 = ipv6}));
    const auto& after = *context.passed.at(0).frame;
    EXPECT_TRUE(checksums_right(after));
    EXPECT_THAT(differences(payload_of(*before), payload_of(after)),
                testing::ElementsAre(301, 302, 303));
    ASSERT_EQ(context.touches.size(), 1U);
    EXPECT_THAT(context.touches[0].detail, testing::HasSubstr("byte 301: "));
  }
}

TEST(PayloadRewrite, SameSeedSamePlacesAndChoices) {
  const auto run = [](std::uint64_t seed) {
    StageTestContext context(seed);
    auto stage = stage_of("payload-rewrite", {{"probability", "30%"}});
    for (int i = 0; i < 100; ++i) context.give(*stage, tcp_frame(context.pool(), ack, 1000));
    std::vector<Buffer> all;
    for (const auto& one : context.passed) {
      EXPECT_TRUE(checksums_right(*one.frame));
      all.push_back(bytes_of(*one.frame));
    }
    EXPECT_GT(context.touches.size(), 10U);
    EXPECT_LT(context.touches.size(), 60U);
    return all;
  };
  EXPECT_EQ(run(3), run(3));
  EXPECT_NE(run(3), run(4));
}

TEST(PayloadRewrite, WorksOnDatagramsAndAtTheEnd) {
  StageTestContext context;
  auto stage = stage_of("payload-rewrite", {{"at", "5000"}, {"bytes", "4"}});
  const auto before = udp_frame(context.pool(), 3);
  context.give(*stage, udp_frame(context.pool(), 3));
  EXPECT_TRUE(checksums_right(*context.passed.at(0).frame));
  EXPECT_EQ(differences(payload_of(*before), payload_of(*context.passed[0].frame)).size(), 3U);
  context.give(*stage, tcp_frame(context.pool(), ack, 0));  // nothing to change
  context.give(*stage, fragment_frame(context.pool(), 0, true, 800));
  EXPECT_EQ(context.touches.size(), 1U);
  EXPECT_EQ(context.passed.size(), 3U);
}

FramePtr stamped(StageTestContext& context, Flags flags, std::uint32_t value,
                 const char* from = "10.0.0.1") {
  auto built = packet();
  built.ethernet().ipv4(from, "10.0.0.2").tcp(flags, timestamps(value, 0)).payload(0);
  return frame_of(context.pool(), built);
}

TEST(PawsDrop, DropsSynsOfASlowerClockBehindOneAddress) {
  StageTestContext context;
  auto stage = stage_of("paws-drop");
  context.give(*stage, stamped(context, syn, 5000));
  context.give(*stage, stamped(context, ack, 4000));  // no SYN: passes, and moves no clock
  context.give(*stage, stamped(context, syn, 5000));  // equal
  context.give(*stage, stamped(context, syn, 1, "10.0.0.3"));
  EXPECT_EQ(context.passed.size(), 4U);
  context.give(*stage, stamped(context, syn, 4999));
  EXPECT_EQ(context.dropped.size(), 1U);
  context.advance(*stage, std::chrono::seconds{61});
  context.give(*stage, stamped(context, syn, 4999));
  EXPECT_EQ(context.passed.size(), 5U);
}

TEST(PawsDrop, MayJudgeEverySegmentAndKnowsThatClocksWrap) {
  StageTestContext context;
  auto stage = stage_of("paws-drop", {{"what", "all"}});
  context.give(*stage, stamped(context, ack, 0xfffffff0));
  context.give(*stage, stamped(context, ack, 5));
  EXPECT_EQ(context.passed.size(), 2U);
  context.give(*stage, stamped(context, ack, 0xfffffff0));
  EXPECT_EQ(context.dropped.size(), 1U);
}

TEST(RstInject, ForgesOnceTowardsBothEnds) {
  for (const bool ipv6 : {false, true}) {
    StageTestContext context;
    auto stage = stage_of("rst-inject", {{"after_bytes", "2000"}, {"ttl", "99"}});
    const auto data = [&](std::uint32_t seq, std::size_t len) {
      return tcp_frame(context.pool(), ack, len, {.seq = seq, .ack = 7777, .ipv6 = ipv6});
    };
    context.give(*stage, syn_frame(context.pool(), false, {.ipv6 = ipv6}));
    context.give(*stage, data(1000, 1000));
    context.give(*stage, data(2000, 1000));
    EXPECT_TRUE(context.touches.empty());
    context.passed.clear();
    context.give(*stage, data(3000, 1000));
    ASSERT_EQ(context.passed.size(), 2U);
    ASSERT_EQ(context.answered.size(), 1U);
    EXPECT_EQ(context.touches.size(), 2U);

    const auto& forward = *context.passed[1].frame;  // behind the data
    EXPECT_TRUE(checksums_right(forward));
    EXPECT_EQ(view(forward).tcp_flags, wire::kRst);
    EXPECT_EQ(view(forward).sequence, 4000U);
    EXPECT_EQ(view(forward).source_port, 5001);
    const auto& back = *context.answered[0];
    EXPECT_TRUE(checksums_right(back));
    EXPECT_EQ(view(back).sequence, 7777U);
    EXPECT_EQ(view(back).source_port, 40000);
    for (const auto* each : {&forward, &back}) {
      EXPECT_EQ(load_u8(each->data + 14 + (ipv6 ? 7 : 8)), 99);  // TTL or hop limit
    }

    context.give(*stage, data(4000, 1000));
    EXPECT_EQ(context.passed.size(), 3U);
    EXPECT_EQ(context.answered.size(), 1U);
  }
}

TEST(RstInject, GoesOneWayIfAskedTo) {
  StageTestContext context;
  auto to_sender = stage_of("rst-inject", {{"to", "sender"}});
  context.give(*to_sender, tcp_frame(context.pool(), ack, 100));
  EXPECT_EQ(context.passed.size(), 1U);
  EXPECT_EQ(context.answered.size(), 1U);
  auto to_receiver = stage_of("rst-inject", {{"to", "receiver"}});
  context.give(*to_receiver, tcp_frame(context.pool(), ack, 100));
  EXPECT_EQ(context.passed.size(), 3U);
  EXPECT_EQ(context.answered.size(), 1U);
}

TEST(RuleStage, CountsBytesThatAreNoneOfItsBusiness) {
  StageTestContext context;
  auto stage = stage_of("ecn-bleach", {{"after_bytes", "1000"}});
  context.give(*stage, tcp_frame(context.pool(), ack, 100, {.tos = 2}));
  context.give(*stage, tcp_frame(context.pool(), ack, 900));
  context.give(*stage, tcp_frame(context.pool(), ack, 100, {.tos = 2}));
  const auto frames = context.take_passed();
  EXPECT_EQ(ecn_of(*frames[0]), 2U);
  EXPECT_EQ(ecn_of(*frames[2]), 0U);
}

}  // namespace
}  // namespace slowpath::test

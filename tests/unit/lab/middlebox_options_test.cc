// SPDX-License-Identifier: Apache-2.0
// Boxes that strip or rewrite TCP options: the option is as said, all else and the checksums are as
// they were.
#include <array>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/packet_edit.h"
#include "support/lab/stage_test_context.h"

namespace slowpath::test {
namespace {

using lab::FramePtr;
using lab::view;

using Keys = std::map<std::string, std::string>;

/// Gives one frame to a stage of that kind and returns it as passed on, checksums judged.
FramePtr through(StageTestContext& context, const char* kind, const Keys& keys, FramePtr frame) {
  auto stage = stage_of(kind, keys);
  context.give(*stage, std::move(frame));
  auto passed = context.take_passed();
  EXPECT_EQ(passed.size(), 1U);
  EXPECT_TRUE(context.dropped.empty());
  EXPECT_TRUE(checksums_right(*passed.front()));
  return std::move(passed.front());
}

std::uint16_t option_at(const FramePtr& frame, std::uint8_t kind) {
  return lab::find_tcp_option(*frame, view(*frame), kind);
}

Buffer bytes_of(const lab::Frame& frame) { return {frame.data, frame.data + frame.len}; }

struct StripCase {
  const char* kind;
  std::uint8_t option;
};

class OptionStrip : public testing::TestWithParam<StripCase> {};

TEST_P(OptionStrip, BlanksItsOptionAndNoOther) {
  for (const bool ipv6 : {false, true}) {
    for (const bool with_ack : {false, true}) {
      StageTestContext context;
      const auto out = through(context, GetParam().kind, {},
                               syn_frame(context.pool(), with_ack, {.ipv6 = ipv6}));
      for (const std::uint8_t kind : std::array<std::uint8_t, 4>{2, 3, 4, 8}) {
        EXPECT_EQ(option_at(out, kind) == 0, kind == GetParam().option) << int{kind};
      }
      EXPECT_EQ(context.touches.size(), 1U);
    }
  }
}

TEST_P(OptionStrip, LeavesAPartialChecksumPartial) {
  StageTestContext context;
  const auto out = through(context, GetParam().kind, {},
                           syn_frame(context.pool(), false, {.partial_checksum = true}));
  EXPECT_TRUE(out->vnet.needs_checksum());
}

TEST_P(OptionStrip, NarrowedToSynAcksLetsSynsBe) {
  StageTestContext context;
  const auto frame = syn_frame(context.pool());
  const auto out =
      through(context, GetParam().kind, {{"only", "synack"}}, syn_frame(context.pool()));
  EXPECT_EQ(bytes_of(*out), bytes_of(*frame));
  EXPECT_TRUE(context.touches.empty());
}

TEST_P(OptionStrip, LetsOtherFramesBe) {
  StageTestContext context;
  const Look plain{.with_timestamps = false};
  const auto data = tcp_frame(context.pool(), ack, 100, plain);
  EXPECT_EQ(
      bytes_of(*through(context, GetParam().kind, {}, tcp_frame(context.pool(), ack, 100, plain))),
      bytes_of(*data));
  const auto datagram = udp_frame(context.pool(), 100);
  EXPECT_EQ(bytes_of(*through(context, GetParam().kind, {}, udp_frame(context.pool(), 100))),
            bytes_of(*datagram));
  EXPECT_TRUE(context.touches.empty());
}

INSTANTIATE_TEST_SUITE_P(Kinds, OptionStrip,
                         testing::Values(StripCase{"wscale-strip", 3}, StripCase{"sack-strip", 4},
                                         StripCase{"timestamps-strip", 8},
                                         StripCase{"mss-strip", 2}));

TEST(TimestampsStrip, TakesThemFromLaterSegmentsToo) {
  StageTestContext context;
  const auto out = through(context, "timestamps-strip", {}, tcp_frame(context.pool(), ack, 500));
  EXPECT_EQ(option_at(out, 8), 0);
  EXPECT_EQ(view(*out).payload_len, 500U);
  const auto kept =
      through(context, "timestamps-strip", {{"only", "syn"}}, tcp_frame(context.pool(), ack, 500));
  EXPECT_NE(option_at(kept, 8), 0);
}

TEST(SackStrip, TakesBlocksAndLeavesThePermission) {
  StageTestContext context;
  auto built = packet();
  built.ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(ack, seq(1), sack({{5000, 6000}})).payload(0);
  const auto out =
      through(context, "sack-strip", {{"what", "blocks"}}, frame_of(context.pool(), built));
  EXPECT_EQ(option_at(out, 5), 0);
  const auto handshake =
      through(context, "sack-strip", {{"what", "blocks"}}, syn_frame(context.pool()));
  EXPECT_NE(option_at(handshake, 4), 0);
}

TEST(OptionRewrite, WritesTheValue) {
  struct Case {
    const char* kind;
    Keys keys;
    std::uint8_t option, len;
    std::uint32_t value;
  };
  for (const auto& each : {Case{"wscale-rewrite", {{"value", "0"}}, 3, 1, 0},
                           Case{"mss-rewrite", {{"value", "9000"}}, 2, 2, 9000},
                           Case{"mss-clamp", {{"max", "1360"}}, 2, 2, 1360}}) {
    for (const bool ipv6 : {false, true}) {
      StageTestContext context;
      const auto out =
          through(context, each.kind, each.keys, syn_frame(context.pool(), true, {.ipv6 = ipv6}));
      EXPECT_EQ(lab::read_tcp_option(*out, view(*out), each.option, each.len), each.value);
      EXPECT_EQ(context.touches.size(), 1U);
    }
  }
}

TEST(OptionRewrite, SumsAnOptionAtAnOddOffsetRight) {
  StageTestContext context;
  auto built = packet();
  built.ethernet()
      .ipv4("10.0.0.1", "10.0.0.2")
      .tcp(syn, nop(), mss(1460), window_scale(7))
      .payload(0);
  const auto out =
      through(context, "mss-rewrite", {{"value", "1234"}}, frame_of(context.pool(), built));
  EXPECT_EQ(lab::read_tcp_option(*out, view(*out), 2, 2), 1234U);
}

TEST(MssClamp, NeverRaises) {
  StageTestContext context;
  const auto frame = syn_frame(context.pool());
  const auto out = through(context, "mss-clamp", {{"max", "1460"}}, syn_frame(context.pool()));
  EXPECT_EQ(bytes_of(*out), bytes_of(*frame));
  EXPECT_TRUE(context.touches.empty());
}

TEST(OptionRewrite, LeavesAnOptionOfAnotherLengthAlone) {
  StageTestContext context;
  auto built = packet();
  built.ethernet()
      .ipv4("10.0.0.1", "10.0.0.2")
      .tcp(syn, option(2, Buffer(4, std::byte{9})), option(3, Buffer{}))
      .payload(0);
  through(context, "mss-rewrite", {{"value", "1234"}}, frame_of(context.pool(), built));
  through(context, "wscale-rewrite", {{"value", "1"}}, frame_of(context.pool(), built));
  EXPECT_TRUE(context.touches.empty());
}

TEST(OptionRewrite, SaysWhatIsMissingOrSenseless) {
  EXPECT_THAT(complaint_of("mss-rewrite", {}), testing::HasSubstr("value is missing"));
  EXPECT_THAT(complaint_of("mss-clamp", {}), testing::HasSubstr("max is missing"));
  EXPECT_THAT(complaint_of("wscale-rewrite", {{"value", "15"}}), testing::HasSubstr("0 to 14"));
  EXPECT_THAT(complaint_of("wscale-strip", {{"colour", "red"}}), testing::HasSubstr("colour"));
}

}  // namespace
}  // namespace slowpath::test

// SPDX-License-Identifier: Apache-2.0
// Narrow links and fragments: what is dropped, what is reported, what is cut.
#include <algorithm>
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

/// The IP packet of an ICMP error, decoded by the program's own decoder.
wire::Packet decoded(const lab::Frame& frame) {
  wire::Frame captured;
  captured.bytes = frame.bytes();
  captured.original_len = frame.len;
  wire::Packet packet;
  wire::decode(captured, packet);
  return packet;
}

TEST(MtuDrop, ReportsTheMtuAndQuotesAsLinuxDoes) {
  StageTestContext context;
  auto stage = stage_of("mtu-drop", {{"mtu", "1400"}});
  context.give(*stage, tcp_frame(context.pool(), ack, 1448, {.seq = 77777}));
  ASSERT_EQ(context.dropped.size(), 1U);
  EXPECT_TRUE(context.passed.empty());
  ASSERT_EQ(context.answered.size(), 1U);
  const auto& error = *context.answered.front();
  EXPECT_TRUE(checksums_right(error));
  EXPECT_EQ(view(error).ip_len, 576U);
  const auto packet = decoded(error);
  EXPECT_EQ(packet.kind, wire::PacketKind::icmp);
  EXPECT_EQ(to_string(packet.source), "10.0.0.254");
  EXPECT_EQ(to_string(packet.destination), "10.0.0.1");
  EXPECT_EQ(packet.icmp_type, 3);
  EXPECT_EQ(packet.icmp_code, 4);
  EXPECT_EQ(packet.icmp_mtu, 1400U);
  ASSERT_TRUE(packet.quote.present);
  EXPECT_EQ(packet.quote.ip_total_len, 1500U);
  EXPECT_EQ(packet.quote.sequence.value, 77777U);
  EXPECT_EQ(packet.quote.source.port, 5001);
}

TEST(MtuDrop, SendsPacketTooBigOverIpv6) {
  StageTestContext context;
  auto stage = stage_of("mtu-drop", {{"mtu", "1400"}});
  context.give(*stage, tcp_frame(context.pool(), ack, 1428, {.seq = 77777, .ipv6 = true}));
  ASSERT_EQ(context.answered.size(), 1U);
  const auto& error = *context.answered.front();
  EXPECT_TRUE(checksums_right(error));
  EXPECT_EQ(view(error).ip_len, 1280U);
  const auto packet = decoded(error);
  EXPECT_EQ(to_string(packet.source), "fd00::fe");
  EXPECT_EQ(to_string(packet.destination), "fd00::1");
  EXPECT_EQ(packet.icmp_type, 2);
  EXPECT_EQ(packet.icmp_code, 0);
  EXPECT_EQ(packet.icmp_mtu, 1400U);
  EXPECT_EQ(packet.quote.sequence.value, 77777U);
}

TEST(MtuDrop, QuotesAShortPacketWhole) {
  StageTestContext context;
  auto stage = stage_of("mtu-drop", {{"mtu", "200"}});
  context.give(*stage, tcp_frame(context.pool(), ack, 200));
  ASSERT_EQ(context.answered.size(), 1U);
  EXPECT_EQ(view(*context.answered.front()).ip_len, 28U + 252U);
}

TEST(MtuDrop, KeepsSilentOrLies) {
  StageTestContext silent;
  auto hole = stage_of("mtu-drop", {{"mtu", "1400"}, {"icmp", "none"}});
  silent.give(*hole, tcp_frame(silent.pool(), ack, 1448));
  EXPECT_EQ(silent.dropped.size(), 1U);
  EXPECT_TRUE(silent.answered.empty());

  StageTestContext lying;
  auto liar = stage_of("mtu-drop", {{"mtu", "1400"}, {"icmp", "bogus"}, {"bogus_mtu", "1500"}});
  lying.give(*liar, tcp_frame(lying.pool(), ack, 1448));
  ASSERT_EQ(lying.answered.size(), 1U);
  EXPECT_EQ(decoded(*lying.answered.front()).icmp_mtu, 1500U);
}

TEST(MtuDrop, PassesWhatFits) {
  StageTestContext context;
  auto stage = stage_of("mtu-drop", {{"mtu", "1500"}});
  context.give(*stage, tcp_frame(context.pool(), ack, 1448));
  EXPECT_EQ(context.passed.size(), 1U);
  EXPECT_TRUE(context.touches.empty());
}

TEST(MtuDrop, FragmentsWhereItMayOrDrops) {
  StageTestContext context;
  auto stage = stage_of("mtu-drop", {{"mtu", "1400"}});
  context.give(*stage, tcp_frame(context.pool(), ack, 1448, {.dont_fragment = false}));
  EXPECT_EQ(context.passed.size(), 2U);
  EXPECT_TRUE(context.dropped.empty());
  EXPECT_TRUE(context.answered.empty());

  StageTestContext strict;
  auto dropping = stage_of("mtu-drop", {{"mtu", "1400"}, {"fragment", "false"}});
  strict.give(*dropping, tcp_frame(strict.pool(), ack, 1448, {.dont_fragment = false}));
  EXPECT_EQ(strict.dropped.size(), 1U);
  EXPECT_TRUE(strict.answered.empty());
}

TEST(MtuDrop, NeverReportsAnError) {
  StageTestContext context;
  auto built = packet();
  built.ethernet().ipv4("10.0.0.1", "10.0.0.2").icmp(3, 4, 1500).payload(600);
  auto stage = stage_of("mtu-drop", {{"mtu", "576"}});
  context.give(*stage, frame_of(context.pool(), built));
  EXPECT_EQ(context.dropped.size(), 1U);
  EXPECT_TRUE(context.answered.empty());
}

/// Puts fragments together by their offsets; empty if they do not cover the datagram exactly.
Buffer reassembled(const std::vector<FramePtr>& fragments) {
  Buffer whole;
  bool ended = false;
  for (const auto& each : fragments) {
    const auto packet = view(*each);
    if (packet.fragment_offset != whole.size() || ended) return {};
    whole.insert(whole.end(), each->data + packet.l4_offset, each->data + each->len);
    ended = !packet.more_fragments;
  }
  return ended ? whole : Buffer{};
}

TEST(Fragment, CutsIntoFragmentsThatJoinAgain) {
  StageTestContext context;
  const auto frame = udp_frame(context.pool(), 4000, {.dont_fragment = false});
  auto stage = stage_of("fragment", {{"mtu", "1500"}});
  context.give(*stage, udp_frame(context.pool(), 4000, {.dont_fragment = false}));
  const auto fragments = context.take_passed();
  ASSERT_EQ(fragments.size(), 3U);
  for (const auto& each : fragments) {
    EXPECT_TRUE(checksums_right(*each));
    EXPECT_LE(view(*each).ip_len, 1500U);
    EXPECT_EQ(view(*each).ip_id, 7);
  }
  EXPECT_EQ(reassembled(fragments), Buffer(frame->data + 34, frame->data + frame->len));
  EXPECT_EQ(context.touches.size(), 1U);
}

TEST(Fragment, CutsAFragmentFurther) {
  StageTestContext context;
  auto stage = stage_of("fragment", {{"mtu", "700"}});
  context.give(*stage, fragment_frame(context.pool(), 1480, true, 1480));
  const auto fragments = context.take_passed();
  ASSERT_EQ(fragments.size(), 3U);
  EXPECT_EQ(view(*fragments[0]).fragment_offset, 1480);
  EXPECT_EQ(view(*fragments[1]).fragment_offset, 1480 + 680);
  for (const auto& each : fragments) EXPECT_TRUE(view(*each).more_fragments);
}

TEST(Fragment, RespectsDontFragmentUnlessToldNotTo) {
  StageTestContext context;
  auto stage = stage_of("fragment", {{"mtu", "700"}});
  context.give(*stage, tcp_frame(context.pool(), ack, 1000));
  context.give(*stage, tcp_frame(context.pool(), ack, 1000, {.ipv6 = true}));
  EXPECT_EQ(context.passed.size(), 2U);
  EXPECT_TRUE(context.touches.empty());

  StageTestContext careless;
  auto clearing = stage_of("fragment", {{"mtu", "700"}, {"clear_df", "true"}});
  careless.give(*clearing, tcp_frame(careless.pool(), ack, 1000));
  const auto fragments = careless.take_passed();
  ASSERT_EQ(fragments.size(), 2U);
  for (const auto& each : fragments) {
    EXPECT_FALSE(view(*each).dont_fragment);
    EXPECT_TRUE(checksums_right(*each));
  }
}

TEST(Fragment, LetsAShareOvertake) {
  StageTestContext context;
  auto stage = stage_of("fragment", {{"mtu", "700"}, {"overtake", "25%"}});
  for (int i = 0; i < 200; ++i) {
    context.give(*stage, udp_frame(context.pool(), 1000, {.dont_fragment = false}));
  }
  const auto fragments = context.take_passed();
  ASSERT_EQ(fragments.size(), 400U);
  int swapped = 0;
  for (std::size_t i = 0; i < fragments.size(); i += 2) {
    const auto first = view(*fragments[i]).fragment_offset;
    EXPECT_EQ(first + view(*fragments[i + 1]).fragment_offset, 680);
    if (first != 0) ++swapped;
  }
  EXPECT_GT(swapped, 25);
  EXPECT_LT(swapped, 80);
  EXPECT_EQ(context.touches.size(), 200U + static_cast<unsigned>(swapped));
}

TEST(FragmentDrop, DropsFragmentsAndNothingElse) {
  StageTestContext context;
  auto stage = stage_of("fragment-drop");
  context.give(*stage, fragment_frame(context.pool(), 0, true, 800));
  context.give(*stage, fragment_frame(context.pool(), 808, false, 800));
  context.give(*stage, fragment_frame(context.pool(), 808, false, 800, {.ipv6 = true}));
  context.give(*stage, udp_frame(context.pool(), 800));
  EXPECT_EQ(context.dropped.size(), 3U);
  EXPECT_EQ(context.passed.size(), 1U);
}

TEST(FragmentDrop, MayLetTheFirstPass) {
  StageTestContext context;
  auto stage = stage_of("fragment-drop", {{"which", "later"}});
  context.give(*stage, fragment_frame(context.pool(), 0, true, 800));
  context.give(*stage, fragment_frame(context.pool(), 808, false, 800));
  EXPECT_EQ(context.dropped.size(), 1U);
  EXPECT_EQ(context.passed.size(), 1U);
}

/// Offsets in units of a third of a datagram of three fragments, in order of arrival.
void give_fragments(StageTestContext& context, lab::Stage& stage, std::vector<std::uint32_t> order,
                    std::uint16_t ip_id) {
  for (const std::uint32_t index : order) {
    // The first carries a UDP header too.
    context.give(stage, fragment_frame(context.pool(), index * 808, index < 2,
                                       index == 0 ? 800 : 808, {.ip_id = ip_id}));
  }
}

TEST(FragmentOooDrop, LetsDatagramsInOrderPass) {
  StageTestContext context;
  auto stage = stage_of("fragment-ooo-drop");
  give_fragments(context, *stage, {0, 1, 2}, 1);
  give_fragments(context, *stage, {0, 1, 2}, 1);  // an identification may come again
  EXPECT_EQ(context.passed.size(), 6U);
}

TEST(FragmentOooDrop, DropsWhatCameTooEarlyAndTheRest) {
  StageTestContext context;
  auto stage = stage_of("fragment-ooo-drop");
  give_fragments(context, *stage, {0, 2, 1}, 1);
  EXPECT_EQ(context.passed.size(), 1U);
  EXPECT_EQ(context.dropped.size(), 2U);
  give_fragments(context, *stage, {2, 0, 1}, 2);
  EXPECT_EQ(context.passed.size(), 1U);
  EXPECT_EQ(context.dropped.size(), 5U);
  give_fragments(context, *stage, {0, 1, 2}, 2);  // over: the number may be used again
  EXPECT_EQ(context.passed.size(), 4U);
}

TEST(FragmentOooDrop, ForgetsDatagramsThatNeverEnd) {
  StageTestContext context;
  auto stage = stage_of("fragment-ooo-drop");
  give_fragments(context, *stage, {1}, 1);
  context.advance(*stage, std::chrono::seconds{61});
  give_fragments(context, *stage, {0, 1, 2}, 1);
  EXPECT_EQ(context.passed.size(), 3U);
}

TEST(IcmpFilter, DropsErrorsOrAll) {
  const auto error = [](StageTestContext& context) {
    auto built = packet();
    built.ethernet().ipv4("10.0.0.254", "10.0.0.1").icmp(3, 4, 1400).payload(60);
    return frame_of(context.pool(), built);
  };
  const auto too_big = [](StageTestContext& context) {
    auto built = packet();
    built.ethernet().ipv6("fd00::fe", "fd00::1").icmp(2, 0, 1400).payload(60);
    return frame_of(context.pool(), built);
  };
  const auto neighbour = [](StageTestContext& context) {
    auto built = packet();
    built.ethernet().ipv6("fd00::2", "fd00::1").icmp(135, 0, 0).payload(16);
    return frame_of(context.pool(), built);
  };
  StageTestContext context;
  auto stage = stage_of("icmp-filter");
  context.give(*stage, error(context));
  context.give(*stage, too_big(context));
  EXPECT_EQ(context.dropped.size(), 2U);
  context.give(*stage, echo_frame(context.pool(), 56));
  context.give(*stage, tcp_frame(context.pool(), ack, 10));
  EXPECT_EQ(context.passed.size(), 2U);
  auto strict = stage_of("icmp-filter", {{"types", "all"}});
  context.give(*strict, echo_frame(context.pool(), 56));
  EXPECT_EQ(context.dropped.size(), 3U);
  context.give(*strict, neighbour(context));
  EXPECT_EQ(context.passed.size(), 3U);
}

TEST(MtuKinds, SayWhatIsMissing) {
  EXPECT_THAT(complaint_of("mtu-drop", {}), testing::HasSubstr("mtu is missing"));
  EXPECT_THAT(complaint_of("fragment", {}), testing::HasSubstr("mtu is missing"));
  EXPECT_THAT(complaint_of("mtu-drop", {{"mtu", "1400"}, {"icmp", "maybe"}}),
              testing::HasSubstr("true, none, bogus"));
}

}  // namespace
}  // namespace slowpath::test

// SPDX-License-Identifier: Apache-2.0
// Boxes that keep connections from beginning, by what one SYN looks like.
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "lab/packet_edit.h"
#include "support/lab/stage_test_context.h"
#include "wire/packet.h"

namespace slowpath::test {
namespace {

using lab::view;

TEST(SynDrop, DropsEverySynAndNothingElse) {
  StageTestContext context;
  auto stage = stage_of("syn-drop");
  for (int i = 0; i < 3; ++i) context.give(*stage, syn_frame(context.pool()));
  context.give(*stage, syn_frame(context.pool(), true));
  context.give(*stage, tcp_frame(context.pool(), ack, 100));
  context.give(*stage, udp_frame(context.pool(), 100));
  EXPECT_EQ(context.dropped.size(), 3U);
  EXPECT_EQ(context.passed.size(), 3U);
  EXPECT_TRUE(context.answered.empty());
}

TEST(SynDrop, DropsTheFirstOnesByCount) {
  StageTestContext context;
  auto stage = stage_of("syn-drop", {{"count", "3"}});
  context.give(*stage, tcp_frame(context.pool(), ack, 100));  // does not count
  for (int i = 0; i < 5; ++i) context.give(*stage, syn_frame(context.pool()));
  EXPECT_EQ(context.dropped.size(), 3U);
  EXPECT_EQ(context.passed.size(), 3U);
}

TEST(SynDrop, DropsSynAcksAndFlowsAsAsked) {
  StageTestContext context;
  auto answers = stage_of("syn-drop", {{"only", "synack"}});
  context.give(*answers, syn_frame(context.pool()));
  EXPECT_EQ(context.passed.size(), 1U);
  context.give(*answers, syn_frame(context.pool(), true));
  EXPECT_EQ(context.dropped.size(), 1U);
  auto one_port = stage_of("syn-drop", {{"port", "5002"}});
  context.give(*one_port, syn_frame(context.pool()));
  EXPECT_EQ(context.passed.size(), 2U);
  context.give(*one_port, syn_frame(context.pool(), false, {.source_port = 5002}));
  EXPECT_EQ(context.dropped.size(), 2U);
}

TEST(SynDrop, SameSeedSameChoices) {
  const auto passed_of = [](std::uint64_t seed) {
    StageTestContext context(seed);
    auto stage = stage_of("syn-drop", {{"probability", "50%"}});
    std::vector<std::uint16_t> ports;
    for (std::uint16_t port = 1; port <= 200; ++port) {
      context.give(*stage, syn_frame(context.pool(), false, {.source_port = port}));
    }
    for (const auto& one : context.passed) ports.push_back(view(*one.frame).source_port);
    return ports;
  };
  EXPECT_EQ(passed_of(5), passed_of(5));
  EXPECT_NE(passed_of(5), passed_of(6));
}

TEST(SynDrop, RefusesAsAClosedPortDoes) {
  for (const bool ipv6 : {false, true}) {
    StageTestContext context;
    auto stage = stage_of("syn-drop", {{"mode", "rst"}});
    context.give(*stage, syn_frame(context.pool(), false, {.seq = 0xffffffff, .ipv6 = ipv6}));
    EXPECT_EQ(context.dropped.size(), 1U);
    ASSERT_EQ(context.answered.size(), 1U);
    const auto& reset = *context.answered.front();
    EXPECT_TRUE(checksums_right(reset));
    const auto packet = view(reset);
    EXPECT_EQ(packet.tcp_flags, wire::kRst | wire::kAck);
    EXPECT_EQ(packet.sequence, 0U);
    EXPECT_EQ(packet.acknowledgment, 0U);  // the SYN took 0xffffffff
    EXPECT_EQ(packet.source_port, 40000);
    EXPECT_EQ(packet.destination_port, 5001);
    EXPECT_EQ(to_string(lab::ip_address(reset, packet, false)), ipv6 ? "fd00::1" : "10.0.0.1");
  }
}

}  // namespace
}  // namespace slowpath::test

// SPDX-License-Identifier: Apache-2.0
// Segmentation, its two faults, and merging, as stages.
#include <gtest/gtest.h>

#include "support/lab/stage_test_context.h"
#include "wire/packet.h"

namespace slowpath::lab {
namespace {

using namespace slowpath::test;

Buffer all_payload(const std::vector<FramePtr>& frames) {
  Buffer all;
  for (const auto& frame : frames) {
    const Buffer part = payload_of(*frame);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

TEST(SegmentStage, cuts_into_children_with_right_checksums) {
  for (const bool ipv6 : {false, true}) {
    StageTestContext context;
    const auto stage = stage_of("segment");
    FramePtr super = super_frame(context.pool(), 10001, 1448, {.seq = 7, .ipv6 = ipv6}, ack | psh);
    const std::uint64_t id = super->id;
    const Buffer whole = payload_of(*super);
    context.give(*stage, std::move(super));
    const auto segments = context.take_passed();
    ASSERT_EQ(segments.size(), 7U);
    for (const auto& segment : segments) {
      EXPECT_EQ(segment->parent, id);
      EXPECT_EQ(segment->arrived, context.now());
      EXPECT_FALSE(segment->is_super_frame());
      EXPECT_FALSE(segment->vnet.needs_checksum());
      EXPECT_TRUE(checksums_right(*segment));
    }
    EXPECT_EQ(all_payload(segments), whole);
    EXPECT_EQ(view(*segments[6]).tcp_flags, wire::kAck | wire::kPsh);
    EXPECT_EQ(view(*segments[6]).sequence, 7U + 6 * 1448);
    EXPECT_EQ(context.pool().in_use(), 7U);
  }
}

TEST(SegmentStage, completes_the_checksum_of_what_is_not_cut) {
  StageTestContext context;
  const auto stage = stage_of("segment");
  context.give(*stage, tcp_frame(context.pool(), ack, 100, {.partial_checksum = true}));
  context.give(*stage, udp_frame(context.pool(), 100));
  for (const auto& frame : context.take_passed()) {
    EXPECT_FALSE(frame->vnet.needs_checksum());
    EXPECT_TRUE(checksums_right(*frame));
  }
}

TEST(SegmentStage, leaves_checksums_that_a_broken_nic_leaves) {
  StageTestContext context;
  const auto stage = stage_of("segment");
  FramePtr super = super_frame(context.pool(), 3000);
  super->leave_checksum = true;
  context.give(*stage, std::move(super));
  FramePtr small = tcp_frame(context.pool(), ack, 100, {.partial_checksum = true});
  small->leave_checksum = true;
  context.give(*stage, std::move(small));
  const auto frames = context.take_passed();
  ASSERT_EQ(frames.size(), 4U);
  for (const auto& frame : frames) {
    EXPECT_FALSE(frame->vnet.needs_checksum());
    EXPECT_FALSE(checksums_right(*frame));
    // What lies there is the pseudo-header's sum.
    frame->vnet.flags = VnetHeader::kNeedsChecksum;
    frame->vnet.csum_start = 34;
    frame->vnet.csum_offset = 16;
    EXPECT_TRUE(checksums_right(*frame));
  }
}

TEST(SegmentStage, drops_what_it_cannot_cut) {
  StageTestContext context;
  FramePtr datagram = udp_frame(context.pool(), 3000);
  datagram->vnet.gso_type = VnetHeader::kGsoUdpL4;
  datagram->vnet.gso_size = 1000;
  context.give(*stage_of("segment"), std::move(datagram));
  EXPECT_EQ(context.dropped.size(), 1U);
}

TEST(SegmentWrongSeed, spoils_the_segments_and_nothing_else) {
  StageTestContext context;
  const auto stage = stage_of("segment-wrong-seed");
  context.give(*stage, super_frame(context.pool(), 3000));
  context.give(*stage, tcp_frame(context.pool(), ack, 1448, {.partial_checksum = true}));
  context.give(*stage, super_frame(context.pool(), 1000));  // one segment: its own length
  const auto frames = context.take_passed();
  ASSERT_EQ(frames.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(checksums_right(*frames[i]), i >= 3) << i;
  EXPECT_EQ(context.touches.size(), 3U);
}

TEST(SegmentStale, repeats_payload_under_a_right_checksum) {
  StageTestContext context;
  const auto stage = stage_of("segment-stale", {{"nth", "1"}});
  FramePtr super = super_frame(context.pool(), 4 * 1448);
  const Buffer whole = payload_of(*super);
  context.give(*stage, std::move(super));
  const auto frames = context.take_passed();
  ASSERT_EQ(frames.size(), 4U);
  for (const auto& frame : frames) EXPECT_TRUE(checksums_right(*frame));
  // The first that may be stale is the second.
  EXPECT_EQ(payload_of(*frames[1]), payload_of(*frames[0]));
  EXPECT_EQ(view(*frames[1]).sequence, view(*frames[0]).sequence + 1448);
  EXPECT_EQ(payload_of(*frames[2]), Buffer(whole.begin() + 2896, whole.begin() + 4344));
  ASSERT_EQ(context.touches.size(), 1U);
  EXPECT_EQ(context.touches[0].frame_id, frames[1]->id);
  EXPECT_EQ(context.touches[0].detail, "segment 2 of 4 has the payload of segment 1");
}

class MergeStage : public testing::Test {
 protected:
  /// The segments of one super-frame, given to the merging stage.
  void give_cut(std::size_t payload_len, const Look& look = {}, Flags flags = ack) {
    const auto cutter = stage_of("segment");
    StageTestContext other;
    other.give(*cutter, super_frame(other.pool(), payload_len, 1448, look, flags));
    for (const auto& segment : other.passed) give(*segment.frame);
  }
  void give(const Frame& frame) { context.give(*stage, context.pool().copy(frame)); }

  StageTestContext context;
  std::unique_ptr<Stage> stage = stage_of("merge");
};

TEST_F(MergeStage, gives_back_what_was_cut) {
  for (const bool ipv6 : {false, true}) {
    const FramePtr super = super_frame(context.pool(), 20000, 1448, {.ipv6 = ipv6}, ack);
    give_cut(20000, {.ipv6 = ipv6});
    // The last segment is short: nothing can follow.
    const auto frames = context.take_passed();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(Buffer(frames[0]->bytes().begin(), frames[0]->bytes().end()),
              Buffer(super->bytes().begin(), super->bytes().end()));
    EXPECT_EQ(std::memcmp(&frames[0]->vnet, &super->vnet, sizeof super->vnet), 0);
    EXPECT_TRUE(checksums_right(*frames[0]));
  }
}

TEST_F(MergeStage, holds_until_the_input_ran_dry) {
  give_cut(2 * 1448);
  EXPECT_TRUE(context.passed.empty());
  stage->flush(context);
  ASSERT_EQ(context.passed.size(), 1U);
  EXPECT_EQ(view(*context.passed[0].frame).payload_len, 2896U);
  stage->flush(context);
  EXPECT_EQ(context.passed.size(), 1U);
}

TEST_F(MergeStage, hands_up_a_single_segment_as_it_came) {
  give(*tcp_frame(context.pool(), ack, 1448));
  stage->flush(context);
  ASSERT_EQ(context.passed.size(), 1U);
  EXPECT_FALSE(context.passed[0].frame->is_super_frame());
  EXPECT_FALSE(context.passed[0].frame->vnet.needs_checksum());
}

TEST_F(MergeStage, keeps_the_order_of_a_flow) {
  give_cut(2 * 1448);
  give(*tcp_frame(context.pool(), ack, 0, {.seq = 1000 + 2896}));  // a pure ACK
  ASSERT_EQ(context.passed.size(), 2U);
  EXPECT_EQ(view(*context.passed[0].frame).payload_len, 2896U);
  EXPECT_EQ(view(*context.passed[1].frame).payload_len, 0U);
  context.passed.clear();
  // Out of sequence: what is held goes first, the new one is held.
  give_cut(2 * 1448, {.seq = 10});
  give_cut(2 * 1448, {.seq = 100000});
  ASSERT_EQ(context.passed.size(), 1U);
  stage->flush(context);
  ASSERT_EQ(context.passed.size(), 2U);
  EXPECT_EQ(view(*context.passed[1].frame).sequence, 100000U);
  EXPECT_EQ(view(*context.passed[1].frame).payload_len, 2896U);
}

TEST_F(MergeStage, merges_flows_apart) {
  const auto give_segment = [&](std::uint16_t port, std::uint32_t seq) {
    give(*tcp_frame(context.pool(), ack, 1000, {.seq = seq, .destination_port = port}));
  };
  for (std::uint32_t i = 0; i < 5; ++i) {
    for (std::uint16_t port = 1; port <= 3; ++port) give_segment(port, i * 1000);
  }
  stage->flush(context);
  ASSERT_EQ(context.passed.size(), 3U);
  for (const auto& passed : context.passed) EXPECT_EQ(view(*passed.frame).payload_len, 5000U);
}

TEST_F(MergeStage, lets_the_oldest_go_when_it_holds_too_many) {
  for (std::uint16_t port = 1; port <= 70; ++port) {
    give(*tcp_frame(context.pool(), ack, 1000, {.destination_port = port}));
  }
  ASSERT_EQ(context.passed.size(), 6U);
  EXPECT_EQ(view(*context.passed[0].frame).destination_port, 1);
}

TEST_F(MergeStage, hands_up_bad_checksums_alone) {
  give(*tcp_frame(context.pool(), ack, 1000, {.seq = 0}));
  const FramePtr bad = tcp_frame(context.pool(), ack, 1000, {.seq = 1000});
  bad->data[500] ^= std::byte{1};
  give(*bad);
  give(*tcp_frame(context.pool(), ack, 1000, {.seq = 2000}));
  stage->flush(context);
  ASSERT_EQ(context.passed.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(checksums_right(*context.passed[i].frame), i != 1);
    EXPECT_FALSE(context.passed[i].frame->vnet.needs_checksum());
  }
}

TEST_F(MergeStage, merges_what_it_is_told_to_trust) {
  for (std::uint32_t i = 0; i < 3; ++i) {
    give(*tcp_frame(context.pool(), ack, 1000, {.seq = i * 1000, .partial_checksum = true}));
  }
  stage->flush(context);
  ASSERT_EQ(context.passed.size(), 1U);
  EXPECT_TRUE(checksums_right(*context.passed[0].frame));
}

TEST_F(MergeStage, ends_at_a_push_and_at_its_largest) {
  give(*tcp_frame(context.pool(), ack, 1000, {.seq = 0}));
  give(*tcp_frame(context.pool(), ack | psh, 1000, {.seq = 1000}));
  EXPECT_EQ(context.passed.size(), 1U);
  context.passed.clear();
  stage = stage_of("merge", {{"max", "5000"}});
  for (std::uint32_t i = 0; i < 8; ++i) {
    give(*tcp_frame(context.pool(), ack, 1000, {.seq = i * 1000}));
  }
  ASSERT_EQ(context.passed.size(), 2U);
  EXPECT_EQ(view(*context.passed[0].frame).payload_len, 4000U);
  context.passed.clear();
  // 65535 bytes of IP are never exceeded.
  stage = stage_of("merge");
  give_cut(60 * 1000);
  give_cut(60 * 1000, {.seq = 1000 + 60 * 1000});
  for (const auto& passed : context.passed) EXPECT_LE(passed.frame->len, 65535U + 14);
}

TEST_F(MergeStage, passes_the_rest_on) {
  give(*udp_frame(context.pool(), 100));
  give(*syn_frame(context.pool()));
  give(*tcp_frame(context.pool(), ack | fin, 100));
  give(*fragment_frame(context.pool(), 0, true, 80));
  EXPECT_EQ(context.passed.size(), 4U);
}

TEST(MergeKeys, refuses_a_size_that_no_packet_has) {
  EXPECT_NE(complaint_of("merge", {{"max", "1MiB"}}).find("65535"), std::string::npos);
  EXPECT_NE(complaint_of("segment", {{"mss", "1"}}), "");
}

}  // namespace
}  // namespace slowpath::lab

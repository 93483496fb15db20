// SPDX-License-Identifier: Apache-2.0
// Broken sending NICs: what they do to super-frames and to checksums left to them.
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "support/lab/stage_test_context.h"

namespace slowpath::test {
namespace {

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

}  // namespace
}  // namespace slowpath::test

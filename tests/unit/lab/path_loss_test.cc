// SPDX-License-Identifier: Apache-2.0
// Stages of the path that end frames: loss, burst-loss, ack-loss, outage, policer.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/lab/stage_test_context.h"

namespace slowpath::test {
namespace {

using namespace std::chrono_literals;
using Keys = std::map<std::string, std::string>;

/// Sequence numbers 0, 1, 2 ... given as data frames: those that were dropped.
std::vector<std::uint32_t> lost_of(const char* kind, const Keys& keys, std::uint32_t frames,
                                   std::uint64_t seed = 1) {
  StageTestContext context(seed);
  const auto stage = stage_of(kind, keys);
  for (std::uint32_t i = 0; i < frames; ++i) {
    context.give(*stage, tcp_frame(context.pool(), ack, 10, {.seq = i}));
  }
  std::vector<std::uint32_t> lost;
  for (const auto& one : context.dropped) lost.push_back(lab::view(*one.frame).sequence);
  // The others pass at once, untouched and in order.
  EXPECT_EQ(context.passed.size() + lost.size(), frames);
  EXPECT_TRUE(context.touches.empty());
  std::uint32_t last = 0;
  for (const auto& one : context.passed) {
    EXPECT_TRUE(one.at_once);
    EXPECT_TRUE(checksums_right(*one.frame));
    EXPECT_GE(lab::view(*one.frame).sequence, last);
    last = lab::view(*one.frame).sequence;
  }
  return lost;
}

TEST(LossStage, LosesItsShareEachOnItsOwn) {
  const auto lost = lost_of("loss", {{"share", "2%"}}, 20'000);
  EXPECT_NEAR(static_cast<double>(lost.size()), 400, 80);
  const auto neighbours = std::ranges::count_if(
      lost, [&](auto seq) { return std::ranges::binary_search(lost, seq + 1); });
  EXPECT_LT(neighbours, 30);
  EXPECT_EQ(lost_of("loss", {{"share", "2%"}}, 20'000), lost);
  EXPECT_NE(lost_of("loss", {{"share", "2%"}}, 20'000, 2), lost);
}

TEST(LossStage, LosesExactlyTheChosenOnes) {
  EXPECT_EQ(lost_of("loss", {{"nth", "5"}, {"count", "3"}}, 20),
            (std::vector<std::uint32_t>{4, 5, 6}));
  EXPECT_TRUE(lost_of("loss", {{"only", "syn"}}, 20).empty());
  EXPECT_TRUE(lost_of("loss", {{"share", "0"}}, 1000).empty());
}

TEST(LossStage, SurvivesAnyLength) {
  StageTestContext context;
  const auto stage = stage_of("loss", {{"only", "data"}});
  for (std::uint32_t len = 0; len <= 67; ++len) {
    auto frame = tcp_frame(context.pool(), ack, 10);
    frame->len = len;
    context.give(*stage, std::move(frame));
  }
  EXPECT_EQ(context.passed.size(), 67U);  // the last has a byte of payload
  EXPECT_EQ(context.dropped.size(), 1U);
}

}  // namespace
}  // namespace slowpath::test

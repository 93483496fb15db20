// SPDX-License-Identifier: Apache-2.0
// Stages of the path that cost time: delay, jitter, rate, reorder, duplicate, outage.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/lab/stage_test_context.h"

namespace slowpath::test {
namespace {

using namespace std::chrono_literals;

Buffer bytes_of(const lab::Frame& frame) { return {frame.bytes().begin(), frame.bytes().end()}; }

TEST(DelayStage, MovesEveryFrameByTheSameTimeAndLeavesItAlone) {
  StageTestContext context;
  const auto stage = stage_of("delay", {{"time", "12.5ms"}});
  const auto begin = context.now();
  auto whole = super_frame(context.pool(), 20000);
  const auto bytes = bytes_of(*whole);
  context.give(*stage, std::move(whole));
  context.set_now(begin + 3us);
  context.give(*stage, tcp_frame(context.pool(), ack, 0));
  ASSERT_EQ(context.passed.size(), 2U);
  EXPECT_EQ(context.passed[0].due, begin + 12500us);
  EXPECT_EQ(context.passed[1].due, begin + 12503us);
  EXPECT_EQ(bytes_of(*context.passed[0].frame), bytes);
  EXPECT_TRUE(context.touches.empty());
  EXPECT_FALSE(lab::find_stage_kind("delay")->needs_segments);
}

TEST(DelayStage, RefusesATableWithoutItsTime) {
  EXPECT_NE(complaint_of("delay", {}).find("lacks the key time"), std::string::npos);
  EXPECT_NE(complaint_of("delay", {{"time", "20"}}), "");
  EXPECT_NE(complaint_of("delay", {{"time", "20ms"}, {"rtt", "1ms"}}), "");
}

std::vector<Duration> jitters(std::map<std::string, std::string> keys, std::uint64_t seed) {
  StageTestContext context(seed);
  const auto stage = stage_of("jitter", std::move(keys));
  const auto begin = context.now();
  std::vector<Duration> added;
  for (int i = 0; i < 1000; ++i) {
    context.set_now(begin + i * 100us);
    context.give(*stage, tcp_frame(context.pool(), ack, 10));
    added.push_back(context.passed.back().due - begin);
  }
  return added;
}

TEST(JitterStage, SpreadsEvenlyUpToItsBound) {
  auto due = jitters({{"time", "4ms"}, {"keep_order", "false"}}, 1);
  EXPECT_FALSE(std::ranges::is_sorted(due));
  Duration sum{0}, longest{0}, shortest{1h};
  for (int i = 0; i < 1000; ++i) {
    const auto added = due[static_cast<std::size_t>(i)] - i * 100us;
    sum += added;
    longest = std::max(longest, added);
    shortest = std::min(shortest, added);
  }
  EXPECT_NEAR(to_seconds(sum / 1000), 2e-3, 2e-4);
  EXPECT_LE(longest, 4ms);
  EXPECT_GT(longest, 3900us);
  EXPECT_LT(shortest, 100us);
  EXPECT_EQ(jitters({{"time", "4ms"}, {"keep_order", "false"}}, 1), due);
  EXPECT_NE(jitters({{"time", "4ms"}, {"keep_order", "false"}}, 2), due);
}

TEST(JitterStage, KeepsOrderUnlessToldOtherwise) {
  EXPECT_TRUE(std::ranges::is_sorted(jitters({{"time", "4ms"}}, 1)));
  // Frames that are not chosen wait behind one that is, or overtake it.
  EXPECT_TRUE(std::ranges::is_sorted(jitters({{"time", "4ms"}, {"every", "7"}}, 1)));
}

TEST(RateStage, SpacesFramesByTheirLengthOnTheWire) {
  StageTestContext context;
  // 8 Mbit/s is a byte a microsecond.
  const auto stage = stage_of("rate", {{"rate", "8Mbit/s"}, {"queue", "10000"}});
  const auto begin = context.now();
  const auto give = [&](std::size_t payload) {
    context.give(*stage, tcp_frame(context.pool(), ack, payload));  // and 14 + 20 + 32 of headers
  };
  give(934);
  give(434);
  ASSERT_EQ(context.passed.size(), 2U);
  EXPECT_EQ(context.passed[0].due, begin + 1000us);
  EXPECT_EQ(context.passed[1].due, begin + 1500us);
  context.set_now(begin + 10ms);  // long idle: no credit is saved up
  give(934);
  EXPECT_EQ(context.passed[2].due, begin + 11ms);
  EXPECT_TRUE(context.dropped.empty());
}

TEST(RateStage, DropsWhatTheQueueDoesNotHold) {
  StageTestContext context;
  const auto stage = stage_of("rate", {{"rate", "8Mbit/s"}, {"queue", "3000"}});
  const auto begin = context.now();
  const auto give = [&] { context.give(*stage, tcp_frame(context.pool(), ack, 934)); };
  for (int i = 0; i < 5; ++i) give();
  EXPECT_EQ(context.passed.size(), 3U);
  ASSERT_EQ(context.dropped.size(), 2U);
  EXPECT_EQ(context.dropped[0].why, "queue full");
  context.set_now(begin + 999us);
  give();
  EXPECT_EQ(context.dropped.size(), 3U);
  context.set_now(begin + 1000us);
  give();
  EXPECT_EQ(context.dropped.size(), 3U);
  EXPECT_EQ(context.passed.back().due, begin + 4000us);
}

TEST(RateStage, PassesAtItsRateOverALongTimeWithoutRoundingAway) {
  StageTestContext context;
  const auto stage = stage_of("rate", {{"rate", "3Gbit/s"}, {"queue", "1GiB"}});
  const auto begin = context.now();
  constexpr int kFrames = 100'000;
  const auto model = tcp_frame(context.pool(), ack, 1448);
  for (int i = 0; i < kFrames; ++i) {
    context.give(*stage, context.pool().copy(*model));
    if (i + 1 < kFrames) context.passed.clear();
  }
  const double seconds = to_seconds(context.passed.back().due - begin);
  EXPECT_NEAR(kFrames * 1514 * 8.0 / seconds, 3e9, 100);
}

TEST(RateStage, TakesAFrameLargerThanItsQueueWhenIdleAndHasADefaultOf100Milliseconds) {
  StageTestContext context;
  const auto narrow = stage_of("rate", {{"rate", "8Mbit/s"}, {"queue", "100"}});
  context.give(*narrow, tcp_frame(context.pool(), ack, 934));
  context.give(*narrow, tcp_frame(context.pool(), ack, 934));
  EXPECT_EQ(context.passed.size(), 1U);
  EXPECT_EQ(context.dropped.size(), 1U);

  StageTestContext second;
  const auto usual = stage_of("rate", {{"rate", "8Mbit/s"}});
  for (int i = 0; i < 200; ++i) second.give(*usual, tcp_frame(second.pool(), ack, 934));
  EXPECT_EQ(second.passed.size(), 100U);
}

TEST(RateStage, RefusesNoRate) {
  EXPECT_NE(complaint_of("rate", {}).find("lacks the key rate"), std::string::npos);
  EXPECT_NE(complaint_of("rate", {{"rate", "0"}}).find("above 0"), std::string::npos);
}

TEST(ReorderStage, HoldsTheChosenFramesBack) {
  StageTestContext context;
  const auto stage = stage_of("reorder", {{"every", "3"}, {"by", "5ms"}});
  const auto begin = context.now();
  for (std::uint32_t i = 1; i <= 6; ++i) {
    context.give(*stage, tcp_frame(context.pool(), ack, 10, {.seq = i}));
  }
  ASSERT_EQ(context.passed.size(), 6U);
  for (const auto& one : context.passed) {
    const bool held = lab::view(*one.frame).sequence % 3 == 0;
    EXPECT_EQ(one.due, held ? begin + 5ms : begin);
    EXPECT_TRUE(checksums_right(*one.frame));
  }
  ASSERT_EQ(context.touches.size(), 2U);
  EXPECT_EQ(context.touches[0].frame_id, context.passed[2].frame->id);
  EXPECT_EQ(context.touches[0].what + " " + context.touches[0].detail, "held back by 5 ms");
  EXPECT_NE(complaint_of("reorder", {}), "");
}

TEST(DuplicateStage, PassesACopyBehindTheOriginalOrLater) {
  StageTestContext context;
  const auto stage = stage_of("duplicate", {{"nth", "2"}});
  for (std::uint32_t i = 1; i <= 3; ++i) {
    context.give(*stage, tcp_frame(context.pool(), ack, 10, {.seq = i}));
  }
  ASSERT_EQ(context.passed.size(), 4U);
  const auto& original = *context.passed[1].frame;
  const auto& copy = *context.passed[2].frame;
  EXPECT_EQ(lab::view(copy).sequence, 2U);
  EXPECT_EQ(bytes_of(copy), bytes_of(original));
  EXPECT_EQ(copy.parent, original.id);
  ASSERT_EQ(context.touches.size(), 1U);
  EXPECT_EQ(context.touches[0].frame_id, copy.id);

  StageTestContext late;
  const auto later = stage_of("duplicate", {{"by", "3ms"}});
  late.give(*later, tcp_frame(late.pool(), ack, 10));
  ASSERT_EQ(late.passed.size(), 2U);
  EXPECT_EQ(late.passed[0].due, late.now());
  EXPECT_EQ(late.passed[1].due, late.now() + 3ms);
}

}  // namespace
}  // namespace slowpath::test

// SPDX-License-Identifier: Apache-2.0
// Stages of the path that end frames: loss, burst-loss, ack-loss, outage, policer.
#include <algorithm>
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
  const auto model = tcp_frame(context.pool(), ack, 10);
  const auto packet = lab::view(*model);
  for (std::uint32_t i = 0; i < frames; ++i) {
    auto frame = context.pool().copy(*model);
    lab::set_l4_field32(*frame, packet, static_cast<std::uint16_t>(packet.l4_offset + 4), i);
    context.give(*stage, std::move(frame));
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

TEST(BurstLossStage, LosesRunsOfTheExpectedLengthAndShare) {
  // A bad state in p/(p+r) = 1/51 of the frames, 10 frames long on average.
  const Keys keys{{"p", "0.2%"}, {"r", "10%"}};
  const auto lost = lost_of("burst-loss", keys, 100'000);
  EXPECT_NEAR(static_cast<double>(lost.size()), 1961, 500);
  std::size_t bursts = 0;
  for (std::size_t i = 0; i < lost.size(); ++i) bursts += i == 0 || lost[i] != lost[i - 1] + 1;
  EXPECT_NEAR(static_cast<double>(lost.size()) / static_cast<double>(bursts), 10, 2.5);
  EXPECT_EQ(lost_of("burst-loss", keys, 100'000), lost);
}

TEST(BurstLossStage, EachStateHasItsOwnShare) {
  const auto never_bad =
      lost_of("burst-loss", {{"p", "0"}, {"r", "1"}, {"loss_good", "10%"}}, 10'000);
  EXPECT_NEAR(static_cast<double>(never_bad.size()), 1000, 120);
  const auto always_bad =
      lost_of("burst-loss", {{"p", "1"}, {"r", "0"}, {"loss_bad", "50%"}}, 10'000);
  EXPECT_NEAR(static_cast<double>(always_bad.size()), 5000, 300);
  EXPECT_NE(complaint_of("burst-loss", {{"p", "1%"}}), "");
}

TEST(AckLossStage, LosesPureAcknowledgmentsOnly) {
  StageTestContext context;
  const auto stage = stage_of("ack-loss", {{"every", "2"}});
  context.give(*stage, syn_frame(context.pool()));
  context.give(*stage, tcp_frame(context.pool(), ack, 0, {.ack = 1}));
  context.give(*stage, tcp_frame(context.pool(), ack, 100, {.ack = 2}));
  context.give(*stage, tcp_frame(context.pool(), ack, 0, {.ack = 3}));
  context.give(*stage, tcp_frame(context.pool(), fin | ack, 0, {.ack = 4}));
  context.give(*stage, tcp_frame(context.pool(), rst | ack, 0, {.ack = 5}));
  context.give(*stage, udp_frame(context.pool(), 0));
  ASSERT_EQ(context.dropped.size(), 1U);
  EXPECT_EQ(lab::view(*context.dropped[0].frame).acknowledgment, 3U);
  EXPECT_EQ(context.passed.size(), 6U);

  StageTestContext many;
  const auto share = stage_of("ack-loss", {{"share", "30%"}});
  const auto model = tcp_frame(many.pool(), ack, 0);
  for (int i = 0; i < 10'000; ++i) many.give(*share, many.pool().copy(*model));
  EXPECT_NEAR(static_cast<double>(many.dropped.size()), 3000, 200);
}

/// Milliseconds, of 100 at which a frame was given, when one was lost.
std::vector<int> lost_times(const Keys& keys) {
  StageTestContext context;
  const auto stage = stage_of("outage", keys);
  const auto begin = context.now();
  std::vector<int> lost;
  for (int at = 0; at < 100; ++at) {
    context.set_now(begin + at * 1ms);
    context.give(*stage, tcp_frame(context.pool(), ack, 10));
    if (context.dropped.size() > lost.size()) lost.push_back(at);
  }
  return lost;
}

TEST(OutageStage, LosesAllFramesForATimeOnceOrAgainAndAgain) {
  EXPECT_EQ(lost_times({{"from", "20ms"}, {"for", "3ms"}}), (std::vector{20, 21, 22}));
  EXPECT_EQ(lost_times({{"from", "10ms"}, {"for", "1ms"}, {"every", "40ms"}}),
            (std::vector{10, 50, 90}));
  EXPECT_EQ(lost_times({{"for", "2ms"}}), (std::vector{0, 1}));
  EXPECT_NE(complaint_of("outage", {{"from", "1s"}}), "");
  EXPECT_NE(complaint_of("outage", {{"for", "2s"}, {"every", "1s"}}).find("longer"),
            std::string::npos);
}

TEST(PolicerStage, PassesABurstAndThenItsRate) {
  StageTestContext context;
  // A byte a microsecond, three frames of 1000 bytes at once.
  const auto stage = stage_of("policer", {{"rate", "8Mbit/s"}, {"burst", "3000"}});
  const auto begin = context.now();
  const auto give = [&](int frames) {
    const auto before = context.passed.size();
    for (int i = 0; i < frames; ++i) context.give(*stage, tcp_frame(context.pool(), ack, 934));
    return context.passed.size() - before;
  };
  EXPECT_EQ(give(5), 3U);
  context.set_now(begin + 999us);
  EXPECT_EQ(give(1), 0U);
  context.set_now(begin + 1001us);
  EXPECT_EQ(give(2), 1U);
  context.set_now(begin + 1s);
  EXPECT_EQ(give(9), 3U);  // no more than the burst is saved up
  EXPECT_TRUE(std::ranges::all_of(context.passed, &StageTestContext::Passed::at_once));
  EXPECT_EQ(context.dropped[0].why, "above the policed rate");
}

TEST(PolicerStage, LeavesFramesThatAreNotChosenAloneAndRefusesSenselessKeys) {
  StageTestContext context;
  const auto stage = stage_of("policer", {{"rate", "8kbit/s"}, {"burst", "1514"}, {"only", "udp"}});
  for (int i = 0; i < 10; ++i) context.give(*stage, tcp_frame(context.pool(), ack, 1448));
  EXPECT_EQ(context.passed.size(), 10U);
  EXPECT_NE(complaint_of("policer", {{"rate", "8Mbit/s"}}), "");
  EXPECT_NE(complaint_of("policer", {{"rate", "0"}, {"burst", "3000"}}), "");
  EXPECT_NE(complaint_of("policer", {{"rate", "1M"}, {"burst", "1000"}}), "");
}

}  // namespace
}  // namespace slowpath::test

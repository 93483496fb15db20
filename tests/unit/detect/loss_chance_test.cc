// SPDX-License-Identifier: Apache-2.0
// What speaks against chance as the cause of losses, and what does not.
#include "detect/loss_chance.h"

#include <random>

#include <gtest/gtest.h>

#include "detect/arithmetic/statistics.h"

namespace slowpath::detect {
namespace {

constexpr std::uint32_t kSegment = 1448;

/// A direction of 20 000 segments with round trips of 20 to 30 ms.
DirectionFacts some_transfer() {
  DirectionFacts data;
  data.segment_size = kSegment;
  data.bytes = std::uint64_t{20'000} * kSegment;
  data.data_packets = 20'000;
  data.goodput_bps = 10e6;
  data.rtt.total = {
      .samples = 5000, .min_s = 0.020, .median_s = 0.025, .p95_s = 0.0295, .max_s = 0.030};
  for (std::size_t i = 0; i < data.rtt.quantiles_s.size(); ++i) {
    data.rtt.quantiles_s[i] = 0.020 + 0.0005 * static_cast<double>(i);
  }
  return data;
}

void lose(DirectionFacts& data, std::uint64_t segment, double rtt_s, bool same_flight = false) {
  LossEvent loss;
  loss.offset = segment * kSegment;
  loss.len = kSegment;
  loss.rtt_before_s = rtt_s;
  loss.flight_bytes = std::uint64_t{20} * kSegment;
  if (!same_flight) ++data.loss_episodes;
  loss.episode = static_cast<std::uint32_t>(data.loss_episodes);
  data.losses.push_back(loss);
  ++data.lost_packets;
}

std::string why(const DirectionFacts& data) { return why_not_chance(data, loss_pattern(data)); }

TEST(LossChance, IndependentLossesAreChance) {
  for (const std::uint32_t seed : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U}) {
    std::mt19937 random(seed);
    std::exponential_distribution<double> apart(1.0 / 400);
    std::uniform_real_distribution<double> rtt(0.020, 0.030);
    DirectionFacts data = some_transfer();
    for (double at = apart(random); at < 20'000; at += 1 + apart(random)) {
      lose(data, static_cast<std::uint64_t>(at), rtt(random));
    }
    EXPECT_EQ(why(data), "") << seed;
    EXPECT_FALSE(losses_come_in_runs(data, loss_pattern(data))) << seed;
  }
}

/// `count` runs of lost segments, far apart at no rhythm, at any round-trip time.
DirectionFacts runs_of(std::size_t count, std::uint64_t segments) {
  DirectionFacts data = some_transfer();
  std::mt19937 random(3);
  std::exponential_distribution<double> apart(1.0 / 300);
  std::uniform_real_distribution<double> rtt(0.020, 0.030);
  double at = apart(random);
  for (std::size_t run = 0; run < count; ++run, at += 40 + apart(random)) {
    for (std::uint64_t i = 0; i < segments; ++i) {
      lose(data, static_cast<std::uint64_t>(at) + i, rtt(random), i > 0);
    }
  }
  return data;
}

TEST(LossChance, SegmentsThatAreNeverLostAloneWereOneSend) {
  DirectionFacts data = runs_of(20, 2);
  EXPECT_NE(why(data).find("never one alone"), std::string::npos) << why(data);
  lose(data, 19'000, 0.025);
  EXPECT_EQ(why(data), "") << "one was";
  EXPECT_EQ(why(runs_of(9, 2)), "") << "too few";
  EXPECT_EQ(why(runs_of(20, 12)), "") << "a path that is silent for a while takes many";
}

TEST(LossChance, SoManyNeverAloneAreFramesOfSeveral) {
  const auto dies = [](DirectionFacts& data) {
    return large_frames_may_die(data, loss_runs(data));
  };
  DirectionFacts data = runs_of(30, 2);
  EXPECT_NEAR(loss_runs(data).mean_segments, 2, 1e-9);
  EXPECT_LT(loss_runs(data).chance_of_none_alone, 1e-8);
  EXPECT_FALSE(dies(data)) << "60 of 20 000: such a sender would come much further";
  data.bytes = std::uint64_t{500} * kSegment;
  data.data_packets = 440;
  EXPECT_TRUE(dies(data));
  DirectionFacts limited = runs_of(60, 5);
  limited.bytes = std::uint64_t{2000} * kSegment;
  limited.data_packets = 1700;
  EXPECT_FALSE(dies(limited)) << "a limit takes more at once";
  lose(data, 19'000, 0.025);
  EXPECT_EQ(loss_runs(data).chance_of_none_alone, 1);
  EXPECT_FALSE(dies(data)) << "one was";
}

// 16 losses at a mean rank of 0.75: by a thousandth no chance. But it is 0.2 ms of a host's own
// noise, by which this path is told full no more often than any path. One whose queue shows is.
TEST(LossChance, ASomewhatLongerRoundTripIsNoFullPathWhereNoQueueShows) {
  DirectionFacts data = some_transfer();
  std::mt19937 random(2);
  std::exponential_distribution<double> apart(1.0 / 1000);
  double at = 0;
  for (int i = 0; i < 16; ++i) {
    at += 50 + apart(random);
    lose(data, static_cast<std::uint64_t>(at), 0.0275);
  }
  data.rtt.loaded_s = 0.0205;
  EXPECT_EQ(why(data), "");
  data.rtt.loaded_s = 0.040;
  EXPECT_NE(why(data).find("when the path is full"), std::string::npos) << why(data);
}

TEST(LossChance, LossesAtTheLongestRoundTripsAreAQueue) {
  DirectionFacts data = some_transfer();
  std::mt19937 random(1);
  std::exponential_distribution<double> apart(1.0 / 1000);
  for (double at = apart(random); at < 20'000; at += 1 + apart(random)) {
    lose(data, static_cast<std::uint64_t>(at), 0.0292);
  }
  EXPECT_NE(why(data).find("when the path is full"), std::string::npos) << why(data);
  EXPECT_NE(losses_come_when_full(data), "");
}

TEST(LossChance, ARhythmIsASawtooth) {
  DirectionFacts data = some_transfer();
  lose(data, 7, 0.025);  // the overshoot of slow start
  lose(data, 8, 0.025, true);
  for (std::uint64_t i = 1; i < 7; ++i) lose(data, 2700 * i + (i % 3) * 40, 0.025);
  EXPECT_NE(why(data).find("rhythm"), std::string::npos) << why(data);
}

TEST(LossChance, EveryFlightLosingSomethingIsNoRhythm) {
  DirectionFacts data = some_transfer();
  for (std::uint64_t i = 1; i < 40; ++i) lose(data, 22 * i, 0.025);
  EXPECT_EQ(why(data).find("rhythm"), std::string::npos);
}

void send(DirectionFacts& data, int ms, std::uint32_t passed, std::uint32_t lost) {
  data.passage.cells.push_back({time_from_ns(std::int64_t{ms} * 1'000'000), passed, lost});
}

// Of what is sent together half is dropped; what is sent alone arrives.
TEST(LossChance, WhatSparesLoneSegmentsIsNotChance) {
  DirectionFacts data = some_transfer();
  data.passage.cell_s = 0.0001;
  for (int i = 0; i < 40; ++i) {
    send(data, 4 * i, kSegment, 0);
    send(data, 4 * i + 2, kSegment, kSegment);
    lose(data, static_cast<std::uint64_t>(10 * i * i), 0.020 + 0.0002 * (i % 50));
  }
  EXPECT_NE(why(data).find("close together"), std::string::npos) << why(data);
  for (std::size_t i = 0; i < data.passage.cells.size(); i += 4) {
    std::swap(data.passage.cells[i].lost_bytes, data.passage.cells[i].passed_bytes);
  }
  EXPECT_EQ(why(data).find("close together"), std::string::npos);
}

TEST(LossChance, AwayFromTheSenderLoneSegmentsProveNothing) {
  DirectionFacts data = some_transfer();
  data.passage.cell_s = 0.0001;
  for (int i = 0; i < 40; ++i) {
    send(data, 4 * i, kSegment, 0);
    send(data, 4 * i + 2, kSegment, kSegment);
    lose(data, static_cast<std::uint64_t>(10 * i * i), 0.020 + 0.0002 * (i % 50));
  }
  data.lost_before_capture = data.lost_packets;
  EXPECT_EQ(why(data), "");
}

TEST(LossChance, MuchLostAndMuchReachedIsNotLoss) {
  DirectionFacts data = some_transfer();
  for (std::uint64_t i = 1; i < 1000; ++i) lose(data, 3 * i, 0.025);
  data.lost_packets = 7000;
  data.goodput_bps = 80e6;
  EXPECT_NE(why(data).find("resends are spared"), std::string::npos) << why(data);
  data.goodput_bps = 0.2e6;
  EXPECT_EQ(why(data), "");
}

TEST(LossChance, NeighboursLostTogetherAreRuns) {
  DirectionFacts data = some_transfer();
  for (std::uint64_t i = 1; i < 40; ++i) {
    lose(data, 311 * i, 0.025);
    lose(data, 311 * i + 1, 0.025, true);
  }
  EXPECT_TRUE(losses_come_in_runs(data, loss_pattern(data)));
}

TEST(LossChance, AFewLossesSayNothing) {
  DirectionFacts data = some_transfer();
  for (std::uint64_t i = 1; i < 4; ++i) lose(data, 2700 * i, 0.0299);
  EXPECT_EQ(why(data), "");
}

TEST(ChanceOfAtMost, IsTheLowerTailOfTheBinomialDistribution) {
  EXPECT_DOUBLE_EQ(arithmetic::chance_of_at_most(0, 3, 0.5), 0.125);
  EXPECT_NEAR(arithmetic::chance_of_at_most(2, 10, 0.3), 0.38278, 1e-5);
  EXPECT_DOUBLE_EQ(arithmetic::chance_of_at_most(10, 10, 0.3), 1);
  EXPECT_DOUBLE_EQ(arithmetic::chance_of_at_most(3, 10, 0), 1);
  EXPECT_DOUBLE_EQ(arithmetic::chance_of_at_most(3, 10, 1), 0);
}

}  // namespace
}  // namespace slowpath::detect

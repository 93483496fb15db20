// SPDX-License-Identifier: Apache-2.0
// losses_limit: what a sender loses in bursts counts by burst, and only where nothing else held the
// rate.
#include "detect/loss_limit.h"

#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

// 40 MB at 40 Mbit/s over 24 ms, of which the sender waited nearly always for its window: 150
// packets of 27 600 were lost, in 12 flights.
DirectionFacts lost_in_bursts() {
  Case facts = healthy_case({.bytes = 40'000'000, .seconds = 8, .rtt_s = 0.024});
  DirectionFacts data = download_of(facts);
  data.lost_packets = 150;
  data.loss_episodes = 12;
  data.trains = {.trains = 200, .median_bps = 400e6};
  return data;
}

TEST(LossLimit, BurstsThatHalveTheWindowLimit) {
  DirectionFacts data = lost_in_bursts();
  EXPECT_TRUE(detect::losses_limit(data));
  data.loss_episodes = 2;
  EXPECT_FALSE(detect::losses_limit(data));
}

TEST(LossLimit, NotWhereThePathCarriesNoMore) {
  DirectionFacts data = lost_in_bursts();
  data.trains.median_bps = 80e6;
  EXPECT_FALSE(detect::losses_limit(data));
}

TEST(LossLimit, NotWhereTheSenderWaitsForSomethingElse) {
  DirectionFacts data = lost_in_bursts();
  charge(data, TimeOwner::application, data.time[TimeOwner::congestion_window] * 0.6);
  EXPECT_FALSE(detect::losses_limit(data));
}

// 10 MB over 100 ms, five losses in five flights: 35 Mbit/s before the first, 12 in the end.
TEST(LossLimit, AWindowThatShrankWithEachOfAFewLossesLimits) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 4, .rtt_s = 0.1});
  DirectionFacts data = download_of(facts);
  data.lost_packets = data.loss_episodes = 5;
  data.timeline.bin_s = 0.1;
  data.timeline.bins.assign(40, {});
  const auto rate_from = [&](std::size_t from, double bps) {
    for (std::size_t i = from; i < 40; ++i)
      data.timeline.bins.kept()[i].sent_bytes = data.timeline.bins.kept()[i].acked_bytes =
          static_cast<std::uint64_t>(bps * 0.1 / 8);
  };
  rate_from(0, 35e6);
  rate_from(10, 20e6);
  rate_from(30, 12e6);
  EXPECT_TRUE(detect::losses_limit(data));
  rate_from(10, 35e6);
  EXPECT_FALSE(detect::losses_limit(data)) << "they took nothing of its rate";
}

TEST(LossLimit, NotWhereAQueueBuilds) {
  DirectionFacts data = lost_in_bursts();
  data.rtt.loaded_s = 0.060;
  EXPECT_FALSE(detect::losses_limit(data));
}

}  // namespace
}  // namespace slowpath::testing

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

TEST(LossLimit, NotWhereAQueueBuilds) {
  DirectionFacts data = lost_in_bursts();
  data.rtt.loaded_s = 0.060;
  EXPECT_FALSE(detect::losses_limit(data));
}

}  // namespace
}  // namespace slowpath::testing

// SPDX-License-Identifier: Apache-2.0
// policer: a bucket shared by two transfers fires for both; a queue that keeps the same books, few
// losses, and time spent before timeouts do not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

constexpr std::uint32_t kPacket = 1448;

// Two downloads in turns through one bucket of 60 kB filled at 250 kB/s; round trips of 100 ms that
// had grown by `rise_s` before each loss.
Case policed(double rise_s) {
  Case facts = healthy_case({.bytes = 5'000'000, .seconds = 40, .rtt_s = 0.1});
  add_connection(facts, {.bytes = 5'000'000, .seconds = 40, .rtt_s = 0.1});
  facts.connections[1].client.address = facts.connections[0].client.address;
  facts.connections[1].server.address = facts.connections[0].server.address;
  double tokens = 60e3, last_s = 0;
  std::uint64_t window[2] = {10, 14};
  for (std::uint64_t round = 0; round < 400; ++round) {
    for (std::size_t flow = 0; flow < 2; ++flow) {
      DirectionFacts& data = download_of(facts, flow);
      bool lost = false;
      for (std::uint64_t i = 0; i < window[flow]; ++i) {
        const double at_s = 0.1 * static_cast<double>(round) + 0.05 * static_cast<double>(flow) +
                            0.0004 * static_cast<double>(i);
        tokens = std::min(60e3, tokens + 250e3 * (at_s - last_s));
        last_s = at_s;
        const bool passes = tokens >= kPacket;
        if (passes) tokens -= kPacket;
        lost = lost || !passes;
        data.passage.cells.push_back(
            {data.first_data + from_seconds(at_s), passes ? kPacket : 0, passes ? 0 : kPacket});
        if (passes) continue;
        LossEvent loss;
        loss.rtt_before_s = data.rtt.total.min_s + rise_s;
        loss.original = loss.resend = FrameRef{0, 100 + data.lost_packets};
        data.losses.push_back(loss);
        ++data.lost_packets;
      }
      data.loss_episodes += lost;
      window[flow] = lost ? std::max<std::uint64_t>(2, window[flow] / 2) : window[flow] + 2;
    }
  }
  for (std::size_t flow = 0; flow < 2; ++flow) {
    DirectionFacts& data = download_of(facts, flow);
    data.passage.cell_s = 0.0001;
    data.resent_packets = data.lost_packets;
    data.rtt.loaded_s = data.rtt.total.min_s + rise_s;
    charge(data, TimeOwner::loss_recovery, 10);
  }
  return facts;
}

TEST(Policer, ABucketThatTwoTransfersShareIsNamedForBoth) {
  const auto found = run("policer", policed(0.0005));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_NE(found[0].connections, found[1].connections);
  EXPECT_NEAR(found[0].evidence[0].values[0].second, 2e6, 2e5);
  EXPECT_GT(found[0].seconds_lost, 10);
}

// The same books with a link seen that is far faster than the bucket: seen before it they are not a
// queue's, because such a queue would have had room; seen behind it they cannot be told apart from
// those of its queue.
TEST(Policer, BehindALinkThatSpacesPacketsAShortQueueIsNotRuledOut) {
  Case facts = policed(0.0005);
  for (std::size_t flow = 0; flow < 2; ++flow) {
    DirectionFacts& data = download_of(facts, flow);
    data.trains = {.trains = 40, .median_bps = 400e6, .p75_bps = 400e6, .p90_bps = 420e6};
  }
  EXPECT_EQ(run("policer", facts).size(), 2U);
  for (std::size_t flow = 0; flow < 2; ++flow) {
    DirectionFacts& data = download_of(facts, flow);
    data.lost_before_capture = data.lost_packets;
    data.flight_plateau_bytes = 100'000;
  }
  EXPECT_TRUE(run("policer", facts).empty());
  for (std::size_t flow = 0; flow < 2; ++flow)
    download_of(facts, flow).flight_plateau_bytes = 30'000;
  EXPECT_EQ(run("policer", facts).size(), 2U);
  for (std::size_t flow = 0; flow < 2; ++flow)
    download_of(facts, flow).flight_plateau_bytes = 100'000;
  for (std::size_t flow = 0; flow < 2; ++flow) download_of(facts, flow).trains.p90_bps = 800e6;
  EXPECT_EQ(run("policer", facts).size(), 2U);
}

// A queue of 250 kB/s takes 11.6 ms for two packets. Round trips that grow by less show none.
TEST(Policer, BehindALinkGrowthByLessThanTwoPacketsIsNoShortQueueEither) {
  const auto seen_behind_a_link = [](double rise_s) {
    Case facts = policed(rise_s);
    for (std::size_t flow = 0; flow < 2; ++flow) {
      DirectionFacts& data = download_of(facts, flow);
      data.trains = {.trains = 40, .median_bps = 400e6, .p75_bps = 400e6, .p90_bps = 420e6};
      data.lost_before_capture = data.lost_packets;
      data.flight_plateau_bytes = 100'000;
    }
    return facts;
  };
  EXPECT_FALSE(run("congestion-self", seen_behind_a_link(0.013)).empty());
  EXPECT_TRUE(run("congestion-self", seen_behind_a_link(0.005)).empty());
}

// One segment passes, two behind each other never do (a gateway merges them into what the next link
// does not carry): the sender falls back to one, and tries two again.
Case pairs_dropped() {
  Case facts = healthy_case({.bytes = 1'400'000, .seconds = 6, .rtt_s = 0.002});
  DirectionFacts& data = download_of(facts);
  for (std::uint64_t round = 0; round < 500; ++round) {
    const double at_s = 0.012 * static_cast<double>(round);
    const auto sent_at = [&](double later_s) {
      return data.first_data + from_seconds(at_s + later_s);
    };
    data.passage.cells.push_back({sent_at(0), kPacket, 0});
    data.passage.cells.push_back({sent_at(0.004), kPacket, 0});
    data.passage.cells.push_back({sent_at(0.0081), 0, kPacket});
    data.passage.cells.push_back({sent_at(0.0082), 0, kPacket});
    data.lost_packets += 2;
    ++data.loss_episodes;
  }
  data.data_packets = 2000;
  data.passage.cell_s = 0.0001;
  data.resent_packets = data.lost_packets;
  charge(data, TimeOwner::loss_recovery, 3);
  return facts;
}

TEST(Policer, MergedPairsThatAreDroppedAreNoBucket) {
  EXPECT_TRUE(run("policer", pairs_dropped()).empty());
  EXPECT_EQ(silences_of("policer", pairs_dropped()).size(), 1U);
}

// The third of three passes by itself, then the two that were merged are sent again, one a round
// trip: a bucket that is empty for the two would take these as well. Later it sends one by one.
Case pairs_of_three_dropped() {
  Case facts = healthy_case({.bytes = 5'600'000, .seconds = 54, .rtt_s = 0.0036});
  DirectionFacts& data = download_of(facts);
  for (std::uint64_t round = 0; round < 500; ++round) {
    const double at_s = 0.012 * static_cast<double>(round);
    const auto add = [&](double later_s, bool passes) {
      data.passage.cells.push_back({data.first_data + from_seconds(at_s + later_s),
                                    passes ? kPacket : 0, passes ? 0 : kPacket});
    };
    add(0, false);
    add(0.0001, false);
    add(0.0002, true);
    add(0.004, true);
    add(0.0077, true);
    data.lost_packets += 2;
    ++data.loss_episodes;
  }
  for (int i = 0; i < 2400; ++i) {
    data.passage.cells.push_back({data.first_data + from_seconds(6 + 0.02 * i), kPacket, 0});
  }
  data.data_packets = 4900;
  data.passage.cell_s = 0.0001;
  data.resent_packets = data.lost_packets;
  data.flight_plateau_bytes = 3 * std::uint64_t{kPacket};
  charge(data, TimeOwner::loss_recovery, 8);
  return facts;
}

TEST(Policer, WhatPassesResendsOfSmallFlightsIsNoBucket) {
  Case facts = pairs_of_three_dropped();
  EXPECT_TRUE(run("policer", facts).empty());
  EXPECT_EQ(silences_of("policer", facts).size(), 1U);
  // Resends are lost as often as all else.
  download_of(facts).lost_resends = download_of(facts).lost_packets * 2 / 5;
  EXPECT_EQ(run("policer", facts).size(), 1U);
}

TEST(Policer, AQueueOfThatDepthShowsInRoundTrips) {
  const Case facts = policed(0.2);
  EXPECT_TRUE(run("policer", facts).empty());
  EXPECT_FALSE(silences_of("policer", facts).empty());
}

// A NIC that drops large sends whole does: they are made when little is under way.
TEST(Policer, LossesBesideAStandingQueueThatIsShortThenAreNoBuckets) {
  Case facts = policed(0.0005);
  for (std::size_t flow = 0; flow < 2; ++flow) {
    DirectionFacts& data = download_of(facts, flow);
    for (std::size_t i = 1; i < data.rtt.quantiles_s.size(); ++i)
      data.rtt.quantiles_s[i] = data.rtt.total.min_s + 0.001 * static_cast<double>(i);
    charge(data, TimeOwner::bottleneck, 30);
  }
  EXPECT_TRUE(run("policer", facts).empty());
}

// Behind a path that holds each packet for a time of its own, arrivals do not tell when a packet
// came to the bucket. What the sender sent is in order all the same.
TEST(Policer, AnOrderThatThePathShuffledTellsOfNoBucket) {
  const auto with_late_packets = [](bool by_sack, std::uint64_t packets, double late_s) {
    Case late = policed(0.0005);
    for (std::size_t flow = 0; flow < 2; ++flow) {
      DirectionFacts& data = download_of(late, flow);
      data.reorder.packets = packets;
      data.reorder.median_late_s = late_s;
      data.reorder.by_sack = by_sack;
    }
    return late;
  };
  Case facts = policed(0);
  const std::uint64_t sent = download_of(facts).data_packets;
  EXPECT_TRUE(run("policer", with_late_packets(false, sent / 2, 0.03)).empty());
  EXPECT_EQ(run("policer", with_late_packets(true, sent / 2, 0.03)).size(), 2U);
  EXPECT_EQ(run("policer", with_late_packets(false, sent / 2, 0.01)).size(), 2U);
  EXPECT_EQ(run("policer", with_late_packets(false, sent / 100, 0.03)).size(), 2U);
}

TEST(Policer, AFewLossesProveNoBucket) {
  Case facts = policed(0.0005);
  for (std::size_t flow = 0; flow < 2; ++flow) download_of(facts, flow).lost_packets = 7;
  EXPECT_TRUE(run("policer", facts).empty());
}

TEST(Policer, WhoWaitsForItsTimerIsNotJudged) {
  Case facts = policed(0.0005);
  for (std::size_t flow = 0; flow < 2; ++flow) {
    charge(download_of(facts, flow), TimeOwner::timeout, 25);
  }
  EXPECT_TRUE(run("policer", facts).empty());
}

TEST(Policer, ACaptureWithoutAcksSaysNothing) {
  Case facts = policed(0.0005);
  for (std::size_t flow = 0; flow < 2; ++flow) download_of(facts, flow).acks_seen = false;
  EXPECT_TRUE(run("policer", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

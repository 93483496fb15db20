// SPDX-License-Identifier: Apache-2.0
// congestion-self: a queue that overflows fires; a queue without loss is a link well used.
#include <gtest/gtest.h>

#include "detect/short_queue.h"
#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_queue(double loaded_s, std::uint64_t losses, double recovery_s) {
  Case facts = healthy_case({.seconds = 10});
  DirectionFacts& data = download_of(facts);
  data.rtt.loaded_s = loaded_s;
  for (std::size_t i = 0; i < data.rtt.quantiles_s.size(); ++i) {
    data.rtt.quantiles_s[i] = 0.020 + (loaded_s - 0.020) * static_cast<double>(i) / 20;
  }
  data.lost_packets = losses;
  data.loss_episodes = (losses + 7) / 8;
  for (std::uint64_t i = 0; i < losses; ++i) {
    LossEvent loss;
    loss.resend = loss.original = FrameRef{0, 200 + i};
    loss.rtt_before_s = loaded_s;
    data.losses.push_back(loss);
  }
  charge(data, TimeOwner::bottleneck, 5);
  charge(data, TimeOwner::loss_recovery, recovery_s);
  return facts;
}

TEST(CongestionSelf, OverflowThatCostsRecoveryIsAFault) {
  const auto found = run("congestion-self", with_queue(0.045, 40, 2));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 2);
}

// ACKs that were meant for a first copy make samples far below the path's round trip.
TEST(CongestionSelf, RoundTripsUnderLoadThatAreNoLongerThanTheHandshakeAreNoQueue) {
  Case facts = with_queue(0.045, 40, 2);
  download_of(facts).rtt.handshake_s = 0.050;
  EXPECT_TRUE(run("congestion-self", facts).empty());
  download_of(facts).rtt.handshake_s = 0.022;
  EXPECT_EQ(run("congestion-self", facts).size(), 1U);
}

TEST(CongestionSelf, StandingQueueWithOverflowIsAFaultForItsLatency) {
  const auto found = run("congestion-self", with_queue(0.090, 16, 0.2));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
}

TEST(CongestionSelf, ModerateQueueWithoutLossIsALinkWellUsed) {
  const Case facts = with_queue(0.045, 0, 0);
  EXPECT_TRUE(run("congestion-self", facts).empty());
  EXPECT_EQ(silences_of("congestion-self", facts).size(), 1U);
}

TEST(CongestionSelf, LossesAtTheShortestRoundTripsAreNoOverflow) {
  Case facts = with_queue(0.045, 40, 2);
  for (LossEvent& loss : download_of(facts).losses) loss.rtt_before_s = 0.0205;
  EXPECT_TRUE(run("congestion-self", facts).empty());
}

// A window that doubles fills the queue within a round trip: what was measured before is short.
TEST(CongestionSelf, LossesOfFewFlightsDoNotTellWhenTheyCome) {
  Case facts = with_queue(0.090, 40, 2);
  DirectionFacts& data = download_of(facts);
  for (LossEvent& loss : data.losses) loss.rtt_before_s = 0.0205;
  data.loss_episodes = 5;
  EXPECT_TRUE(run("congestion-self", facts).empty());
  data.loss_episodes = 4;
  EXPECT_EQ(run("congestion-self", facts).size(), 1U);
}

TEST(CongestionSelf, LossesAmongManyNeedlessResendsMayHaveBeenLate) {
  Case facts = with_queue(0.090, 40, 2);
  DirectionFacts& data = download_of(facts);
  data.reorder.packets = data.resent_packets = 1000;
  data.spurious.packets = 159;
  EXPECT_EQ(run("congestion-self", facts).size(), 1U);
  data.spurious.packets = 160;
  EXPECT_TRUE(run("congestion-self", facts).empty());
  EXPECT_EQ(silences_of("congestion-self", facts).size(), 1U);
}

// A capture that cut the options off shows no SACK, and so not what came late.
TEST(CongestionSelf, AmongNeedlessResendsLossesMayHaveBeenLateWhereNoSackTells) {
  Case facts = with_queue(0.090, 40, 2);
  DirectionFacts& data = download_of(facts);
  data.resent_packets = 200;
  data.spurious.packets = 160;
  data.sack_blocks = 0;
  EXPECT_TRUE(run("congestion-self", facts).empty());
  data.sack_blocks = 1;
  EXPECT_EQ(run("congestion-self", facts).size(), 1U);
  data.sack_blocks = 0;
  data.spurious.packets = 159;
  EXPECT_EQ(run("congestion-self", facts).size(), 1U);
}

TEST(CongestionSelf, LossesOutsideTheQueuesTimeAreNot) {
  Case facts = with_queue(0.090, 40, 2);
  charge(download_of(facts), TimeOwner::bottleneck, -4.9);
  EXPECT_TRUE(run("congestion-self", facts).empty());
}

TEST(CongestionSelf, LossesWithoutAQueueAreNot) {
  EXPECT_TRUE(run("congestion-self", with_queue(0.021, 40, 2)).empty());
}

// Segments come as close as the link lets them, and it carries hardly more than the transfer has:
// what is repaired keeps it busy.
TEST(CongestionSelf, RepairsOnALinkThatStaysFullCostNothing) {
  Case facts = with_queue(0.045, 40, 2);
  DirectionFacts& data = download_of(facts);
  const double goodput_bps = data.goodput_bps;
  EXPECT_EQ(run("congestion-self", facts).at(0).severity, Severity::fault);
  data.trains.pair_bps = goodput_bps / 0.97;
  data.trains.pair_share = 0.6;
  EXPECT_EQ(run("congestion-self", facts).at(0).severity, Severity::note);
  data.trains.pair_bps = goodput_bps / 0.9;
  EXPECT_EQ(run("congestion-self", facts).at(0).severity, Severity::fault);
  data.trains = {
      .trains = 50, .median_bps = goodput_bps, .p75_bps = goodput_bps, .p90_bps = goodput_bps};
  EXPECT_EQ(run("congestion-self", facts).at(0).severity, Severity::note) << "trains tell it too";
}

// As in a capture begun late: the least round trip had a queue in it.
TEST(CongestionSelf, AFullLinksQueueMayLookLikeTheCongestionWindow) {
  Case facts = with_queue(0.045, 40, 2);
  DirectionFacts& data = download_of(facts);
  data.trains.pair_bps = data.goodput_bps / 0.97;
  data.trains.pair_share = 0.6;
  data.time[TimeOwner::bottleneck] = 2;
  charge(data, TimeOwner::congestion_window, 5);
  EXPECT_EQ(run("congestion-self", facts).at(0).severity, Severity::note);
}

// On a full link only a queue that stands is a fault; a few long round trips are none.
TEST(CongestionSelf, SingleLongRoundTripsAreNoQueueThatStands) {
  Case facts = with_queue(0.045, 40, 2);
  DirectionFacts& data = download_of(facts);
  data.rtt.total.p95_s = 0.150;
  data.trains.pair_bps = data.goodput_bps / 0.97;
  data.trains.pair_share = 0.6;
  EXPECT_EQ(run("congestion-self", facts).at(0).severity, Severity::note);
  facts = with_queue(0.090, 40, 2);
  download_of(facts).rtt.total.p95_s = 0.150;
  EXPECT_EQ(run("congestion-self", facts).at(0).severity, Severity::fault);
}

// Each loss in a flight of its own, when the round trip is longest; it hardly grows.
Case with_short_queue() {
  Case facts = with_queue(0.022, 40, 2);
  DirectionFacts& data = download_of(facts);
  data.rtt.total.p95_s = 0.022;
  data.goodput_bps = 18e6;
  data.loss_episodes = 40;
  for (std::uint32_t i = 0; i < data.losses.size(); ++i) {
    data.losses[i].episode = i;
    data.losses[i].offset = std::uint64_t{i} * i * 5000;
  }
  return facts;
}

// A window of some thirty segments loses one or two of a thousand when it overflows.
TEST(CongestionSelf, MoreIsLostThanAWindowLosesThatBacksOff) {
  Case facts = with_short_queue();
  DirectionFacts& data = download_of(facts);
  data.lost_packets = data.data_packets / 100;
  EXPECT_EQ(run("congestion-self", facts).size(), 1U);
  data.lost_packets = data.data_packets / 5;
  EXPECT_TRUE(run("congestion-self", facts).empty());
}

// A policer lets round trips grow by the fraction of a packet.
TEST(CongestionSelf, GrowthByLessThanTwoPacketsIsNoQueueThatOverflows) {
  Case facts = with_short_queue();
  DirectionFacts& data = download_of(facts);
  data.rtt.total.p95_s = 0.0207;
  data.goodput_bps = 180e6;
  EXPECT_EQ(run("congestion-self", facts).at(0).severity, Severity::fault);
  data.goodput_bps = 18e6;
  EXPECT_TRUE(run("congestion-self", facts).empty());
}

TEST(CongestionSelf, SuchGrowthSeenFromAfarIsASuspect) {
  Case facts = with_short_queue();
  DirectionFacts& data = download_of(facts);
  data.rtt.total.p95_s = 0.0207;
  data.goodput_bps = 18e6;
  data.vantage = Vantage::receiver;
  const auto found = run("congestion-self", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect) << "that they come when it is full says little";
  EXPECT_LE(found[0].seconds_lost, 10);
  EXPECT_NE(found[0].next_capture.find("sender.pcap"), std::string::npos);
  Case impossible = facts;
  download_of(impossible).sack_edges.impossible = 20;
  EXPECT_TRUE(run("congestion-self", impossible).empty());
  data.lost_packets = data.data_packets / 10;
  EXPECT_TRUE(run("congestion-self", facts).empty()) << "no window loses that much";
}

// A small window's bursts pass at 50 Mbit/s what a policer lets through at 8: their ends are lost,
// and waited longest.
TEST(CongestionSelf, BurstsFarFasterThanWhatWasEverHeldFillNoQueue) {
  Case facts = with_short_queue();
  DirectionFacts& data = download_of(facts);
  data.timeline.bin_s = 0.1;
  data.timeline.bins.assign(100, {});
  for (auto& bin : data.timeline.bins.kept()) bin.acked_bytes = 225'000;  // 18 Mbit/s
  data.rtt.total.p95_s = 0.026;
  data.trains = {.trains = 200, .median_bps = 20e6, .p75_bps = 50e6, .p90_bps = 55e6};
  EXPECT_EQ(run("congestion-self", facts).at(0).severity, Severity::fault);
  data.vantage = Vantage::receiver;
  EXPECT_EQ(run("congestion-self", facts).at(0).severity, Severity::suspect);
  EXPECT_TRUE(detect::bursts_outpace(data));
  data.trains.p75_bps = 25e6;
  data.trains.p90_bps = 26e6;
  EXPECT_FALSE(detect::bursts_outpace(data)) << "the link was full";
  EXPECT_EQ(run("congestion-self", facts).at(0).severity, Severity::suspect);
  data.timeline.bins = {};
  EXPECT_FALSE(detect::bursts_outpace(data)) << "nothing is known";
}

TEST(CongestionSelf, SackBlocksOfWhatWasNeverSentHideWhenPacketsWereLost) {
  Case facts = with_short_queue();
  EXPECT_EQ(run("congestion-self", facts).size(), 1U);
  download_of(facts).sack_edges.impossible = 20;
  EXPECT_TRUE(run("congestion-self", facts).empty());
  EXPECT_EQ(silences_of("congestion-self", facts).size(), 1U);
}

// Flights of five packets and of thirty in turns lose one of two hundred packets each.
TEST(CongestionSelf, LossesAtAnyRateAreNoQueuesThatOverflows) {
  Case facts = with_short_queue();
  EXPECT_EQ(run("congestion-self", facts).size(), 1U);
  DirectionFacts& data = download_of(facts);
  data.passage.cell_s = 0.0001;
  std::uint64_t packet = 0;
  for (std::uint64_t round = 0; round < 500; ++round) {
    for (std::uint64_t i = 0; i < (round / 50 % 2 == 0 ? 5U : 30U); ++i) {
      const double at_s = 0.02 * static_cast<double>(round) + 0.0004 * static_cast<double>(i);
      const bool lost = packet++ * 7919 % 200 == 0;
      data.passage.cells.push_back(
          {data.first_data + from_seconds(at_s), lost ? 0U : 1448U, lost ? 1448U : 0U});
    }
  }
  EXPECT_TRUE(run("congestion-self", facts).empty());
}

// Two downloads of the same hosts, each at `rate_bps`, lose 40 packets. Trains of their segments
// say that the path carries 10 Mbit/s, nearly all of them up to `fastest_bps`.
Case two_at(double rate_bps, double fastest_bps) {
  Case facts = with_queue(0.021, 40, 2);
  DirectionFacts& data = download_of(facts);
  charge(data, TimeOwner::bottleneck, -5);
  charge(data, TimeOwner::congestion_window, 5);
  data.goodput_bps = rate_bps;
  data.bytes = static_cast<std::uint64_t>(rate_bps / 8 * 10);
  data.trains.trains = 100;
  data.trains.median_bps = data.trains.p75_bps = 10e6;
  data.trains.p90_bps = fastest_bps;
  ConnectionFacts other = facts.connections.front();
  ++other.id;
  ++other.client.port;
  facts.connections.push_back(std::move(other));
  return facts;
}

TEST(CongestionSelf, TransfersThatTogetherFillThePathAreItsCongestion) {
  const auto found = run("congestion-self", two_at(4.8e6, 10.1e6));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_NE(found[0].claim.find("with 1 more"), std::string::npos) << found[0].claim;
  EXPECT_FALSE(found[0].after_fix.goodput_bps.has_value());
}

TEST(CongestionSelf, TransfersThatLeaveRoomDoNotFillThePath) {
  EXPECT_TRUE(run("congestion-self", two_at(4e6, 10.1e6)).empty());
}

TEST(CongestionSelf, TransfersThatExceedTheRateTogetherDoNotShareThePath) {
  EXPECT_TRUE(run("congestion-self", two_at(6e6, 10.1e6)).empty());
}

TEST(CongestionSelf, TrainsWithPausesInThemDoNotTellThePathsRate) {
  EXPECT_TRUE(run("congestion-self", two_at(4.8e6, 12e6)).empty());
}

TEST(CongestionSelf, OneTransferAloneFillsNoPathTogether) {
  Case facts = two_at(4.8e6, 10.1e6);
  facts.connections.pop_back();
  EXPECT_TRUE(run("congestion-self", facts).empty());
}

// As by a clock that ticks every 16 ms.
TEST(CongestionSelf, RoundTripsThatTakeNoTimeAreSaidToBe) {
  Case facts = with_queue(0.045, 40, 2);
  DirectionFacts& data = download_of(facts);
  data.rtt.total.min_s = data.rtt.total.median_s = data.rtt.loaded_s = 0;
  data.rtt.handshake_s.reset();
  data.rtt.quantiles_s.fill(0);
  for (const char* fault : {"congestion-self", "bufferbloat", "shaper"}) {
    const auto silences = silences_of(fault, facts);
    ASSERT_EQ(silences.size(), 1U) << fault;
    EXPECT_NE(silences[0].why.find("clock"), std::string::npos) << silences[0].why;
  }
}

TEST(CongestionSelf, DamagedCaptureWithoutRoundTripTimesSaysNothing) {
  Case facts = with_queue(0.090, 40, 2);
  download_of(facts).rtt = {};
  EXPECT_TRUE(run("congestion-self", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

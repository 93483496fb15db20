// SPDX-License-Identifier: Apache-2.0
// Large frames that are not cut, gateways that refuse what was merged, and forwarders that merge.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case uncut(std::uint64_t superframes, std::uint64_t delivered) {
  Case facts = healthy_case({.seconds = 10});
  DirectionFacts& data = download_of(facts);
  data.superframes.sent = superframes;
  data.superframes.delivered = delivered;
  data.superframes.lost_whole = superframes - delivered;
  data.superframes.lost_then_pieces_delivered = superframes - delivered;
  data.superframes.lost_frames = frames(superframes - delivered, 4);
  data.superframes.piece_frames = frames(superframes - delivered, 9);
  data.superframes.timeout_s = 8.5;
  data.lost_packets = superframes - delivered;
  charge(data, TimeOwner::timeout, 8.5);
  return facts;
}

TEST(LsoNotSegmented, LargeFramesThatOnlyPassInPiecesAreAFault) {
  const auto found = run("lso-not-segmented", uncut(127, 0));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_GE(found[0].confidence, 0.95);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 8.5);
  EXPECT_EQ(found[0].evidence[0].text,
            "none of the 127 frames above 1500 bytes arrived at first sending");
  EXPECT_EQ(found[0].wireshark_filter, "tcp.stream eq 0 && frame.len > 1514");
}

TEST(LsoNotSegmented, LargeFramesThatPassAreNormal) {
  EXPECT_TRUE(run("lso-not-segmented", uncut(127, 20)).empty());
  EXPECT_EQ(silences_of("lso-not-segmented", uncut(127, 20)).size(), 1U);
}

TEST(LsoNotSegmented, TwoAreTooFew) { EXPECT_TRUE(run("lso-not-segmented", uncut(2, 0)).empty()); }

TEST(LsoNotSegmented, AwayFromTheSenderItIsASuspect) {
  Case facts = uncut(30, 0);
  download_of(facts).vantage = Vantage::midpath;
  EXPECT_EQ(run("lso-not-segmented", facts).at(0).severity, Severity::suspect);
}

/// Seen at the receiver: `runs` times so many segments side by side never came at first.
Case holes_of(std::uint32_t runs, std::uint32_t segments) {
  Case facts = healthy_case({.seconds = 8, .vantage = Vantage::receiver});
  DirectionFacts& data = download_of(facts);
  data.bytes = std::uint64_t{runs} * segments * 6 * data.segment_size;
  data.data_packets = data.bytes / data.segment_size;
  for (std::uint32_t run = 0; run < runs; ++run) {
    LossEvent loss;
    loss.offset = (std::uint64_t{run} * 12 + run % 5) * data.segment_size;
    loss.len = segments * data.segment_size;
    loss.before_capture = true;
    loss.episode = run;
    data.losses.push_back(loss);
  }
  data.lost_packets = data.lost_before_capture = runs * segments;
  data.loss_episodes = runs;
  charge(data, TimeOwner::timeout, 4);
  return facts;
}

TEST(LsoNotSegmented, WhatAlwaysMissesSeveralAtTheReceiverIsASuspect) {
  const auto found = run("lso-not-segmented", holes_of(30, 2));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_NE(found[0].claim.find("2.0 at a time"), std::string::npos) << found[0].claim;
  EXPECT_NE(found[0].next_capture.find("sender.pcap"), std::string::npos);
  EXPECT_TRUE(run("lso-not-segmented", holes_of(30, 1)).empty()) << "one at a time";
  EXPECT_TRUE(run("lso-not-segmented", holes_of(8, 2)).empty()) << "too few";
  Case by_timer = holes_of(30, 2);
  for (std::uint64_t i = 0; i < 40; ++i) {
    LossEvent loss = download_of(by_timer).losses[0];
    loss.how = ResendClass::timeout;
    download_of(by_timer).losses.push_back(loss);
  }
  download_of(by_timer).lost_packets += 40;
  EXPECT_TRUE(run("lso-not-segmented", by_timer).empty()) << "most are not known to be several";
  Case at_sender = holes_of(30, 2);
  download_of(at_sender).lost_before_capture = 0;
  EXPECT_TRUE(run("lso-not-segmented", at_sender).empty()) << "large frames would show here";
}

TEST(LsoNotSegmented, PiecesThatDoNotPassEitherAreAnotherFault) {
  Case facts = uncut(30, 0);
  download_of(facts).superframes.lost_then_pieces_delivered = 0;
  EXPECT_TRUE(run("lso-not-segmented", facts).empty());
}

Case only_large_lost(std::uint64_t small_lost, std::uint64_t episodes) {
  Case facts = uncut(200, 180);
  DirectionFacts& data = download_of(facts);
  data.superframes.sizes = {{.segments = 2, .delivered = 100, .lost_whole = small_lost},
                            {.segments = 6, .delivered = 80},
                            {.segments = 12, .lost_whole = 14},
                            {.segments = 20, .lost_whole = 6}};
  data.lost_packets = 20 + small_lost;
  data.loss_episodes = episodes;
  return facts;
}

TEST(LsoNotSegmented, AnEdgeAmongLargeFramesIsAFault) {
  const auto found = run("lso-not-segmented", only_large_lost(0, 8));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_TRUE(found[0].claim.contains("frames of 12 segments and more")) << found[0].claim;
}

TEST(LsoNotSegmented, LargeFramesLostAmongSmallOnesOrAtOnceAreAQueue) {
  EXPECT_TRUE(run("lso-not-segmented", only_large_lost(30, 8)).empty());
  // In one flight, all of which a timeout had sent again: what of it arrived is not known.
  Case at_once = only_large_lost(0, 1);
  download_of(at_once).timeouts = 1;
  EXPECT_TRUE(run("lso-not-segmented", at_once).empty());
}

TEST(LsoNotSegmented, WhereNoLargeFramePassesOtherLossesDoNotMatter) {
  Case facts = only_large_lost(1, 8);
  download_of(facts).lost_packets = 40;
  EXPECT_EQ(run("lso-not-segmented", facts).size(), 1U);
  // One that passed, or several smaller ones that did not, are a queue's or a policer's.
  Case one_passed = facts;
  download_of(one_passed).superframes.sizes[2].delivered = 1;
  EXPECT_TRUE(run("lso-not-segmented", one_passed).empty());
  download_of(facts).superframes.sizes[0].lost_whole = 2;
  EXPECT_TRUE(run("lso-not-segmented", facts).empty());
}

TEST(LsoNotSegmented, ACleanEdgeInOneFlightIsASuspect) {
  Case facts = only_large_lost(0, 1);
  DirectionFacts& data = download_of(facts);
  data.timeouts = 0;
  const auto found = run("lso-not-segmented", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  data.lost_packets += 1;
  EXPECT_TRUE(run("lso-not-segmented", facts).empty());
}

TEST(LsoNotSegmented, ACleanEdgeShowsInTwoFlights) {
  Case facts = only_large_lost(0, 2);
  DirectionFacts& data = download_of(facts);
  data.timeouts = 0;
  EXPECT_EQ(run("lso-not-segmented", facts).size(), 1U);
  // Not where a timeout had a whole flight sent again, nor where one of them passed.
  data.timeouts = 1;
  EXPECT_TRUE(run("lso-not-segmented", facts).empty());
  data.timeouts = 0;
  data.superframes.sizes.back().delivered = 1;
  EXPECT_TRUE(run("lso-not-segmented", facts).empty());
}

TEST(GroForwardBroken, MergedFramesThatEndHereAreASuspectAndNotAtTheSender) {
  Case facts = uncut(30, 0);
  EXPECT_TRUE(run("gro-forward-broken", facts).empty());
  download_of(facts).vantage = Vantage::midpath;
  EXPECT_EQ(run("gro-forward-broken", facts).at(0).severity, Severity::suspect);
  download_of(facts).superframes.delivered = 5;
  EXPECT_TRUE(run("gro-forward-broken", facts).empty());
}

TEST(GroForwardBroken, FinishedChecksumsShowThatANeighbourMerged) {
  Case facts = uncut(30, 0);
  download_of(facts).checksums.good = 200;
  facts.connections[0][Direction::to_server].checksums.partial = 90;
  EXPECT_EQ(run("gro-forward-broken", facts).size(), 1U);
  EXPECT_EQ(run("lso-not-segmented", facts).at(0).severity, Severity::suspect);
  download_of(facts).checksums.partial = 30;  // lone segments: merging is what finishes sums
  EXPECT_EQ(run("gro-forward-broken", facts).size(), 1U);
  download_of(facts).superframes.unfinished = 30;
  EXPECT_TRUE(run("gro-forward-broken", facts).empty());
  EXPECT_EQ(run("lso-not-segmented", facts).at(0).severity, Severity::fault);
}

// S4: 2960 bytes quoted at an MTU of 1500; without timestamps, so 40 + 2 * 1460.
Case refused(std::uint32_t quoted, std::uint32_t mtu) {
  Case facts = healthy_case({.seconds = 10});
  ConnectionFacts& connection = facts.connections[0];
  connection.timestamps_in_use = false;
  DirectionFacts& data = download_of(facts);
  data.segment_size = 1460;
  charge(data, TimeOwner::timeout, 6);
  IcmpFacts icmp;
  icmp.frame = FrameRef{0, 7};
  icmp.from = connection.client.address;
  icmp.about = Direction::to_client;
  icmp.type = 3;
  icmp.code = 4;
  icmp.next_hop_mtu = mtu;
  icmp.quoted_ip_len = quoted;
  icmp.largest_sent_ip_len = 1500;
  icmp.sequence_in_flight = true;
  connection.icmp = {icmp};
  connection.icmp_count = 1;
  return facts;
}

TEST(LsoNotSegmented, FramesThatAGatewayRefusesAreNotLostInTheNic) {
  Case facts = refused(2960, 1500);
  DirectionFacts& data = download_of(facts);
  data.superframes.sent = data.superframes.lost_whole = 12;
  data.superframes.lost_then_pieces_delivered = 12;
  EXPECT_TRUE(run("lso-not-segmented", facts).empty());
  EXPECT_EQ(run("icmp-fragneeded-coalesced", facts).size(), 1U);
}

TEST(IcmpFragneededCoalesced, OneMessageAboutMergedSegmentsIsEnough) {
  const auto found = run("icmp-fragneeded-coalesced", refused(2960, 1500));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_EQ(found[0].evidence[0].text,
            "the quoted length 2960 is 40 of headers and 2 segments of 1460");
}

TEST(IcmpFragneededCoalesced, ClaimSaysWhetherTheLargePacketWasSeen) {
  Case facts = refused(2960, 1500);
  EXPECT_NE(run("icmp-fragneeded-coalesced", facts).at(0).claim.find("never was on the wire"),
            std::string::npos);
  facts.connections[0].icmp[0].quoted_frame_ip_len = 2960;
  EXPECT_NE(run("icmp-fragneeded-coalesced", facts).at(0).claim.find("was to be cut"),
            std::string::npos);
}

TEST(IcmpFragneededCoalesced, TrueSmallMtuIsNot) {
  const Case facts = refused(1500, 1400);
  EXPECT_TRUE(run("icmp-fragneeded-coalesced", facts).empty());
  EXPECT_EQ(silences_of("icmp-fragneeded-coalesced", facts).size(), 1U);
  // A gateway that forwards large frames whole quotes them whole, and its MTU is still small.
  EXPECT_TRUE(run("icmp-fragneeded-coalesced", refused(2960, 1400)).empty());
}

TEST(IcmpFragneededCoalesced, ForgedMessageIsNot) {
  Case facts = refused(2960, 1500);
  facts.connections[0].icmp[0].sequence_in_flight = false;
  EXPECT_TRUE(run("icmp-fragneeded-coalesced", facts).empty());
}

TEST(IcmpFragneededCoalesced, WithoutHandshakeTheLargestPacketStillDecides) {
  Case facts = refused(2960, 1500);
  download_of(facts).segment_size = 0;
  const auto found = run("icmp-fragneeded-coalesced", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_LT(found[0].confidence, 0.9);
}

// Captured in one direction alone, after the sender took the router's word: segments are small.
TEST(IcmpFragneededCoalesced, WithoutTheReceiversSynTheLinksOwnSizeIsNoMerger) {
  Case facts = refused(1500, 1400);
  download_of(facts).segment_size = 1360;
  facts.connections[0].icmp[0].largest_sent_ip_len = 1400;
  EXPECT_EQ(run("icmp-fragneeded-coalesced", facts).size(), 1U);
  facts.connections[0].handshake.syn.reset();
  EXPECT_TRUE(run("icmp-fragneeded-coalesced", facts).empty());
  facts.connections[0].handshake.syn_ack.reset();
  EXPECT_TRUE(run("icmp-fragneeded-coalesced", facts).empty());
  facts.connections[0].icmp[0].quoted_ip_len = 2760;
  EXPECT_EQ(run("icmp-fragneeded-coalesced", facts).size(), 1U);
}

Case bursts_die(std::uint64_t first_lost, std::uint64_t timeouts) {
  Case facts = healthy_case({.seconds = 10});
  DirectionFacts& data = download_of(facts);
  data.sizes = {
      {1500, 1500, 100, 100 - first_lost, first_lost, first_lost, first_lost, 0, {}, frames(3)}};
  data.timeouts = timeouts;
  data.lost_packets = first_lost;
  charge(data, TimeOwner::timeout, 7);
  return facts;
}

TEST(LroOnForwarder, DyingBurstsAreASuspectWithTheCommand) {
  const auto found = run("lro-on-forwarder", bursts_die(80, 20));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_NE(found[0].next_capture.find("ethtool -k"), std::string::npos);
}

TEST(LroOnForwarder, OrdinaryLossAndFewTimeoutsAreNot) {
  EXPECT_TRUE(run("lro-on-forwarder", bursts_die(10, 20)).empty());
  EXPECT_TRUE(run("lro-on-forwarder", bursts_die(80, 2)).empty());
  EXPECT_EQ(silences_of("lro-on-forwarder", bursts_die(80, 2)).size(), 1U);
}

TEST(LroOnForwarder, WithoutASegmentSizeNothingIsSaid) {
  Case facts = bursts_die(80, 20);
  download_of(facts).segment_size = 0;
  EXPECT_TRUE(run("lro-on-forwarder", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

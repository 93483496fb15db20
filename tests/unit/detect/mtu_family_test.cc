// SPDX-License-Identifier: Apache-2.0
// Sizes that never arrive, reports that never arrive, and fragments.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

// Full-size packets are sent `lost` times in vain; packets of 600 bytes pass.
Case edge_at_full_size(std::uint64_t lost) {
  Case facts = healthy_case({.seconds = 10});
  DirectionFacts& data = download_of(facts);
  data.sizes = {{512, 639, 5, 5, 0, 0, 0, 0, frames(2, 9), {}},
                {1500, 1500, 10, 0, 10, lost, 0, lost, {}, frames(3, 20)}};
  data.sizes[1].first_sent = data.sizes[1].first_lost = lost > 3 ? 3 : lost;
  data.sizes[1].resent = data.sizes[1].resent_lost = lost > 3 ? lost - 3 : 0;
  data.largest_delivered_ip_len = 600;
  data.largest_delivered_frame = FrameRef{0, 9};
  data.duplicate_acks = 2;
  data.timeouts = lost;
  charge(data, TimeOwner::timeout, 9);
  return facts;
}

IcmpFacts too_big(std::uint32_t mtu, std::uint32_t quoted) {
  IcmpFacts icmp;
  icmp.frame = FrameRef{0, 30};
  icmp.about = Direction::to_client;
  icmp.type = 3;
  icmp.code = 4;
  icmp.next_hop_mtu = mtu;
  icmp.quoted_ip_len = quoted;
  icmp.largest_sent_ip_len = 1500;
  icmp.sequence_in_flight = true;
  return icmp;
}

TEST(PmtudBlackhole, WithoutTheReceiversPacketsNothingIsKnownToArriveOrNot) {
  Case facts = edge_at_full_size(6);
  download_of(facts).acks_seen = false;
  EXPECT_TRUE(run("pmtud-blackhole", facts).empty());
}

TEST(PmtudBlackhole, SizeThatNeverArrivesIsAFault) {
  const auto found = run("pmtud-blackhole", edge_at_full_size(6));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 9);
  EXPECT_NE(found[0].claim.find("packets of 1500 bytes"), std::string::npos);
}

TEST(PmtudBlackhole, OneArrivalAtThatSizeClearsIt) {
  Case facts = edge_at_full_size(6);
  download_of(facts).largest_delivered_ip_len = 1500;
  EXPECT_TRUE(run("pmtud-blackhole", facts).empty());
}

TEST(PmtudBlackhole, TwoLossesAreTooFew) {
  EXPECT_TRUE(run("pmtud-blackhole", edge_at_full_size(2)).empty());
  EXPECT_EQ(silences_of("pmtud-blackhole", edge_at_full_size(2)).size(), 1U);
}

TEST(PmtudBlackhole, ReportedMtuAndFragmentablePacketsAreNone) {
  Case reported = edge_at_full_size(6);
  reported.connections[0].icmp = {too_big(1400, 1500)};
  EXPECT_TRUE(run("pmtud-blackhole", reported).empty());
  Case fragmentable = edge_at_full_size(6);
  download_of(fragmentable).dont_fragment = false;
  EXPECT_TRUE(run("pmtud-blackhole", fragmentable).empty());
}

// A middlebox that rewrites sequence numbers, but not those that ICMP quotes: TCP must not believe
// such reports (RFC 5927), so they help as little as none.
TEST(PmtudBlackhole, ReportsAboutWhatWasNotInFlightAreNone) {
  Case facts = edge_at_full_size(6);
  IcmpFacts foreign = too_big(1400, 1500);
  foreign.sequence_in_flight = false;
  foreign.from = IpAddress{{10, 0, 0, 9}, 4};
  facts.connections[0].icmp = {foreign, foreign};
  const auto found = run("pmtud-blackhole", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].claim.find("an MTU of 1400"), std::string::npos) << found[0].claim;
  EXPECT_TRUE(run("icmp-filtered", facts).empty());
  EXPECT_FALSE(silences_of("icmp-filtered", facts).empty());
  facts.connections[0].icmp[1].sequence_in_flight = true;
  EXPECT_TRUE(run("pmtud-blackhole", facts).empty());
  EXPECT_FALSE(run("icmp-filtered", facts).empty());
}

TEST(PmtudBlackhole, LargeFramesOfTheSenderAreNotJudged) {
  Case facts = edge_at_full_size(6);
  DirectionFacts& data = download_of(facts);
  data.sizes[1].min_len = 2948;
  data.sizes[1].max_len = 65'535;
  EXPECT_TRUE(run("pmtud-blackhole", facts).empty());
}

TEST(PmtudBlackhole, PeerThatFellSilentLeavesASuspect) {
  Case facts = edge_at_full_size(6);
  DirectionFacts& data = download_of(facts);
  data.duplicate_acks = 0;
  Stall stall;
  stall.begin = facts.connections[0].last;
  stall.outstanding_bytes = 1448;
  data.stalls = {stall};
  const auto found = run("pmtud-blackhole", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_FALSE(found[0].next_capture.empty());
  // A router says the same, though to no use.
  IcmpFacts foreign = too_big(1400, 1500);
  foreign.sequence_in_flight = false;
  facts.connections[0].icmp = {foreign};
  ASSERT_EQ(run("pmtud-blackhole", facts).size(), 1U);
  EXPECT_EQ(run("pmtud-blackhole", facts)[0].severity, Severity::fault);
  facts.connections[0].icmp[0].next_hop_mtu = 1500;
  EXPECT_EQ(run("pmtud-blackhole", facts)[0].severity, Severity::suspect);
}

Case unheeded_reports(std::size_t count) {
  Case facts = edge_at_full_size(6);
  download_of(facts).vantage = Vantage::midpath;
  for (std::size_t i = 0; i < count; ++i) facts.connections[0].icmp.push_back(too_big(1400, 1500));
  facts.connections[0].icmp_count = static_cast<std::uint32_t>(count);
  return facts;
}

// What every link carries is not to be heeded: icmp-bogus-mtu's.
TEST(IcmpFiltered, AnImpossibleMtuIsNoReport) {
  Case facts = unheeded_reports(3);
  for (IcmpFacts& icmp : facts.connections[0].icmp) icmp.version = 6, icmp.type = 2, icmp.code = 0;
  EXPECT_EQ(run("icmp-filtered", facts).size(), 1U);
  for (IcmpFacts& icmp : facts.connections[0].icmp) icmp.next_hop_mtu = 1239;
  EXPECT_TRUE(run("icmp-filtered", facts).empty());
  EXPECT_EQ(run("icmp-bogus-mtu", facts).size(), 1U);
}

TEST(IcmpFiltered, ReportsThatChangeNothingAreAFault) {
  const auto found = run("icmp-filtered", unheeded_reports(3));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
}

TEST(IcmpFiltered, HeededOrLoneReportsAreNot) {
  Case heeded = unheeded_reports(3);
  heeded.connections[0].icmp[2].sender_shrank = true;
  EXPECT_TRUE(run("icmp-filtered", heeded).empty());
  EXPECT_EQ(silences_of("icmp-filtered", heeded).size(), 1U);
  EXPECT_TRUE(run("icmp-filtered", unheeded_reports(1)).empty());
}

TEST(IcmpFiltered, ReportAboutAMergedPacketIsNot) {
  Case facts = unheeded_reports(0);
  facts.connections[0].icmp = {too_big(1500, 2960), too_big(1500, 2960)};
  EXPECT_TRUE(run("icmp-filtered", facts).empty());
}

TEST(IcmpFiltered, UnknownVantageIsASuspect) {
  Case facts = unheeded_reports(3);
  download_of(facts).vantage = Vantage::unknown;
  EXPECT_EQ(run("icmp-filtered", facts).at(0).severity, Severity::suspect);
}

Case fragmented(std::uint64_t requests, std::uint64_t answered) {
  Case facts = healthy_case();
  PathFacts path;
  path.a = facts.connections[0].client.address;
  path.b = facts.connections[0].server.address;
  path.small_requests = {5, 0};
  path.small_answered = {5, 0};
  FragmentFacts& fragments = path.fragments[0];
  fragments.fragments = requests * 2;
  fragments.datagrams = fragments.answerable = requests;
  fragments.answered = answered;
  fragments.answer_wait_s = static_cast<double>(requests - answered);
  fragments.unanswered_frames = frames(requests - answered, 12);
  facts.paths = {path};
  return facts;
}

TEST(FragmentsDropped, NoAnswerToAnyFragmentedRequestIsAFault) {
  const auto found = run("fragments-dropped", fragmented(5, 0));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 5);
}

TEST(FragmentsDropped, AnAnswerClearsItAndADeadPeerIsAnother) {
  EXPECT_TRUE(run("fragments-dropped", fragmented(5, 1)).empty());
  Case dead = fragmented(5, 0);
  dead.paths[0].small_answered = {0, 0};
  EXPECT_TRUE(run("fragments-dropped", dead).empty());
}

Case first_pieces_only(std::uint64_t count) {
  Case facts = healthy_case({.seconds = 5});
  PathFacts path;
  path.a = facts.connections[0].server.address;
  path.b = facts.connections[0].client.address;
  FragmentFacts& fragments = path.fragments[0];
  fragments.fragments = fragments.datagrams = fragments.incomplete = fragments.first_only = count;
  fragments.incomplete_frames = frames(count, 50);
  facts.paths.push_back(path);
  CaptureFacts& capture = facts.captures[0];
  capture.first = facts.connections[0].first;
  capture.last = facts.connections[0].last;
  capture.icmp_packets = capture.other_packets = 0;
  return facts;
}

// tcpdump 'udp port 53' keeps first fragments and leaves out all others.
TEST(FragmentsDropped, FirstPiecesAloneMayBeAFilterByPorts) {
  Case facts = first_pieces_only(12);
  auto found = run("fragments-dropped", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  facts.captures[0].icmp_packets = 4;
  found = run("fragments-dropped", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault) << "a filter by ports has no ICMP";
}

TEST(FragmentsDropped, BytesThatTheReceiverAcknowledgedArrived) {
  Case facts = first_pieces_only(12);
  facts.captures[0].icmp_packets = 4;
  download_of(facts).unseen_acked_bytes = 9'000;
  EXPECT_TRUE(run("fragments-dropped", facts).empty());
  EXPECT_EQ(silences_of("fragments-dropped", facts).size(), 1U);
}

TEST(FragmentsDropped, TwoRequestsAreTooFew) {
  EXPECT_TRUE(run("fragments-dropped", fragmented(2, 0)).empty());
}

Case out_of_order(std::uint64_t late, std::uint64_t late_answered) {
  Case facts = fragmented(late + 10, late_answered + 10);
  FragmentFacts& fragments = facts.paths[0].fragments[0];
  fragments.out_of_order = fragments.out_of_order_answerable = late;
  fragments.out_of_order_answered = late_answered;
  return facts;
}

TEST(FragmentsOooDropped, OrderAloneDecides) {
  const auto found = run("fragments-ooo-dropped", out_of_order(8, 0));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_TRUE(run("fragments-dropped", out_of_order(8, 0)).empty());
}

TEST(FragmentsOooDropped, AnsweredOutOfOrderOrTooFewAreNot) {
  EXPECT_TRUE(run("fragments-ooo-dropped", out_of_order(8, 4)).empty());
  EXPECT_TRUE(run("fragments-ooo-dropped", out_of_order(2, 0)).empty());
  EXPECT_EQ(silences_of("fragments-ooo-dropped", out_of_order(2, 0)).size(), 1U);
}

}  // namespace
}  // namespace slowpath::testing

// SPDX-License-Identifier: Apache-2.0
// Why segments are too large or needlessly small: jumbo frames, tunnels, rewritten options, bogus
// reports and remembered ones.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

/// Packets of `fails` bytes are sent six times in vain, those of `passes` arrive.
Case edge_case(std::uint32_t passes, std::uint32_t fails, std::uint16_t mss) {
  Case facts = healthy_case({.seconds = 10});
  ConnectionFacts& connection = facts.connections[0];
  connection.handshake.syn->options.mss = connection.handshake.syn_ack->options.mss = mss;
  DirectionFacts& data = download_of(facts);
  data.segment_size = mss - 12;
  data.largest_ip_len = fails;
  data.sizes = {{passes, passes, 5, 5, 0, 0, 0, 0, frames(2, 9), {}},
                {fails, fails, 3, 0, 3, 3, 0, 3, {}, frames(6, 20)}};
  data.largest_delivered_ip_len = passes;
  data.largest_delivered_frame = FrameRef{0, 9};
  data.duplicate_acks = 2;
  data.timeouts = 6;
  charge(data, TimeOwner::timeout, 9);
  return facts;
}

TEST(JumboMismatch, JumboFramesOnOneLinkVanish) {
  const auto found = run("jumbo-mismatch", edge_case(1500, 9000, 8960));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 9);
}

TEST(JumboMismatch, BehindARouterAtAnotherEdgeOrWithoutHandshakeItIsNot) {
  Case facts = edge_case(1500, 9000, 8960);
  facts.connections[0].ttl_min[0] = facts.connections[0].ttl_max[0] = 57;
  EXPECT_TRUE(run("jumbo-mismatch", facts).empty());
  EXPECT_EQ(silences_of("jumbo-mismatch", facts).size(), 1U);
  EXPECT_TRUE(run("jumbo-mismatch", edge_case(4000, 9000, 8960)).empty());
  EXPECT_TRUE(run("jumbo-mismatch", edge_case(600, 1500, 1460)).empty());
  facts = edge_case(1500, 9000, 8960);
  facts.connections[0].handshake.syn.reset();
  EXPECT_TRUE(run("jumbo-mismatch", facts).empty());
}

TEST(MssNotClamped, TheTunnelThatTheCaptureShowsExplainsTheEdge) {
  Case facts = edge_case(1440, 1500, 1460);
  EXPECT_EQ(run("mss-not-clamped", facts).at(0).severity,
            Severity::suspect);  // only where the edge lies
  facts.connections[0].beside.tunnel = {1, 50};
  EXPECT_EQ(run("mss-not-clamped", facts).at(0).severity, Severity::fault);
}

TEST(MssNotClamped, AWideEdgeATunnelThatFitsAndAReportAreNot) {
  EXPECT_TRUE(run("mss-not-clamped", edge_case(600, 1500, 1460)).empty());
  EXPECT_EQ(silences_of("mss-not-clamped", edge_case(600, 1500, 1460)).size(), 1U);
  Case fits = edge_case(600, 900, 1460);
  fits.connections[0].beside.tunnel = {1, 50};
  EXPECT_TRUE(run("mss-not-clamped", fits).empty());
  Case facts = edge_case(1440, 1500, 1460);
  download_of(facts).dont_fragment = false;
  EXPECT_TRUE(run("mss-not-clamped", facts).empty());
}

Case small_segments(std::uint16_t client_mss) {
  Case facts = healthy_case();
  facts.connections[0].handshake.syn->options.mss = client_mss;
  DirectionFacts& data = download_of(facts);
  data.largest_payload = data.segment_size = client_mss - 12U;
  data.largest_ip_len = data.largest_delivered_ip_len = client_mss + 40U;
  data.data_packets = data.bytes / data.largest_payload;
  data.sizes = {{data.largest_ip_len,
                 data.largest_ip_len,
                 data.data_packets,
                 data.data_packets,
                 0,
                 0,
                 0,
                 0,
                 frames(3, 9),
                 {}}};
  data.app_data_ready_share = 0.95;
  return facts;
}

TEST(MtuNeedlesslySmall, AnMssOf536BesideAFullOneIsSuspect) {
  const auto found = run("mtu-needlessly-small", small_segments(536));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_GT(found[0].seconds_lost, 0.05);
  EXPECT_LT(found[0].seconds_lost, 0.4);
  Case missing = small_segments(536);
  missing.connections[0].handshake.syn->options.has_mss = false;
  EXPECT_EQ(run("mtu-needlessly-small", missing).size(), 1U);
}

TEST(MtuNeedlesslySmall, AClampBothEndsOrLittleDataAreNot) {
  EXPECT_TRUE(run("mtu-needlessly-small", small_segments(1240)).empty());
  Case both = small_segments(536);
  both.connections[0].handshake.syn_ack->options.mss = 536;
  EXPECT_TRUE(run("mtu-needlessly-small", both).empty());
  Case little = small_segments(536);
  download_of(little).bytes = 5000;
  EXPECT_TRUE(run("mtu-needlessly-small", little).empty());
  Case blind = small_segments(536);
  blind.connections[0].handshake.syn.reset();
  EXPECT_TRUE(run("mtu-needlessly-small", blind).empty());
}

TEST(PmtuStuckLow, FullSynsAndSegmentsCutAtOneSizeAreSuspect) {
  Case facts = small_segments(1200);
  facts.connections[0].handshake.syn->options.mss = 1460;
  const auto found = run("pmtu-stuck-low", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

TEST(PmtuStuckLow, AClampAnApplicationsPiecesAndAReportAreNot) {
  EXPECT_TRUE(run("pmtu-stuck-low", small_segments(1200)).empty());  // the SYN says so
  Case facts = small_segments(1200);
  facts.connections[0].handshake.syn->options.mss = 1460;
  Case pieces = facts;
  download_of(pieces).pushed_small_segments = download_of(pieces).data_packets;
  EXPECT_TRUE(run("pmtu-stuck-low", pieces).empty());
  Case one_by_one = facts;
  download_of(one_by_one).flight_max_bytes = download_of(one_by_one).largest_payload;
  EXPECT_TRUE(run("pmtu-stuck-low", one_by_one).empty()) << "answers of one size";
  Case asked = facts;
  asked.connections[0][Direction::to_server].data_packets = download_of(asked).data_packets / 2;
  EXPECT_TRUE(run("pmtu-stuck-low", asked).empty()) << "answers, and questions that overtook them";
  Case reported = facts;
  IcmpFacts icmp;
  icmp.about = Direction::to_client;
  icmp.next_hop_mtu = 1240;
  reported.connections[0].icmp = {icmp};
  EXPECT_TRUE(run("pmtu-stuck-low", reported).empty());
  EXPECT_EQ(silences_of("pmtu-stuck-low", reported).size(), 1U);
  facts.connections[0].handshake.syn_ack.reset();
  EXPECT_TRUE(run("pmtu-stuck-low", facts).empty());
}

TEST(MssRewritten, AWindowMadeForAnotherMssIsSuspectWhenItCosts) {
  Case facts = small_segments(536);
  facts.connections[0].handshake.syn->window = 64240;
  EXPECT_EQ(run("mss-rewritten", facts).at(0).severity, Severity::suspect);
  Case clamp = small_segments(1380);
  clamp.connections[0].handshake.syn->window = 64240;
  EXPECT_TRUE(run("mss-rewritten", clamp).empty());
  EXPECT_EQ(silences_of("mss-rewritten", clamp).size(), 1U);
  EXPECT_TRUE(run("mss-rewritten", healthy_case()).empty());
  facts.connections[0].handshake.syn->window = 120 * 524;  // its own segments
  EXPECT_TRUE(run("mss-rewritten", facts).empty());
}

TEST(MssRewritten, TwoTapsProveIt) {
  Case facts = healthy_case();
  ConnectionFacts& connection = facts.connections[0];
  SynFacts changed = *connection.handshake.syn;
  changed.options.mss = 1350;
  connection.syn_copies.altered = {{*connection.handshake.syn, changed, true}};
  EXPECT_EQ(run("mss-rewritten", facts).at(0).severity, Severity::note);
  connection.syn_copies.altered[0].second.options.mss = 1460;
  EXPECT_TRUE(run("mss-rewritten", facts).empty());
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

TEST(IcmpBogusMtu, AnMtuThatThePacketKeepsIsAFaultWhenItCosts) {
  Case facts = edge_case(600, 1500, 1460);
  facts.connections[0].icmp = {too_big(1500, 1500)};
  EXPECT_EQ(run("icmp-bogus-mtu", facts).at(0).severity, Severity::fault);
  Case quick = healthy_case();
  for (const std::uint32_t mtu : {0U, 40U}) {
    quick.connections[0].icmp = {too_big(mtu, 1500)};
    EXPECT_EQ(run("icmp-bogus-mtu", quick).at(0).severity, Severity::note);
  }
}

TEST(IcmpBogusMtu, TrueReportsMergedPacketsAndOtherErrorsAreNot) {
  Case facts = edge_case(600, 1500, 1460);
  facts.connections[0].icmp = {too_big(1400, 1500)};
  EXPECT_TRUE(run("icmp-bogus-mtu", facts).empty());
  facts.connections[0].icmp = {too_big(1500, 2948)};
  EXPECT_TRUE(run("icmp-bogus-mtu", facts).empty());
  facts.connections[0].icmp = {too_big(0, 1500)};
  facts.connections[0].icmp[0].code = 1;
  EXPECT_TRUE(run("icmp-bogus-mtu", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

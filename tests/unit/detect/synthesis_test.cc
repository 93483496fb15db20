// SPDX-License-Identifier: Apache-2.0
// One verdict out of many claims: folding, dividing, ranking, ruling out, and the honest `unclear`.
#include "detect/synthesis.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Finding claim(std::string_view fault, double seconds, std::uint32_t connection = 0,
              Severity severity = Severity::fault) {
  Finding finding;
  finding.fault = fault;
  finding.severity = severity;
  finding.confidence = 0.9;
  finding.connections = {connection};
  finding.direction = Direction::to_client;
  finding.seconds_lost = seconds;
  finding.claim = "something happened";
  return finding;
}

TEST(Synthesis, NothingFoundIsHealthyWithFigures) {
  const Diagnosis diagnosis = detect::synthesise(healthy_case(), {});
  EXPECT_EQ(diagnosis.verdict, "healthy");
  EXPECT_EQ(diagnosis.connection_verdicts, std::vector<std::string>{"healthy"});
  EXPECT_NE(diagnosis.summary.find("1 connection;"), std::string::npos) << diagnosis.summary;
}

TEST(Synthesis, NotesAndSuspectsDoNotDecide) {
  const Diagnosis diagnosis = detect::synthesise(healthy_case({.seconds = 10}),
                                                 {claim("random-loss", 2, 0, Severity::suspect),
                                                  claim("zero-window", 0.1, 0, Severity::note)});
  EXPECT_EQ(diagnosis.verdict, "healthy");
  EXPECT_EQ(diagnosis.findings.size(), 2U);
}

TEST(Synthesis, ACoarseClockProvesNothingShorterThanAFewTicks) {
  Case facts = healthy_case({.seconds = 10});
  download_of(facts).rtt.total.min_s = 0.020;
  facts.connections[0].clock_tick_s = 0.004;
  const std::vector<Finding> claims{claim("random-loss", 5), claim("wscale-absent", 4)};
  EXPECT_EQ(detect::synthesise(facts, claims).verdict, "random-loss") << "a fifth is fine enough";
  facts.connections[0].clock_tick_s = 0.0156;
  const Diagnosis coarse = detect::synthesise(facts, claims);
  EXPECT_EQ(coarse.verdict, "wscale-absent") << "options are no times";
  const auto timed =
      std::ranges::find(coarse.findings, std::string_view("random-loss"), &Finding::fault);
  ASSERT_NE(timed, coarse.findings.end());
  EXPECT_EQ(timed->severity, Severity::suspect);
  EXPECT_NE(timed->evidence.back().text.find("ticks every 15.6 ms"), std::string::npos);
  EXPECT_FALSE(timed->next_capture.empty());
}

TEST(Synthesis, TwoClocksOfOneCaptureProveNoTimes) {
  Case facts = healthy_case({.seconds = 10});
  facts.connections[0].clock_skew_s = 0.001;
  const Diagnosis skewed = detect::synthesise(facts, {claim("server-think-time", 5)});
  EXPECT_NE(skewed.verdict, "server-think-time");
  ASSERT_EQ(skewed.findings.size(), 1U);
  EXPECT_NE(skewed.findings[0].evidence.back().text.find("differ by 1 ms"), std::string::npos);
}

TEST(Synthesis, GeneralFoldsIntoTheSpecialBesideIt) {
  Finding general = claim("rto-dominated", 9);
  general.evidence.push_back({EvidenceKind::frames, "40 timeouts", {}, {}});
  const Diagnosis diagnosis =
      detect::synthesise(healthy_case({.seconds = 10}), {general, claim("icmp-filtered", 8)});
  ASSERT_EQ(diagnosis.findings.size(), 1U);
  EXPECT_EQ(diagnosis.verdict, "icmp-filtered");  // over pmtud-blackhole, two steps
  EXPECT_EQ(diagnosis.findings[0].evidence.at(0).text, "40 timeouts");
}

TEST(Synthesis, GeneralStaysWhereTheSpecialExplainsLittleOrLess) {
  const Diagnosis little = detect::synthesise(healthy_case({.seconds = 10}),
                                              {claim("rto-dominated", 8), claim("tail-loss", 2)});
  ASSERT_EQ(little.findings.size(), 2U);
  EXPECT_EQ(little.verdict, "rto-dominated");
  EXPECT_DOUBLE_EQ(little.findings[0].seconds_lost, 6);
  const Diagnosis weaker = detect::synthesise(
      healthy_case({.seconds = 10}),
      {claim("rwnd-limited", 8), claim("wscale-stripped", 8, 0, Severity::suspect)});
  EXPECT_EQ(weaker.verdict, "rwnd-limited");
}

TEST(Synthesis, OtherConnectionsAreNotFolded) {
  Case facts = healthy_case({.seconds = 10});
  add_connection(facts, {.seconds = 10});
  const Diagnosis diagnosis =
      detect::synthesise(facts, {claim("rto-dominated", 8, 0), claim("tail-loss", 7, 1)});
  EXPECT_EQ(diagnosis.findings.size(), 2U);
  EXPECT_EQ(diagnosis.connection_verdicts,
            (std::vector<std::string>{"rto-dominated", "tail-loss"}));
}

TEST(Synthesis, SecondsStayWithinTheConnection) {
  const Diagnosis diagnosis = detect::synthesise(
      healthy_case({.seconds = 10}), {claim("random-loss", 8), claim("zero-window", 8)});
  ASSERT_EQ(diagnosis.findings.size(), 2U);
  EXPECT_DOUBLE_EQ(diagnosis.findings[0].seconds_lost + diagnosis.findings[1].seconds_lost, 10);
  // The more specific one is served first.
  EXPECT_EQ(diagnosis.verdict, "zero-window");
}

TEST(Synthesis, TrivialConnectionDoesNotOutrankTheMainTransfer) {
  Case facts = healthy_case({.bytes = 100'000'000, .seconds = 60});
  add_connection(facts, {.bytes = 100, .seconds = 60});
  const Diagnosis diagnosis =
      detect::synthesise(facts, {claim("peer-gone", 55, 1), claim("random-loss", 20, 0)});
  EXPECT_EQ(diagnosis.verdict, "random-loss");
  EXPECT_EQ(diagnosis.connection_verdicts[1], "peer-gone");
}

TEST(Synthesis, FaultThatTheCaptureWouldNotMissIsANote) {
  Case facts = healthy_case({.bytes = 100'000'000, .seconds = 60});
  add_connection(facts, {.bytes = 100, .seconds = 3});
  const Diagnosis diagnosis = detect::synthesise(facts, {claim("tail-loss", 2, 1)});
  EXPECT_EQ(diagnosis.verdict, "healthy");
  EXPECT_EQ(diagnosis.findings.at(0).severity, Severity::note);
  EXPECT_EQ(diagnosis.connection_verdicts[1], "tail-loss");
}

TEST(Synthesis, CorruptionWeighsTheWholeConnection) {
  const Diagnosis diagnosis = detect::synthesise(
      healthy_case({.seconds = 10}), {claim("random-loss", 4), claim("retrans-differs", 0)});
  EXPECT_EQ(diagnosis.verdict, "retrans-differs");
}

TEST(Synthesis, AForgedResetWeighsTheWholeConnection) {
  const Diagnosis diagnosis = detect::synthesise(
      healthy_case({.seconds = 10}), {claim("rwnd-limited", 7), claim("rst-injected", 0)});
  EXPECT_EQ(diagnosis.verdict, "rst-injected");
}

TEST(Synthesis, RivalsAreRuledOutByTheCasesOwnFacts) {
  Case facts = healthy_case({.seconds = 10});
  const Diagnosis diagnosis = detect::synthesise(facts, {claim("random-loss", 4)});
  const auto& ruled_out = diagnosis.findings.at(0).ruled_out;
  const auto black_hole = std::ranges::find(ruled_out, "pmtud-blackhole", &RuledOut::fault);
  ASSERT_NE(black_hole, ruled_out.end());
  EXPECT_EQ(black_hole->why, "packets of 1500 bytes were acknowledged (frame 9)");
  // Without such a fact the rival is not mentioned.
  download_of(facts).largest_delivered_ip_len = 900;
  const Diagnosis other = detect::synthesise(facts, {claim("random-loss", 4)});
  EXPECT_EQ(std::ranges::count(other.findings.at(0).ruled_out, "pmtud-blackhole", &RuledOut::fault),
            0);
}

TEST(Synthesis, CaptureWithoutTcpIsUnclear) {
  Case facts;
  facts.captures.emplace_back();
  facts.captures[0].packets = facts.captures[0].udp_packets = 500;
  const Diagnosis diagnosis = detect::synthesise(facts, {});
  EXPECT_EQ(diagnosis.verdict, "unclear");
  EXPECT_NE(diagnosis.summary.find("500 UDP"), std::string::npos) << diagnosis.summary;
  EXPECT_FALSE(diagnosis.look_next.empty());
}

// Nine losses, one in 770 segments, on a path that nothing else limits.
Case few_losses(double goodput_bps) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 2, .rtt_s = 0.020});
  DirectionFacts& data = download_of(facts);
  data.data_packets = 6907;
  data.lost_packets = data.resent_packets = 9;
  data.window.max_bytes = 6'000'000;
  data.goodput_bps = goodput_bps;
  return facts;
}

TEST(Synthesis, FewLossesThatTheModelSaysLimitTheRateAreUnclear) {
  EXPECT_EQ(detect::synthesise(few_losses(40e6), {}).verdict, "unclear");
}

TEST(Synthesis, FewLossesThatASenderDoesNotMindAreHealthy) {
  EXPECT_EQ(detect::synthesise(few_losses(400e6), {}).verdict, "healthy");
}

// They are its own queue's, which is there most of the time: the link is full, and a note says what
// the queue costs.
TEST(Synthesis, LossesOfAQueueThatIsHardlyEverEmptyAreExplained) {
  Case facts = few_losses(40e6);
  Finding note = claim("congestion-self", 0.1);
  note.severity = Severity::note;
  EXPECT_EQ(detect::synthesise(facts, {note}).verdict, "unclear");
  DirectionFacts& data = download_of(facts);
  charge(data, TimeOwner::bottleneck, 0.55 * data.time[TimeOwner::congestion_window]);
  note.direction = Direction::to_client;
  EXPECT_EQ(detect::synthesise(facts, {note}).verdict, "healthy");
  note.direction = Direction::to_server;
  EXPECT_EQ(detect::synthesise(facts, {note}).verdict, "unclear");
}

// Every fourth packet was lost, and most of the time seems paced: the clock, of 15.6 ms, shows no
// round trip, and so no repair.
TEST(Synthesis, ACoarseClockHidesWhatLossesTook) {
  Case facts = healthy_case({.bytes = 400'000, .seconds = 8, .rtt_s = 0.020});
  DirectionFacts& data = download_of(facts);
  data.lost_packets = data.resent_packets = 60;
  data.rtt.total.median_s = 0;
  data.time = {};
  data.time[TimeOwner::loss_recovery] = 1.2;
  data.time[TimeOwner::application] = 2;
  data.time[TimeOwner::pacing_or_cpu] = 4.8;
  EXPECT_EQ(detect::synthesise(facts, {}).verdict, "healthy") << "no clock is to blame";
  facts.connections[0].clock_tick_s = 0.0156;
  const Diagnosis diagnosis = detect::synthesise(facts, {});
  EXPECT_EQ(diagnosis.verdict, "unclear");
  EXPECT_NE(diagnosis.summary.find("up to 6 s"), std::string::npos) << diagnosis.summary;
}

// Half of the time is pauses of a tick or two: round trips, or a program's.
TEST(Synthesis, PausesThatACoarseClockBlursAreUnclear) {
  Case facts = healthy_case({.bytes = 20'000'000, .seconds = 10});
  DirectionFacts& data = download_of(facts);
  data.vantage = Vantage::unknown;
  data.idle.count = 250;
  data.idle.seconds = 5;
  charge(data, TimeOwner::application, 5);
  EXPECT_EQ(detect::synthesise(facts, {}).verdict, "healthy");
  facts.connections[0].clock_tick_s = 0.0156;
  const Diagnosis diagnosis = detect::synthesise(facts, {});
  EXPECT_EQ(diagnosis.verdict, "unclear");
  EXPECT_NE(diagnosis.summary.find("pauses of a program or round trips"), std::string::npos);
  data.idle.count = 25;
  EXPECT_EQ(detect::synthesise(facts, {}).verdict, "healthy") << "200 ms are no round trips";
}

// Too few losses for a share, but most of the time went to them.
TEST(Synthesis, AFewLossesThatTookMostOfTheTimeAreUnclear) {
  Case facts = healthy_case({.bytes = 20'000'000, .seconds = 10});
  DirectionFacts& data = download_of(facts);
  data.lost_packets = data.resent_packets = 4;
  charge(data, TimeOwner::loss_recovery, 4);
  EXPECT_EQ(detect::synthesise(facts, {}).verdict, "healthy");
  charge(data, TimeOwner::loss_recovery, 2);
  EXPECT_EQ(detect::synthesise(facts, {}).verdict, "unclear");
}

TEST(Synthesis, AFlightThatMayBeAWindowOfUnknownScaleIsUnclear) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 10, .rtt_s = 0.020});
  DirectionFacts& data = download_of(facts);
  data.flight_plateau_bytes = 32'000;
  data.flight_plateau_spread = 0.03;
  data.flight_idle_share = 0.7;
  data.window.knowledge = ScaleKnowledge::unknown;
  const Diagnosis diagnosis = detect::synthesise(facts, {});
  EXPECT_EQ(diagnosis.verdict, "unclear");
  EXPECT_NE(diagnosis.summary.find("agreed before the capture began"), std::string::npos);
  ASSERT_FALSE(diagnosis.look_next.empty());
  EXPECT_NE(diagnosis.look_next[0].find("from the handshake on"), std::string::npos);
  data.flight_growth_bytes = 1448;
  EXPECT_EQ(detect::synthesise(facts, {}).verdict, "healthy") << "a congestion window";
}

TEST(Synthesis, EmptyCaseIsUnclear) { EXPECT_EQ(detect::diagnose(Case{}).verdict, "unclear"); }

TEST(Synthesis, HalfAConversationIsUnclear) {
  Case facts = healthy_case({.seconds = 10});
  facts.connections[0][Direction::to_server] = DirectionFacts{};
  const Diagnosis diagnosis = detect::synthesise(facts, {});
  EXPECT_EQ(diagnosis.verdict, "unclear");
  EXPECT_NE(diagnosis.summary.find("nothing was sent again"), std::string::npos);
  download_of(facts).resent_packets = 3;
  EXPECT_NE(detect::synthesise(facts, {}).summary.find("sent 3 packets again"), std::string::npos);
}

TEST(Synthesis, HalfAConversationThatTookNoTimeIsHealthy) {
  Case facts = healthy_case({.bytes = 1'000'000, .seconds = 0.1, .rtt_s = 0.001});
  facts.connections[0][Direction::to_server] = DirectionFacts{};
  EXPECT_EQ(detect::synthesise(facts, {}).verdict, "healthy");
}

TEST(Synthesis, DataThatOnlyAcksTellOfIsUnclear) {
  Case facts = healthy_case({.bytes = 1'000'000, .seconds = 0.1, .rtt_s = 0.001});
  download_of(facts) = DirectionFacts{};
  download_of(facts).unseen_acked_bytes = 10'000'000;
  facts.connections[0][Direction::to_server].bytes = 0;
  EXPECT_NE(detect::synthesise(facts, {}).summary.find("how 9.54 MiB came"), std::string::npos);
}

// Two packets are all that a dead connection sends within some seconds.
TEST(Synthesis, ALoneSegmentThatIsSentAgainUnansweredIsUnclear) {
  Case facts = healthy_case({.bytes = 1448, .seconds = 3});
  facts.connections[0][Direction::to_server] = DirectionFacts{};
  facts.connections[0].light = true;
  download_of(facts).resent_packets = 1;
  const Diagnosis diagnosis = detect::synthesise(facts, {});
  EXPECT_EQ(diagnosis.verdict, "unclear");
  EXPECT_NE(diagnosis.summary.find("sent 1 packet again"), std::string::npos) << diagnosis.summary;
}

TEST(Synthesis, ADoubtfulConnectionBesideASoundTransferIsCounted) {
  Case facts = healthy_case({.bytes = 50'000'000, .seconds = 10});
  add_connection(facts, {.bytes = 1448, .seconds = 3});
  facts.connections[1][Direction::to_server] = DirectionFacts{};
  facts.connections[1][Direction::to_client].resent_packets = 1;
  const Diagnosis diagnosis = detect::synthesise(facts, {});
  EXPECT_EQ(diagnosis.verdict, "healthy");
  EXPECT_NE(diagnosis.summary.find("2 connections, 1 of them unclear;"), std::string::npos)
      << diagnosis.summary;
}

TEST(Synthesis, TimeThatNothingExplainsIsUnclear) {
  Case facts = healthy_case({.seconds = 10});
  charge(download_of(facts), TimeOwner::timeout, 4);
  const Diagnosis diagnosis = detect::synthesise(facts, {});
  EXPECT_EQ(diagnosis.verdict, "unclear");
  ASSERT_EQ(diagnosis.look_next.size(), 2U);
  EXPECT_EQ(diagnosis.look_next[1],
            "at the receiver: tcpdump -ni DEV -s 128 -w receiver.pcap 'host 10.0.0.1 and host "
            "10.0.0.2 and port 80'");
}

TEST(Synthesis, CostlySuspectIsUnclearAndItsCommandIsGiven) {
  Finding suspect = claim("lro-on-forwarder", 6, 0, Severity::suspect);
  suspect.next_capture = "on the forwarder: ethtool -k DEV";
  const Diagnosis diagnosis = detect::synthesise(healthy_case({.seconds = 10}), {suspect});
  EXPECT_EQ(diagnosis.verdict, "unclear");
  EXPECT_EQ(diagnosis.look_next, std::vector<std::string>{"on the forwarder: ethtool -k DEV"});
}

TEST(Synthesis, SuspectAboutAFewRequestsDoesNotMakeTheAnswerUnclear) {
  Finding suspect = claim("sender-limited", 9, 0, Severity::suspect);
  suspect.direction = Direction::to_server;
  EXPECT_EQ(detect::synthesise(healthy_case({.seconds = 10}), {suspect}).verdict, "healthy");
}

TEST(Synthesis, WaitingForTimeoutsIsNotHavingNothingToSend) {
  Case facts = healthy_case({.seconds = 10});
  charge(download_of(facts), TimeOwner::timeout, 9.5);
  const Diagnosis diagnosis =
      detect::synthesise(facts, {claim("app-limited-sender", 8), claim("rto-dominated", 9.5)});
  EXPECT_EQ(diagnosis.verdict, "rto-dominated");
  EXPECT_EQ(diagnosis.findings.at(1).severity, Severity::note);
  EXPECT_DOUBLE_EQ(diagnosis.findings[1].seconds_lost, 0.5);
}

TEST(Synthesis, SuspectsTakeNoSecondsFromFaults) {
  const Diagnosis diagnosis = detect::synthesise(
      healthy_case({.seconds = 10}),
      {claim("zero-window", 8), claim("pmtud-blackhole", 9, 0, Severity::suspect)});
  ASSERT_EQ(diagnosis.findings.size(), 2U);
  EXPECT_DOUBLE_EQ(diagnosis.findings[0].seconds_lost, 8);
  EXPECT_DOUBLE_EQ(diagnosis.findings[1].seconds_lost, 9);
}

TEST(Synthesis, DataThatMayBeAlteredIsNeverHealthy) {
  const Finding suspect = claim("retrans-differs", 0, 0, Severity::suspect);
  EXPECT_EQ(detect::synthesise(healthy_case(), {suspect}).verdict, "unclear");
}

TEST(Synthesis, CaptureThatLostMostPacketsIsUnclear) {
  Case facts = healthy_case();
  download_of(facts).unseen_acked_bytes = 6'000'000;
  download_of(facts).unseen_acked_holes = 1;
  EXPECT_EQ(detect::synthesise(facts, {}).verdict, "healthy");
  download_of(facts).unseen_acked_holes = 400;
  EXPECT_EQ(detect::synthesise(facts, {}).verdict, "unclear");
}

// As by a filter for short packets.
TEST(Synthesis, CaptureThatHoldsNoDataIsUnclear) {
  Case facts = healthy_case({.seconds = 10});
  DirectionFacts& data = download_of(facts);
  data.unseen_acked_bytes = data.bytes;
  data.bytes = data.data_packets = 0;
  data.unseen_acked_holes = 4000;
  const Diagnosis diagnosis = detect::synthesise(facts, {});
  EXPECT_EQ(diagnosis.verdict, "unclear");
  EXPECT_NE(diagnosis.summary.find("100 % of the bytes"), std::string::npos) << diagnosis.summary;
}

TEST(Synthesis, CaptureThatLostMostPacketsProvesNothingPacketByPacket) {
  Case facts = healthy_case({.seconds = 10});
  DirectionFacts& data = download_of(facts);
  data.unseen_acked_bytes = data.bytes / 2;
  data.unseen_acked_holes = 400;
  const Diagnosis diagnosis =
      detect::synthesise(facts, {claim("random-loss", 5), claim("wscale-absent", 4)});
  EXPECT_EQ(diagnosis.verdict, "wscale-absent") << "options are seen once";
  const auto told =
      std::ranges::find(diagnosis.findings, std::string_view("random-loss"), &Finding::fault);
  ASSERT_NE(told, diagnosis.findings.end());
  EXPECT_EQ(told->severity, Severity::suspect);
  EXPECT_NE(told->evidence.back().text.find("50 % of the bytes"), std::string::npos)
      << told->evidence.back().text;
  EXPECT_NE(told->next_capture.find("-B 65536"), std::string::npos);
}

}  // namespace
}  // namespace slowpath::testing

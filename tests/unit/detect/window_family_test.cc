// SPDX-License-Identifier: Apache-2.0
// rwnd-limited and its special cases: each fires on its own signature and is silent on its
// neighbours'.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

// A download of 10 s whose window was full for 8 of them.
Case limited_by_window(std::uint64_t window_bytes) {
  Case facts = healthy_case({.seconds = 10});
  DirectionFacts& data = download_of(facts);
  data.window.max_bytes = data.window.median_bytes = window_bytes;
  data.window.raw_max = data.window.raw_min = static_cast<std::uint16_t>(window_bytes >> 7);
  data.window.at_edge = frames(400, 20);
  data.flight_max_bytes = data.flight_plateau_bytes = window_bytes;
  charge(data, TimeOwner::receive_window, 8);
  facts.connections[0][Direction::to_server].packets = data.data_packets / 2;
  return facts;
}

Case without_scaling() {
  Case facts = limited_by_window(65'535);
  ConnectionFacts& connection = facts.connections[0];
  connection.handshake.syn->options.has_window_scale = false;
  connection.handshake.syn_ack->options.has_window_scale = false;
  for (DirectionFacts& direction : connection.directions) {
    direction.window.knowledge = ScaleKnowledge::not_in_use;
    direction.window.shift = 0;
    direction.window.raw_max = 65'535;
  }
  return facts;
}

TEST(RwndLimited, FullWindowIsAFaultWithItsCeiling) {
  const auto found = run("rwnd-limited", limited_by_window(200'000));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 8);
  // The window, its ceiling, and that its widest would have carried more: it was unread data's.
  ASSERT_EQ(found[0].evidence.size(), 3U);
  // 200 000 bytes in 21 ms, the median round trip.
  EXPECT_NEAR(found[0].evidence[1].values[0].second, 200'000 * 8 / 0.021, 1);
}

TEST(RwndLimited, WindowThatFillsAQueueIsNotTheLimit) {
  Case facts = limited_by_window(200'000);
  download_of(facts).rtt.loaded_s = 0.080;
  EXPECT_TRUE(run("rwnd-limited", facts).empty());
  EXPECT_EQ(silences_of("rwnd-limited", facts).size(), 1U);
}

// Reads now and then: each ACK comes with the reading, for all that there was room for.
Case read_now_and_then() {
  Case facts = limited_by_window(65'536);
  DirectionFacts& data = download_of(facts);
  data.vantage = Vantage::sender;
  data.flight_idle_share = 0.9;
  data.rtt.total.median_s = data.rtt.loaded_s = 0.050;
  facts.connections[0][Direction::to_server].packets = data.bytes / 65'536;
  return facts;
}

TEST(RwndLimited, AcksThatWaitForTheReaderAreNoQueue) {
  const auto found = run("rwnd-limited", read_now_and_then());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].claim.find("has not read"), std::string::npos);
  EXPECT_EQ(found[0].remedies_of, "zero-window") << "a larger buffer fills as well";
}

TEST(RwndLimited, AcksForTwoSegmentsEachAreAQueues) {
  Case facts = read_now_and_then();
  facts.connections[0][Direction::to_server].packets = download_of(facts).data_packets / 2;
  download_of(facts).flight_idle_share = 0.2;
  EXPECT_TRUE(run("rwnd-limited", facts).empty());
}

// Nothing moves for most of a round trip: whatever makes it long, this flight fills no queue.
TEST(RwndLimited, RoundTripsThatOthersMakeLongAreNoQueueOfTheWindows) {
  Case facts = read_now_and_then();
  facts.connections[0][Direction::to_server].packets = download_of(facts).data_packets / 2;
  const auto found = run("rwnd-limited", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].claim.find("never opens"), std::string::npos);
}

TEST(RwndLimited, TheReceiversOwnCaptureShowsHowLongItHoldsItsAcks) {
  Case facts = read_now_and_then();
  DirectionFacts& data = download_of(facts);
  data.vantage = Vantage::receiver;
  data.rtt.loaded_s = 0.020;
  data.rtt.receiver_leg.median_s = 0.030;
  facts.connections[0][Direction::to_server].packets = data.data_packets / 2;
  const auto found = run("rwnd-limited", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].claim.find("has not read"), std::string::npos);
  data.rtt.receiver_leg.median_s = 0.0001;
  EXPECT_NE(run("rwnd-limited", facts)[0].claim.find("never opens"), std::string::npos);
}

// At the edge in each stretch of time: first wide open, then as narrow as unread data leaves it.
void narrow(DirectionFacts& data, std::size_t wide, std::size_t narrowed) {
  data.timeline.bin_s = 0.02;
  data.timeline.bins.assign(wide + narrowed, {});
  for (std::size_t i = 0; i < wide + narrowed; ++i) {
    const std::uint64_t window = i < wide ? data.window.max_bytes : data.window.max_bytes / 3;
    data.timeline.bins[i].window_min_bytes = window;
    data.timeline.bins[i].flight_max_bytes = window;
  }
}

TEST(RwndLimited, ReaderThatHesitatesIsNoCeiling) {
  Case facts = limited_by_window(200'000);
  DirectionFacts& data = download_of(facts);
  charge(data, TimeOwner::receive_window, -6);
  narrow(data, 10, 90);
  EXPECT_TRUE(run("rwnd-limited", facts).empty());
  EXPECT_EQ(silences_of("rwnd-limited", facts).size(), 1U);
  narrow(data, 60, 40);
  ASSERT_EQ(run("rwnd-limited", facts).size(), 1U);
  EXPECT_NE(run("rwnd-limited", facts)[0].claim.find("never opens"), std::string::npos);
}

// One ACK for each piece, every other round trip, and the flight fills what it leaves of the
// window.
TEST(RwndLimited, AReaderOfPiecesLimitsInLessThanHalfOfTheTime) {
  Case facts = limited_by_window(200'000);
  DirectionFacts& data = download_of(facts);
  data.transfer_s = 10;
  charge(data, TimeOwner::receive_window, -6);
  narrow(data, 1, 99);
  EXPECT_TRUE(run("rwnd-limited", facts).empty());
  std::uint64_t& acks = facts.connections[0][Direction::to_server].packets;
  acks = 250;
  data.bytes = 20'000'000;
  data.rtt.loaded_s = 0.050;
  EXPECT_EQ(run("rwnd-limited", facts).size(), 1U);
  data.flight_plateau_bytes = 100'000;
  EXPECT_TRUE(run("rwnd-limited", facts).empty());
}

TEST(RwndLimited, AReaderBesideLossesIsHeldAgainstTheTimeThatTheyLeave) {
  Case facts = limited_by_window(200'000);
  DirectionFacts& data = download_of(facts);
  charge(data, TimeOwner::receive_window, -5);
  narrow(data, 10, 90);
  EXPECT_TRUE(run("rwnd-limited", facts).empty());
  charge(data, TimeOwner::loss_recovery, 5);
  EXPECT_TRUE(run("rwnd-limited", facts).empty());
  data.lost_packets = data.data_packets / 50;
  EXPECT_EQ(run("rwnd-limited", facts).size(), 1U);
}

TEST(RwndLimited, AWindowThatWouldHaveCarriedFarMoreIsNoCeiling) {
  Case facts = limited_by_window(2'000'000);
  DirectionFacts& data = download_of(facts);
  charge(data, TimeOwner::receive_window, -6);
  data.goodput_bps = 20e6;  // a fifth of the time at 2 MB in 21 ms would have made 152 Mbit/s
  EXPECT_TRUE(run("rwnd-limited", facts).empty());
  data.goodput_bps = 150e6;
  EXPECT_EQ(run("rwnd-limited", facts).size(), 1U);
}

TEST(RwndLimited, AWindowThatHasJustOpenedMayOpenFurther) {
  Case facts = limited_by_window(200'000);
  DirectionFacts& data = download_of(facts);
  data.rtt.total.median_s = data.rtt.total.min_s = data.rtt.loaded_s = 0.3;
  EXPECT_EQ(run("rwnd-limited", facts).size(), 1U);
  data.window.opening_s = 6.8;  // of the eight seconds; what is left are four round trips
  EXPECT_TRUE(run("rwnd-limited", facts).empty());
}

TEST(RwndLimited, ReaderThatIsAlwaysSlowerLimits) {
  Case facts = limited_by_window(200'000);
  narrow(download_of(facts), 10, 90);
  const auto found = run("rwnd-limited", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_NE(found[0].claim.find("has not read"), std::string::npos);
}

TEST(RwndLimited, UnknownScaleSaysNothing) {
  Case facts = limited_by_window(1'600);
  download_of(facts).window.knowledge = ScaleKnowledge::unknown;
  EXPECT_TRUE(run("rwnd-limited", facts).empty());
}

TEST(RwndLimited, FewRoundTripsOrGuessedScaleAreASuspect) {
  Case few = limited_by_window(200'000);
  download_of(few).flight_rounds = 9;
  ASSERT_EQ(run("rwnd-limited", few).size(), 1U);
  EXPECT_EQ(run("rwnd-limited", few)[0].severity, Severity::suspect);
  Case guessed = limited_by_window(200'000);
  download_of(guessed).window.knowledge = ScaleKnowledge::guessed;
  EXPECT_EQ(run("rwnd-limited", guessed).at(0).severity, Severity::suspect);
  EXPECT_FALSE(run("rwnd-limited", guessed)[0].next_capture.empty());
}

TEST(RwndLimited, ShortWaitIsPassedOver) {
  Case facts = healthy_case({.seconds = 10});
  charge(download_of(facts), TimeOwner::receive_window, 0.9);
  EXPECT_TRUE(run("rwnd-limited", facts).empty());
}

TEST(RwndFixed64k, ConstantWindowOfSixtyFourKibIsAFault) {
  const auto found = run("rwnd-fixed-64k", limited_by_window(65'160));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
}

TEST(RwndFixed64k, GrowingClosingOrUnscaledWindowsAreNot) {
  EXPECT_TRUE(run("rwnd-fixed-64k", limited_by_window(70'000)).empty());
  Case moves = limited_by_window(65'160);
  download_of(moves).window.median_bytes = 30'000;
  EXPECT_TRUE(run("rwnd-fixed-64k", moves).empty());
  Case closes = limited_by_window(65'160);
  download_of(closes).window.zero = frames(1);
  EXPECT_TRUE(run("rwnd-fixed-64k", closes).empty());
  EXPECT_TRUE(run("rwnd-fixed-64k", without_scaling()).empty());
}

TEST(WscaleAbsent, MissingOptionThatBindsIsAFault) {
  const auto found = run("wscale-absent", without_scaling());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_NE(found[0].claim.find("10.0.0.1:40000"), std::string::npos) << found[0].claim;
}

TEST(WscaleAbsent, ServerIsNamedIfOnlyItsSynAckLacksTheOption) {
  Case facts = without_scaling();
  facts.connections[0].handshake.syn->options.has_window_scale = true;
  const auto found = run("wscale-absent", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].claim.find("SYN-ACK of 10.0.0.2:80"), std::string::npos) << found[0].claim;
}

TEST(WscaleAbsent, WindowThatStaysSmallByItselfIsNot) {
  Case facts = without_scaling();
  download_of(facts).window.max_bytes = 16'704;
  EXPECT_TRUE(run("wscale-absent", facts).empty());
  EXPECT_FALSE(silences_of("wscale-absent", facts).empty());
}

// A box took the option out of the SYN-ACK behind the server, which goes on scaling the client's
// windows.
TEST(WscaleAbsent, SenderThatGoesFarBeyondTheWindowReadsAnotherOne) {
  Case facts = without_scaling();
  DirectionFacts& data = download_of(facts);
  data.flight_max_bytes = 100 * data.window.max_bytes;
  for (int i = 0; i < 9; ++i) note(data.window.beyond, FrameRef(0, 10));
  EXPECT_EQ(run("wscale-absent", facts).size(), 1U);
  note(data.window.beyond, FrameRef(0, 10));
  EXPECT_TRUE(run("wscale-absent", facts).empty());
  EXPECT_TRUE(run("rwnd-limited", facts).empty());
  EXPECT_FALSE(silences_of("wscale-absent", facts).empty());
}

TEST(WscaleAbsent, WithoutTheHandshakeNothingIsSaid) {
  Case facts = without_scaling();
  facts.connections[0].handshake.syn_ack.reset();
  download_of(facts).window.knowledge = ScaleKnowledge::unknown;
  EXPECT_TRUE(run("wscale-absent", facts).empty());
}

TEST(WscaleStripped, OptionMissingFromAfarIsASuspectWithTheCommand) {
  Case facts = without_scaling();
  facts.connections[0].handshake.syn->ttl = 57;
  const auto found = run("wscale-stripped", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_NE(found[0].next_capture.find("on 10.0.0.1: tcpdump"), std::string::npos);
}

TEST(WscaleStripped, SynRecordedAtItsOriginClearsThePath) {
  Case facts = without_scaling();
  facts.connections[0][Direction::to_server].vantage = Vantage::sender;
  EXPECT_TRUE(run("wscale-stripped", facts).empty());
}

// The server shifts its windows by 7, the SYN-ACK says nothing about it.
Case half_removed() {
  Case facts = without_scaling();
  facts.connections[0].handshake.syn->options.has_window_scale = true;
  DirectionFacts& upload = facts.connections[0][Direction::to_server];
  upload = download_of(facts);
  upload.window.raw_max = upload.window.raw_min = 502;
  upload.window.max_bytes = upload.window.median_bytes = 502;
  upload.largest_payload = 502;
  download_of(facts).bytes = 0;
  return facts;
}

TEST(WscaleMisapplied, HalfRemovedOptionIsAFault) {
  const auto found = run("wscale-misapplied", half_removed());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_EQ(found[0].direction, Direction::to_server);
}

TEST(WscaleMisapplied, SenderThatKeepsToTheBareFieldIsAFault) {
  Case facts = limited_by_window(64'256);
  DirectionFacts& data = download_of(facts);
  data.largest_payload = 502;
  data.flight_max_bytes = 502;
  data.window.holds_bare = true;
  const auto found = run("wscale-misapplied", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
}

TEST(WscaleMisapplied, WithoutTheSynsASenderThatKeepsToTheFieldIsASuspect) {
  Case facts = limited_by_window(502);
  DirectionFacts& data = download_of(facts);
  data.window.knowledge = ScaleKnowledge::unknown;
  data.window.raw_max = 502;
  data.window.holds_bare = true;
  data.window.bare_sends = data.window.bare_stops = 40;
  const auto found = run("wscale-misapplied", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_NE(found[0].next_capture.find("from the handshake on"), std::string::npos);
  facts.connections[0][Direction::to_server].data_packets = 40;
  EXPECT_TRUE(run("wscale-misapplied", facts).empty()) << "messages and their answers";
}

TEST(WscaleMisapplied, MessagesBelowTheBareFieldAreNot) {
  Case facts = limited_by_window(64'256);
  DirectionFacts& data = download_of(facts);
  data.largest_payload = 499;
  data.flight_max_bytes = 499;
  EXPECT_TRUE(run("wscale-misapplied", facts).empty());
}

TEST(WscaleMisapplied, SmallTransfersAndFullSegmentsAreNot) {
  EXPECT_TRUE(run("wscale-misapplied", limited_by_window(64'256)).empty());
  EXPECT_TRUE(run("wscale-misapplied", without_scaling()).empty());
  Case little = half_removed();
  little.connections[0][Direction::to_server].bytes = 2'000;
  EXPECT_TRUE(run("wscale-misapplied", little).empty());
}

TEST(WscaleMisapplied, LossesAtTheBareFieldAreASuspect) {
  Case facts = limited_by_window(64'256);
  DirectionFacts& data = download_of(facts);
  data.window.raw_max = 29'000;
  data.flight_max_bytes = 31'000;
  charge(data, TimeOwner::timeout, 1.5);
  for (int i = 0; i < 4; ++i) {
    LossEvent loss;
    loss.flight_bytes = 29'500;
    loss.resend = FrameRef{0, 300};
    data.losses.push_back(loss);
  }
  const auto found = run("wscale-misapplied", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  data.losses[1].flight_bytes = 5'000;  // One loss well below, and the edge is none.
  EXPECT_TRUE(run("wscale-misapplied", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

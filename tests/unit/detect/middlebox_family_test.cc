// SPDX-License-Identifier: Apache-2.0
// What boxes on the way do to options, states and sequence numbers: each fault fires on its own
// picture, stays silent on the one beside it, and says nothing where facts are missing.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

// --- ecn-blackhole, tfo-blackhole

/// The first SYN asks for more; `copies` of it vanish, the plain one is answered.
void fall_back(ConnectionFacts& connection, void (*asks)(SynFacts&)) {
  SynFacts first = *connection.handshake.syn;
  asks(first);
  SynFacts plain = *connection.handshake.syn;
  plain.time += from_seconds(1);
  plain.frame = FrameRef{0, 2};
  connection.syn_copies.syns = {first, plain};
  connection.handshake.syn = plain;
  connection.handshake.syn_ack->time = plain.time + from_seconds(0.02);
  connection.handshake.syn_count = 2;
}

void ecn(SynFacts& syn) { syn.ecn_setup = true; }
void fast_open(SynFacts& syn) { syn.options.has_fast_open = true; }

TEST(EcnBlackhole, TwoPairsAreProof) {
  Case facts = healthy_case({.bytes = 100'000, .seconds = 2});
  add_connection(facts, {.bytes = 100'000, .seconds = 2});
  for (ConnectionFacts& c : facts.connections) fall_back(c, ecn);
  const auto found = run("ecn-blackhole", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_NEAR(found[0].seconds_lost, 1, 1e-6);
  EXPECT_EQ(found[0].connections.size(), 2U);
  EXPECT_TRUE(run("tfo-blackhole", facts).empty());
}

TEST(EcnBlackhole, OnePairIsProofOnlyOnAPathThatLosesNothing) {
  Case facts = healthy_case({.bytes = 5'000'000, .seconds = 4});
  fall_back(facts.connections[0], ecn);
  EXPECT_EQ(run("ecn-blackhole", facts).at(0).severity, Severity::fault);
  download_of(facts).lost_packets = 3;
  EXPECT_EQ(run("ecn-blackhole", facts).at(0).severity, Severity::suspect);
}

TEST(EcnBlackhole, AnAnsweredEcnSynClearsTheServer) {
  Case facts = healthy_case();
  fall_back(facts.connections[0], ecn);
  ecn(*add_connection(facts).handshake.syn);
  EXPECT_TRUE(run("ecn-blackhole", facts).empty());
  EXPECT_EQ(silences_of("ecn-blackhole", facts).size(), 1U);
}

TEST(EcnBlackhole, MarksOnEveryPacketAreSuspect) {
  Case facts = healthy_case();
  auto& marks = facts.connections[0].beside.marks[1].ecn;
  marks = {0, 0, 0, 5000};
  EXPECT_EQ(run("ecn-blackhole", facts).at(0).severity, Severity::suspect);
  marks = {0, 0, 3000, 2000};
  EXPECT_TRUE(run("ecn-blackhole", facts).empty());
  marks = {0, 0, 0, 20};
  EXPECT_TRUE(run("ecn-blackhole", facts).empty());
}

TEST(TfoBlackhole, FiresOnPairsAndNotWhenPlainSynsAreLostToo) {
  Case facts = healthy_case({.bytes = 100'000, .seconds = 2});
  add_connection(facts, {.bytes = 100'000, .seconds = 2});
  for (ConnectionFacts& c : facts.connections) fall_back(c, fast_open);
  EXPECT_EQ(run("tfo-blackhole", facts).at(0).severity, Severity::fault);
  auto& copies = facts.connections[1].syn_copies.syns;
  copies.push_back(copies.back());
  EXPECT_TRUE(run("tfo-blackhole", facts).empty());
  EXPECT_TRUE(run("tfo-blackhole", healthy_case()).empty());
}

// --- idle-nat-drop

QuietFacts quiet(const Case& facts, double seconds, std::uint32_t sends, bool answered) {
  QuietFacts quiet;
  quiet.begin = facts.connections[0].first + from_seconds(1);
  quiet.seconds = seconds;
  quiet.before = FrameRef{0, 10};
  quiet.after = FrameRef{0, 11};
  quiet.speaker = Direction::to_client;
  quiet.sends = sends;
  quiet.answered = answered;
  quiet.unanswered_s = answered ? 0.02 : 13;
  return quiet;
}

Case idle_case(double seconds, std::uint32_t sends) {
  Case facts = healthy_case({.bytes = 10'000, .seconds = seconds + 15});
  facts.connections[0].beside.quiets = {quiet(facts, seconds, sends, false)};
  return facts;
}

TEST(IdleNatDrop, DataAfterMinutesThatNobodyAnswersIsAFault) {
  const auto found = run("idle-nat-drop", idle_case(350, 7));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 13);
  EXPECT_EQ(found[0].direction, Direction::to_client);
}

TEST(IdleNatDrop, AShortSilenceIsASuspicionAndFewPacketsAreNothing) {
  EXPECT_EQ(run("idle-nat-drop", idle_case(5, 7)).at(0).severity, Severity::suspect);
  EXPECT_TRUE(run("idle-nat-drop", idle_case(350, 2)).empty());
  EXPECT_EQ(silences_of("idle-nat-drop", idle_case(350, 2)).size(), 1U);
}

TEST(IdleNatDrop, ALongerSilenceThatDidNoHarmClearsIt) {
  Case facts = idle_case(100, 7);
  facts.connections[0].beside.quiets.insert(facts.connections[0].beside.quiets.begin(),
                                            quiet(facts, 300, 1, true));
  EXPECT_TRUE(run("idle-nat-drop", facts).empty());
}

TEST(IdleNatDrop, AResetTellsWhoseItIsByItsTimeToLive) {
  Case facts = idle_case(350, 1);
  QuietFacts& silence = facts.connections[0].beside.quiets[0];
  silence.reset = FrameRef{0, 12};
  ResetFacts reset;
  reset.frame = silence.reset;
  reset.sender_ttl_min = reset.sender_ttl_max = 56;
  reset.ttl = 60;  // from half way
  facts.connections[0].resets = {reset};
  EXPECT_EQ(run("idle-nat-drop", facts).at(0).severity, Severity::fault);
  facts.connections[0].resets[0].ttl = 56;  // the peer's own
  EXPECT_EQ(run("idle-nat-drop", facts).at(0).severity, Severity::suspect);
}

// --- conntrack-invalid

Case stray_case() {
  Case facts = healthy_case();
  ConnectionFacts stray = facts.connections[0];
  stray.id = 1;
  stray.server.address.bytes[3] = 99;
  stray.handshake = {};
  stray.first = facts.connections[0].first + from_seconds(1);
  stray.last = stray.first;
  for (DirectionFacts& d : stray.directions) d.packets = 1;
  ResetFacts reset;
  reset.frame = FrameRef{0, 77};
  reset.direction = Direction::to_server;
  stray.resets = {reset};
  stray.reset_count = 1;
  facts.connections.push_back(stray);
  return facts;
}

TEST(ConntrackInvalid, AResetStrayOnABusyPortIsSuspect) {
  const auto found = run("conntrack-invalid", stray_case());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_EQ(found[0].connections, (std::vector<std::uint32_t>{0, 1}));
}

TEST(ConntrackInvalid, AnUnusedPortAConversationOrNoResetAreNot) {
  Case facts = stray_case();
  facts.connections[1].client.port = 7;
  EXPECT_TRUE(run("conntrack-invalid", facts).empty());
  EXPECT_EQ(silences_of("conntrack-invalid", facts).size(), 1U);
  facts = stray_case();
  facts.connections[1].directions[0].packets = 50;
  EXPECT_TRUE(run("conntrack-invalid", facts).empty());
  facts = stray_case();
  facts.connections[1].resets.clear();
  facts.connections[1].reset_count = 0;
  EXPECT_TRUE(run("conntrack-invalid", facts).empty());
}

// --- asymmetric-firewall

Case hanging(std::uint32_t ip_len) {
  Case facts = healthy_case({.bytes = 1, .seconds = 8});
  ConnectionFacts& connection = facts.connections[0];
  connection[Direction::to_client] = {};
  DirectionFacts& sent = connection[Direction::to_server];
  sent.acked_bytes = 0;
  sent.data_packets = 6;
  Stall stall;
  stall.begin = connection.first;
  stall.seconds = 6;
  stall.unanswered_sends = 6;
  stall.smallest_unanswered_ip_len = stall.largest_unanswered_ip_len = ip_len;
  stall.ended = false;
  sent.stalls = {stall};
  return facts;
}

TEST(AsymmetricFirewall, NothingArrivesAfterTheHandshake) {
  const auto found = run("asymmetric-firewall", hanging(252));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 6);
}

TEST(AsymmetricFirewall, LargePacketsAndHostsThatTalkAreNot) {
  EXPECT_TRUE(run("asymmetric-firewall", hanging(1500)).empty());
  Case facts = hanging(252);
  add_connection(facts);
  EXPECT_TRUE(run("asymmetric-firewall", facts).empty());
  facts = hanging(252);
  facts.connections[0][Direction::to_server].stalls.clear();
  EXPECT_TRUE(run("asymmetric-firewall", facts).empty());
}

// --- sack-stripped, sack-mangled

Case lossy_case() {
  Case facts = healthy_case({.vantage = Vantage::receiver});
  DirectionFacts& data = download_of(facts);
  data.lost_packets = 40;
  data.loss_episodes = 10;
  data.timeouts = 3;
  data.timeout_frames = frames(3);
  charge(data, TimeOwner::timeout, 0.6);
  charge(data, TimeOwner::loss_recovery, 0.5);
  return facts;
}

TEST(SackStripped, AnOptionMissingFromAfarIsASuspicionAndAtTwoTapsAProof) {
  Case facts = lossy_case();
  EXPECT_TRUE(run("sack-stripped", facts).empty());
  SynFacts& answer = *facts.connections[0].handshake.syn_ack;
  answer.options.sack_permitted = false;
  answer.ttl = 57;
  EXPECT_EQ(run("sack-stripped", facts).at(0).severity, Severity::suspect);
  SynFacts whole = answer;
  whole.options.sack_permitted = true;
  facts.connections[0].syn_copies.altered = {{whole, answer, false}};
  const auto found = run("sack-stripped", facts);
  EXPECT_EQ(found.at(0).severity, Severity::fault);
  EXPECT_NEAR(found[0].seconds_lost, 1.1, 1e-6);
}

TEST(SackStripped, WithoutLossOrWhereTheSynWasMadeItIsNot) {
  Case facts = healthy_case();
  facts.connections[0].handshake.syn_ack->options.sack_permitted = false;
  facts.connections[0].handshake.syn_ack->ttl = 57;
  EXPECT_TRUE(run("sack-stripped", facts).empty());
  EXPECT_FALSE(silences_of("sack-stripped", facts).empty());
  facts = lossy_case();
  facts.connections[0].handshake.syn_ack->options.sack_permitted = false;
  facts.connections[0][Direction::to_client].vantage = Vantage::sender;  // TTL 64: the server's own
  EXPECT_TRUE(run("sack-stripped", facts).empty());
}

Case mangled_case(std::int64_t spread) {
  Case facts = lossy_case();
  DirectionFacts& data = download_of(facts);
  data.sack_blocks = 60;
  data.sack_edges = {50, frames(50), 1'000'000'000, 1'000'000'000 + spread};
  return facts;
}

TEST(SackMangled, BlocksThatAreOffByOneDistanceAreAFault) {
  const auto found = run("sack-mangled", mangled_case(50'000));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_EQ(found[0].evidence[0].frames.size(), 6U);
}

// By less than the flight: many blocks name other data that is in flight.
TEST(SackMangled, ABoxThatShiftsByLittleLeavesManyBlocksPossible) {
  Case facts = mangled_case(50'000);
  DirectionFacts& data = download_of(facts);
  data.sack_edges.impossible = 300;
  data.sack_blocks = 700;
  EXPECT_EQ(run("sack-mangled", facts).size(), 1U);
  data.sack_blocks = 3000;
  EXPECT_TRUE(run("sack-mangled", facts).empty());
}

TEST(SackMangled, ScatteredFewAndUnseenBlocksAreNot) {
  EXPECT_TRUE(run("sack-mangled", mangled_case(500'000'000)).empty());
  Case facts = mangled_case(50'000);
  download_of(facts).sack_blocks = 5000;
  EXPECT_TRUE(run("sack-mangled", facts).empty());
  facts = mangled_case(50'000);
  download_of(facts).unseen_acked_bytes = download_of(facts).bytes / 2;
  EXPECT_TRUE(run("sack-mangled", facts).empty());
  EXPECT_EQ(silences_of("sack-mangled", facts).size(), 1U);
}

// --- ts-broken

TEST(TsBroken, ForeignEchoesThatCostTimeAreAFaultAndOthersANote) {
  Case facts = lossy_case();
  facts.connections[0].beside.marks[0].stamped = 3000;
  facts.connections[0].beside.marks[0].foreign_echo = frames(2900);
  EXPECT_EQ(run("ts-broken", facts).at(0).severity, Severity::fault);
  Case quick = healthy_case();
  quick.connections[0].beside.marks[1].unstamped = frames(5000);
  EXPECT_EQ(run("ts-broken", quick).at(0).severity, Severity::note);
}

TEST(TsBroken, AFewPacketsOrNoHandshakeAreNot) {
  Case facts = lossy_case();
  facts.connections[0].beside.marks[0].stamped = 3000;
  facts.connections[0].beside.marks[0].foreign_echo = frames(3);
  EXPECT_TRUE(run("ts-broken", facts).empty());
  EXPECT_EQ(silences_of("ts-broken", facts).size(), 1U);
  facts.connections[0].beside.marks[0].foreign_echo = frames(2900);
  facts.connections[0].handshake.syn.reset();
  EXPECT_TRUE(run("ts-broken", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

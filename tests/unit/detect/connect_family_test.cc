// SPDX-License-Identifier: Apache-2.0
// Connections that cannot be set up: each fault of the family fires on its own picture, stays
// silent on the one beside it, and says nothing where facts are missing.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Time at(const Case& facts, double seconds) {
  return facts.captures[0].first + from_seconds(seconds);
}

/// A connection from another port, set up at `seconds` and open for `open_s`.
ConnectionFacts& stood(Case& facts, double seconds, double open_s, std::uint8_t server = 2) {
  ConnectionFacts& connection = add_connection(facts);
  connection.server.address.bytes[3] = server;
  connection.first = at(facts, seconds);
  connection.last = at(facts, seconds + open_s);
  connection.handshake.syn->time = connection.first;
  connection.handshake.syn_times = {connection.first};
  for (DirectionFacts& d : connection.directions) d.last_ack = connection.last;
  facts.captures[0].last = std::max(facts.captures[0].last, connection.last);
  return connection;
}

/// One whose SYN was sent `copies` times and never answered.
ConnectionFacts& vanished(Case& facts, double seconds, std::uint32_t copies = 3,
                          std::uint8_t server = 2) {
  ConnectionFacts& connection = stood(facts, seconds, 7, server);
  HandshakeFacts& handshake = connection.handshake;
  handshake.syn_count = copies;
  handshake.syn_frames = frames(copies, 500);
  handshake.syn_ack.reset();
  handshake.syn_ack_count = 0;
  handshake.completed = handshake.legs_known = false;
  handshake.duration_s = 3;
  connection.close = CloseKind::open;
  for (DirectionFacts& d : connection.directions) d = {};
  facts.captures[0].last = std::max(facts.captures[0].last, connection.last);
  return connection;
}

Case empty_case() {
  Case facts = healthy_case();
  facts.connections.clear();
  return facts;
}

// --- timewait-syn-drop

Case reused(double after_s, std::uint32_t copies) {
  Case facts = empty_case();
  stood(facts, 0, 2).beside.first_fin = Direction::to_client;
  ConnectionFacts& again = vanished(facts, 2 + after_s, copies);
  again.client.port = facts.connections[0].client.port;
  again.reuses = 0;
  again.since_reused_s = after_s;
  return facts;
}

TEST(TimewaitSynDrop, ASilencedReuseIsAFault) {
  const auto found = run("timewait-syn-drop", reused(3, 4));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 3);
}

TEST(TimewaitSynDrop, OneLostSynOrAnOldPortIsNot) {
  EXPECT_TRUE(run("timewait-syn-drop", reused(3, 1)).empty());
  EXPECT_TRUE(run("timewait-syn-drop", reused(300, 4)).empty());
  EXPECT_EQ(silences_of("timewait-syn-drop", reused(300, 4)).size(), 1U);
}

TEST(TimewaitSynDrop, OtherPortsThatFailMakeItASuspicion) {
  Case facts = reused(3, 4);
  vanished(facts, 5.5, 4);
  const auto found = run("timewait-syn-drop", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_FALSE(found[0].next_capture.empty());
}

TEST(TimewaitSynDrop, AFailedFirstUseProvesNothing) {
  Case facts = reused(3, 4);
  ConnectionFacts& first = facts.connections[0];
  first.handshake.completed = false;
  first.handshake.syn_ack_count = 0;
  for (DirectionFacts& d : first.directions) d = {};
  EXPECT_TRUE(run("timewait-syn-drop", facts).empty());
}

// --- snat-exhausted, conntrack-full, accept-queue-overflow

Case crowded(std::size_t open, std::size_t failed) {
  Case facts = empty_case();
  for (std::size_t i = 0; i < open; ++i) stood(facts, 0.01 * static_cast<double>(i), 20);
  for (std::size_t i = 0; i < failed; ++i) vanished(facts, 1 + 0.1 * static_cast<double>(i));
  // The capture is at the client: the server's leg is the long one.
  for (ConnectionFacts& c : facts.connections) c.handshake.server_leg_s = 0.02;
  return facts;
}

TEST(SnatExhausted, ManyOpenAndMoreThatFailAreSuspect) {
  const auto found = run("snat-exhausted", crowded(9, 4));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_EQ(found[0].connections.size(), 4U);
  EXPECT_NEAR(found[0].seconds_lost, 3.3, 0.01);
  EXPECT_TRUE(run("conntrack-full", crowded(9, 4)).empty());
  EXPECT_TRUE(run("accept-queue-overflow", crowded(9, 4)).empty());
}

TEST(SnatExhausted, FewOpenOrFewFailedAreNot) {
  EXPECT_TRUE(run("snat-exhausted", crowded(5, 4)).empty());
  EXPECT_TRUE(run("snat-exhausted", crowded(9, 2)).empty());
  EXPECT_EQ(silences_of("snat-exhausted", crowded(9, 2)).size(), 1U);
}

TEST(SnatExhausted, FailuresElsewhereSpeakAgainstIt) {
  Case facts = crowded(9, 4);
  vanished(facts, 1.2, 3, 9);
  EXPECT_TRUE(run("snat-exhausted", facts).empty());
}

TEST(ConntrackFull, SeveralServersFailWhileOpenConnectionsGoOn) {
  Case facts = crowded(9, 2);
  vanished(facts, 1.2, 3, 9);
  vanished(facts, 1.3, 3, 10);
  const auto found = run("conntrack-full", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_EQ(found[0].connections.size(), 4U);
  for (ConnectionFacts& c : facts.connections) {
    for (DirectionFacts& d : c.directions) d.last_ack = at(facts, 0.5);
  }
  EXPECT_TRUE(run("conntrack-full", facts).empty());  // nothing went on
}

TEST(AcceptQueueOverflow, IgnoredSynsAtTheServerAreSuspect) {
  Case facts = crowded(3, 4);
  for (ConnectionFacts& c : facts.connections) {
    c.handshake.server_leg_s = 0.0001;
    c.handshake.client_leg_s = 0.02;
  }
  const auto found = run("accept-queue-overflow", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_TRUE(run("snat-exhausted", facts).empty());
}

Case repeated_syn_acks(std::uint64_t repeats, std::uint64_t resent) {
  Case facts = healthy_case({.bytes = 2000, .seconds = 3.5});
  ConnectionFacts& connection = facts.connections[0];
  connection.syn_copies.syn_acks_after_ack = frames(repeats, 5);
  SynFacts copy = *connection.handshake.syn_ack;
  connection.syn_copies.syn_acks = {copy};
  copy.time += from_seconds(3);
  connection.syn_copies.syn_acks.push_back(copy);
  connection[Direction::to_server].resent_packets = resent;
  return facts;
}

TEST(AcceptQueueOverflow, SynAcksAfterTheClientsDataAreSuspect) {
  const auto found = run("accept-queue-overflow", repeated_syn_acks(2, 4));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_NEAR(found[0].seconds_lost, 3, 0.01);
}

TEST(AcceptQueueOverflow, OneLostAckAndShortFactsAreNot) {
  EXPECT_TRUE(run("accept-queue-overflow", repeated_syn_acks(1, 0)).empty());
  Case facts = repeated_syn_acks(2, 4);
  facts.connections[0].syn_copies.syn_acks.clear();
  EXPECT_TRUE(run("accept-queue-overflow", facts).empty());
}

// --- paws-nat-drop

Case two_clocks(bool older_answered) {
  Case facts = empty_case();
  for (std::size_t i = 0; i < 4; ++i) {
    ConnectionFacts& ahead = stood(facts, 2 * static_cast<double>(i), 1);
    ahead.handshake.syn->options.ts_value = 900'000'000;
    ConnectionFacts& behind = older_answered ? stood(facts, 2 * static_cast<double>(i) + 1, 1)
                                             : vanished(facts, 2 * static_cast<double>(i) + 1);
    behind.handshake.syn->options.ts_value = 70'000;
  }
  return facts;
}

TEST(PawsNatDrop, OnlyOlderTimestampsAreDropped) {
  const auto found = run("paws-nat-drop", two_clocks(false));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_EQ(found[0].connections.size(), 4U);
}

TEST(PawsNatDrop, OlderOnesThatAreAnsweredClearIt) {
  EXPECT_TRUE(run("paws-nat-drop", two_clocks(true)).empty());
  Case facts = two_clocks(false);
  stood(facts, 9, 1).handshake.syn->options.ts_value = 60'000;
  EXPECT_TRUE(run("paws-nat-drop", facts).empty());
}

TEST(PawsNatDrop, WithoutTimestampsNothingIsSaid) {
  Case facts = two_clocks(false);
  for (ConnectionFacts& c : facts.connections) c.handshake.syn->options.has_timestamps = false;
  EXPECT_TRUE(run("paws-nat-drop", facts).empty());
}

// --- ephemeral-exhausted

Case reused_ports(std::size_t ports, double after_s) {
  Case facts = empty_case();
  for (std::size_t i = 0; i < ports; ++i) stood(facts, 0.1 * static_cast<double>(i), 0.05);
  for (std::size_t i = 0; i < ports; ++i) {
    ConnectionFacts& again = stood(facts, 0.05 + after_s + 0.1 * static_cast<double>(i), 0.05);
    again.client.port = facts.connections[i].client.port;
    again.reuses = static_cast<std::uint32_t>(i);
    again.since_reused_s = after_s;
  }
  return facts;
}

TEST(EphemeralExhausted, PortsThatComeBackAsTimeWaitEndsAreSuspect) {
  const auto found = run("ephemeral-exhausted", reused_ports(20, 60.2));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_FALSE(found[0].next_capture.empty());
}

TEST(EphemeralExhausted, LaterReuseAndAFixedPortAreNot) {
  EXPECT_TRUE(run("ephemeral-exhausted", reused_ports(20, 90)).empty());
  EXPECT_TRUE(run("ephemeral-exhausted", reused_ports(4, 60.2)).empty());
  EXPECT_TRUE(run("ephemeral-exhausted", healthy_case()).empty());
}

// --- syn-backlog-cookies

Case handshakes(double apart_s) {
  Case facts = empty_case();
  for (std::size_t i = 0; i < 4; ++i) stood(facts, 5 * static_cast<double>(i), 1);
  for (std::size_t i = 0; i < 8; ++i) {
    TcpOptions& answer =
        stood(facts, 30 + apart_s * static_cast<double>(i), 1).handshake.syn_ack->options;
    answer.has_window_scale = answer.sack_permitted = false;
  }
  return facts;
}

TEST(SynBacklogCookies, OptionsThatAreMissingUnderLoadAreSuspect) {
  const auto found = run("syn-backlog-cookies", handshakes(0.01));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_EQ(found[0].connections.size(), 8U);
}

TEST(SynBacklogCookies, MissingAtAnyLoadAreNot) {
  EXPECT_TRUE(run("syn-backlog-cookies", handshakes(5)).empty());
  EXPECT_EQ(silences_of("syn-backlog-cookies", handshakes(5)).size(), 1U);
  EXPECT_TRUE(run("syn-backlog-cookies", healthy_case()).empty());
}

// --- tcp-auth-mismatch

TEST(TcpAuthMismatch, OnlyOneSideSigns) {
  Case facts = empty_case();
  ConnectionFacts& connection = vanished(facts, 0, 4);
  connection.handshake.syn->options.has_md5 = true;
  EXPECT_EQ(run("tcp-auth-mismatch", facts).at(0).severity,
            Severity::suspect);  // nobody else to compare with
  connection.handshake.syn_ack = *connection.handshake.syn;
  connection.handshake.syn_ack->options.has_md5 = false;
  connection.handshake.syn_ack_count = 4;
  const auto found = run("tcp-auth-mismatch", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
}

TEST(TcpAuthMismatch, TheHostAnswersThoseWhoDoNotSign) {
  Case facts = empty_case();
  vanished(facts, 0, 3).handshake.syn->options.has_ao = true;
  stood(facts, 1, 1);
  EXPECT_EQ(run("tcp-auth-mismatch", facts).at(0).severity, Severity::fault);
}

TEST(TcpAuthMismatch, AWorkingSessionAndTwoSynsAreNot) {
  Case facts = healthy_case();
  facts.connections[0].handshake.syn->options.has_md5 = true;  // a tap that sees another's answer
  EXPECT_TRUE(run("tcp-auth-mismatch", facts).empty());
  facts = empty_case();
  vanished(facts, 0, 2).handshake.syn->options.has_md5 = true;
  EXPECT_TRUE(run("tcp-auth-mismatch", facts).empty());
  facts.connections[0].handshake = {};
  EXPECT_TRUE(run("tcp-auth-mismatch", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

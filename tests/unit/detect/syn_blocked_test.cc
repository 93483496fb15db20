// SPDX-License-Identifier: Apache-2.0
// syn-blocked: unanswered SYNs on their schedule and refusals fire; a capture that ends and one
// lost SYN do not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

double seconds_of(const std::vector<Time>& times) {
  return to_seconds(times.back() - times.front());
}

Case with_syns(std::size_t count, bool completed) {
  Case facts = healthy_case();
  ConnectionFacts& connection = facts.connections[0];
  HandshakeFacts& handshake = connection.handshake;
  handshake.syn_count = static_cast<std::uint32_t>(count);
  handshake.syn_frames = frames(count, 1);
  handshake.syn_times.clear();
  double at_s = 0;
  for (std::size_t i = 0; i < count; ++i) {
    handshake.syn_times.push_back(connection.first + from_seconds(at_s));
    at_s = at_s * 2 + 1;
  }
  handshake.duration_s = seconds_of(handshake.syn_times);
  handshake.completed = completed;
  if (!completed) {
    handshake.syn_ack.reset();
    handshake.syn_ack_count = 0;
    handshake.syn_ack_frames = {};
    for (DirectionFacts& direction : connection.directions) direction.bytes = 0;
  }
  connection.last = connection.first + from_seconds(handshake.duration_s + 2);
  return facts;
}

TEST(SynBlocked, FourUnansweredSynsAreAFault) {
  const auto found = run("syn-blocked", with_syns(4, false));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 7);
  EXPECT_EQ(found[0].evidence[0].frames.size(), 4U);
}

TEST(SynBlocked, TwoSynsOfACaptureThatEndsAreNot) {
  const Case facts = with_syns(2, false);
  EXPECT_TRUE(run("syn-blocked", facts).empty());
  EXPECT_EQ(silences_of("syn-blocked", facts).size(), 1U);
}

TEST(SynBlocked, SynsAsFastAsAScannerAreNot) {
  Case facts = with_syns(4, false);
  auto& times = facts.connections[0].handshake.syn_times;
  for (std::size_t i = 0; i < times.size(); ++i) {
    times[i] = facts.connections[0].first + from_seconds(0.01 * static_cast<double>(i));
  }
  EXPECT_TRUE(run("syn-blocked", facts).empty());
}

TEST(SynBlocked, TheFourthSynThatPassesCostTheWait) {
  const auto found = run("syn-blocked", with_syns(4, true));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_NEAR(found[0].seconds_lost, 7, 0.1);
}

TEST(SynBlocked, ARefusalIsAFaultUnlessThePortWorks) {
  Case facts = with_syns(1, false);
  facts.connections[0].handshake.refused = true;
  facts.connections[0].handshake.refusal = FrameRef{0, 2};
  auto found = run("syn-blocked", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  add_connection(facts);
  found = run("syn-blocked", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

TEST(SynBlocked, AnAnswerThatIsNeverAcceptedIsASuspicion) {
  Case facts = with_syns(4, false);
  facts.connections[0].handshake.syn_ack_count = 4;
  auto found = run("syn-blocked", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  facts.connections[0].handshake.syn->options.has_md5 = true;
  found = run("syn-blocked", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
}

TEST(SynBlocked, DamagedCaptureWithoutSynsSaysNothing) {
  Case facts = with_syns(4, false);
  facts.connections[0].handshake = {};
  EXPECT_TRUE(run("syn-blocked", facts).empty());
}

// Seen where the server is: its answers leave and do not arrive.
TEST(SynBlocked, AnswersThatAreNotAcceptedAreASuspicion) {
  Case facts = with_syns(4, true);
  facts.connections[0].handshake.syn_ack_count = 4;
  const auto found = run("syn-blocked", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_NE(found[0].next_capture.find("client.pcap"), std::string::npos);
}

}  // namespace
}  // namespace slowpath::testing

// SPDX-License-Identifier: Apache-2.0
// app-ping-pong: many exchanges that wait for nothing but the path fire; thinking, a LAN and a
// transfer with a few questions in front do not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

// `prompt` exchanges of `rtt_s` each in a connection of 5 s.
Case with_exchanges(std::uint64_t prompt, double rtt_s) {
  Case facts = healthy_case({.bytes = 300'000, .seconds = 5, .rtt_s = rtt_s});
  ExchangeFacts& exchanges = facts.connections[0].beside.exchanges;
  exchanges.count = prompt + 3;
  exchanges.prompt = prompt;
  exchanges.waited_s = static_cast<double>(prompt) * rtt_s;
  exchanges.round_trip_s = rtt_s;
  exchanges.requests = frames(prompt, 40);
  return facts;
}

TEST(AppPingPong, ARoundTripForEachBlockIsAFault) {
  const auto found = run("app-ping-pong", with_exchanges(100, 0.040));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_NEAR(found[0].seconds_lost, 4.0, 1e-9);
  EXPECT_EQ(found[0].evidence[0].frames.front().number(), 40U);
  EXPECT_NE(found[0].evidence[1].text.find("already in the handshake"), std::string::npos);
}

TEST(AppPingPong, TheHandshakeIsNotSpokenOfWhereItWasNotSeen) {
  Case facts = with_exchanges(100, 0.040);
  facts.connections[0].handshake = {};
  const auto found = run("app-ping-pong", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].evidence[1].text, "the round trip is 40 ms");
}

TEST(AppPingPong, LessThanHalfOfTheTimeIsWorthKnowing) {
  const auto found = run("app-ping-pong", with_exchanges(50, 0.040));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

TEST(AppPingPong, APageWithThirtyPicturesIsWorthKnowing) {
  const auto found = run("app-ping-pong", with_exchanges(30, 0.150));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

TEST(AppPingPong, AFewExchangesAreEveryProtocols) {
  const Case facts = with_exchanges(19, 0.200);
  EXPECT_TRUE(run("app-ping-pong", facts).empty());
  EXPECT_EQ(silences_of("app-ping-pong", facts).size(), 1U);
}

TEST(AppPingPong, OnALanTheHostsOwnTimeWeighsAsMuch) {
  EXPECT_TRUE(run("app-ping-pong", with_exchanges(4500, 0.0009)).empty());
}

TEST(AppPingPong, WhereNeitherHandshakeNorPortsTellNobodyKnowsWhoAsks) {
  Case facts = with_exchanges(100, 0.040);
  facts.connections[0].client_known = false;
  EXPECT_TRUE(run("app-ping-pong", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

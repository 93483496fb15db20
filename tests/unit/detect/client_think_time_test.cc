// SPDX-License-Identifier: Apache-2.0
// client-think-time: pauses are the client's own business; moments that interrupt bulk are a fault.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_pauses(std::uint64_t count, double seconds, double longest_s, std::uint64_t bytes) {
  Case facts = healthy_case({.bytes = bytes, .seconds = 20});
  DirectionFacts& asks = facts.connections[0][Direction::to_server];
  asks.pauses.count = count;
  asks.pauses.seconds = seconds;
  asks.pauses.longest_s = longest_s;
  asks.pauses.ends = frames(count, 13);
  return facts;
}

TEST(ClientThinkTime, MomentsThatInterruptABulkTransferAreAFault) {
  const auto found = run("client-think-time", with_pauses(30, 15, 0.6, 30'000'000));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 15);
}

TEST(ClientThinkTime, APersonIsANote) {
  const auto found = run("client-think-time", with_pauses(30, 15, 6, 300'000));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

TEST(ClientThinkTime, ShortPausesAreNot) {
  const Case facts = with_pauses(30, 3, 0.15, 30'000'000);
  EXPECT_TRUE(run("client-think-time", facts).empty());
  EXPECT_EQ(silences_of("client-think-time", facts).size(), 1U);
}

TEST(ClientThinkTime, WithoutAClientSaysNothing) {
  Case facts = with_pauses(30, 15, 0.6, 30'000'000);
  facts.connections[0].client_known = false;
  EXPECT_TRUE(run("client-think-time", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing

// SPDX-License-Identifier: Apache-2.0
#include "report/words.h"

#include <gtest/gtest.h>

#include "report/answer.h"
#include "unit/report/answers.h"

namespace slowpath::report {
namespace {

TEST(Words, RolesBecomeAddressesOfTheFindingsConnection) {
  const Answer answer = test::large_sends();
  Finding finding = answer.diagnosis.findings.front();
  EXPECT_EQ(address_of(Role::sender, answer.facts, finding), "10.0.0.1");
  EXPECT_EQ(address_of(Role::receiver, answer.facts, finding), "10.0.0.2");
  finding.direction = Direction::to_client;
  EXPECT_EQ(address_of(Role::sender, answer.facts, finding), "10.0.0.2");
  EXPECT_EQ(address_of(Role::client, answer.facts, finding), "10.0.0.1");
  EXPECT_EQ(address_of(Role::both_ends, answer.facts, finding), "10.0.0.1 and 10.0.0.2");
}

TEST(Words, WhatPacketsDoNotTellStaysOpen) {
  const Answer answer = test::large_sends();
  Finding finding = answer.diagnosis.findings.front();
  EXPECT_EQ(address_of(Role::gateway, answer.facts, finding), "");
  finding.direction.reset();
  EXPECT_EQ(address_of(Role::sender, answer.facts, finding), "");
  finding.connections = {99};
  EXPECT_EQ(address_of(Role::client, answer.facts, finding), "");
}

TEST(Words, WorstConnectionsComeFirst) {
  const Answer answer = test::crowd();
  const std::vector<std::size_t> order = connections_worst_first(answer);
  ASSERT_EQ(order.size(), 40u);
  EXPECT_EQ(order[0], 0u);   // the verdict's
  EXPECT_EQ(order[1], 17u);  // another fault's
  EXPECT_EQ(order[2], 39u);  // then by bytes
}

}  // namespace
}  // namespace slowpath::report

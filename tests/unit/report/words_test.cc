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

TEST(Words, CommandsNameTheEndsOfTheConnection) {
  const Answer answer = test::large_sends();
  Finding finding = answer.diagnosis.findings.front();
  const auto at = [&](Role where, std::string_view text) {
    return command_of(text, where, answer.facts, finding);
  };
  EXPECT_EQ(at(Role::sender, "ss -ti dst RECEIVER"), "ss -ti dst 10.0.0.2");
  EXPECT_EQ(at(Role::receiver, "ss -tmi dst SENDER"), "ss -tmi dst 10.0.0.1");
  EXPECT_EQ(at(Role::sender, "mtr -rwc 100 DST"), "mtr -rwc 100 10.0.0.2");
  EXPECT_EQ(at(Role::server, "mtr -rwc 100 DST"), "mtr -rwc 100 10.0.0.1");
  EXPECT_EQ(at(Role::client, "iptables -I INPUT -s SERVER --sport PORT"),
            "iptables -I INPUT -s 10.0.0.2 --sport 9000");
  finding.direction = Direction::to_client;
  EXPECT_EQ(at(Role::receiver, "ss -tmp src :PORT"), "ss -tmp src :47876");
  EXPECT_EQ(at(Role::server, "--dport PORT"), "--dport 9000");
}

TEST(Words, CommandsForIpv6) {
  Answer answer = test::large_sends();
  ConnectionFacts& connection = answer.facts.connections.front();
  connection.client.address = *parse_address("2001:db8::1");
  connection.server.address = *parse_address("2001:db8::2");
  const Finding finding = answer.diagnosis.findings.front();
  const auto at = [&](Role where, std::string_view text) {
    return command_of(text, where, answer.facts, finding);
  };
  EXPECT_EQ(at(Role::sender, "ss -ti dst RECEIVER"), "ss -ti dst [2001:db8::2]");
  EXPECT_EQ(at(Role::client, "ss -tan dst DST | wc -l"), "ss -tan dst [2001:db8::2] | wc -l");
  EXPECT_EQ(at(Role::sender, "tracepath -n DST"), "tracepath -n 2001:db8::2");
  EXPECT_EQ(at(Role::sender, "-IPDstPrefixMatchCondition DST/32"),
            "-IPDstPrefixMatchCondition 2001:db8::2/128");
  EXPECT_EQ(at(Role::server, "iptables -I INPUT -p tcp --dport PORT -j ACCEPT"),
            "ip6tables -I INPUT -p tcp --dport 9000 -j ACCEPT");
  EXPECT_EQ(at(Role::gateway, "iptables -I FORWARD -p icmp"), "iptables -I FORWARD -p icmp");
}

TEST(Words, CommandsKeepWhatPacketsDoNotTell) {
  const Answer answer = test::large_sends();
  Finding finding = answer.diagnosis.findings.front();
  EXPECT_EQ(command_of("tracepath -n DST", Role::path, answer.facts, finding), "tracepath -n DST");
  finding.direction.reset();
  EXPECT_EQ(command_of("ss -ti dst RECEIVER", Role::sender, answer.facts, finding),
            "ss -ti dst RECEIVER");
  finding.connections.clear();
  EXPECT_EQ(command_of("--dport PORT", Role::server, answer.facts, finding), "--dport PORT");
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

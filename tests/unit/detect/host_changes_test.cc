// SPDX-License-Identifier: Apache-2.0
// Two readings of a host: what follows from what one of them lacks, and what does not.
#include "detect/host_changes.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "machine/text.h"

namespace slowpath::detect {
namespace {

HostFinding found(const std::string& claim, Severity severity = Severity::suspect) {
  HostFinding finding;
  finding.rule = "route-mtu-small";
  finding.interface = "eth0";
  finding.severity = severity;
  finding.claim = claim;
  return finding;
}

HostChanges between(std::vector<HostFinding> before, std::vector<HostFinding> after) {
  const MachineFacts facts;
  Inspection was, is;
  was.rules = is.rules = {HostRuleState{"route-mtu-small", "mtu-needlessly-small", true, ""}};
  was.findings = std::move(before);
  is.findings = std::move(after);
  return changes_between({facts, was}, {facts, is});
}

TEST(HostChanges, ASecondFindingOfOneRuleIsNew) {
  const HostChanges changes = between({found("a")}, {found("b"), found("a")});
  ASSERT_EQ(changes.findings.size(), 1U);
  EXPECT_EQ(changes.findings[0].finding.claim, "b");
  EXPECT_EQ(changes.findings[0].before, "");
  EXPECT_EQ(changes.findings[0].after, "suspect");
}

TEST(HostChanges, AndOneOfTwoIsGone) {
  const HostChanges changes = between({found("a"), found("b")}, {found("b")});
  ASSERT_EQ(changes.findings.size(), 1U);
  EXPECT_EQ(changes.findings[0].finding.claim, "a");
  EXPECT_EQ(changes.findings[0].after, "");
}

TEST(HostChanges, ACountThatGrewIsTheSameFinding) {
  EXPECT_TRUE(between({found("7 drops")}, {found("9 drops")}).findings.empty());
  const HostChanges worse = between({found("7 drops")}, {found("900 drops", Severity::fault)});
  ASSERT_EQ(worse.findings.size(), 1U);
  EXPECT_EQ(worse.findings[0].before, "suspect");
  EXPECT_EQ(worse.findings[0].after, "fault");
}

HostChanges between(const std::string& before, const std::string& after) {
  MachineFacts was, is;
  machine::read_text("before.txt", before, was);
  machine::read_text("after.txt", after, is);
  const Inspection none;
  return changes_between({was, none}, {is, none});
}

const std::string kEthtool =
    "### slowpath: ethtool -k eth0\nFeatures for eth0:\nlarge-receive-offload: off\n";
const std::string kGet =
    "### slowpath: ip route get 198.51.100.7\n"
    "198.51.100.7 via 192.0.2.254 dev eth0 src 192.0.2.1 uid 0\n    cache\n";
const std::string kLo = "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN\n";
const std::string kEth0 = "2: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP\n";
const std::string kEth1 = "3: eth1: <BROADCAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP\n";
const std::string kLinks = "### slowpath: ip link\n" + kLo + kEth0;
const std::string kRoutes =
    "### slowpath: ip route\ndefault via 192.0.2.254 dev eth0 proto static\n"
    "192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1\n";

std::vector<std::string> whats(const HostChanges& changes) {
  std::vector<std::string> names;
  for (const HostChange& change : changes.values) names.push_back(change.what);
  return names;
}

TEST(HostChanges, NothingComesOrGoesThatNobodyAskedFor) {
  const std::string few = kEthtool + kGet, all = kLinks + kEth1 + kRoutes;
  const HostChanges later = between(few, all), earlier = between(all, few);
  EXPECT_TRUE(later.values.empty()) << later.values[0].what;
  EXPECT_TRUE(earlier.values.empty()) << earlier.values[0].what;
  EXPECT_GE(later.only_after, 4U);  // lo, eth1 and two routes
  EXPECT_EQ(later.only_before, earlier.only_after);
  const std::string pasted = kGet.substr(kGet.find('\n') + 1);
  EXPECT_TRUE(between(pasted, all).values.empty()) << between(pasted, all).values[0].what;
  // One interface that was asked for by name is no list.
  EXPECT_TRUE(between("### slowpath: ip link show eth0\n" + kEth0, all).values.empty());
}

TEST(HostChanges, WhatTwoListsDifferInCameOrWent) {
  EXPECT_EQ(whats(between(kLinks + kGet, kLinks + kEth1)),
            (std::vector<std::string>{"interface eth1"}));
  EXPECT_EQ(whats(between(kLinks + kEth1, kLinks)), (std::vector<std::string>{"interface eth1"}));
  const std::string more = kRoutes + "198.51.100.0/24 via 192.0.2.3 dev eth0\n";
  EXPECT_EQ(whats(between(kRoutes + kGet, more)),
            (std::vector<std::string>{"route 198.51.100.0/24"}));
}

TEST(HostChanges, RoutesAreHeldAgainstThoseOfTheirFamilyAndTable) {
  const HostChanges changes = between(
      kRoutes, kRoutes +
                   "### slowpath: ip -6 route\n2001:db8::/64 dev eth0 proto kernel metric 256\n"
                   "### slowpath: ip route show table 7\ndefault via 192.0.2.9 dev eth0\n");
  EXPECT_TRUE(changes.values.empty()) << changes.values[0].what;
  EXPECT_EQ(changes.only_after, 2U);
}

}  // namespace
}  // namespace slowpath::detect

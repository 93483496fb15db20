// SPDX-License-Identifier: Apache-2.0
// Commands as people write them, and the catalogue's remedies as steps.
#include "fix/plan.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "fix/mss_clamp.h"
#include "unit/fix/model_kernel.h"

namespace slowpath::test {
namespace {

using fix::Change;
using fix::KnobKind;

class Command : public testing::Test {
 protected:
  Command() {
    for (const char* feature :
         {"tx-tcp-segmentation", "tx-tcp6-segmentation", "rx-gro", "rx-lro"}) {
      kernel.knobs[{KnobKind::feature, "eth0", feature}] = "on";
    }
  }
  ModelKernel kernel;
};

TEST_F(Command, AnEthtoolWordStandsForTheFeaturesThatTheDriverHas) {
  const std::vector<Change> changes = *fix::changes_of("ethtool -K eth0 tso off", kernel);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(to_string(changes[0].knob), "feature:eth0:tx-tcp-segmentation");
  EXPECT_EQ(changes[1].value, "off");
  EXPECT_EQ(fix::changes_of("ethtool -K eth0 rx-gro off", kernel)->size(), 1u);
}

TEST_F(Command, KnowsEachForm) {
  const auto one = [&](std::string_view command) {
    const Result<std::vector<Change>> changes = fix::changes_of(command, kernel);
    return changes ? to_string(changes->at(0).knob) + "=" + changes->at(0).value
                   : changes.error().message();
  };
  EXPECT_EQ(one("ip link set dev eth0 mtu 1400"), "mtu:eth0=1400");
  EXPECT_EQ(one("ip link set eth0 txqueuelen 500"), "queue-length:eth0=500");
  EXPECT_EQ(one("ethtool -G eth0 rx 4096, if the NIC's ring overruns"), "ring:eth0:rx=4096");
  EXPECT_EQ(one("ethtool -L eth0 combined 4"), "channels:eth0:combined=4");
  EXPECT_EQ(one("sysctl -w net.ipv4.ip_local_port_range='1024 65535'"),
            "sysctl:net.ipv4.ip_local_port_range=1024 65535");
  EXPECT_EQ(one("sysctl -w net.ipv4.tcp_recovery=1 (RACK), if it was switched off"),
            "sysctl:net.ipv4.tcp_recovery=1");
  EXPECT_EQ(one("sysctl:net.ipv4.tcp_sack=0"), "sysctl:net.ipv4.tcp_sack=0");
  EXPECT_EQ(one("tc qdisc replace dev eth0 root fq maxrate 1.5mbit limit 10000, and more"),
            "qdisc:eth0=fq maxrate 1500000bit");
  EXPECT_EQ(one("tc qdisc replace dev eth0 root fq maxrate 90mbit flow_limit 7"),
            "qdisc:eth0=fq flow_limit 7 maxrate 90000000bit");
  EXPECT_EQ(one("tc qdisc change dev eth0 root fq_codel limit 1000"),
            "qdisc-option:eth0:limit=fq_codel 1000");
  EXPECT_EQ(one("tc qdisc change dev eth0 root fq maxrate none"),
            "qdisc-option:eth0:maxrate=fq none");
}

TEST_F(Command, WhatCannotBeTurnedIsSaidForWhatItIs) {
  const auto refusal = [&](std::string_view command) {
    const Result<std::vector<Change>> changes = fix::changes_of(command, kernel);
    return changes ? "" : changes.error().message();
  };
  EXPECT_NE(refusal("route:eth0:proto@default=static").find("can only be read"), std::string::npos);
  EXPECT_NE(refusal("route:eth0:src@default=10.0.0.1").find("can only be read"), std::string::npos);
  EXPECT_NE(refusal("route:eth0:mtu@default=absent").find("are not taken away"), std::string::npos);
  EXPECT_NE(refusal("tc qdisc del").find("as in slowpath(1)"), std::string::npos);
}

// Buffers have three numbers, of which a step changes the last.
TEST_F(Command, KeepsTheNumbersThatAreNotMeant) {
  kernel.knobs[{KnobKind::sysctl, {}, "net.ipv4.tcp_rmem"}] = "4096 131072 6291456";
  const fix::PlannedStep step =
      *fix::find_step("rwnd-limited/1", Platform::linux, {{}, "25000000", {}, {}});
  EXPECT_TRUE(step.missing.empty());
  EXPECT_EQ(fix::changes_of(step.command, kernel)->at(0).value, "4096 131072 25000000");
}

// What stands in capitals in a step of ours is a blank that an option fills.
TEST(Plan, NoBlankOfOurStepsIsLeftOver) {
  for (const Fault& fault : all_faults()) {
    for (const fix::PlannedStep& step :
         fix::plan_for(fault, Platform::linux, {"eth0", "700", "10.0.0.9", {}})) {
      if (!step.is_ours) continue;
      EXPECT_TRUE(step.missing.empty()) << step.command;
      ModelKernel kernel;
      kernel.knobs[{KnobKind::route, "eth0", "via@10.0.0.9/32"}] = "10.0.0.1";
      for (const char* feature : {"tx-tcp-segmentation", "tx-generic-segmentation", "rx-gro",
                                  "rx-lro", "rx-gro-hw", "rx-checksum", "tx-checksum-ipv4",
                                  "tx-checksum-ip-generic", "tx-scatter-gather", "rx-all"})
        kernel.knobs[{KnobKind::feature, "eth0", feature}] = "on";
      kernel.knobs[{KnobKind::rss, "eth0", "table"}] = "128 buckets equal 1";
      for (const char* name : {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"})
        kernel.knobs[{KnobKind::sysctl, {}, name}] = "1 2 3";
      const Result<std::vector<Change>> changes = fix::changes_of(step.command, kernel);
      ASSERT_TRUE(changes) << changes.error().message();
      for (const Change& change : *changes) {
        const bool has_blank = std::ranges::any_of(change.value + change.knob.interface,
                                                   [](char c) { return c >= 'A' && c <= 'Z'; });
        EXPECT_FALSE(has_blank) << step.name << ": " << change.value;
      }
    }
  }
}

TEST_F(Command, SaysWhatOfAQdiscIsNotSet) {
  const auto refusal = [&](std::string_view command) {
    const Result<std::vector<Change>> changes = fix::changes_of(command, kernel);
    return changes ? "" : changes.error().message();
  };
  const std::pair<const char*, const char*> kRefused[] = {
      {"tc qdisc replace dev eth0 root fq maxrate 100mbps", "bps are bytes to tc(8)"},
      {"tc qdisc replace dev eth0 root fq maxrate 7bit", "8bit to 34gbit"},
      {"tc qdisc replace dev eth0 root fq maxrate 40gbit", "8bit to 34gbit"},
      {"tc qdisc replace dev eth0 root fq maxrate soon", "it does not begin with a number"},
      {"tc qdisc replace dev eth0 root fq limit 0", "it is no number above 0"},
      {"tc qdisc replace dev eth0 root fq limit 1 limit 2", "said twice"},
      {"tc qdisc replace dev eth0 root pfifo limit 9", "is a step of its own"},
      {"tc qdisc replace dev eth0 root fq_codel target 5ms", "of qdiscs only the root"},
      {"tc qdisc change dev eth0 root fq", "of qdiscs only the root"},
      {"tc qdisc change dev eth0 parent 1:1 fq limit 9", "of qdiscs only the root"},
      {"tc qdisc del dev eth0 root", "of qdiscs only the root"},
  };
  for (const auto& [command, what] : kRefused)
    EXPECT_NE(refusal(command).find(what), std::string::npos) << refusal(command);
}

TEST_F(Command, RefusesWhatItDoesNotKnow) {
  for (const char* command :
       {"", "rm -rf /", "ethtool -K eth0", "ethtool -K eth0 tso off gso off",
        "ethtool -K eth0 ufo off", "ethtool -G eth0 jumbo 5", "sysctl -w net.ipv4.tcp_sack",
        "ip link set dev eth0 down", "mtu:=5", "ring:eth0:up=5"}) {
    EXPECT_FALSE(fix::changes_of(command, kernel)) << command;
  }
}

TEST(Knob, ReadsWhatItWrites) {
  for (const char* name :
       {"sysctl:net.ipv4.tcp_sack", "feature:eth0:rx-gro", "mtu:eth0:1", "queue-length:br-0",
        "ring:eth0:tx", "channels:eth0:combined", "rss:eth0:table", "qdisc-option:eth0:maxrate",
        "route:eth0:mtu@default", "route:eth0:advmss@10.0.0.0/8", "route:eth0:window@2001:db8::/32",
        "route:eth0:mtu@default6", "mss-clamp:any", "mss-clamp:wg0"}) {
    const Result<fix::Knob> knob = fix::parse_knob(name);
    ASSERT_TRUE(knob) << name;
    EXPECT_EQ(to_string(*knob), name);
  }
}

TEST(Plan, FillsBlanksAndSaysWhatIsMissing) {
  const Fault& fault = *find_fault("lso-not-segmented");
  const std::vector<fix::PlannedStep> empty = fix::plan_for(fault, Platform::linux, {});
  const auto ours = std::ranges::find_if(empty, &fix::PlannedStep::is_ours);
  ASSERT_NE(ours, empty.end());
  EXPECT_EQ(ours->missing, std::vector<std::string>{"--interface"});
  const fix::PlannedStep filled =
      *fix::find_step(ours->name, Platform::linux, {"eth0", {}, {}, {}});
  EXPECT_TRUE(filled.missing.empty());
  EXPECT_NE(filled.command.find("eth0"), std::string::npos);
  EXPECT_EQ(filled.command.find("DEV"), std::string::npos);
}

TEST(Plan, AnOptionIsNoBlank) {
  const auto step = *fix::find_step("rss-one-queue/4", Platform::linux, {"eth0", "4", {}, {}});
  EXPECT_TRUE(step.command.starts_with("ethtool -N eth0 rx-flow-hash udp4 sdfn")) << step.command;
}

TEST(Knob, RefusesRoutesThatAreNone) {
  for (const char* name :
       {"route:eth0:mtu", "route:eth0:mtu@", "route:eth0:colour@default",
        "route:eth0:mtu@10.0.0.0/33", "route:eth0:mtu@nowhere", "route:mtu@default"}) {
    EXPECT_FALSE(fix::parse_knob(name)) << name;
  }
}

TEST(RouteCommand, KeepsItsGateway) {
  ModelKernel kernel;
  kernel.knobs[{fix::KnobKind::route, "eth0", "via@default"}] = "10.0.0.1";
  const auto change = [&](const char* command) { return fix::changes_of(command, kernel); };
  const auto wanted = [](const char* item, const char* value) {
    return std::vector<fix::Change>{{{fix::KnobKind::route, "eth0", item}, value}};
  };
  EXPECT_EQ(*change("ip route change default via 10.0.0.1 dev eth0 initcwnd 20"),
            wanted("initcwnd@default", "20"));
  EXPECT_EQ(*change("ip route replace 10.0.0.9 dev eth0 mtu lock 1400, for a while"),
            wanted("mtu@10.0.0.9/32", "1400 lock"));
  EXPECT_EQ(*change("ip route change 0.0.0.0/0 dev eth0 rto_min 50ms"),
            wanted("rto_min@default", "50 lock"));
  EXPECT_EQ(*change("route:eth0:rto_min@default=50"), wanted("rto_min@default", "50 lock"));
  EXPECT_EQ(*change("route:eth0:rto_min@default=none"), wanted("rto_min@default", "none"));
  EXPECT_FALSE(change("ip route change default via 10.0.0.2 dev eth0 initcwnd 20"));
  EXPECT_FALSE(change("ip route change default dev eth0 initcwnd 20 mtu 1400"));
  EXPECT_FALSE(change("ip route change default dev eth0"));
  EXPECT_FALSE(change("ip route del default dev eth0"));
  EXPECT_FALSE(change("route:eth0:mtu@default=absent"));
  EXPECT_FALSE(change("route:eth0:via@default=10.0.0.2"));
}

TEST(Plan, ARouteNeedsADestinationAndFindsItsGateway) {
  const fix::PlannedStep open = *fix::find_step("rto-dominated/3", Platform::linux, {});
  EXPECT_TRUE(open.is_ours);
  EXPECT_EQ(open.missing, (std::vector<std::string>{"--destination", "--interface"}));
  EXPECT_NE(open.command.find("via GATEWAY"), std::string::npos);
  const fix::PlannedStep twice = *fix::find_step("pmtud-blackhole/5", Platform::linux, {});
  EXPECT_EQ(twice.missing, (std::vector<std::string>{"--destination", "--interface", "--value"}));
  const fix::PlannedStep filled =
      *fix::find_step("rto-dominated/3", Platform::linux, {"eth0", {}, "10.0.0.9", {}});
  EXPECT_TRUE(filled.missing.empty());
  EXPECT_TRUE(filled.command.starts_with("ip route replace 10.0.0.9 dev eth0 rto_min 50ms"));
}

TEST(Plan, TheCataloguesClampIsOurs) {
  for (const char* name : {"mss-not-clamped/1", "pmtud-blackhole/3"}) {
    const fix::PlannedStep step = *fix::find_step(name, Platform::linux, {});
    EXPECT_TRUE(step.is_ours && step.missing.empty()) << step.command;
    EXPECT_EQ(step.undo, fix::mss_clamp_undo("any"));
    ModelKernel kernel;
    EXPECT_EQ(*fix::changes_of(step.command, kernel),
              (std::vector<Change>{{{KnobKind::mss_clamp, {}, "any"}, "on"}}));
  }
  ModelKernel kernel;
  EXPECT_EQ(fix::changes_of(fix::mss_clamp_command("wg0"), kernel)->at(0).knob.item, "wg0");
  EXPECT_FALSE(fix::changes_of("nft flush ruleset", kernel));
  EXPECT_FALSE(fix::changes_of(fix::mss_clamp_command("a\"; flush ruleset; \""), kernel));
}

TEST(Plan, EveryStepOfTheCatalogueIsFoundByItsName) {
  for (const Fault& fault : all_faults()) {
    for (const Platform platform :
         {Platform::linux, Platform::windows, Platform::solaris, Platform::esxi}) {
      for (const fix::PlannedStep& step : fix::plan_for(fault, platform, {})) {
        EXPECT_TRUE(fix::find_step(step.name, platform, {})) << step.name;
        EXPECT_FALSE(step.undo.empty()) << step.name;
      }
    }
  }
  EXPECT_FALSE(fix::find_step("lso-not-segmented/99", Platform::linux, {}));
  EXPECT_FALSE(fix::find_step("lso-not-segmentd/1", Platform::linux, {}));
}

}  // namespace
}  // namespace slowpath::test

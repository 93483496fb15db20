// SPDX-License-Identifier: Apache-2.0
// What hosts say of findings: each question both ways, and nothing without hosts.
#include "detect/testimony/testimony.h"

#include <gtest/gtest.h>

#include "detect/synthesis.h"
#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

/// A healthy download between two hosts of which something is known, and a finding about it.
struct Trial {
  Trial() {
    facts.hosts.resize(2);
    facts.hosts[0].name = "server";
    facts.hosts[1].name = "client";
    facts.host_addresses = {{0, facts.connections[0].server.address},
                            {1, facts.connections[0].client.address}};
    for (MachineFacts& host : facts.hosts) {
      host.interfaces.resize(1);
      host.interfaces[0].name = "eth0";
    }
  }
  MachineFacts& server() { return facts.hosts[0]; }  // the sender of the data
  MachineFacts& client() { return facts.hosts[1]; }
  InterfaceFacts& server_nic() { return server().interfaces[0]; }
  InterfaceFacts& client_nic() { return client().interfaces[0]; }
  static void set(MachineFacts& host, const std::string& key, const std::string& value) {
    host.settings[key] = {value, {"test"}};
  }
  static void count(MachineFacts& host, const std::string& key, std::uint64_t value) {
    host.counters[key] = {value, {"test"}};
  }

  /// The finding as it is when the hosts were heard.
  Finding hear(std::string_view fault, Severity severity = Severity::suspect) {
    Finding finding;
    finding.fault = fault;
    finding.severity = severity;
    finding.confidence = 0.6;
    finding.connections = {facts.connections[0].id};
    finding.direction = Direction::to_client;
    finding.seconds_lost = 1;
    finding.next_capture = "look there";
    std::vector<Finding> findings{finding};
    detect::hear_hosts(facts, findings);
    return findings[0];
  }

  Case facts = healthy_case();
};

bool says(const Finding& finding, EvidenceKind kind, std::string_view text) {
  for (const Evidence& evidence : finding.evidence) {
    if (evidence.kind == kind && evidence.text.find(text) != std::string::npos) return true;
  }
  return false;
}

TEST(Testimony, WithoutHostsNothingChanges) {
  Trial trial;
  trial.facts.hosts.clear();
  trial.facts.host_addresses.clear();
  for (const char* fault : {"lso-not-segmented", "rwnd-limited", "receiver-cpu-drops"}) {
    const Finding finding = trial.hear(fault);
    EXPECT_EQ(finding.confidence, 0.6);
    EXPECT_EQ(finding.severity, Severity::suspect);
    EXPECT_TRUE(finding.evidence.empty());
  }
}

TEST(Testimony, HostsThatAreNoEndSayNothing) {
  Trial trial;
  trial.facts.host_addresses.clear();
  trial.server_nic().features["tx-tcp-segmentation"].on = false;
  const Finding finding = trial.hear("lso-not-segmented", Severity::fault);
  EXPECT_EQ(finding.confidence, 0.6);
  EXPECT_TRUE(finding.evidence.empty());
}

TEST(Testimony, ANicThatIsHandedNothingToCutDidNotForgetIt) {
  Trial trial;
  trial.server_nic().features["tx-tcp-segmentation"].on = false;
  Finding finding = trial.hear("lso-not-segmented", Severity::fault);
  EXPECT_EQ(finding.severity, Severity::suspect);
  EXPECT_LT(finding.confidence, 0.3);
  EXPECT_TRUE(
      says(finding, EvidenceKind::setting, "segmentation offload is off on eth0 of server"));
  trial.server_nic().features["tx-tcp-segmentation"].on = true;
  trial.server_nic().driver = "vmxnet3s";
  finding = trial.hear("lso-not-segmented", Severity::fault);
  EXPECT_EQ(finding.severity, Severity::fault);
  EXPECT_GT(finding.confidence, 0.6);
  EXPECT_TRUE(says(finding, EvidenceKind::setting, "driver vmxnet3s"));
}

TEST(Testimony, TheReceiversSwitchesDoNotClearTheSender) {
  Trial trial;
  trial.client_nic().features["tx-tcp-segmentation"].on = false;
  EXPECT_EQ(trial.hear("lso-not-segmented").confidence, 0.6);
}

TEST(Testimony, SolarisSaysItInItsOwnWords) {
  Trial trial;
  Trial::set(trial.server(), "ndd.ip.ip_lso_outbound", "0");
  EXPECT_EQ(trial.hear("lso-not-segmented").severity, Severity::note);
}

TEST(Testimony, ChecksumsThatTheKernelCompletesWereNotForgotten) {
  Trial trial;
  trial.server_nic().features["tx-checksum-ip-generic"].on = false;
  EXPECT_LT(trial.hear("tx-csum-offload-broken").confidence, 0.3);
  trial.server_nic().features["tx-checksum-ip-generic"].on = true;
  Trial::count(trial.client(), "TcpInCsumErrors", 40);
  const Finding finding = trial.hear("tx-csum-offload-broken");
  EXPECT_GT(finding.confidence, 0.7);
  EXPECT_TRUE(says(finding, EvidenceKind::counter, "TcpInCsumErrors 40"));
}

TEST(Testimony, TheSettingBehindTheWindowIsNamed) {
  Trial trial;
  download_of(trial.facts).window.max_bytes = 3'000'000;
  Trial::set(trial.client(), "net.ipv4.tcp_rmem", "4096 131072 6291456");
  EXPECT_TRUE(says(trial.hear("rwnd-limited", Severity::fault), EvidenceKind::setting,
                   "lets a receive buffer have 6 MiB at most"));
  download_of(trial.facts).window.max_bytes = 200'000;
  const Finding own = trial.hear("rwnd-limited", Severity::fault);
  EXPECT_TRUE(says(own, EvidenceKind::setting, "the application set its own buffer"));
  EXPECT_EQ(own.confidence, 0.6);
  Trial::set(trial.client(), "net.ipv4.tcp_moderate_rcvbuf", "0");
  const Finding untuned = trial.hear("rwnd-limited", Severity::fault);
  EXPECT_TRUE(says(untuned, EvidenceKind::setting, "tcp_moderate_rcvbuf 0"));
  EXPECT_GT(untuned.confidence, 0.7);
}

TEST(Testimony, TheAutoTuningLevelOfWindows) {
  Trial trial;
  const std::string key = "netsh.tcp.global.receive-window-auto-tuning-level";
  Trial::set(trial.client(), key, "disabled");
  EXPECT_GT(trial.hear("rwnd-fixed-64k").confidence, 0.7);
  Trial::set(trial.client(), key, "normal");
  const Finding normal = trial.hear("rwnd-fixed-64k");
  EXPECT_EQ(normal.confidence, 0.6);
  EXPECT_TRUE(says(normal, EvidenceKind::setting, "'normal'"));
}

TEST(Testimony, TheSocketItselfIsTheReferee) {
  Trial trial;
  SocketFacts socket;
  socket.local = trial.facts.connections[0].server;
  socket.remote = trial.facts.connections[0].client;
  socket.busy_s = 10;
  socket.rwnd_limited_s = 9;
  socket.sndbuf_limited_s = 0;
  trial.server().sockets = {socket};
  EXPECT_GT(trial.hear("rwnd-limited").confidence, 0.7);
  EXPECT_LT(trial.hear("sender-limited").confidence, 0.4);
  trial.server().sockets[0].rwnd_limited_s = 0;
  trial.server().sockets[0].sndbuf_limited_s = 8;
  EXPECT_LT(trial.hear("rwnd-limited").confidence, 0.4);
  const Finding finding = trial.hear("sender-limited");
  EXPECT_EQ(finding.fault, "sndbuf-limited");
  EXPECT_EQ(finding.severity, Severity::fault);
}

TEST(Testimony, ScalingThatAHostDoesNotOfferWasNotStripped) {
  Trial trial;
  Trial::set(trial.client(), "net.ipv4.tcp_window_scaling", "0");
  EXPECT_GT(trial.hear("wscale-absent").confidence, 0.7);
  EXPECT_LT(trial.hear("wscale-stripped").confidence, 0.4);
  Trial::set(trial.client(), "net.ipv4.tcp_window_scaling", "1");
  EXPECT_EQ(trial.hear("wscale-absent").confidence, 0.6);
  EXPECT_GT(trial.hear("wscale-stripped").confidence, 0.6);
}

TEST(Testimony, AHostThatDropsPacketsCountsThem) {
  Trial trial;
  download_of(trial.facts).lost_packets = 100;
  Trial::count(trial.client(), "SoftnetDropped", 0);
  trial.client_nic().statistics = {{"rx_missed_errors", 0}};
  EXPECT_EQ(trial.hear("receiver-cpu-drops").severity, Severity::note);
  Trial::count(trial.client(), "SoftnetDropped", 130);
  const Finding proved = trial.hear("receiver-cpu-drops");
  EXPECT_EQ(proved.severity, Severity::fault);
  EXPECT_TRUE(proved.next_capture.empty());
  EXPECT_TRUE(says(proved, EvidenceKind::counter, "SoftnetDropped 130"));
  Trial::count(trial.client(), "SoftnetDropped", 3);
  EXPECT_LT(trial.hear("receiver-cpu-drops").confidence, 0.3);
}

TEST(Testimony, HalfOfTheCountersClearNobody) {
  Trial trial;
  download_of(trial.facts).lost_packets = 100;
  trial.client().interfaces.clear();
  Trial::count(trial.client(), "SoftnetDropped", 0);
  EXPECT_EQ(trial.hear("receiver-cpu-drops").confidence, 0.6);
}

TEST(Testimony, OneQueueOfMany) {
  Trial trial;
  trial.client_nic().queue_interrupts = {99'000, 300, 200, 500};
  EXPECT_GT(trial.hear("rss-one-queue").confidence, 0.7);
  trial.client_nic().queue_interrupts = {25'000, 26'000, 24'000, 25'000};
  EXPECT_LT(trial.hear("rss-one-queue").confidence, 0.3);
  trial.client_nic().queue_interrupts = {};
  trial.client_nic().channels.combined = 1;
  trial.client_nic().channels.combined_max = 8;
  EXPECT_TRUE(says(trial.hear("rss-one-queue"), EvidenceKind::setting, "1 of 8 queues"));
}

TEST(Testimony, APrunedQueueIsCounted) {
  Trial trial;
  Trial::count(trial.client(), "TcpExtOfoPruned", 0);
  EXPECT_EQ(trial.hear("rcvbuf-pruned").severity, Severity::note);
  Trial::count(trial.client(), "TcpExtOfoPruned", 5);
  EXPECT_EQ(trial.hear("rcvbuf-pruned").severity, Severity::fault);
}

TEST(Testimony, OnlyAnIntervalTellsOfTheCpu) {
  Trial trial;
  CpuFacts& cpu = trial.server().cpus.emplace_back();
  cpu.system_s = 99;
  cpu.idle_s = 1;
  EXPECT_EQ(trial.hear("sender-cpu-limited").confidence, 0.6);
  trial.server().interval_s = 100;
  EXPECT_GT(trial.hear("sender-cpu-limited").confidence, 0.7);
  cpu.system_s = 10;
  cpu.idle_s = 90;
  EXPECT_LT(trial.hear("sender-cpu-limited").confidence, 0.3);
}

TEST(Testimony, ATableOnTheWayIsFullOrIsNot) {
  Trial trial;
  MachineFacts& gateway = trial.facts.hosts.emplace_back();
  gateway.name = "gateway";
  Trial::set(gateway, "net.ipv4.ip_forward", "1");
  Trial::count(gateway, "ConntrackCount", 65'536);
  Trial::count(gateway, "ConntrackMax", 65'536);
  EXPECT_EQ(trial.hear("conntrack-full").severity, Severity::fault);
  Trial::count(gateway, "ConntrackCount", 100);
  Trial::count(gateway, "ConntrackDrop", 0);
  EXPECT_EQ(trial.hear("conntrack-full").severity, Severity::note);
}

TEST(Testimony, OnlyTheRouteThatIsTakenMakesPacketsSmall) {
  Trial trial;
  trial.server_nic().mtu_bytes = 1500;
  trial.client_nic().mtu_bytes = 1500;
  RouteFacts& route = trial.server().routes.emplace_back();
  route.interface = "eth0";
  route.mtu_bytes = 1000;
  route.destination = trial.facts.connections[0].client.address;
  route.destination.bytes[1] ^= 1;
  route.prefix_len = 16;
  EXPECT_EQ(trial.hear("mtu-needlessly-small").severity, Severity::note);
  route.destination = trial.facts.connections[0].client.address;
  const Finding finding = trial.hear("mtu-needlessly-small");
  EXPECT_GT(finding.confidence, 0.7);
  EXPECT_TRUE(says(finding, EvidenceKind::setting, "a route of server makes them small"));
}

TEST(Testimony, CountsThatRiseOnHealthyHostsProveNothing) {
  Trial trial;
  Trial::count(trial.server(), "ConntrackInvalid", 900);
  EXPECT_EQ(trial.hear("conntrack-invalid").severity, Severity::suspect);
  trial.client_nic().features["rx-checksum"].on = true;
  EXPECT_EQ(trial.hear("rx-csum-skipped").severity, Severity::suspect);
  trial.client_nic().features["rx-checksum"].on = false;
  EXPECT_EQ(trial.hear("rx-csum-skipped").severity, Severity::note);
}

TEST(Testimony, HalfDuplexIsProvedByItsCollisions) {
  Trial trial;
  trial.server_nic().duplex = "half";
  EXPECT_EQ(trial.hear("duplex-mismatch").severity, Severity::suspect);
  trial.server_nic().statistics["collisions"] = 12;
  EXPECT_EQ(trial.hear("duplex-mismatch").severity, Severity::fault);
}

TEST(Testimony, AForwarderThatMergesAndOneThatDoesNot) {
  Trial trial;
  MachineFacts& gateway = trial.facts.hosts.emplace_back();
  Trial::set(gateway, "net.ipv4.ip_forward", "1");
  gateway.interfaces.resize(1);
  gateway.interfaces[0].features["rx-lro"].on = true;
  EXPECT_EQ(trial.hear("lro-on-forwarder").severity, Severity::fault);
  gateway.interfaces[0].features["rx-lro"].on = false;
  EXPECT_EQ(trial.hear("lro-on-forwarder").severity, Severity::note);
}

TEST(Testimony, RulesThatDropSizesAndOnesThatLetThemPass) {
  Trial trial;
  const std::string key = "firewall.ipv4.input.size-messages";
  Trial::set(trial.server(), key, "passes");
  const Finding open = trial.hear("icmp-filtered");
  EXPECT_EQ(open.confidence, 0.6);
  EXPECT_TRUE(says(open, EvidenceKind::setting, "let ICMP that tells a smaller MTU pass"));
  Trial::set(trial.server(), key, "dropped");
  Trial::set(trial.server(), key + ".rule", "ip filter INPUT: -p icmp -j DROP");
  const Finding filtered = trial.hear("icmp-filtered");
  EXPECT_GT(filtered.confidence, 0.7);
  EXPECT_TRUE(says(filtered, EvidenceKind::setting, "-p icmp -j DROP"));
  // Of the receiver they say nothing: it is told no sizes.
  Trial other;
  Trial::set(other.client(), key, "dropped");
  EXPECT_EQ(other.hear("icmp-filtered").confidence, 0.6);
  // A forwarder drops the messages of others.
  Trial third;
  MachineFacts& gateway = third.facts.hosts.emplace_back();
  Trial::set(gateway, "net.ipv4.ip_forward", "1");
  Trial::set(gateway, "firewall.ipv4.forward.size-messages", "dropped");
  EXPECT_GT(third.hear("pmtud-blackhole").confidence, 0.7);
}

TEST(Testimony, ClampsOfForwarders) {
  Trial trial;
  MachineFacts& gateway = trial.facts.hosts.emplace_back();
  Trial::set(gateway, "net.ipv4.ip_forward", "1");
  EXPECT_EQ(trial.hear("mss-not-clamped").confidence, 0.6);
  Trial::set(gateway, "firewall.ipv4.mss-clamp", "none");
  EXPECT_GT(trial.hear("mss-not-clamped").confidence, 0.7);
  Trial::set(gateway, "firewall.ipv6.mss-clamp", "unclear");
  EXPECT_EQ(trial.hear("mss-not-clamped").confidence, 0.6);
  Trial::set(gateway, "firewall.ipv4.mss-clamp", "present");
  EXPECT_LT(trial.hear("mss-not-clamped").confidence, 0.5);
}

TEST(Testimony, WhatIsInvalidLeavesOnlyWhereItIsNotDropped) {
  Trial trial;
  MachineFacts& gateway = trial.facts.hosts.emplace_back();
  Trial::set(gateway, "net.ipv4.ip_forward", "1");
  Trial::set(gateway, "firewall.ipv4.nat", "present");
  Trial::set(gateway, "firewall.ipv4.forward.invalid", "passes");
  EXPECT_EQ(trial.hear("conntrack-invalid").confidence, 0.6);
  Trial::set(gateway, "firewall.ipv4.forward.invalid", "dropped");
  EXPECT_EQ(trial.hear("conntrack-invalid").severity, Severity::note);
  Trial::set(gateway, "firewall.ipv4.forward.invalid", "passes");
  Trial::set(gateway, "firewall.ipv4.nat", "none");
  EXPECT_EQ(trial.hear("conntrack-invalid").severity, Severity::note);
}

TEST(Testimony, APathMtuThatWasLearnt) {
  Trial trial;
  EXPECT_EQ(trial.hear("pmtu-stuck-low").confidence, 0.6);
  RouteFacts& route = trial.server().routes.emplace_back();
  route.destination = trial.facts.connections[0].client.address;
  route.prefix_len = 32;
  route.is_exception = true;
  route.mtu_bytes = 1280;
  const Finding finding = trial.hear("pmtu-stuck-low");
  EXPECT_EQ(finding.severity, Severity::fault);
  EXPECT_TRUE(says(finding, EvidenceKind::setting, "mtu 1280"));
}

TEST(Testimony, SmallPacketsHaveAPlace) {
  Trial trial;
  trial.server_nic().mtu_bytes = 1500;
  trial.client_nic().mtu_bytes = 1500;
  EXPECT_EQ(trial.hear("mtu-needlessly-small").severity, Severity::note);
  trial.server_nic().mtu_bytes = 576;
  const Finding small = trial.hear("mtu-needlessly-small");
  EXPECT_GT(small.confidence, 0.6);
  EXPECT_EQ(small.severity, Severity::suspect) << "whether the path carries more nobody tested";
}

TEST(Testimony, JumboFramesOnOneSide) {
  Trial trial;
  trial.server_nic().mtu_bytes = 9000;
  trial.client_nic().mtu_bytes = 1500;
  EXPECT_GT(trial.hear("jumbo-mismatch").confidence, 0.7);
  trial.server_nic().mtu_bytes = 1500;
  EXPECT_LT(trial.hear("jumbo-mismatch").confidence, 0.4);
}

TEST(Testimony, QueuesOfListeners) {
  Trial trial;
  // The client's data: the server receives.
  Trial::count(trial.server(), "TcpExtListenOverflows", 0);
  EXPECT_EQ(trial.hear("accept-queue-overflow").severity, Severity::note);
  Trial::count(trial.server(), "TcpExtListenOverflows", 17);
  EXPECT_EQ(trial.hear("accept-queue-overflow").severity, Severity::fault);
}

// A link that went says where to look, and not that it was then.
TEST(Testimony, LinksSayWhereAnOutageMayLie) {
  Trial trial;
  trial.server_nic().statistics["carrier_changes"] = 1;
  trial.client_nic().statistics["carrier_changes"] = 7;
  const Finding finding = trial.hear("path-outage", Severity::fault);
  EXPECT_TRUE(says(finding, EvidenceKind::counter, "eth0 of server never went"));
  EXPECT_TRUE(says(finding, EvidenceKind::counter, "eth0 of client went or came 7 times"));
  EXPECT_EQ(finding.severity, Severity::fault);
  EXPECT_EQ(finding.confidence, 0.6);
}

}  // namespace
}  // namespace slowpath::testing

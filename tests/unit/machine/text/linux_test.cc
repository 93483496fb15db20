// SPDX-License-Identifier: Apache-2.0
#include "unit/machine/text/text_reader.h"

namespace slowpath::machine {
namespace {

class LinuxText : public testing::Test {
 protected:
  const MachineFacts facts_ = facts_of(fixture("linux.txt"));
};

TEST_F(LinuxText, System) {
  EXPECT_EQ(facts_.platform, Platform::linux);
  EXPECT_EQ(facts_.name, "cgx1");
  EXPECT_EQ(facts_.os, "Ubuntu 22.04.3 LTS");
  EXPECT_EQ(facts_.os_release, "22.04");
  EXPECT_EQ(facts_.kernel, "5.15.0-91-generic");
  EXPECT_EQ(facts_.virtualization, "vmware");
  EXPECT_EQ(facts_.clock_source, "tsc");
}

TEST_F(LinuxText, FeaturesUnderTheKernelsNames) {
  const auto eth0 = interface_in(facts_, "eth0");
  EXPECT_TRUE(eth0.features.at("rx-lro").on);
  EXPECT_TRUE(eth0.features.at("rx-gro").on);
  EXPECT_TRUE(eth0.features.at("rx-checksum").on);
  EXPECT_FALSE(eth0.features.at("rx-hashing").on);
  EXPECT_TRUE(eth0.features.at("rx-vlan-hw-parse").fixed);
  EXPECT_FALSE(eth0.features.at("tx-tcp-segmentation").on);
  EXPECT_EQ(eth0.features.at("tx-tcp-segmentation").requested, true);
  EXPECT_EQ(eth0.features.at("tx-tcp6-segmentation").requested, false);
  EXPECT_FALSE(eth0.features.at("rx-vlan-hw-parse").requested);
  EXPECT_TRUE(eth0.features.at("tx-checksum-ipv4").fixed);
  EXPECT_FALSE(eth0.features.contains("tcp-segmentation-offload"));
}

TEST_F(LinuxText, GroupsOfOldEthtoolStandForTheirFirstFeature) {
  const MachineFacts old = facts_of(
      "# ethtool -k eth3\nOffload parameters for eth3:\nrx-checksumming: on\ntx-checksumming: off\n"
      "scatter-gather: on\ntcp segmentation offload: on\nlarge-receive-offload: off\n");
  const auto eth3 = interface_in(old, "eth3");
  EXPECT_TRUE(eth3.features.at("tx-tcp-segmentation").on);
  EXPECT_FALSE(eth3.features.at("tx-checksum-ip-generic").on);
  EXPECT_TRUE(old.not_understood.empty());
}

TEST_F(LinuxText, DriverRingsQueuesCoalescing) {
  const auto eth0 = interface_in(facts_, "eth0");
  EXPECT_EQ(eth0.driver, "vmxnet3");
  EXPECT_EQ(eth0.driver_version, "1.6.0.0-k-NAPI");
  EXPECT_EQ(eth0.firmware, "");
  EXPECT_EQ(eth0.bus, "0000:1b:00.0");
  EXPECT_EQ(eth0.rings.rx, 256U);
  EXPECT_EQ(eth0.rings.tx, 512U);
  EXPECT_EQ(eth0.rings.rx_max, 4096U);
  EXPECT_EQ(eth0.channels.rx, 1U);
  EXPECT_EQ(eth0.channels.rx_max, 8U);
  EXPECT_FALSE(eth0.channels.combined);
  EXPECT_EQ(eth0.coalesce.rx_us, 125U);
  EXPECT_EQ(eth0.coalesce.rx_frames, 64U);
  EXPECT_EQ(eth0.coalesce.adaptive_rx, true);
  EXPECT_EQ(eth0.coalesce.adaptive_tx, false);
  EXPECT_EQ(eth0.rss.indirection.size(), 16U);
  EXPECT_EQ(eth0.rss.hash, "toeplitz");
}

TEST_F(LinuxText, StatisticsOfQueuesAreAddedUp) {
  const auto eth0 = interface_in(facts_, "eth0");
  EXPECT_EQ(eth0.statistics.at("TSO pkts tx"), 42U);
  EXPECT_EQ(eth0.statistics.at("pkts tx err"), 1U);
  EXPECT_EQ(eth0.statistics.at("drv dropped rx total"), 9U);
  EXPECT_EQ(eth0.statistics.at("rx_missed_errors"), 7U);
  EXPECT_EQ(eth0.statistics.at("rx_dropped"), 149U);
  EXPECT_EQ(eth0.statistics.at("collisions"), 4U);
  EXPECT_EQ(eth0.statistics.at("tx_carrier_errors"), 2U);
}

TEST_F(LinuxText, Links) {
  const auto eth0 = interface_in(facts_, "eth0");
  EXPECT_EQ(eth0.speed_bps, 10'000'000'000);
  EXPECT_EQ(eth0.duplex, "full");
  EXPECT_EQ(eth0.mtu_bytes, 9000U);
  EXPECT_EQ(eth0.mtu_max_bytes, 9190U);
  EXPECT_EQ(eth0.promiscuous, true);
  EXPECT_EQ(eth0.tx_queue_len, 1000U);
  EXPECT_EQ(eth0.kind, "");
  ASSERT_EQ(eth0.addresses.size(), 2U);
  EXPECT_EQ(to_string(eth0.addresses[1]), "2001:db8::1");
  const auto vxlan = interface_in(facts_, "vxlan42");
  EXPECT_EQ(vxlan.kind, "vxlan");
  EXPECT_EQ(vxlan.lower, "eth0");
  EXPECT_EQ(vxlan.master, "br0");
  EXPECT_EQ(vxlan.mtu_bytes, 8950U);
  EXPECT_EQ(vxlan.properties.at("tunnel.port"), "4789");
  const auto veth = interface_in(facts_, "veth0");
  EXPECT_EQ(veth.kind, "veth");
  EXPECT_EQ(veth.lower, "");
  EXPECT_EQ(veth.up, false);
  const auto br0 = interface_in(facts_, "br0");  // of the JSON
  EXPECT_EQ(br0.kind, "bridge");
  EXPECT_EQ(br0.up, true);
  EXPECT_EQ(br0.statistics.at("rx_dropped"), 2U);
  EXPECT_EQ(br0.properties.at("bridge.stp_state"), "0");
}

TEST_F(LinuxText, Routes) {
  ASSERT_EQ(facts_.routes.size(), 5U);
  EXPECT_EQ(facts_.routes[0].destination.version, 0);
  EXPECT_EQ(to_string(*facts_.routes[0].gateway), "192.0.2.254");
  EXPECT_EQ(facts_.routes[0].mtu_bytes, 1400U);
  EXPECT_EQ(facts_.routes[0].initcwnd, 20U);
  EXPECT_EQ(facts_.routes[0].metric, 100U);
  EXPECT_EQ(facts_.routes[1].prefix_len, 24);
  EXPECT_EQ(facts_.routes[2].type, "unreachable");
  EXPECT_EQ(facts_.routes[2].table, "main");
  EXPECT_EQ(facts_.routes[4].table, "");
  EXPECT_EQ(facts_.routes[3].prefix_len, 64);
  EXPECT_FALSE(facts_.routes[3].is_exception);
  EXPECT_EQ(to_string(facts_.routes[4].destination), "203.0.113.5");
  EXPECT_EQ(facts_.routes[4].mtu_bytes, 1280U);
  EXPECT_TRUE(facts_.routes[4].is_exception);
  EXPECT_EQ(facts_.routes[4].expires_s, 512.0);
}

TEST_F(LinuxText, Sysctl) {
  EXPECT_EQ(setting(facts_, "net.ipv4.tcp_rmem"), "4096 87380 4194304");
  EXPECT_EQ(setting(facts_, "net.ipv4.conf.eth0/100.rp_filter"), "1");
  EXPECT_EQ(facts_.congestion_controls, (std::vector<std::string>{"reno", "cubic", "bbr"}));
  EXPECT_EQ(counter(facts_, "ConntrackCount"), 65500);
  EXPECT_EQ(counter(facts_, "ConntrackMax"), 65536);
  ASSERT_EQ(facts_.unread.size(), 2U);
  EXPECT_EQ(facts_.unread[0].what, "net.ipv4.tcp_fastopen_key");
  EXPECT_EQ(facts_.unread[0].allow, "root");
  EXPECT_EQ(facts_.unread[1].what, "ethtool -g vxlan42");
}

TEST_F(LinuxText, Sockets) {
  ASSERT_EQ(facts_.sockets.size(), 2U);
  const SocketFacts& socket = facts_.sockets[0];
  EXPECT_EQ(to_string(socket.remote), "198.51.100.7:51234");
  EXPECT_EQ(socket.state, "established");
  EXPECT_EQ(socket.congestion_control, "cubic");
  EXPECT_EQ(socket.send_queue_bytes, 36U);
  EXPECT_EQ(socket.receive_buffer_bytes, 369280U);
  EXPECT_EQ(socket.send_buffer_bytes, 87040U);
  EXPECT_EQ(socket.send_window_scale, 7U);
  EXPECT_EQ(socket.receive_window_scale, 9U);
  EXPECT_DOUBLE_EQ(socket.rto_s.value(), 0.204);
  EXPECT_DOUBLE_EQ(socket.rtt_s.value(), 0.0035);
  EXPECT_DOUBLE_EQ(socket.rtt_var_s.value(), 0.00125);
  EXPECT_DOUBLE_EQ(socket.rtt_min_s.value(), 0.0029);
  EXPECT_EQ(socket.mss_bytes, 1448U);
  EXPECT_EQ(socket.bytes_retransmitted, 1448U);
  EXPECT_EQ(socket.retransmits_total, 3U);
  EXPECT_EQ(socket.not_sent_bytes, 77U);
  EXPECT_EQ(socket.delivery_rate_bps, 1.5e6);
  EXPECT_EQ(socket.app_limited, true);
  EXPECT_EQ(socket.timestamps, true);
  EXPECT_FALSE(socket.ecn);
  EXPECT_EQ(socket.advertised_mss_bytes, 1448U);
  EXPECT_EQ(socket.receive_ssthresh_bytes, 64088U);
  EXPECT_DOUBLE_EQ(socket.rwnd_limited_s.value(), 0.06);
  EXPECT_EQ(facts_.sockets[1].state, "listen");
  EXPECT_EQ(facts_.sockets[1].accept_queue, 129U);
  EXPECT_EQ(facts_.sockets[1].accept_queue_max, 128U);
  EXPECT_FALSE(facts_.sockets[1].receive_queue_bytes);
  EXPECT_EQ(facts_.sockets[1].drops, 5U);
}

TEST_F(LinuxText, Counters) {
  EXPECT_EQ(counter(facts_, "TcpRetransSegs"), 812);
  EXPECT_EQ(counter(facts_, "TcpExtListenOverflows"), 17);
  EXPECT_EQ(counter(facts_, "IpFragFails"), 12);
  EXPECT_EQ(counter(facts_, "TcpActiveOpens"), 55);
  EXPECT_EQ(counter(facts_, "TcpAttemptFails"), 4);
  EXPECT_EQ(counter(facts_, "TcpExtListenDrops"), 21);
  EXPECT_EQ(counter(facts_, "TcpExtTCPRcvCollapsed"), 7);
  EXPECT_EQ(counter(facts_, "TcpExtTCPLostRetransmit"), 6);
  EXPECT_EQ(counter(facts_, "IpExtInOctets"), 123456);
  EXPECT_EQ(counter(facts_, "SoftnetProcessed"), 65536);
  EXPECT_EQ(counter(facts_, "SoftnetDropped"), 17);
  EXPECT_EQ(counter(facts_, "SoftnetTimeSqueeze"), 5);
  EXPECT_EQ(counter(facts_, "ConntrackInsertFailed"), 5);
  EXPECT_EQ(counter(facts_, "ConntrackInvalid"), 13);
  EXPECT_EQ(counter(facts_, "SockstatTcpTw"), 28000);
}

TEST_F(LinuxText, QueuesInterruptsProcessors) {
  const auto eth0 = interface_in(facts_, "eth0");
  EXPECT_EQ(eth0.qdisc, "mq");
  EXPECT_EQ(eth0.qdisc_statistics.at("drops"), 31U);
  EXPECT_EQ(eth0.qdisc_statistics.at("overlimits"), 2U);
  EXPECT_EQ(eth0.qdisc_statistics.at("requeues"), 5U);
  EXPECT_EQ(eth0.qdisc_statistics.at("backlog_bytes"), 3028U);
  EXPECT_EQ(eth0.queue_interrupts, (std::vector<std::uint64_t>{900011, 7}));
  EXPECT_EQ(eth0.cpu_interrupts, (std::vector<std::uint64_t>{900005, 13}));
  EXPECT_EQ(eth0.properties.at("qdisc.leaves"), "fq_codel");
  ASSERT_EQ(facts_.cpus.size(), 2U);
  EXPECT_EQ(facts_.cpus[1].softnet_time_squeeze, 2U);
  EXPECT_DOUBLE_EQ(facts_.cpus[1].idle_s, 45);
  EXPECT_DOUBLE_EQ(facts_.cpus[1].softirq_s, 0.25);
  EXPECT_DOUBLE_EQ(facts_.cpus[1].steal_s, 3.25);
}

TEST_F(LinuxText, OnlyWhatNobodyKnowsIsListed) {
  ASSERT_EQ(facts_.not_understood.size(), 1U);
  EXPECT_EQ(facts_.not_understood[0].text, "this line is of no command that we know");
  EXPECT_EQ(facts_.not_understood[0].file, "host.txt");
}

TEST_F(LinuxText, WhatIsPastedWithIndentationIsRead) {
  const MachineFacts pasted = facts_of(
      "Dear all, this is what I see:\n\n"
      "      [root@cgx1 ~]# ethtool -i eth1\n      driver: vmxnet3\n      bus-info: 0000:1b:00.0\n"
      "      [root@cgx1 /]# sysctl -a | grep rcv\n      net.ipv4.tcp_moderate_rcvbuf = 1\n");
  EXPECT_EQ(interface_in(pasted, "eth1").driver, "vmxnet3");
  EXPECT_EQ(setting(pasted, "net.ipv4.tcp_moderate_rcvbuf"), "1");
  EXPECT_EQ(pasted.not_understood.size(), 1U);
}

TEST_F(LinuxText, AnOutputWithoutItsCommandKeepsWhatItSays) {
  const MachineFacts facts = facts_of("driver: e1000\nversion: 7.3.21-k8-NAPI\n");
  EXPECT_EQ(interface_in(facts, "unnamed").driver, "e1000");
}

TEST_F(LinuxText, ProcSnmpIsReadAsNstat) {
  const MachineFacts facts = facts_of(
      "==> /proc/net/snmp <==\nTcp: RtoAlgorithm RtoMin MaxConn RetransSegs\nTcp: 1 200 -1 77\n");
  EXPECT_EQ(counter(facts, "TcpRetransSegs"), 77);
  EXPECT_EQ(counter(facts, "TcpMaxConn"), -1);
  EXPECT_TRUE(facts.not_understood.empty());
}

TEST_F(LinuxText, VirtioQueuesBelongToTheInterfaceAboveTheDevice) {
  const MachineFacts facts = facts_of(
      "2: ens3: <BROADCAST,UP> mtu 1500 qdisc mq state UP qlen 1000\n"
      "    link/ether 52:54:00:00:00:01 brd ff:ff:ff:ff:ff:ff promiscuity 0 parentbus virtio "
      "parentdev virtio2\n"
      "           CPU0       CPU1\n"
      " 26:          7          9   PCI-MSIX-0000:00:03.0   1-edge      virtio2-input.0\n"
      " 27:          1          0   PCI-MSIX-0000:00:03.0   2-edge      virtio2-output.0\n"
      " 28:          5          0   PCI-MSIX-0000:00:04.0   1-edge      virtio3-req.0\n");
  EXPECT_EQ(interface_in(facts, "ens3").queue_interrupts, (std::vector<std::uint64_t>{16}));
  EXPECT_EQ(facts.interfaces.size(), 1U);
  EXPECT_TRUE(facts.not_understood.empty());
}

TEST_F(LinuxText, CountersOfIpVersion6) {
  const MachineFacts facts = facts_of(
      "Ip6InReceives                   \t42\nIcmp6InPktTooBigs               \t3\n"
      "XfrmInError                 \t1\nTCP6: inuse 9\nFRAG6: inuse 0 memory 0\n");
  EXPECT_EQ(counter(facts, "Icmp6InPktTooBigs"), 3);
  EXPECT_EQ(counter(facts, "XfrmInError"), 1);
  EXPECT_EQ(counter(facts, "SockstatTcp6Inuse"), 9);
  EXPECT_TRUE(facts.not_understood.empty());
}

TEST_F(LinuxText, AddressesOfTheHostAreNoRoutes) {
  const MachineFacts facts = facts_of(
      "# ip route show table all\ndefault via 192.0.2.254 dev eth0 table 100 mtu lock 1300\n"
      "local 192.0.2.1 dev eth0 table local proto kernel scope host src 192.0.2.1\n"
      "10.0.0.0/8 dev tun0 scope link congctl bbr rto_min lock 50ms\n");
  ASSERT_EQ(facts.routes.size(), 2U);
  EXPECT_EQ(facts.routes[0].table, "100");
  EXPECT_EQ(facts.routes[0].mtu_locked, true);
  EXPECT_EQ(facts.routes[0].mtu_bytes, 1300U);
  EXPECT_EQ(facts.routes[1].congestion_control, "bbr");
  EXPECT_DOUBLE_EQ(facts.routes[1].rto_min_s.value(), 0.05);
}

}  // namespace
}  // namespace slowpath::machine

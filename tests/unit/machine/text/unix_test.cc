// SPDX-License-Identifier: Apache-2.0
// Solaris and ESXi.
#include <algorithm>

#include "unit/machine/text/text_reader.h"

namespace slowpath::machine {
namespace {

class SolarisText : public testing::Test {
 protected:
  const MachineFacts facts_ = facts_of(fixture("solaris.txt"));
};

TEST_F(SolarisText, System) {
  EXPECT_EQ(facts_.platform, Platform::solaris);
  EXPECT_EQ(facts_.name, "solaris-lab");
  EXPECT_EQ(facts_.os, "Oracle Solaris 11.1");
  EXPECT_EQ(facts_.os_release, "11.1");
  EXPECT_EQ(facts_.kernel, "5.11");
  EXPECT_TRUE(facts_.not_understood.empty());
}

TEST_F(SolarisText, Links) {
  const auto net1 = interface_in(facts_, "net1");
  EXPECT_EQ(net1.driver, "vmxnet3s");
  EXPECT_EQ(net1.mtu_bytes, 9000U);
  EXPECT_EQ(net1.speed_bps, 10'000'000'000);
  EXPECT_EQ(net1.duplex, "full");
  EXPECT_EQ(net1.properties.at("flowctrl"), "no");
  EXPECT_EQ(interface_in(facts_, "net0").driver, "e1000g");
  EXPECT_EQ(interface_in(facts_, "vlan42").lower, "net0");
  EXPECT_EQ(interface_in(facts_, "vlan42").kind, "vlan");
}

TEST_F(SolarisText, Settings) {
  EXPECT_EQ(setting(facts_, "dladm.net0.mtu"), "1500");
  EXPECT_EQ(setting(facts_, "dladm.net0.autopush"), "");
  EXPECT_EQ(setting(facts_, "ipadm.tcp.recv_buf"), "128000");
  EXPECT_EQ(setting(facts_, "ipadm.tcp.max_buf"), "1048576");
  EXPECT_EQ(setting(facts_, "ipadm.tcp.send_buf"), "49152");
  EXPECT_EQ(setting(facts_, "ipadm.tcp._wscale_always"), "1");
  EXPECT_EQ(setting(facts_, "ipadm.net0.ipv4.mtu"), "1500");
  EXPECT_EQ(setting(facts_, "ndd.ip.ip_lso_outbound"), "1");
  EXPECT_EQ(setting(facts_, "ndd.tcp.tcp_recv_hiwat"), "128000");
  EXPECT_EQ(counter(facts_, "TcpRetransSegs"), 1723);
  EXPECT_EQ(counter(facts_, "TcpRetransBytes"), 2456789);
  EXPECT_EQ(counter(facts_, "TcpListenDrop"), 17);
}

TEST_F(SolarisText, DriverListingsAreKept) {
  const auto has = [&](std::string_view part) {
    return std::ranges::count_if(facts_.packages,
                                 [&](const std::string& line) { return line.contains(part); });
  };
  EXPECT_EQ(has("34104 Mar 27 01:42 /kernel/drv/amd64/vmxnet3s"), 1);
  EXPECT_EQ(has("/kernel/drv/amd64/e1000g"), 1);
  EXPECT_EQ(has("vmxnet3s (VMware EtherAdapter v3 b1.1.0.0)"), 1);
  EXPECT_EQ(has("0.5.11-0.175.1.0.0.24.2"), 1);
}

TEST_F(SolarisText, APingWithoutDfProvesNothing) {
  ASSERT_EQ(facts_.measured.size(), 2U);
  EXPECT_EQ(facts_.measured[0].largest_passed_bytes, 8972U);
  EXPECT_EQ(facts_.measured[0].dont_fragment, true);
  EXPECT_DOUBLE_EQ(facts_.measured[0].rtt_min_s.value(), 0.00023);
  EXPECT_EQ(facts_.measured[1].payload_bytes, 9000U);
  EXPECT_FALSE(facts_.measured[1].dont_fragment);
  EXPECT_FALSE(facts_.measured[1].smallest_failed_bytes);
  EXPECT_EQ(facts_.measured[1].loss_share, 1.0);
}

class EsxiText : public testing::Test {
 protected:
  const MachineFacts facts_ = facts_of(fixture("esxi.txt"));
};

TEST_F(EsxiText, System) {
  EXPECT_EQ(facts_.platform, Platform::esxi);
  EXPECT_EQ(facts_.name, "esx01");
  EXPECT_EQ(facts_.os, "VMware ESXi");
  EXPECT_EQ(facts_.os_release, "6.7.0");
  EXPECT_TRUE(facts_.not_understood.empty());
}

TEST_F(EsxiText, Nics) {
  const auto vmnic0 = interface_in(facts_, "vmnic0");
  EXPECT_EQ(vmnic0.driver, "ntg3");
  EXPECT_EQ(vmnic0.speed_bps, 1'000'000'000);
  EXPECT_EQ(vmnic0.duplex, "full");
  EXPECT_EQ(vmnic0.mtu_bytes, 1500U);
  EXPECT_EQ(vmnic0.carrier, true);
  EXPECT_EQ(vmnic0.alias, "Broadcom Corporation NetXtreme BCM5720 Gigabit Ethernet");
  EXPECT_EQ(vmnic0.statistics.at("rx_missed_errors"), 44U);
  EXPECT_EQ(vmnic0.statistics.at("rx_crc_errors"), 3U);
  const auto vmnic1 = interface_in(facts_, "vmnic1");
  EXPECT_EQ(vmnic1.carrier, false);
  EXPECT_FALSE(vmnic1.speed_bps);
  EXPECT_EQ(vmnic1.driver_version, "1.7.1.16");
  EXPECT_EQ(vmnic1.firmware, "0x800003de");
  const auto vmnic2 = interface_in(facts_, "vmnic2");  // of esxcfg-nics
  EXPECT_EQ(vmnic2.duplex, "half");
  EXPECT_EQ(vmnic2.speed_bps, 1'000'000'000);
  EXPECT_EQ(vmnic2.mtu_bytes, 1500U);
  EXPECT_EQ(vmnic2.driver, "ne1000");
}

TEST_F(EsxiText, SwitchesAndKernelInterfaces) {
  EXPECT_EQ(interface_in(facts_, "vSwitch0").mtu_bytes, 1500U);
  EXPECT_EQ(interface_in(facts_, "vSwitch0").kind, "bridge");
  EXPECT_EQ(interface_in(facts_, "vSwitch0").properties.at("uplinks"), "vmnic0");
  EXPECT_EQ(interface_in(facts_, "vmk0").mtu_bytes, 9000U);
}

TEST_F(EsxiText, AdvancedSettings) {
  EXPECT_EQ(setting(facts_, "esx./Net/Vmxnet3HwLRO"), "0");
  EXPECT_EQ(setting(facts_, "esx./Net/Vmxnet3HwLRO.default"), "1");
  EXPECT_EQ(setting(facts_, "esx./Net/FollowHardwareMac"), "always");
  EXPECT_EQ(setting(facts_, "esx./Net/UseHwTSO"), "1");
}

TEST_F(EsxiText, VmkpingWithDf) {
  ASSERT_EQ(facts_.measured.size(), 1U);
  EXPECT_EQ(facts_.measured[0].smallest_failed_bytes, 8972U);
  EXPECT_FALSE(facts_.measured[0].largest_passed_bytes);
}

}  // namespace
}  // namespace slowpath::machine

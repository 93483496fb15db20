// SPDX-License-Identifier: Apache-2.0
// The parsers of the kernel's text files, on texts as kernels print them and damaged ones.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine/live/counters.h"
#include "machine/live/cpu.h"
#include "machine/live/host.h"
#include "machine/live/interrupts.h"
#include "machine/live/sysctl.h"

namespace slowpath::machine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// Every cut and some changed letters of a text.
template <typename Parse>
void each_damage(const std::string& text, const Parse& parse) {
  for (std::size_t size = 0; size < text.size(); ++size)
    parse(std::string_view{text}.substr(0, size));
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char c : {'\0', '\n', ' ', ':', '-', '9', '\xff'}) {
      std::string changed = text;
      changed[at] = c;
      parse(std::string_view{changed});
    }
  }
}

TEST(Sysctl, ValuesAndKeysAsSysctlSaysThem) {
  EXPECT_EQ(sysctl_value("4096\t131072\t6291456\n"), "4096 131072 6291456");
  EXPECT_EQ(sysctl_value("\n"), "");
  EXPECT_EQ(sysctl_key("/proc/sys/net/ipv4/tcp_rmem"), "net.ipv4.tcp_rmem");
  EXPECT_EQ(sysctl_key("/proc/sys/net/ipv4/conf/eth0.5/rp_filter"),
            "net.ipv4.conf.eth0/5.rp_filter");
}

const std::string kSnmp =
    "Ip: Forwarding DefaultTTL InReceives\n"
    "Ip: 2 64 24593\n"
    "Tcp: MaxConn ActiveOpens RetransSegs\n"
    "Tcp: -1 176 9\n";

TEST(Counters, PairsOfLines) {
  EXPECT_THAT(parse_counter_pairs(kSnmp),
              UnorderedElementsAre(Pair("IpForwarding", 2), Pair("IpDefaultTTL", 64),
                                   Pair("IpInReceives", 24593), Pair("TcpActiveOpens", 176),
                                   Pair("TcpRetransSegs", 9)));  // -1 is no count
  each_damage(kSnmp,
              [](std::string_view text) { EXPECT_LE(parse_counter_pairs(text).size(), 6U); });
}

TEST(Counters, ValuesWithoutTheirNamesAreNotGuessed) {
  EXPECT_THAT(parse_counter_pairs("Tcp: 1 2 3\nIp: 4 5\n"), IsEmpty());
  EXPECT_THAT(parse_counter_pairs("Ip: A B C\nIp: 4 5\n"),
              UnorderedElementsAre(Pair("IpA", 4), Pair("IpB", 5)));
}

TEST(Counters, LinesOfNameAndNumber) {
  const std::string text = "Ip6InReceives                   \t1220\nIp6InTooBigErrors\t7\nodd\n";
  EXPECT_THAT(parse_counter_lines(text),
              UnorderedElementsAre(Pair("Ip6InReceives", 1220), Pair("Ip6InTooBigErrors", 7)));
  each_damage(text, [](std::string_view damaged) { (void)parse_counter_lines(damaged); });
}

TEST(Counters, Sockstat) {
  const std::string text =
      "sockets: used 17\nTCP: inuse 1 orphan 0 tw 5 alloc 1 mem 247\nFRAG: inuse 0\n";
  const Counters counters = parse_sockstat(text);
  EXPECT_EQ(counters.at("SockstatSocketsUsed"), 17U);
  EXPECT_EQ(counters.at("SockstatTcpTw"), 5U);
  EXPECT_EQ(counters.at("SockstatTcpMem"), 247U);
  EXPECT_EQ(counters.at("SockstatFragInuse"), 0U);
  each_damage(text, [](std::string_view damaged) { (void)parse_sockstat(damaged); });
}

TEST(Counters, SoftnetIsHexadecimalByCpu) {
  const std::string text =
      "00d36112 00000002 00000003 00000000 00000000 00000000 00000000 00000000 00000000 00000004 "
      "00000005 00000000 00000000 00000000 00000000\n"
      "00000010 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
      "00000000 00000000 00000003 00000000 00000000\n";
  const auto lines = parse_softnet(text);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].cpu, 0U);
  EXPECT_EQ(lines[0].processed, 0xd36112U);
  EXPECT_EQ(lines[0].dropped, 2U);
  EXPECT_EQ(lines[0].time_squeeze, 3U);
  EXPECT_EQ(lines[0].received_rps, 4U);
  EXPECT_EQ(lines[0].flow_limit, 5U);
  EXPECT_EQ(lines[1].cpu, 3U);  // CPUs 1 and 2 are offline
  each_damage(text, [](std::string_view damaged) { EXPECT_LE(parse_softnet(damaged).size(), 3U); });
}

TEST(Counters, SoftnetOfOldKernelsCountsLines) {
  const auto lines = parse_softnet(
      "0000000a 00000000 00000000 0 0 0 0 0 0 00000000\n"
      "0000000b 00000001 00000000 0 0 0 0 0 0 00000000\n");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1].cpu, 1U);
  EXPECT_EQ(lines[1].dropped, 1U);
}

TEST(Counters, ConntrackAddsUpTheCpus) {
  const std::string text =
      "entries  clashres found new invalid insert_failed drop early_drop\n"
      "00000011  00000000 00000001 00000000 00000002 0000000a 00000000 00000000\n"
      "00000011  00000000 00000001 00000000 00000003 00000006 00000000 00000001\n";
  const Counters counters = parse_conntrack_stat(text);
  EXPECT_EQ(counters.at("ConntrackEntries"), 0x11U);
  EXPECT_EQ(counters.at("ConntrackInvalid"), 5U);
  EXPECT_EQ(counters.at("ConntrackInsertFailed"), 16U);
  EXPECT_EQ(counters.at("ConntrackEarlyDrop"), 1U);
  each_damage(text, [](std::string_view damaged) { (void)parse_conntrack_stat(damaged); });
}

const std::string kStat =
    "cpu  3282403 907067 514942 761449 3741 0 5623 2529 0 0\n"
    "cpu0 100 20 30 400 5 6 70 80 0 0\n"
    "cpu3 1 2 3 4 5 6 7 8\n"
    "intr 21866150 0 0\n";

TEST(CpuTimes, InSecondsByCpu) {
  const auto cpus = parse_cpu_times(kStat, 100);
  ASSERT_EQ(cpus.size(), 2U);
  EXPECT_EQ(cpus[0].number, 0U);
  EXPECT_DOUBLE_EQ(cpus[0].user_s, 1.2);
  EXPECT_DOUBLE_EQ(cpus[0].system_s, 0.36);
  EXPECT_DOUBLE_EQ(cpus[0].idle_s, 4.05);
  EXPECT_DOUBLE_EQ(cpus[0].softirq_s, 0.7);
  EXPECT_DOUBLE_EQ(cpus[0].steal_s, 0.8);
  EXPECT_EQ(cpus[1].number, 3U);
  each_damage(kStat,
              [](std::string_view text) { EXPECT_LE(parse_cpu_times(text, 100).size(), 4U); });
}

const std::string kInterrupts =
    "           CPU0       CPU1       \n"
    " 28:          0          0 PCI-MSIX-0000:00:03.0   0-edge      virtio2-config\n"
    " 38:          5      14507 PCI-MSIX-0000:00:03.0   1-edge      virtio2-input.0\n"
    " 39:       9690          1 PCI-MSIX-0000:00:03.0   2-edge      virtio2-output.0\n"
    " 40:         70          0 PCI-MSI 1572864-edge      eth0-TxRx-0\n"
    " 41:          0         71 PCI-MSI 1572865-edge      eth0-TxRx-1\n"
    " 42:          3          0 PCI-MSI 1572866-edge      eth0-rx-misc\n"
    " 43:          9          9 PCI-MSI 1572867-edge      eth01-TxRx-0\n"
    "NMI:          0          0   Non-maskable interrupts\n"
    "ERR:          0\n";

TEST(Interrupts, QueuesByTheInterfacesName) {
  const auto lines = parse_interrupts(kInterrupts);
  EXPECT_EQ(lines.size(), 8U);  // ERR has one count for all
  InterfaceFacts facts;
  apply_interrupts(lines, {{}, "eth0", {}}, facts);
  EXPECT_THAT(facts.queue_interrupts, ElementsAre(70, 71));
  EXPECT_THAT(facts.cpu_interrupts, ElementsAre(70, 71));
}

TEST(Interrupts, QueuesByTheDevice) {
  const auto lines = parse_interrupts(kInterrupts);
  for (const InterruptOwner& owner :
       {InterruptOwner{{}, "ens3", {"virtio2"}}, InterruptOwner{{}, "ens3", {"0000:00:03.0"}},
        InterruptOwner{{"28", "38", "39"}, "ens3", {}}}) {
    InterfaceFacts facts;
    apply_interrupts(lines, owner, facts);
    EXPECT_THAT(facts.queue_interrupts, ElementsAre(14512));
    EXPECT_THAT(facts.cpu_interrupts, ElementsAre(5, 14507));
  }
}

TEST(Interrupts, NumbersOutweighNames) {
  InterfaceFacts facts;  // a container's eth0 must not take the host's
  apply_interrupts(parse_interrupts(kInterrupts), {{"1"}, "eth0", {}}, facts);
  EXPECT_THAT(facts.queue_interrupts, IsEmpty());
}

TEST(Interrupts, WhatDriversCallTheirQueues) {
  const auto classify = [](const char* name) {
    return classify_line({"7", {1}, {"PCI-MSI", name}}, {{"7"}, "", {}});
  };
  for (const char* name :
       {"eth0-TxRx-0", "ens5-Tx-Rx-1", "eth0-rx-0", "eth0-rxtx-3", "virtio0-input.3",
        "mlx5_comp3@pci:0000:3b:00.0", "i40e-eth0-TxRx-0", "gve-ntfy-blk1@pci:0000:00:04.0"}) {
    EXPECT_EQ(classify(name), QueueLine::surely) << name;
  }
  for (const char* name : {"eth0", "eth0-1", "mana_q3@pci:7870:00:00.0"}) {
    EXPECT_EQ(classify(name), QueueLine::perhaps) << name;
  }
  for (const char* name :
       {"eth0-tx-0", "virtio0-output.0", "virtio0-config", "eth0-event-4",
        "mlx5_async0@pci:0000:3b:00.0", "ena-mgmnt@pci:0000:00:05.0", "i40e-0000:3b:00.0:misc",
        "eth0:lsc", "i40e-0000:3b:00.0:fdir-TxRx-0", "mana_hwc@pci:7870:00:00.0"}) {
    EXPECT_EQ(classify(name), QueueLine::no) << name;
  }
  EXPECT_EQ(classify_line({"8", {1}, {"eth0-rx-0"}}, {{"7"}, "eth0", {}}), QueueLine::no);
  EXPECT_EQ(classify_line({"7", {1}, {}}, {{"7"}, "eth0", {}}), QueueLine::no);
}

TEST(Interrupts, TheVectorOfTheLinkIsNoQueueBesideQueues) {
  const std::string head = "  CPU0\n 1: 9 PCI-MSI 1-edge eth0\n";
  InterfaceFacts only, beside;
  apply_interrupts(parse_interrupts(head), {{}, "eth0", {}}, only);
  EXPECT_THAT(only.queue_interrupts, ElementsAre(9));
  apply_interrupts(parse_interrupts(head + " 2: 70 PCI-MSI 2-edge eth0-rx-0\n"), {{}, "eth0", {}},
                   beside);
  EXPECT_THAT(beside.queue_interrupts, ElementsAre(70));
}

TEST(Interrupts, DamageIsSurvived) {
  each_damage(kInterrupts.substr(0, 300), [](std::string_view text) {
    InterfaceFacts facts;
    apply_interrupts(parse_interrupts(text), {{}, "eth0", {"virtio2"}}, facts);
  });
  EXPECT_THAT(parse_interrupts(""), IsEmpty());
}

TEST(Host, OsRelease) {
  const OsRelease os = parse_os_release(
      "# comment\nNAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (\\\"bookworm\\\")\"\nVERSION_ID='12'\n"
      "no equals\n");
  EXPECT_EQ(os.name, "Debian GNU/Linux 12 (\"bookworm\")");
  EXPECT_EQ(os.version, "12");
  EXPECT_EQ(parse_os_release("").name, "");
  each_damage("PRETTY_NAME=\"a\\\"\"\n",
              [](std::string_view text) { (void)parse_os_release(text); });
}

TEST(Host, HypervisorsByTheirSignatures) {
  EXPECT_EQ(virtualization_of(true, "KVMKVMKVM", "", ""), "kvm");
  EXPECT_EQ(virtualization_of(true, "VMwareVMware", "QEMU", ""), "vmware");
  EXPECT_EQ(virtualization_of(true, "Microsoft Hv", "", ""), "hyper-v");
  EXPECT_EQ(virtualization_of(false, "", "Microsoft Corporation", "Virtual Machine"), "hyper-v");
  EXPECT_EQ(virtualization_of(false, "", "Microsoft Corporation", "Surface Pro"), "");
  EXPECT_EQ(virtualization_of(false, "", "Amazon EC2", "m7g.large"), "kvm");
  EXPECT_EQ(virtualization_of(true, "", "", ""), "unknown");
  EXPECT_EQ(virtualization_of(false, "", "Dell Inc.", "PowerEdge"), "");
  EXPECT_TRUE(has_hypervisor_flag("processor : 0\nflags\t\t: fpu vme hypervisor lm\n"));
  EXPECT_FALSE(has_hypervisor_flag("flags\t\t: fpu hypervisors\n"));
}

}  // namespace
}  // namespace slowpath::machine

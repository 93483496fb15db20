// SPDX-License-Identifier: Apache-2.0
// Counters of /proc/net as text.
#include "lab/counters.h"

#include <gtest/gtest.h>

namespace slowpath::lab {
namespace {

TEST(CountersTest, SnmpPairsNamesWithValues) {
  Counters counters;
  read_snmp(
      "Ip: Forwarding DefaultTTL InReceives\nIp: 1 64 77\n"
      "Tcp: RtoAlgorithm MaxConn RetransSegs InCsumErrors\nTcp: 1 -1 12 3\n",
      counters);
  EXPECT_EQ(counters["Ip.InReceives"], 77U);
  EXPECT_EQ(counters["Tcp.RetransSegs"], 12U);
  EXPECT_EQ(counters["Tcp.InCsumErrors"], 3U);
  EXPECT_FALSE(counters.contains("Tcp.MaxConn"));  // -1: no limit
}

TEST(CountersTest, SnmpSurvivesLinesWithoutTheirPair) {
  Counters counters;
  read_snmp("TcpExt: A B C\nTcpExt: 1 2\nIpExt: X\nIpExt: 5\nTcp: alone\n", counters);
  EXPECT_EQ(counters, (Counters{{"IpExt.X", 5}}));
  read_snmp("", counters);
  read_snmp("\n\n:\n", counters);
  EXPECT_EQ(counters.size(), 1U);
}

TEST(CountersTest, DevHasSixteenColumns) {
  Counters counters;
  read_dev(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
      "  eth0: 1000 10 1 2 3 4 5 6 2000 20 7 8 9 10 11 12\n"
      "    lo:       0       0    0    0    0     0          0         0        0       0    0    "
      "0    0     0       0          0\n"
      "  bad: 1 2 3\n",
      counters);
  EXPECT_EQ(counters["eth0.rx_bytes"], 1000U);
  EXPECT_EQ(counters["eth0.tx_packets"], 20U);
  EXPECT_EQ(counters["eth0.tx_dropped"], 8U);
  EXPECT_EQ(counters["lo.tx_dropped"], 0U);
  EXPECT_EQ(counters.size(), 32U);
}

TEST(CountersTest, Snmp6IsAListOfLines) {
  Counters counters;
  read_snmp6("Ip6InReceives                   \t12\nIcmp6OutMLDv2Reports\t3\nbroken\n", counters);
  EXPECT_EQ(counters, (Counters{{"Ip6InReceives", 12}, {"Icmp6OutMLDv2Reports", 3}}));
}

}  // namespace
}  // namespace slowpath::lab

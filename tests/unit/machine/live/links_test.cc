// SPDX-License-Identifier: Apache-2.0
#include "machine/live/links.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/rtnetlink.h>

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/machine/live/messages.h"

namespace slowpath::machine {
namespace {

using netlink::Request;
using testing::add;
using testing::each_damage;
using testing::payload_of;

Request link_message(int index, const char* name, unsigned flags = IFF_UP) {
  Request request{RTM_NEWLINK, NLM_F_MULTI};
  ifinfomsg header{};
  header.ifi_type = ARPHRD_ETHER;
  header.ifi_index = index;
  header.ifi_flags = flags;
  request.body(header);
  request.attribute_text(IFLA_IFNAME, name);
  return request;
}

void add_kind(
    Request& request, const char* kind,
    const std::function<void(Request&)>& data = [](Request&) {}) {
  const std::size_t info = request.begin_nest(IFLA_LINKINFO);
  request.attribute_text(IFLA_INFO_KIND, kind);
  const std::size_t nest = request.begin_nest(IFLA_INFO_DATA);
  data(request);
  request.end_nest(nest);
  request.end_nest(info);
}

LinkRecord parsed(Request& request) {
  const auto link = parse_link(payload_of(request));
  EXPECT_TRUE(link.has_value());
  return link.value_or(LinkRecord{});
}

TEST(ParseLink, AHardwareInterface) {
  Request request = link_message(4, "eth0", IFF_UP | IFF_BROADCAST);
  request.attribute_u32(IFLA_MTU, 9000).attribute_u32(IFLA_MAX_MTU, 9216);
  request.attribute_u32(IFLA_TXQLEN, 1000).attribute_text(IFLA_QDISC, "mq");
  request.attribute_u32(IFLA_PROMISCUITY, 1).attribute_u32(IFLA_CARRIER_CHANGES, 3);
  add(request, IFLA_CARRIER, std::uint8_t{1});
  add(request, IFLA_OPERSTATE, std::uint8_t{6});
  std::array<std::uint64_t, 24> stats{};
  stats[0] = 11;   // rx_packets
  stats[12] = 12;  // rx_crc_errors
  stats[15] = 15;  // rx_missed_errors
  stats[23] = 23;  // rx_nohandler
  add(request, IFLA_STATS64, stats);
  const LinkRecord link = parsed(request);
  const InterfaceFacts& facts = link.facts;
  EXPECT_EQ(facts.name, "eth0");
  EXPECT_EQ(facts.index, 4U);
  EXPECT_EQ(facts.kind, "");
  EXPECT_EQ(facts.mtu_bytes, 9000U);
  EXPECT_EQ(facts.mtu_max_bytes, 9216U);
  EXPECT_EQ(facts.tx_queue_len, 1000U);
  EXPECT_EQ(facts.qdisc, "mq");
  EXPECT_EQ(facts.up, true);
  EXPECT_EQ(facts.carrier, true);
  EXPECT_EQ(facts.promiscuous, true);
  EXPECT_EQ(facts.properties.at("operstate"), "up");
  EXPECT_EQ(facts.statistics.at("rx_packets"), 11U);
  EXPECT_EQ(facts.statistics.at("rx_crc_errors"), 12U);
  EXPECT_EQ(facts.statistics.at("rx_missed_errors"), 15U);
  EXPECT_EQ(facts.statistics.at("rx_nohandler"), 23U);
  EXPECT_EQ(facts.statistics.at("carrier_changes"), 3U);
  EXPECT_FALSE(facts.statistics.contains("rx_otherhost_dropped"));  // an older, shorter struct
}

TEST(ParseLink, WhatIsNotToldIsAbsent) {
  Request request = link_message(4, "eth0", 0);
  request.attribute_u32(IFLA_MAX_MTU, 0);
  const LinkRecord link = parsed(request);
  EXPECT_EQ(link.facts.mtu_bytes, std::nullopt);
  EXPECT_EQ(link.facts.mtu_max_bytes, std::nullopt);
  EXPECT_EQ(link.facts.carrier, std::nullopt);
  EXPECT_EQ(link.facts.up, false);
  EXPECT_THAT(link.facts.statistics, ::testing::IsEmpty());
}

TEST(ParseLink, NoLinkWithoutNameOrNumber) {
  Request nameless{RTM_NEWLINK, 0};
  ifinfomsg header{};
  header.ifi_index = 3;
  nameless.body(header);
  EXPECT_FALSE(parse_link(payload_of(nameless)).has_value());
  Request numberless = link_message(0, "eth0");
  EXPECT_FALSE(parse_link(payload_of(numberless)).has_value());
}

TEST(ParseLink, TheLoopbackHasAKind) {
  Request request{RTM_NEWLINK, 0};
  ifinfomsg header{};
  header.ifi_type = ARPHRD_LOOPBACK;
  header.ifi_index = 1;
  request.body(header).attribute_text(IFLA_IFNAME, "lo");
  EXPECT_EQ(parsed(request).facts.kind, "loopback");
}

TEST(ParseLink, VlanOnItsParent) {
  Request request = link_message(7, "eth0.5");
  request.attribute_u32(IFLA_LINK, 4);
  add_kind(request, "vlan", [](Request& data) { add(data, IFLA_VLAN_ID, std::uint16_t{5}); });
  const LinkRecord link = parsed(request);
  EXPECT_EQ(link.facts.kind, "vlan");
  EXPECT_EQ(link.lower_index, 4U);
  EXPECT_EQ(link.facts.properties.at("vlan.id"), "5");
}

TEST(ParseLink, BondModesHaveTheirNames) {
  Request request = link_message(7, "bond0");
  add_kind(request, "bond", [](Request& data) {
    add(data, IFLA_BOND_MODE, std::uint8_t{0});
    data.attribute_u32(IFLA_BOND_ACTIVE_SLAVE, 4);
  });
  const LinkRecord link = parsed(request);
  EXPECT_EQ(link.facts.properties.at("bond.mode"), "balance-rr");
  EXPECT_EQ(link.index_properties.at("bond.active"), 4U);
}

TEST(ParseLink, TunnelsTellTheirEnds) {
  Request vxlan = link_message(8, "vx0");
  add_kind(vxlan, "vxlan", [](Request& data) {
    data.attribute_u32(IFLA_VXLAN_ID, 42);
    data.attribute_u32(IFLA_VXLAN_LINK, 4);
    add(data, IFLA_VXLAN_PORT, htons(4789));
    add(data, IFLA_VXLAN_GROUP, htonl(0x0a000002));
    add(data, IFLA_VXLAN_LOCAL, std::uint32_t{0});  // none given
  });
  const LinkRecord link = parsed(vxlan);
  EXPECT_EQ(link.lower_index, 4U);
  EXPECT_EQ(link.facts.properties.at("tunnel.id"), "42");
  EXPECT_EQ(link.facts.properties.at("tunnel.port"), "4789");
  EXPECT_EQ(link.facts.properties.at("tunnel.remote"), "10.0.0.2");
  EXPECT_FALSE(link.facts.properties.contains("tunnel.local"));
  Request gre = link_message(9, "gre1");
  add_kind(gre, "gretap", [](Request& data) {
    add(data, IFLA_GRE_REMOTE, htonl(0x0a000003));
    add(data, IFLA_GRE_PMTUDISC, std::uint8_t{0});
  });
  const LinkRecord tunnel = parsed(gre);
  ASSERT_TRUE(tunnel.tunnel_remote.has_value());
  EXPECT_EQ(to_string(*tunnel.tunnel_remote), "10.0.0.3");
  EXPECT_EQ(tunnel.facts.properties.at("tunnel.pmtudisc"), "0");
}

TEST(ParseLink, DamageIsSurvived) {
  Request request = link_message(8, "vx0");
  request.attribute_u32(IFLA_MTU, 1450);
  add(request, IFLA_STATS64, std::array<std::uint64_t, 4>{});
  add_kind(request, "vxlan", [](Request& data) {
    data.attribute_u32(IFLA_VXLAN_ID, 42);
    add(data, IFLA_VXLAN_GROUP, htonl(0x0a000002));
  });
  each_damage(payload_of(request), [](Bytes damaged) {
    const auto link = parse_link(damaged);
    EXPECT_TRUE(!link || !link->facts.name.empty());
  });
}

TEST(ParseAddress, TheOwnEndOfAPointToPointLink) {
  Request request{RTM_NEWADDR, 0};
  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  header.ifa_index = 4;
  request.body(header);
  add(request, IFA_ADDRESS, htonl(0x0a000002));
  add(request, IFA_LOCAL, htonl(0x0a000001));
  const auto payload = payload_of(request);
  const auto record = parse_address(payload);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->index, 4U);
  EXPECT_EQ(to_string(record->address), "10.0.0.1");
  each_damage(payload, [](Bytes damaged) { (void)parse_address(damaged); });
}

LinkRecord record(std::uint32_t index, const char* name, const char* kind = "") {
  LinkRecord link;
  link.facts.index = index;
  link.facts.name = name;
  link.facts.kind = kind;
  return link;
}

TEST(JoinLinks, NamesForNumbers) {
  LinkRecord vlan = record(3, "eth0.5", "vlan");
  vlan.lower_index = 2;
  vlan.master_index = 4;
  LinkRecord bond = record(4, "bond0", "bond");
  bond.index_properties["bond.active"] = 2;
  IpAddress address;
  address.version = 4;
  address.bytes[0] = 10;
  const auto interfaces =
      join_links({record(2, "eth0"), vlan, bond}, {{2, address}, {99, address}});
  ASSERT_EQ(interfaces.size(), 3U);
  EXPECT_THAT(interfaces[0].addresses, ::testing::ElementsAre(address));
  EXPECT_EQ(interfaces[1].lower, "eth0");
  EXPECT_EQ(interfaces[1].master, "bond0");
  EXPECT_EQ(interfaces[2].properties.at("bond.active"), "eth0");
}

TEST(JoinLinks, AVethLiesBesideItsPeerNotAbove) {
  LinkRecord here = record(2, "v0", "veth");
  here.lower_index = 3;
  LinkRecord away = record(4, "v2", "veth");
  away.lower_index = 2;  // a number of another namespace
  away.lower_is_elsewhere = true;
  const auto interfaces = join_links({here, record(3, "v1", "veth"), away}, {});
  EXPECT_EQ(interfaces[0].lower, "");
  EXPECT_EQ(interfaces[0].properties.at("peer"), "v1");
  EXPECT_EQ(interfaces[2].lower, "");
  EXPECT_EQ(interfaces[2].properties.at("peer"), "in another network namespace");
}

}  // namespace
}  // namespace slowpath::machine

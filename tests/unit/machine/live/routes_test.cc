// SPDX-License-Identifier: Apache-2.0
#include "machine/live/routes.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/machine/live/messages.h"

namespace slowpath::machine {
namespace {

using netlink::Request;
using testing::add;
using testing::each_damage;
using testing::payload_of;

const InterfaceNames kNames{{2, "eth0"}, {3, "eth1"}};

Request route_message(unsigned char type, unsigned char prefix, unsigned flags = 0) {
  Request request{RTM_NEWROUTE, NLM_F_MULTI};
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = prefix;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_type = type;
  header.rtm_flags = flags;
  request.body(header);
  return request;
}

TEST(ParseRoute, MetricsOfADefaultRoute) {
  Request request = route_message(RTN_UNICAST, 0);
  add(request, RTA_GATEWAY, htonl(0x0a000001));
  request.attribute_u32(RTA_OIF, 2).attribute_u32(RTA_PRIORITY, 100);
  const std::size_t metrics = request.begin_nest(RTA_METRICS);
  request.attribute_u32(RTAX_LOCK, 1U << RTAX_MTU).attribute_u32(RTAX_MTU, 1400);
  request.attribute_u32(RTAX_INITCWND, 20).attribute_u32(RTAX_INITRWND, 30);
  request.attribute_u32(RTAX_ADVMSS, 1360).attribute_u32(RTAX_QUICKACK, 1);
  request.attribute_u32(RTAX_WINDOW, 65535).attribute_u32(RTAX_RTO_MIN, 50);
  request.attribute_text(RTAX_CC_ALGO, "bbr");
  request.end_nest(metrics);
  const auto routes = parse_route(payload_of(request), kNames);
  ASSERT_EQ(routes.size(), 1U);
  const RouteFacts& route = routes[0];
  EXPECT_EQ(route.destination.version, 0);
  EXPECT_EQ(to_string(*route.gateway), "10.0.0.1");
  EXPECT_EQ(route.interface, "eth0");
  EXPECT_EQ(route.mtu_bytes, 1400U);
  EXPECT_EQ(route.mtu_locked, true);
  EXPECT_EQ(route.initcwnd, 20U);
  EXPECT_EQ(route.initrwnd, 30U);
  EXPECT_EQ(route.advmss, 1360U);
  EXPECT_EQ(route.window, 65535U);
  EXPECT_EQ(route.quickack, true);
  EXPECT_DOUBLE_EQ(route.rto_min_s.value_or(0), 0.05);
  EXPECT_EQ(route.congestion_control, "bbr");
  EXPECT_EQ(route.metric, 100U);
  EXPECT_EQ(route.table, "main");
  EXPECT_EQ(route.type, "");
  EXPECT_FALSE(route.is_exception);
}

TEST(ParseRoute, APathMtuThatIcmpTaught) {
  Request request = route_message(RTN_UNICAST, 32, RTM_F_CLONED);
  add(request, RTA_DST, htonl(0xc0000207));
  request.attribute_u32(RTA_OIF, 2);
  const std::size_t metrics = request.begin_nest(RTA_METRICS);
  request.attribute_u32(RTAX_MTU, 1280);
  request.end_nest(metrics);
  rta_cacheinfo cache{};
  cache.rta_expires = 59900;  // in hundredths of a second
  add(request, RTA_CACHEINFO, cache);
  const auto routes = parse_route(payload_of(request), kNames);
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_TRUE(routes[0].is_exception);
  EXPECT_EQ(to_string(routes[0].destination), "192.0.2.7");
  EXPECT_EQ(routes[0].prefix_len, 32);
  EXPECT_EQ(routes[0].mtu_bytes, 1280U);
  EXPECT_EQ(routes[0].mtu_locked, false);
  EXPECT_DOUBLE_EQ(routes[0].expires_s.value_or(0), 599.0);
}

Request multipath_message() {
  Request request = route_message(RTN_UNICAST, 0);
  struct Hop {
    rtnexthop hop;
    nlattr gateway;
    std::uint32_t address;
  };
  static_assert(sizeof(Hop) == 16);
  const auto hop = [](int index, std::uint32_t address) {
    return Hop{{sizeof(Hop), 0, 0, index}, {8, RTA_GATEWAY}, htonl(address)};
  };
  const Hop hops[] = {hop(2, 0x0a000001), hop(3, 0x0a000002)};
  request.attribute(RTA_MULTIPATH, std::as_bytes(std::span{hops}));
  return request;
}

TEST(ParseRoute, OneForEachNextHop) {
  Request request = multipath_message();
  const auto routes = parse_route(payload_of(request), kNames);
  ASSERT_EQ(routes.size(), 2U);
  EXPECT_EQ(routes[0].interface, "eth0");
  EXPECT_EQ(to_string(*routes[0].gateway), "10.0.0.1");
  EXPECT_EQ(routes[1].interface, "eth1");
  EXPECT_EQ(to_string(*routes[1].gateway), "10.0.0.2");
}

TEST(ParseRoute, OnlyWaysAndTheirRefusals) {
  Request local = route_message(RTN_LOCAL, 32);
  EXPECT_TRUE(parse_route(payload_of(local), kNames).empty());
  Request broadcast = route_message(RTN_BROADCAST, 32);
  EXPECT_TRUE(parse_route(payload_of(broadcast), kNames).empty());
  Request blackhole = route_message(RTN_BLACKHOLE, 24);
  const auto routes = parse_route(payload_of(blackhole), kNames);
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_EQ(routes[0].type, "blackhole");
}

TEST(ParseRoute, DamageIsSurvived) {
  Request request = multipath_message();
  each_damage(payload_of(request),
              [](Bytes damaged) { EXPECT_LE(parse_route(damaged, kNames).size(), 4U); });
}

}  // namespace
}  // namespace slowpath::machine

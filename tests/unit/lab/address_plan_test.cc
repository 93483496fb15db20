// SPDX-License-Identifier: Apache-2.0
#include "lab/address_plan.h"

#include <gtest/gtest.h>

namespace slowpath::lab {
namespace {

World world_with_gateway() {
  World world;
  for (const char* name : {"server", "gateway", "client"}) {
    HostSpec host;
    host.name = name;
    host.forwards = host.name == "gateway";
    world.hosts.push_back(host);
  }
  world.links.push_back({.a = "server", .b = "gateway", .a_to_b = {}, .b_to_a = {}});
  world.links.push_back({.a = "gateway", .b = "client", .a_to_b = {}, .b_to_a = {}});
  return world;
}

TEST(AddressPlan, NamesTheServerAsItsOwnLinkDoes) {
  const auto world = world_with_gateway();
  Settings transfer("transfer main", {});
  const auto ends = AddressPlan(world).ends(transfer);
  ASSERT_TRUE(ends);
  EXPECT_EQ(ends->client, 2U);
  EXPECT_EQ(ends->server, 0U);
  EXPECT_EQ(ends->address, "10.1.0.1");
}

TEST(AddressPlan, NamesTheGatewayAsTheClientSeesIt) {
  const auto world = world_with_gateway();
  Settings transfer("transfer main", {{"via", "gateway"}});
  const auto ends = AddressPlan(world).ends(transfer);
  ASSERT_TRUE(ends);
  EXPECT_EQ(ends->server, 0U);
  EXPECT_EQ(ends->address, "10.2.0.1");
}

TEST(AddressPlan, RoutesHostsBehindARouterThroughItAndNotTheRouter) {
  const auto world = world_with_gateway();
  const AddressPlan plan(world);
  EXPECT_EQ(plan.default_route_link(0), 1U);
  EXPECT_EQ(plan.default_route_link(1), std::nullopt);
  EXPECT_EQ(plan.default_route_link(2), 2U);
}

TEST(AddressPlan, RefusesAHostThatIsNotThere) {
  const auto world = world_with_gateway();
  Settings transfer("transfer main", {{"server", "sever"}});
  const auto ends = AddressPlan(world).ends(transfer);
  ASSERT_FALSE(ends);
  EXPECT_EQ(ends.error().message(), "cannot use transfer main: there is no host sever");
}

TEST(AddressPlan, NeedsNoRouteBetweenTwoHostsOnACable) {
  World world;
  world.hosts.resize(2);
  world.hosts[0].name = "server";
  world.hosts[1].name = "client";
  world.links.push_back({.a = "server", .b = "client", .a_to_b = {}, .b_to_a = {}});
  EXPECT_EQ(AddressPlan(world).default_route_link(0), std::nullopt);
}

}  // namespace
}  // namespace slowpath::lab

// SPDX-License-Identifier: Apache-2.0
// The path MTU test on real stacks: what a router reports, what it swallows, what becomes of
// fragments.
#include "probe/path/path_mtu.h"

#include <gtest/gtest.h>

#include "probe/path/connect_rtt.h"
#include "probe/socket.h"
#include "support/net_path.h"

namespace slowpath::probe {
namespace {

using test::NetPath;
using Place = NetPath::Place;

class PathMtuTest4 : public testing::Test {
 protected:
  void SetUp() override {
    auto made = NetPath::make();
    if (!made) GTEST_SKIP() << made.error().message();
    path_ = std::move(*made);
  }

  PathMtuTest measure(const IpAddress& target) {
    PathMtuTest test;
    path_->inside(Place::client, [&] {
      Result<PathMtuTest> result = test_path_mtu(target, {});
      ASSERT_TRUE(result) << result.error().message();
      test = std::move(*result);
    });
    return test;
  }

  /// Both ends of the router's second link.
  void set_second_link(int mtu) {
    path_->run(Place::router, "ip link set s mtu " + std::to_string(mtu));
    path_->run(Place::server, "ip link set eth0 mtu " + std::to_string(mtu));
  }

  void silence_router() {
    path_->run(
        Place::router,
        "nft add table inet f && nft add chain inet f o \"{ type filter hook output priority "
        "0 ; }\" && nft add rule inet f o icmp type destination-unreachable drop && "
        "nft add rule inet f o icmpv6 type packet-too-big drop");
  }

  std::unique_ptr<NetPath> path_;
};

TEST_F(PathMtuTest4, ASoundPathPassesWhatTheInterfaceAllows) {
  const PathMtuTest test = measure(NetPath::server4());
  EXPECT_EQ(test.interface_mtu_bytes, 1500U);
  ASSERT_EQ(test.sweeps.size(), 1U);  // What passes both ways needs no second look.
  EXPECT_EQ(test.sweeps[0].largest_passed_bytes, 1500U);
  EXPECT_EQ(test.sweeps[0].smallest_failed_bytes, 0U);
  ASSERT_EQ(test.hops.size(), 2U);
  EXPECT_EQ(to_string(test.hops[0].address.value()), "10.9.1.254");
  EXPECT_TRUE(test.hops[1].is_target);
  ASSERT_EQ(test.fragments.size(), 2U);
  EXPECT_EQ(test.fragments[0].arrived, test.fragments[0].sent);
  EXPECT_EQ(test.fragments[1].arrived, test.fragments[1].sent) << test.fragments[1].unable;
}

TEST_F(PathMtuTest4, ARouterThatReportsIsNamed) {
  set_second_link(1400);
  const PathMtuTest test = measure(NetPath::server4());
  const SizeSweep& echo = test.sweeps.at(0);
  EXPECT_EQ(echo.largest_passed_bytes, 1400U);
  EXPECT_EQ(echo.smallest_failed_bytes, 1401U);
  ASSERT_EQ(echo.reports.size(), 1U);
  EXPECT_EQ(echo.reports[0].mtu_bytes, 1400U);
  EXPECT_EQ(to_string(echo.reports[0].from), "10.9.1.254");
  EXPECT_EQ(echo.reports[0].hop, 1U);
}

TEST_F(PathMtuTest4, ASilentRouterIsABlackHole) {
  set_second_link(1400);
  silence_router();
  const PathMtuTest test = measure(NetPath::server4());
  const SizeSweep& echo = test.sweeps.at(0);
  EXPECT_EQ(echo.largest_passed_bytes, 1400U);
  EXPECT_EQ(echo.smallest_failed_bytes, 1401U);
  EXPECT_TRUE(echo.reports.empty());
  ASSERT_EQ(test.sweeps.size(), 2U);
  EXPECT_EQ(test.sweeps[1].largest_passed_bytes, 1400U);
  EXPECT_EQ(test.sweeps[1].smallest_failed_bytes, 1401U);
  // Up to the router large packets come; behind it they do not.
  ASSERT_EQ(test.hops.size(), 2U);
  EXPECT_EQ(test.hops[0].large_answered, true);
  EXPECT_EQ(test.hops[1].large_answered, false);
}

TEST_F(PathMtuTest4, SixDoesTheSame) {
  set_second_link(1400);
  const PathMtuTest told = measure(NetPath::server6());
  EXPECT_EQ(told.sweeps.at(0).largest_passed_bytes, 1400U);
  ASSERT_EQ(told.sweeps.at(0).reports.size(), 1U);
  EXPECT_EQ(told.sweeps.at(0).reports[0].mtu_bytes, 1400U);
  silence_router();
  const PathMtuTest silent = measure(NetPath::server6());
  EXPECT_EQ(silent.sweeps.at(0).largest_passed_bytes, 1400U);
  EXPECT_EQ(silent.sweeps.at(0).smallest_failed_bytes, 1401U);
  EXPECT_TRUE(silent.sweeps.at(0).reports.empty());
}

TEST_F(PathMtuTest4, DroppedFragmentsAreFound) {
  path_->run(Place::router,
             "nft add table ip f && nft add chain ip f p \"{ type filter hook prerouting priority "
             "-500 ; }\" && nft add rule ip f p ip frag-off \\& 0x1fff != 0 drop");
  const PathMtuTest test = measure(NetPath::server4());
  ASSERT_EQ(test.fragments.size(), 2U);
  EXPECT_GT(test.fragments[0].sent, 4U);
  EXPECT_EQ(test.fragments[0].arrived, 0U);
  EXPECT_EQ(test.fragments[0].whole_arrived, test.fragments[0].whole_sent);
}

TEST_F(PathMtuTest4, FragmentsOfSixInAnyOrder) {
  const PathMtuTest sound = measure(NetPath::server6());
  ASSERT_EQ(sound.fragments.size(), 2U);
  for (const FragmentTest& test : sound.fragments) {
    EXPECT_EQ(test.unable, "");
    EXPECT_GT(test.arrived * 2, test.sent);
  }
  path_->drop_late_fragments6("c");
  const PathMtuTest late = measure(NetPath::server6());
  ASSERT_EQ(late.fragments.size(), 2U);
  EXPECT_GT(late.fragments[0].arrived * 2, late.fragments[0].sent);
  EXPECT_TRUE(late.fragments[1].out_of_order);
  EXPECT_GT(late.fragments[1].sent, 4U);
  EXPECT_EQ(late.fragments[1].arrived, 0U);
}

TEST_F(PathMtuTest4, AnAnswerOfTheWrongSizeOnTheWayBackIsTheWayBacks) {
  // Only towards the client packets are too large, and nobody says so: requests pass, replies do
  // not.
  path_->run(Place::router,
             "nft add table ip f && nft add chain ip f p \"{ type filter hook forward priority 0 ; "
             "}\" && nft add rule ip f p iif s ip length gt 1400 drop");
  const PathMtuTest test = measure(NetPath::server4());
  EXPECT_EQ(test.sweeps.at(0).largest_passed_bytes, 1400U);
  ASSERT_EQ(test.sweeps.size(), 2U);
  EXPECT_GT(test.sweeps[1].largest_passed_bytes, 1400U);
}

TEST_F(PathMtuTest4, ADeadHostEndsWithTheReason) {
  const PathMtuTest test = measure({.bytes = {10, 9, 2, 77}, .version = 4});
  for (const SizeSweep& sweep : test.sweeps) EXPECT_FALSE(sweep.unable.empty());
}

TEST_F(PathMtuTest4, ConnectTimesNeedNoListener) {
  ConnectTest test;
  path_->inside(Place::client, [&] { test = measure_connect(NetPath::server4(), {.port = 9}); });
  EXPECT_EQ(test.trips.answered, 20U);
  EXPECT_EQ(test.refused, 20U);
  EXPECT_GT(test.trips.min_s, 0);
}

}  // namespace
}  // namespace slowpath::probe

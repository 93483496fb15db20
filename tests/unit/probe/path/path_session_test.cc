// SPDX-License-Identifier: Apache-2.0
// Path tests through a real server's control connection, on loopback.
#include <gtest/gtest.h>

#include "../running_server.h"
#include "probe/path/path_peer.h"
#include "probe/path/peer_mtu.h"
#include "probe/session.h"

namespace slowpath::probe {
namespace {

constexpr IpAddress kLoopback{.bytes = {127, 0, 0, 1}, .version = 4};
constexpr Duration kWait = std::chrono::seconds(60);

TEST(PathSession, OpensMeasuresAndCloses) {
  RunningServer server;
  Result<Session> session = Session::open(server.target(), "", kWait);
  ASSERT_TRUE(session) << session.error().message();
  EXPECT_TRUE(session->knows("path"));
  auto peer = PathPeer::open(kLoopback, kLoopback, [&](const Json& request, Duration timeout) {
    return session->ask(request, "path", timeout);
  });
  ASSERT_TRUE(peer) << peer.error().message();
  EXPECT_TRUE((*peer)->has_datagrams());
  EXPECT_EQ((*peer)->echo(10, 200).size(), 10U);
  const auto refused = (*peer)->ask("tally", {{"run", 70000}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::network);
  // The session survived that, and ends when it is asked to.
  ASSERT_TRUE((*peer)->ask("counters"));
  ASSERT_TRUE((*peer)->ask("close"));
  EXPECT_TRUE(session->ask({{"type", "ceiling"}, {"block_bytes", 65536}, {"verify", false}},
                           "ceiling", kWait));
}

TEST(PathSession, OtherRequestsWaitForItsEnd) {
  RunningServer server;
  Result<Session> session = Session::open(server.target(), "", kWait);
  ASSERT_TRUE(session);
  ASSERT_TRUE(session->ask({{"type", "path"}, {"op", "open"}}, "path", kWait));
  EXPECT_FALSE(session->ask({{"type", "ceiling"}}, "ceiling", kWait));
  ASSERT_TRUE(session->ask({{"type", "path"}, {"op", "close"}}, "path", kWait));
}

TEST(PathSession, DatagramsWithoutTheTokenAreNotAnswered) {
  RunningServer server;
  Result<Session> session = Session::open(server.target(), "", kWait);
  ASSERT_TRUE(session);
  const auto opened = session->ask({{"type", "path"}, {"op", "open"}}, "path", kWait);
  ASSERT_TRUE(opened);
  auto stranger = DatagramPort::open(kLoopback, kLoopback, 0x1234, false);
  ASSERT_TRUE(stranger);
  (*stranger)->set_peer_port((*opened)["udp_port"].get<std::uint16_t>());
  DatagramPlan plan;
  plan.kind = DatagramKind::echo_request;
  plan.ip_bytes = {100};
  plan.count = 5;
  EXPECT_EQ((*stranger)->send(plan).sent, 5U);
  for (const auto& echo : (*stranger)->await_echoes(0, 5, std::chrono::milliseconds(300))) {
    EXPECT_EQ(echo.came_ns, -1);
  }
}

}  // namespace
}  // namespace slowpath::probe

// SPDX-License-Identifier: Apache-2.0
// Datagrams through a limit on the sending host itself, in a network namespace of their own.
#include "probe/path/datagram_port.h"

#include <sched.h>
#include <stdlib.h>

#include <chrono>
#include <future>
#include <thread>

#include <gtest/gtest.h>

namespace slowpath::test {
namespace {

using namespace std::chrono_literals;

struct Came {
  std::string why_not;  // there is no such namespace
  probe::DatagramSent sent;
  probe::TallyResult tally;
};

/// 200 datagrams of 1000 bytes at `rate_bps` through a loopback device with `limit` at its root.
Came through(const std::string& limit, double rate_bps) {
  return std::async(std::launch::async,
                    [&] {
                      Came came;
                      if (unshare(CLONE_NEWNET) != 0)
                        return Came{"a network namespace needs root", {}, {}};
                      if (system("ip link set lo up") != 0 ||
                          system(("tc qdisc add dev lo root " + limit).c_str()) != 0)
                        return Came{"this kernel has no tbf", {}, {}};
                      const IpAddress local = *parse_address("127.0.0.1");
                      auto from = probe::DatagramPort::open(local, local, 7, false);
                      auto to = probe::DatagramPort::open(local, local, 7, true);
                      EXPECT_TRUE(from && to);
                      if (!from || !to) return came;
                      (*from)->set_peer_port((*to)->port());
                      came.sent = (*from)->send(
                          {.run = 1, .ip_bytes = {1000}, .count = 200, .rate_bps = rate_bps});
                      (*to)->await_counted(1, 200, 2s);
                      came.tally = (*to)->tally(1, 200);
                      return came;
                    })
      .get();
}

// A packet leaves every 4 ms and is due every 0.1 ms.
TEST(DatagramPort, WaitsForAFullQueueOfItsOwnHost) {
  const Came came = through("tbf rate 2mbit burst 10kb limit 30kb", 80e6);
  if (!came.why_not.empty()) GTEST_SKIP() << came.why_not;
  EXPECT_EQ(came.sent.sent, 200U);
  EXPECT_EQ(came.sent.failed, 0U);
  EXPECT_EQ(came.tally.received, 200U);
  EXPECT_GT(came.tally.delay_growth_s, 0.05);
}

// Nothing leaves: it ends all the same, and says how many did not.
TEST(DatagramPort, DoesNotWaitForEverWhereNothingLeaves) {
  const Came came = through("tbf rate 1kbit burst 2kb limit 4kb", 80e6);
  if (!came.why_not.empty()) GTEST_SKIP() << came.why_not;
  EXPECT_LT(came.sent.sent, 200U);
  EXPECT_EQ(came.sent.sent + came.sent.failed, 200U);
}

}  // namespace
}  // namespace slowpath::test

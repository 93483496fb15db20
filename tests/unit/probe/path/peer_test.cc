// SPDX-License-Identifier: Apache-2.0
// Path tests with a far end, on real stacks: the service in the server's network, the client in its
// own, a router between. The control connection is a queue between two threads.
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "probe/path/churn.h"
#include "probe/path/idle_search.h"
#include "probe/path/path_service.h"
#include "probe/path/peer_latency.h"
#include "probe/path/peer_middlebox.h"
#include "probe/path/peer_mtu.h"
#include "probe/path/udp_probe.h"
#include "support/net_path.h"

namespace slowpath::probe {
namespace {

using test::NetPath;
using Place = NetPath::Place;
constexpr IpAddress kClient{.bytes = {10, 9, 1, 1}, .version = 4};
constexpr IpAddress kClient6{.bytes = {0xfd, 0x09, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
                             .version = 6};

/// Answers requests in the server's network until it is destroyed.
class FarEnd {
 public:
  FarEnd(NetPath& path, const IpAddress& server, const IpAddress& client)
      : server_(server),
        client_(client),
        thread_([this, &path] { path.inside(Place::server, [this] { serve(); }); }) {}
  ~FarEnd() {
    {
      const std::scoped_lock lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  PathPeer::Ask ask() {
    return [this](const Json& request, Duration) -> Result<Json> {
      std::promise<Json> promise;
      auto future = promise.get_future();
      {
        const std::scoped_lock lock(mutex_);
        queue_.emplace_back(request, std::move(promise));
      }
      changed_.notify_all();
      Json answer = future.get();
      if (answer["type"] == "error")
        return fail(ErrorKind::network, answer["text"].get<std::string>());
      return answer;
    };
  }

 private:
  void serve() {
    PathService service(server_, client_);
    while (true) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      if (closing_) return;
      auto [request, promise] = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      promise.set_value(service.answer(request));
    }
  }

  IpAddress server_, client_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<Json, std::promise<Json>>> queue_;
  bool closing_ = false;
  std::thread thread_;
};

class PeerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = NetPath::make();
    if (!made) GTEST_SKIP() << made.error().message();
    path_ = std::move(*made);
  }

  /// Calls with a session, in the client's network.
  void with_peer(const std::function<void(PathPeer&)>& what, bool six = false) {
    const IpAddress server = six ? NetPath::server6() : NetPath::server4();
    const IpAddress client = six ? kClient6 : kClient;
    FarEnd far(*path_, server, client);
    path_->inside(Place::client, [&] {
      auto peer = PathPeer::open(client, server, far.ask());
      ASSERT_TRUE(peer) << peer.error().message();
      what(**peer);
    });
  }

  void filter(const std::string& rule) {
    path_->run(
        Place::router,
        "nft add table ip f; nft add chain ip f w \"{ type filter hook forward priority 0 ; }\" && "
        "nft add rule ip f w " +
            rule);
  }

  PathMtuTest mtu_of(PathPeer& peer) {
    PathMtuTest test;
    test.interface_mtu_bytes = 1500;
    test_peer_mtu(peer, {}, test);
    return test;
  }

  std::unique_ptr<NetPath> path_;
};

TEST_F(PeerTest, ASoundPathPassesBothWays) {
  with_peer([&](PathPeer& peer) {
    const PathMtuTest test = mtu_of(peer);
    ASSERT_EQ(test.sweeps.size(), 2U);
    for (const SizeSweep& sweep : test.sweeps) {
      EXPECT_EQ(sweep.unable, "");
      EXPECT_EQ(sweep.largest_passed_bytes, 1500U);
      EXPECT_EQ(sweep.smallest_failed_bytes, 0U);
    }
    ASSERT_EQ(test.fragments.size(), 4U);  // each way in order, and the last one first
    for (std::size_t i = 0; i < test.fragments.size(); ++i) {
      const FragmentTest& fragments = test.fragments[i];
      EXPECT_EQ(fragments.unable, "");
      EXPECT_EQ(fragments.out_of_order, i % 2 == 1);
      EXPECT_EQ(fragments.direction, i < 2 ? Direction::to_server : Direction::to_client);
      EXPECT_EQ(fragments.arrived, fragments.sent);
      EXPECT_EQ(fragments.whole_arrived, fragments.whole_sent);
    }
    ASSERT_EQ(test.segments.size(), 2U);
    for (const SegmentTest& segments : test.segments) {
      EXPECT_EQ(segments.unable, "");
      EXPECT_EQ(segments.mss_bytes, 1448U);
      EXPECT_EQ(segments.singles_resent, 0U);
      EXPECT_EQ(segments.bursts, 5U);
      EXPECT_EQ(segments.bursts_resent, 0U);
    }
  });
}

TEST_F(PeerTest, ABlackHoleOnTheWayBackIsThere) {
  filter("iif s ip length gt 1400 drop");
  with_peer([&](PathPeer& peer) {
    const PathMtuTest test = mtu_of(peer);
    ASSERT_EQ(test.sweeps.size(), 2U);
    EXPECT_EQ(test.sweeps[0].largest_passed_bytes, 1500U);
    EXPECT_EQ(test.sweeps[1].direction, Direction::to_client);
    EXPECT_EQ(test.sweeps[1].largest_passed_bytes, 1400U);
    EXPECT_EQ(test.sweeps[1].smallest_failed_bytes, 1401U);
    EXPECT_TRUE(test.sweeps[1].reports.empty());
  });
}

TEST_F(PeerTest, AReportIsHeardAtBothEnds) {
  path_->run(Place::router, "ip link set c mtu 1300");
  with_peer([&](PathPeer& peer) {
    const PathMtuTest test = mtu_of(peer);
    EXPECT_EQ(test.sweeps.at(1).largest_passed_bytes, 1300U);
    ASSERT_FALSE(test.sweeps.at(1).reports.empty());
    EXPECT_EQ(test.sweeps[1].reports[0].mtu_bytes, 1300U);
    EXPECT_EQ(to_string(test.sweeps[1].reports[0].from), "10.9.2.254");
  });
}

TEST_F(PeerTest, FragmentsThatAreDroppedOneWayAreCounted) {
  path_->run(Place::router,
             "nft add table ip g && nft add chain ip g p \"{ type filter hook prerouting priority "
             "-500 ; }\" && "
             "nft add rule ip g p iif c ip frag-off \\& 0x1fff != 0 drop");
  with_peer([&](PathPeer& peer) {
    const PathMtuTest test = mtu_of(peer);
    // Where none arrives in order, none is sent out of order.
    ASSERT_EQ(test.fragments.size(), 3U);
    EXPECT_EQ(test.fragments[0].arrived, 0U);
    EXPECT_EQ(test.fragments[0].whole_arrived, 10U);
    EXPECT_EQ(test.fragments[1].arrived, 10U);
    EXPECT_TRUE(test.fragments[2].out_of_order);
    EXPECT_EQ(test.fragments[2].arrived, 10U);
  });
}

/// The router drops what overtakes the first fragment of its packet: nowhere, one way, the other.
TEST_F(PeerTest, FragmentsOfSixThatOvertakeAreCountedEachWay) {
  for (const std::optional<Direction> late :
       {std::optional<Direction>{}, {Direction::to_server}, {Direction::to_client}}) {
    if (late) path_->drop_late_fragments6(*late == Direction::to_server ? "c" : "s");
    with_peer(
        [&](PathPeer& peer) {
          const PathMtuTest test = mtu_of(peer);
          ASSERT_EQ(test.fragments.size(), 4U);
          for (const FragmentTest& fragments : test.fragments) {
            EXPECT_EQ(fragments.unable, "");
            EXPECT_TRUE(fragments.by_peer);
            const bool is_dropped = fragments.out_of_order && fragments.direction == late;
            EXPECT_EQ(fragments.arrived, is_dropped ? 0 : fragments.sent);
            EXPECT_EQ(fragments.whole_arrived, fragments.whole_sent);
          }
        },
        true);
    if (late) path_->run(Place::router, "nft delete table ip6 late");
  }
}

TEST_F(PeerTest, DelayAndLossOfASoundPath) {
  with_peer([&](PathPeer& peer) {
    LatencyTest test;
    PeerLatencyOptions options;
    options.load = std::chrono::seconds(1);
    options.run = std::chrono::milliseconds(300);
    test_peer_latency(peer, options, test);
    EXPECT_EQ(test.unable, "");
    ASSERT_TRUE(test.idle);
    EXPECT_EQ(test.idle->answered, 25U);
    ASSERT_EQ(test.loaded.size(), 2U);
    for (const auto& loaded : test.loaded) EXPECT_GT(loaded.load_bps, 0);
    ASSERT_GE(test.runs.size(), 2U);
    for (const DatagramRun& run : test.runs) {
      EXPECT_EQ(run.unable, "");
      EXPECT_GT(run.sent, 19U);
      EXPECT_EQ(run.received, run.sent);
      EXPECT_EQ(run.duplicates, 0U);
    }
    ASSERT_EQ(test.lengths.size(), 2U);
    EXPECT_EQ(test.lengths[0].sizes.size(), 5U);
  });
}

TEST_F(PeerTest, LossByLengthIsSeen) {
  // Every packet above 1000 bytes that the rule's dice pick: so many that a slow test sees it, too.
  filter("iif c ip protocol udp ip length gt 1000 numgen random mod 100 \\< 50 drop");
  with_peer([&](PathPeer& peer) {
    LatencyTest test;
    PeerLatencyOptions options;
    options.load = std::chrono::milliseconds(600);
    options.run = std::chrono::milliseconds(800);
    test_peer_latency(peer, options, test);
    ASSERT_EQ(test.lengths.size(), 2U);
    const auto& sizes = test.lengths[0].sizes;
    EXPECT_LT(sizes.back().received, sizes.back().sent);
    // A host too busy to read says so.
    if (test.lengths[0].unable.empty()) {
      EXPECT_EQ(sizes.front().received, sizes.front().sent);
    }
    if (test.lengths[1].unable.empty()) {
      EXPECT_EQ(test.lengths[1].sizes.back().received, test.lengths[1].sizes.back().sent);
    }
  });
}

TEST_F(PeerTest, HeadersAreTheSameAtBothEndsOfASoundPath) {
  with_peer([&](PathPeer& peer) {
    const MiddleboxTest test = test_middlebox(peer);
    EXPECT_EQ(test.unable, "");
    for (const HandshakeHeader* header :
         {&test.syn_sent, &test.syn_seen, &test.syn_ack_sent, &test.syn_ack_seen}) {
      EXPECT_TRUE(header->known);
      EXPECT_TRUE(header->has_sequence);
      EXPECT_EQ(header->options.mss, 1460U);
      EXPECT_TRUE(header->options.has_window_scale);
    }
    EXPECT_EQ(test.syn_sent.sequence, test.syn_seen.sequence);
    EXPECT_EQ(test.syn_ack_sent.sequence, test.syn_ack_seen.sequence);
    EXPECT_EQ(test.syn_sent.ttl, test.syn_seen.ttl + 1);
  });
}

TEST_F(PeerTest, AClampedMssIsProvedWithItsSide) {
  filter("iif c tcp flags syn tcp option maxseg size set 1300");
  with_peer([&](PathPeer& peer) {
    const MiddleboxTest test = test_middlebox(peer);
    EXPECT_EQ(test.syn_sent.options.mss, 1460U);
    EXPECT_EQ(test.syn_seen.options.mss, 1300U);
    EXPECT_EQ(test.syn_ack_sent.options.mss, 1460U);
    EXPECT_EQ(test.syn_ack_seen.options.mss, 1460U);
  });
}

TEST_F(PeerTest, ASilenceThatIsForgottenIsFound) {
  // A box with a short memory: connections that it has not heard of for two seconds are unknown to
  // it.
  path_->run(
      Place::router,
      "nft add table ip n && nft add set ip n live \"{ type ipv4_addr . inet_service ; flags "
      "dynamic,timeout ; timeout 2s ; }\" && "
      "nft add chain ip n w \"{ type filter hook forward priority 0 ; }\" && "
      "nft add rule ip n w ip protocol udp accept && "
      "nft add rule ip n w iif c tcp flags syn add @live \"{ ip saddr . tcp sport }\" accept && "
      "nft add rule ip n w iif c ip saddr . tcp sport @live update @live \"{ ip saddr . tcp sport "
      "}\" accept && "
      "nft add rule ip n w iif s accept && nft add rule ip n w drop");
  with_peer([&](PathPeer& peer) {
    IdleOptions options;
    options.longest = std::chrono::seconds(5);
    options.connections = 8;
    options.wait = std::chrono::seconds(2);
    const IdleTest test = search_idle(peer, options);
    EXPECT_EQ(test.unable, "");
    EXPECT_TRUE(test.control_sound);
    // What is lost was silent for longer than two seconds, what lives for less, to the box's clock.
    EXPECT_GT(test.shortest_lost_s, 1);
    EXPECT_LT(test.longest_survived_s, 2.3);
    EXPECT_GT(test.longest_survived_s, 0);
  });
}

TEST_F(PeerTest, ASilenceThatHarmsNobodyIsNotFound) {
  with_peer([&](PathPeer& peer) {
    IdleOptions options;
    options.longest = std::chrono::seconds(2);
    options.connections = 4;
    const IdleTest test = search_idle(peer, options);
    EXPECT_EQ(test.shortest_lost_s, 0);
    EXPECT_GE(test.longest_survived_s, 2);
    EXPECT_TRUE(test.control_sound);
  });
}

TEST_F(PeerTest, PortsThatRunOutAreCounted) {
  path_->run(Place::client, "echo 40000 40029 > /proc/sys/net/ipv4/ip_local_port_range");
  with_peer([&](PathPeer& peer) {
    ChurnOptions options;
    options.port = peer.tcp_port();
    options.connections_per_second = 400;
    options.how_long = std::chrono::seconds(3);
    const ChurnTest test = test_churn(NetPath::server4(), options);
    EXPECT_GT(test.connected, 5U);
    EXPECT_GT(test.no_local_port, 0U);
    EXPECT_EQ(test.local_ports, 30U);
    EXPECT_GT(test.first_failure_at, 0U);
  });
}

TEST_F(PeerTest, RequestsThatNobodyShouldMakeAreRefused) {
  path_->inside(Place::server, [&] {
    PathService service(NetPath::server4(), kClient);
    const auto refused = [&](const Json& request) {
      return service.answer(request)["type"] == "error";
    };
    EXPECT_TRUE(refused({{"type", "path"}}));
    EXPECT_TRUE(refused({{"type", "path"}, {"op", "tally"}}));
    EXPECT_FALSE(refused({{"type", "path"}, {"op", "open"}}));
    EXPECT_TRUE(refused({{"type", "path"}, {"op", "dance"}}));
    // No datagram has proved the client's address yet.
    EXPECT_TRUE(
        refused({{"type", "path"}, {"op", "send"}, {"run", 1}, {"count", 10}, {"sizes", {100}}}));
    EXPECT_TRUE(refused({{"type", "path"}, {"op", "tally"}, {"run", -1}, {"sent", 1}}));
    EXPECT_TRUE(refused({{"type", "path"}, {"op", "tally"}, {"run", 1}, {"sent", 1e18}}));
    EXPECT_TRUE(refused({{"type", "path"}, {"op", "load"}, {"port", 1}, {"ms", 999999}}));
    EXPECT_TRUE(refused({{"type", "path"}, {"op", "came"}, {"run", 1}, {"count", 100000}}));
  });
}

}  // namespace
}  // namespace slowpath::probe

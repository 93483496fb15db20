// SPDX-License-Identifier: Apache-2.0
// Both ends of iperf3's protocol in one process, each in threads of its own, so that a build with
// ThreadSanitizer sees what they share. What iperf3 itself says to it is in tests/iperf3.
#include <atomic>
#include <future>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probe/iperf3/client.h"
#include "probe/iperf3/server.h"

namespace slowpath::probe::iperf3 {
namespace {

using namespace std::chrono_literals;

/// A server until it is destroyed.
class RunningServer {
 public:
  explicit RunningServer(ServerLimits limits = {}) {
    options_.host = "127.0.0.1";
    options_.port = 0;
    options_.limits = limits;
    options_.interval = 20ms;
    options_.stop = &stop_;
    options_.on_listen = [this](std::uint16_t port) -> Result<void> {
      port_.set_value(port);
      return {};
    };
    options_.on_interval = [this](const Iperf3Facts&) { ++intervals_; };
    options_.on_end = [this](const Iperf3Facts& facts) {
      ++tests_;
      if (!facts.error.empty()) ++broken_;
    };
    options_.output = [](const Iperf3Facts&) { return std::string{"the server's words"}; };
    thread_ = std::thread([this] { EXPECT_TRUE(run_server(options_).has_value()); });
    known_port_ = port_.get_future().get();
  }
  ~RunningServer() { stop(); }
  /// Waits for the test that runs, if one does.
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] ClientOptions client() const {
    ClientOptions options;
    options.server = {.host = "127.0.0.1", .port = known_port_};
    options.interval = 20ms;
    options.parameters.duration_s = 0;
    options.parameters.bytes = 500'000;
    return options;
  }
  [[nodiscard]] int tests() const { return tests_; }
  [[nodiscard]] int broken() const { return broken_; }

 private:
  ServerOptions options_;
  std::atomic<bool> stop_{false};
  std::atomic<int> tests_{0}, broken_{0}, intervals_{0};
  std::promise<std::uint16_t> port_;
  std::uint16_t known_port_ = 0;
  std::thread thread_;
};

struct Way {
  const char* name;
  bool is_udp, reverse, bidirectional;
};

TEST(Iperf3Ends, EveryWayComesToItsEnd) {
  RunningServer server;
  int expected = 0;
  for (const Way& way : {Way{"forward", false, false, false}, Way{"reverse", false, true, false},
                         Way{"both", false, false, true}, Way{"datagrams", true, false, false}}) {
    ClientOptions options = server.client();
    options.parameters.is_udp = way.is_udp;
    options.parameters.reverse = way.reverse;
    options.parameters.bidirectional = way.bidirectional;
    options.parameters.streams = 2;
    options.parameters.rate_bps = way.is_udp ? 50e6 : 0;
    options.parameters.get_server_output = true;
    const auto facts = run_client(options);
    ASSERT_TRUE(facts.has_value()) << way.name << ": " << facts.error().message();
    EXPECT_EQ(facts->error, "") << way.name;
    EXPECT_EQ(facts->streams.size(), way.bidirectional ? 4U : 2U);
    EXPECT_EQ(facts->server_output, "the server's words") << way.name;
    ++expected;
  }
  server.stop();
  EXPECT_EQ(server.tests(), expected);
  EXPECT_EQ(server.broken(), 0);
}

TEST(Iperf3Ends, WhoComesMeanwhileIsToldAndTheFirstIsNotDisturbed) {
  RunningServer server;
  std::promise<void> begun;
  std::atomic<bool> enough{false};
  ClientOptions first = server.client();
  first.parameters.bytes = 0;
  first.parameters.duration_s = 600;
  first.stop = &enough;
  first.on_begin = [&](const Iperf3Facts&) { begun.set_value(); };
  auto running = std::async(std::launch::async, [&] { return run_client(first); });
  begun.get_future().wait();
  const auto second = run_client(server.client());
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().message(), testing::HasSubstr("busy"));
  enough = true;
  const auto facts = running.get();
  ASSERT_TRUE(facts.has_value());
  EXPECT_TRUE(facts->interrupted);
  EXPECT_THAT(facts->error, testing::HasSubstr("signal"));
}

TEST(Iperf3Ends, ATestThatIsTooFastHearsWhy) {
  RunningServer server({.most_average_bps = 1000, .averaged = 20ms});
  ClientOptions options = server.client();
  options.parameters.bytes = 0;
  options.parameters.duration_s = 600;
  const auto facts = run_client(options);
  ASSERT_TRUE(facts.has_value()) << facts.error().message();
  EXPECT_THAT(facts->error, testing::HasSubstr("above what it allows"));
  server.stop();
  EXPECT_EQ(server.broken(), 1);
}

}  // namespace
}  // namespace slowpath::probe::iperf3

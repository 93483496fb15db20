// SPDX-License-Identifier: Apache-2.0
// A server in a thread of its own, on a free port of loopback, for tests.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "probe/server.h"

namespace slowpath::probe {

class RunningServer {
 public:
  explicit RunningServer(ServerConfig config = {}) {
    config.host = "127.0.0.1";
    config.port = 0;
    config.version = "test";
    auto started = Server::start(std::move(config));
    EXPECT_TRUE(started.has_value());
    server_ = *std::move(started);
    thread_ = std::jthread{[this] { server_->run(stop_); }};
  }
  ~RunningServer() { stop(); }

  [[nodiscard]] Target target() const {
    return {.host = "127.0.0.1", .port = server_->address().port};
  }
  /// Ends it; its counters can be read then.
  ServerCounters stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return server_->counters();
  }

 private:
  std::unique_ptr<Server> server_;
  std::atomic<bool> stop_{false};
  std::jthread thread_;
};

}  // namespace slowpath::probe

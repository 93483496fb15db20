// SPDX-License-Identifier: Apache-2.0
// Two ends of a TCP connection over loopback, for tests.
#pragma once

#include <utility>

#include <gtest/gtest.h>

#include "probe/socket.h"

namespace slowpath::probe {

struct ConnectedPair {
  Descriptor client, server;
};

inline ConnectedPair connect_pair(const SocketOptions& options = {}) {
  constexpr Duration kSoon = std::chrono::seconds{60};
  auto listener = listen_tcp("127.0.0.1", 0, IpFamily::ipv4, options);
  EXPECT_TRUE(listener.has_value()) << listener.error().message();
  const auto port = local_endpoint(listener->get())->port;
  auto client = connect_tcp({.host = "127.0.0.1", .port = port}, options, kSoon);
  EXPECT_TRUE(client.has_value()) << client.error().message();
  auto server = accept_tcp(listener->get(), kSoon);
  EXPECT_TRUE(server.has_value() && server->has_value());
  return {*std::move(client), **std::move(server)};
}

}  // namespace slowpath::probe

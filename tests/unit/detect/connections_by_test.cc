// SPDX-License-Identifier: Apache-2.0
// Connections by what they share: the first of the case answers, as if all were looked through.
#include "detect/connections_by.h"

#include <gtest/gtest.h>

namespace slowpath::test {
namespace {

Endpoint server(std::uint8_t host, std::uint16_t port) {
  Endpoint endpoint;
  endpoint.address.version = 4;
  endpoint.address.bytes[3] = host;
  endpoint.port = port;
  return endpoint;
}

std::optional<Endpoint> completed(const ConnectionFacts& connection) {
  return connection.handshake.completed ? std::optional(connection.server) : std::nullopt;
}

Case hundred() {
  Case facts;
  for (std::uint32_t id = 0; id < 100; ++id) {
    ConnectionFacts& connection = facts.connections.emplace_back();
    connection.id = id;
    connection.server = server(static_cast<std::uint8_t>(id % 7), 80);
    connection.handshake.completed = id >= 20;
  }
  return facts;
}

TEST(ConnectionsBy, TheFirstOfTheCaseAnswers) {
  const Case facts = hundred();
  detect::ConnectionsBy<Endpoint> by(facts, completed);
  for (std::uint8_t host = 0; host < 7; ++host) {
    const ConnectionFacts* found = by.first(server(host, 80));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->id, 20U + (host + 7U - 20U % 7) % 7);
    const ConnectionFacts* late = by.first(
        server(host, 80), [](const ConnectionFacts& connection) { return connection.id >= 90; });
    ASSERT_NE(late, nullptr);
    EXPECT_EQ(late->id, 90U + (host + 7U - 90U % 7) % 7);
  }
}

TEST(ConnectionsBy, NoneIsFoundByAnotherKeyOrWithoutOne) {
  const Case facts = hundred();
  detect::ConnectionsBy<Endpoint> by(facts, completed);
  EXPECT_EQ(by.first(server(7, 80)), nullptr);
  EXPECT_EQ(by.first(server(3, 81)), nullptr);
  EXPECT_EQ(by.first(server(3, 80), [](const ConnectionFacts& c) { return c.id < 20; }), nullptr);
}

}  // namespace
}  // namespace slowpath::test

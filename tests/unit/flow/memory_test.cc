// SPDX-License-Identifier: Apache-2.0
// Floods: what is kept stays within the budget, what is not kept is counted, and what matters
// stays.
#include <gtest/gtest.h>

#include "flow/connection.h"
#include "flow/engine.h"
#include "support/exchange.h"

namespace slowpath::test {
namespace {

std::uint64_t bytes_of(const Case& facts) {
  std::uint64_t sum = 0;
  for (const ConnectionFacts& c : facts.connections) {
    sum += sizeof c;
    for (const DirectionFacts& d : c.directions) {
      sum +=
          d.timeline.bins.capacity() * sizeof(TimelineBin) + d.sizes.capacity() * sizeof(SizeClass);
    }
  }
  return sum;
}

TEST(Memory, AFloodOfSynsStaysWithinTheBudget) {
  constexpr std::uint64_t kBudget = 8 << 20;
  constexpr std::uint32_t kFlood = 100'000;
  Exchange x({.verify_checksums = false, .memory_bytes = kBudget});
  // One transfer amid the flood, which goes on to its end.
  x.handshake(10ms);
  wire::Packet flood = x.blank(Direction::to_server);
  flood.tcp_flags = wire::kSyn;
  std::uint64_t sent = 0;
  for (std::uint32_t i = 0; i < kFlood; ++i) {
    flood.source.bytes[1] = static_cast<std::uint8_t>(i >> 16);
    flood.source.bytes[2] = static_cast<std::uint8_t>(i >> 8);
    flood.source.bytes[3] = static_cast<std::uint8_t>(i);
    flood.source_port = 99;
    x.after(10us).add(flood);
    if (i % 50 != 0) continue;
    x.to_server({.len = 1460});
    x.after(1us).to_client({});
    sent += 1460;
  }
  const Case facts = x.finish();
  EXPECT_EQ(facts.connections_total, kFlood + 1);
  EXPECT_LE(bytes_of(facts), kBudget);
  EXPECT_GT(facts.connections.size(), 10u);
  EXPECT_EQ(facts.connections[0][Direction::to_server].bytes, sent);
  EXPECT_FALSE(facts.connections[0].forgotten);
}

TEST(Memory, AConnectionThatDidNothingIsSmall) {
  // A million of them fit in a gigabyte while they live.
  EXPECT_LE(sizeof(flow::Connection) + sizeof(flow::Record) + 16, 1250u);
}

TEST(Memory, WithRoomNothingIsForgotten) {
  Exchange x;
  for (std::uint16_t port = 1000; port < 3000; ++port) {
    x.client_port = port;
    x.after(1ms).syn();
  }
  const Case facts = x.finish();
  EXPECT_EQ(facts.connections.size(), 2000u);
  for (const ConnectionFacts& c : facts.connections) EXPECT_FALSE(c.forgotten);
}

}  // namespace
}  // namespace slowpath::test

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
          d.timeline.bins.memory_bytes() + d.sizes.capacity() * sizeof(SizeClass);
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

// A thousand transfers of different lengths, with a budget for some of them.
Case transfers_ended_by(std::size_t threads) {
  Exchange x({.verify_checksums = false, .memory_bytes = 16 << 20});
  for (std::uint16_t port = 1000; port < 2000; ++port) {
    x.client_port = port;
    x.after(1ms).syn();
    for (int i = 0; i < port % 17; ++i) {
      x.after(100us).to_server({.len = 1460});
      x.after(100us).to_client({});
    }
  }
  return x.finish(threads);
}

TEST(Memory, HowManyThreadsEndConnectionsDoesNotShow) {
  const Case alone = transfers_ended_by(1);
  EXPECT_EQ(alone.connections_total, 1000U);
  EXPECT_GT(alone.connections.size(), 300U);
  EXPECT_LT(alone.connections.size(), 1000U) << "the budget was to tell";
  for (const std::size_t threads : {2U, 5U}) {
    const Case several = transfers_ended_by(threads);
    ASSERT_EQ(several.connections.size(), alone.connections.size());
    for (std::size_t i = 0; i < alone.connections.size(); ++i) {
      EXPECT_EQ(several.connections[i].id, alone.connections[i].id);
      EXPECT_EQ(several.connections[i].client, alone.connections[i].client);
      EXPECT_EQ(several.connections[i][Direction::to_server].time.seconds,
                alone.connections[i][Direction::to_server].time.seconds);
      EXPECT_EQ(several.connections[i][Direction::to_server].bytes,
                alone.connections[i][Direction::to_server].bytes);
    }
  }
}

}  // namespace
}  // namespace slowpath::test

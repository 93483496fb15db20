// SPDX-License-Identifier: Apache-2.0
// Nothing is allocated for a packet. Counts every operator new of this test program.
#include <vector>

#include <gtest/gtest.h>

#include "flow/engine.h"
#include "support/allocation_counter.h"
#include "support/exchange.h"

namespace slowpath::test {
namespace {

TEST(Allocations, ASteadyStreamMakesNone) {
  // Packets made before the counting begins, and given to an engine of their own.
  Exchange maker;
  std::vector<wire::Packet> packets;
  constexpr std::size_t kRounds = 50'000;
  for (std::size_t i = 0; i < kRounds; ++i) {
    packets.push_back(maker.packet_of(Direction::to_server, {.len = 1460}));
    packets.push_back(maker.packet_of(Direction::to_client, {}));
  }
  flow::Engine engine({.verify_checksums = false});
  wire::Frame frame;
  frame.time = time_from_ns(1'700'000'000'000'000'000);
  const auto feed = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      frame.time += 100us;
      ++frame.number;
      engine.add(frame, packets[i]);
    }
  };
  feed(0, packets.size() / 2);
  const std::size_t before = allocations;
  feed(packets.size() / 2, packets.size());
  const std::size_t made = allocations - before;
  EXPECT_LT(made, packets.size() / 2 / 100)
      << "allocations for " << packets.size() / 2 << " packets";
  EXPECT_EQ(engine.finish().connections.size(), 1u);
}

}  // namespace
}  // namespace slowpath::test

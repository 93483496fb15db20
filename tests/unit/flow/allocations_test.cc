// SPDX-License-Identifier: Apache-2.0
// Nothing is allocated for a packet. Counts every operator new of this test program.
#include <vector>

#include <gtest/gtest.h>

#include "flow/engine.h"
#include "flow/screen/screener.h"
#include "support/allocation_counter.h"
#include "support/exchange.h"
#include "support/packet_builder.h"

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

TEST(Allocations, ScreeningAKnownConnectionMakesNone) {
  const auto data = packet()
                        .ethernet()
                        .ipv4("10.0.0.1", "10.0.0.2")
                        .tcp(psh | ack, ports(4000, 80), timestamps(1, 2))
                        .payload(100)
                        .build();
  const auto reply = packet()
                         .ethernet()
                         .ipv4("10.0.0.2", "10.0.0.1")
                         .tcp(ack, ports(80, 4000), sack({{100, 200}}))
                         .build();
  std::vector<wire::Frame> frames;
  for (std::size_t i = 0; i < 10'000; ++i) {
    frames.push_back(i % 2 == 0 ? data.frame() : reply.frame());
    frames.back().number = i + 1;
  }
  flow::Screener screener({});
  screener.add(std::span(frames).first(100));
  const std::size_t before = allocations;
  screener.add(frames);
  EXPECT_EQ(allocations - before, 0U);
}

}  // namespace
}  // namespace slowpath::test

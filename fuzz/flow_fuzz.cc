// SPDX-License-Identifier: Apache-2.0
// Bytes as packets of a few connections that no checksum and no length can refuse: ten bytes a
// packet say when it comes, whose it is, and where it lies against what was sent. This reaches what
// mutated captures seldom do. Checks what must hold of every answer.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/assert.h"
#include "support/exchange.h"

namespace {

using namespace slowpath;

constexpr Duration kFarthest = std::chrono::hours(24 * 365 * 100);

/// Mostly small numbers, sometimes ones at which 32 bits wrap.
std::int64_t distance(std::uint8_t code) {
  const auto small = static_cast<std::int64_t>(static_cast<std::int8_t>(code));
  if (code == 0x7f) return (std::int64_t{1} << 31) - 1;
  if (code == 0x80) return -(std::int64_t{1} << 30);
  return small * 100;
}

Duration step(std::uint8_t code) {
  if (code == 0xff) return std::chrono::hours(24 * 365 * 80);
  if (code == 0xfe) return -std::chrono::seconds(30);
  return std::chrono::microseconds(1) * (1 << (code % 24));
}

test::Sent packet_of(std::span<const std::uint8_t, 10> code) {
  test::Sent sent;
  sent.flags = code[1];
  if ((code[0] & 4) != 0) sent.from = distance(code[2]);
  if ((code[0] & 8) != 0) sent.ack = distance(code[3]);
  sent.len = (code[0] & 16) != 0 ? code[4] * 100u : code[4];
  sent.window = static_cast<std::uint16_t>(code[5] * 16);
  sent.ip_id = code[6];
  sent.link = code[0] >> 7;
  if ((code[0] & 32) != 0) sent.ts_value = code[7] + 1u, sent.ts_echo = code[8];
  if ((code[0] & 64) != 0) {
    sent.sack.emplace_back(distance(code[7]), distance(code[7]) + code[8] * 100);
    sent.sack.emplace_back(distance(code[8]), distance(code[9]));
  }
  sent.fill = static_cast<char>(code[9] & 3);
  return sent;
}

/// Every instant has one owner: the shares make up the time from the first packet to the last.
void check(const ConnectionFacts& connection, std::size_t packets) {
  const double duration_s = to_seconds(connection.last - connection.first);
  for (const DirectionFacts& direction : connection.directions) {
    for (const double seconds : direction.time.seconds) SLOWPATH_ASSERT(seconds >= 0);
    const double rounding_s = 1e-9 * static_cast<double>(packets) + 1e-12 * duration_s;
    SLOWPATH_ASSERT(std::abs(direction.time.total() - duration_s) <= rounding_s + 1e-9);
    SLOWPATH_ASSERT(std::isfinite(direction.goodput_bps) && direction.transfer_s >= 0);
    SLOWPATH_ASSERT(direction.resent_bytes <= direction.resent_packets * 25'600);
    SLOWPATH_ASSERT(direction.bytes >= direction.bytes_seen);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  flow::EngineOptions options;
  options.chapter_packets = 2u << (data[0] % 8);
  options.memory_bytes = (data[0] & 8) != 0 ? 1 << 14 : 1 << 30;
  test::Exchange exchange(options);
  std::size_t packets = 0;
  for (std::span rest(data + 1, size - 1); rest.size() >= 10; rest = rest.subspan(10)) {
    const auto code = rest.first<10>();
    exchange.after(step(code[9]));
    if (exchange.now() > kFarthest) exchange.at(Duration{0});
    exchange.has_time = code[9] != 0xfd;
    exchange.client_port = static_cast<std::uint16_t>(40000 + code[8] % 3);
    exchange.send((code[0] & 1) != 0 ? Direction::to_server : Direction::to_client,
                  packet_of(code));
    ++packets;
  }
  const Case facts = exchange.finish();
  SLOWPATH_ASSERT(facts.connections_total >= facts.connections.size());
  for (const ConnectionFacts& connection : facts.connections) check(connection, packets);
  return 0;
}

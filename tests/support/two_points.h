// SPDX-License-Identifier: Apache-2.0
// One connection recorded at two points, and what a comparison finds between them:
//
//   TwoPoints x;
//   x.handshake();
//   x.to_client({.from = 0, .len = 1000});                 // passes both, the server's point first
//   x.to_client({.from = 1000, .len = 1000, .lost = true});
//   const ComparisonFacts facts = x.finish();
//
// The client's point is number 0. Positions are those of the stream: 0 is the first byte after the
// SYN. Packets are built as they stand on the wire (packet_builder).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "facts/comparison.h"
#include "flow/comparison/comparison.h"
#include "support/packet_builder.h"

namespace slowpath::test {

/// A segment and what the path does to it.
struct Passed {
  std::uint32_t from = 0, len = 0;
  std::uint32_t ack = 0;               // position in the other stream
  bool lost = false;                   // never at the second point
  bool unseen = false;                 // never at the first
  std::optional<Duration> delay = {};  // else the path's
  std::uint32_t cut = 0;               // arrives in segments of so many bytes
  std::optional<std::uint32_t> flip_at =
      {};                   // a byte of the payload that the path changes, with a right checksum
  bool damaged = false;     // ... with a wrong one
  bool unfinished = false;  // its checksum is left to the NIC at the first point
  std::uint8_t ttl = 64;
  std::uint16_t ip_id = 0;  // 0: counted
};

/// What the boxes between the points rewrite.
struct Boxes {
  std::string client = "10.0.0.1", server = "10.0.0.2";  // as they are called at the server's point
  std::uint16_t client_port = 40000, server_port = 80;
  std::uint32_t client_shift = 0,
                server_shift = 0;  // added to sequence numbers towards the server's point
  bool strips_window_scale = false;
  std::uint8_t routers = 1;
};

class TwoPoints {
 public:
  explicit TwoPoints(Boxes boxes = {}, std::size_t memory_bytes = std::size_t{1} << 28);

  /// How the clock of the server's point goes, by the true time.
  std::function<Duration(Duration)> server_clock = [](Duration) { return Duration{0}; };
  Duration path = std::chrono::milliseconds(10);
  bool stamps = false;  // TCP timestamps, of true milliseconds

  TwoPoints& at(Duration time) {
    now_ = time;
    return *this;
  }
  TwoPoints& after(Duration time) { return at(now_ + time); }
  [[nodiscard]] Duration now() const { return now_; }

  void handshake();
  void to_server(const Passed& passed) { pass(true, passed); }
  void to_client(const Passed& passed) { pass(false, passed); }
  void icmp_to_server(std::uint32_t quoted_from, std::uint32_t quoted_len, std::uint16_t mtu,
                      bool seen_at_client);

  ComparisonFacts finish();

  /// A frame at one point, by true time.
  void record(std::size_t point, Duration time, const BuiltFrame& built);

 private:
  void pass(bool to_server, const Passed& passed);
  BuiltFrame segment(std::size_t point, bool to_server, const Passed& passed, std::uint32_t from,
                     std::uint32_t len, bool arrived) const;
  BuiltFrame syn(std::size_t point, bool from_client) const;

  Boxes boxes_;
  Duration now_{std::chrono::seconds{1}};
  std::array<std::vector<std::pair<Duration, BuiltFrame>>, 2> frames_;
  std::array<Buffer, 2> bytes_;
  std::uint16_t next_id_ = 1;
  flow::Comparison comparison_;
};

}  // namespace slowpath::test

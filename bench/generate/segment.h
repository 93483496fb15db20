// SPDX-License-Identifier: Apache-2.0
// One TCP segment as an Ethernet frame, with correct IP and TCP checksums. Knows no connection
// state; shares no code with what the captures are to measure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "generate/payload.h"

namespace slowpath::bench {

enum TcpFlag : std::uint8_t { kFin = 1, kSyn = 2, kPsh = 8, kAck = 16 };

/// The two ends of a connection, as they stand in the headers of one direction.
struct Ends {
  std::uint64_t client = 0;  // Number of the client host.
  std::uint32_t server = 0;  // Number of the server, from 1.
  std::uint16_t client_port = 0;
  bool ipv6 = false;
};

struct SackBlock {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

struct Segment {
  bool from_client = false;
  std::uint8_t flags = 0;
  std::uint16_t window = 0;
  std::uint16_t ip_id = 0;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  bool has_timestamps = false;
  std::uint32_t tsval = 0;
  std::uint32_t tsecr = 0;
  std::uint16_t mss = 0;  // On a SYN only, with the window scale; 0: not a SYN.
  std::uint8_t window_scale = 0;
  bool sack_permitted = false;
  std::uint8_t sack_count = 0;
  std::array<SackBlock, 3> sack{};
  Payload payload;
};

constexpr std::uint16_t kServerPort = 443;
constexpr std::size_t kMaxHeadBytes = 14 + 40 + 60;

/// Writes the headers of `segment` to `out` and returns their length. The payload follows them.
std::size_t write_headers(const Ends& ends, const Segment& segment,
                          std::array<std::byte, kMaxHeadBytes>& out);

}  // namespace slowpath::bench

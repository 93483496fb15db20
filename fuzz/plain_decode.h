// SPDX-License-Identifier: Apache-2.0
// The plain twin of wire::decode() for the usual case: Ethernet with at most two VLAN tags, one
// IPv4 or IPv6 header, a whole TCP header, lengths that agree. Written from the RFCs, a byte at a
// time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace slowpath::fuzz {

struct PlainSegment {
  int ip_version = 0;
  std::array<std::uint8_t, 16> source{}, destination{};
  std::uint8_t ttl = 0, ecn = 0;
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint32_t sequence = 0, acknowledgment = 0;
  std::uint8_t flags = 0;
  std::uint16_t window = 0, checksum = 0;
  std::size_t header_len = 0, payload_offset = 0, payload_len = 0;
  // Options (RFC 9293 section 3.1): what was found before the first length that does not fit.
  bool malformed = false;
  std::optional<std::uint16_t> mss;
  std::optional<std::uint8_t> window_scale;
  bool sack_permitted = false;
  std::optional<std::pair<std::uint32_t, std::uint32_t>> timestamps;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> sack;  // Of the last SACK option.
};

/// Nothing where the frame is not of the usual case.
std::optional<PlainSegment> plain_decode(const std::uint8_t* frame, std::size_t size);

}  // namespace slowpath::fuzz

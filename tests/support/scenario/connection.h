// SPDX-License-Identifier: Apache-2.0
// One connection of a scenario, as far as its headers must agree with each other: addresses, what
// the handshake settled, and where each end's sequence space, IP ID and timestamps stand. Positions
// in the stream are relative: 0 is the first byte after the SYN.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "facts/address.h"
#include "support/packet_builder.h"
#include "support/scenario/words.h"

namespace slowpath::test::scenario {

enum class Side : std::uint8_t { client, server };
constexpr Side other(Side side) { return side == Side::client ? Side::server : Side::client; }

/// One end: what it offers, and how far it has come.
struct End {
  Endpoint at;
  std::uint32_t initial_sequence = 0;
  std::uint16_t mss = 1460;  // that it announces
  std::optional<std::uint8_t> window_scale = 7;
  std::uint64_t window_bytes = 65536;  // last advertised
  std::uint8_t ttl = 64;               // as sent
  std::uint16_t ip_id = 1;             // of its next packet
  std::int64_t next = 0;               // first byte it has not sent
  std::uint32_t timestamp_base = 0;
  std::uint32_t timestamp_seen = 0;  // the other end's, to echo
  Duration ahead{0};                 // it knew so much before the clock's time
  bool partial_checksums = false;    // leaves them to its NIC; shows in captures taken there
};

struct Connection {
  std::array<End, 2> ends;
  bool sack = true;
  bool timestamps = true;
  bool vxlan = false;  // recorded where its packets travel inside a tunnel
  Duration rtt = std::chrono::milliseconds(20);

  End& operator[](Side side) { return ends[static_cast<std::size_t>(side)]; }
  const End& operator[](Side side) const { return ends[static_cast<std::size_t>(side)]; }
  [[nodiscard]] bool scaled() const { return ends[0].window_scale && ends[1].window_scale; }
  [[nodiscard]] std::uint8_t shift(Side side) const;
  /// Payload of a full segment sent by `side`.
  [[nodiscard]] std::uint32_t segment_size(Side side) const;
  /// A window as the field can say it: rounded down by the scale, at most 65535 units.
  [[nodiscard]] std::uint64_t sayable_window(Side side, std::uint64_t bytes) const;
  /// The clock of TCP timestamps: a millisecond each.
  [[nodiscard]] std::uint32_t timestamp(Side side, Duration now) const;
};

struct Timestamps {
  std::uint32_t value = 0, echo = 0;
};

/// One TCP packet to be recorded.
struct Segment {
  Side from = Side::client;
  Flags flags = ack;
  ByteRange data{0, 0};  // its first is the sequence number also of empty packets
  std::optional<std::int64_t> acknowledged;
  std::uint64_t window_bytes = 65536;
  std::optional<std::uint16_t> raw_window;
  std::vector<ByteRange> sack;
  std::optional<Timestamps> stamps;
  bool md5 = false;        // RFC 2385, with a digest of zeros
  bool fast_open = false;  // RFC 7413, with a cookie of 8 bytes
  bool announces = false;  // SYN: carries the options that its end offers
  ChecksumKind checksum = ChecksumKind::right;
  std::optional<std::int64_t> summed_payload;  // the checksum is made for so many bytes of payload
  std::uint8_t ttl = 64;
  std::uint16_t ip_id = 0;
  std::uint8_t ecn = 0;
  bool dont_fragment = true;
  std::uint64_t content = 0;  // another number makes other payload of the same range
  std::uint64_t link = 0;     // another number makes other MAC addresses: another tap
};

/// The frame on Ethernet, whole. Payload depends only on `content` and the position of each byte.
BuiltFrame build_frame(const Connection& connection, const Segment& segment);
/// IP header, TCP header and the first bytes, as an ICMP error quotes them; `ip_len` is claimed.
Buffer quote(const Connection& connection, const Segment& segment, std::uint16_t ip_len);

}  // namespace slowpath::test::scenario

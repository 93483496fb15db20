// SPDX-License-Identifier: Apache-2.0
// One packet of a connection, as the flow engine remembers it until its chapter is read: a plain
// record without the packet's bytes. A connection keeps at most a few thousand of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/sequence.h"
#include "base/time.h"
#include "facts/direction.h"
#include "facts/frame_ref.h"
#include "wire/packet.h"

namespace slowpath::flow {

/// "No SACK blocks" in Record::sack_index, "no ICMP" in Record::icmp_index.
inline constexpr std::uint32_t kNone = 0xffff'ffffu;

/// The place of a direction's part where there is one for each.
constexpr std::size_t index(Direction direction) { return static_cast<std::size_t>(direction); }

struct Record {
  Time time{};
  FrameRef frame;
  std::uint64_t payload_at = 0;  // where the captured payload begins in the input
  SeqNum sequence, acknowledgment;
  std::uint32_t payload_len = 0;   // on the wire
  std::uint32_t captured_len = 0;  // of it
  std::uint32_t ip_len = 0;        // IP total length
  std::uint32_t ts_value = 0, ts_echo = 0;
  std::uint32_t link_tag = 0;        // folded link-layer addresses: differs between taps
  std::uint32_t sack_sum = 0;        // of all SACK blocks: tells duplicate ACKs from copies of one
  std::uint32_t sack_index = kNone;  // into the connection's SACK lists
  std::uint32_t icmp_index = kNone;  // this record is an ICMP error about the connection
  std::uint16_t window = 0;
  std::uint16_t ip_id = 0;
  std::uint16_t checksum_error = 0;
  std::uint8_t tunnel_overhead =
      0;                   // bytes around the innermost packet, at most 255; 0 outside a tunnel
  std::uint8_t flags = 0;  // wire::TcpFlag
  std::uint8_t ttl = 0;
  Direction direction : 1 = Direction::to_server;
  wire::ChecksumState checksum : 3 = wire::ChecksumState::not_checked;
  std::uint8_t ecn : 2 = 0;  // as in wire::Packet
  std::uint8_t tunnel_depth : 4 = 0;
  bool has_timestamps : 1 = false;
  bool options_cut : 1 = false;  // some were not captured
  bool dont_fragment : 1 = false;
  bool ip_header_bad : 1 = false;
  bool tap_copy : 1 = false;      // the same packet seen at another tap: left out of the analysis
  bool network_copy : 1 = false;  // the same packet delivered twice
  bool was_fragmented : 1 = false;
  bool authenticated : 1 = false;     // MD5 signature or Authentication Option
  bool len_beyond_frame : 1 = false;  // stored shorter than it was, and unmarked as such

  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
};

// A connection's unread packets are most of its memory, and writing them is much of its time.
static_assert(sizeof(Record) <= 80);

}  // namespace slowpath::flow

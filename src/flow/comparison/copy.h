// SPDX-License-Identifier: Apache-2.0
// One packet at one capture point, as far as a comparison needs it: what range of the stream it
// carries, when, in which frame, and a hash of its bytes instead of the bytes.
#pragma once

#include <cstdint>

#include "base/sequence.h"
#include "base/time.h"
#include "facts/frame_ref.h"
#include "wire/packet.h"

namespace slowpath::flow::comparison {

struct Copy {
  std::int64_t begin = 0;  // sequence number, without wrapping; counted by each point for itself
  Time time{};
  FrameRef frame;
  std::uint64_t payload_at = 0;             // in its input
  std::uint64_t hash = 0;                   // of the captured payload
  std::uint32_t len = 0, captured_len = 0;  // payload on the wire, and of it in the capture
  std::uint32_t ip_len = 0;
  SeqNum ack, sack_begin;
  std::uint32_t ts_value = 0;
  std::uint16_t ip_id = 0, window = 0;
  wire::ChecksumState checksum = wire::ChecksumState::not_checked;
  std::uint8_t flags = 0, ttl = 0, ecn = 0;
  bool dont_fragment : 1 = false;
  bool has_timestamps : 1 = false;
  bool has_sack : 1 = false;

  [[nodiscard]] std::int64_t end() const { return begin + len; }
  [[nodiscard]] bool is_syn() const { return (flags & wire::kSyn) != 0; }
};

}  // namespace slowpath::flow::comparison

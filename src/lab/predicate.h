// SPDX-License-Identifier: Apache-2.0
// Which frames a stage acts on. Read from the stage's own table, the same keys for every kind.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "lab/packet_view.h"
#include "lab/random.h"
#include "lab/settings.h"

namespace slowpath::lab {

/// All given conditions must hold. Keys:
///   probability = "1%"         of the frames that satisfy the rest (default: all of them)
///   only = "any|tcp|data|pure-ack|syn|synack|fin|rst|gso|not-gso|udp|icmp|fragment|data-not-gso"
///   (default any) port = 5001                either port (the flow); tcp or udp min_size, max_size
///   = bytes of the IP packet (header included), inclusive min_payload = bytes of transport payload
///   nth = 3                    only the n-th frame that satisfies the rest (1-based); `count = 5`:
///   that one and the 4 after every = 10                 each tenth of them from, until = times
///   since the first frame this predicate saw after_bytes = payload bytes of the direction that
///   have passed before it begins to hold
class Predicate {
 public:
  /// Reads its keys out of `settings`; errors surface in settings.check().
  static Predicate read(Settings& settings);

  /// Asks for one frame; keeps counts, so each frame is to be asked once.
  bool holds(const Frame& frame, const PacketView& packet, Time now, Random& random);

 private:
  enum class Only : std::uint8_t;
  [[nodiscard]] bool fits(const Frame& frame, const PacketView& packet) const;

  Only only_{};
  double probability_ = 1;
  std::uint16_t port_ = 0;
  std::uint32_t min_size_ = 0, max_size_ = UINT32_MAX, min_payload_ = 0;
  std::uint64_t nth_ = 0, count_ = 1, every_ = 0, after_bytes_ = 0;
  Duration from_{0};
  std::optional<Duration> until_;
  std::optional<Time> first_;
  std::uint64_t seen_ = 0, payload_seen_ = 0;
};

}  // namespace slowpath::lab

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

/// TCP that does nothing but acknowledge: ACK, no payload, and neither SYN, FIN nor RST.
bool is_pure_ack(const PacketView& packet);

/// All given conditions must hold. Keys:
///   only = "any|tcp|data|pure-ack|syn|synack|fin|rst|gso|not-gso|udp|icmp|fragment|data-not-gso"
///   port = 5001                either port, of TCP or UDP
///   min_size, max_size         bytes of the IP packet, header included, inclusive
///   min_payload                bytes of transport payload
///   from, until                times since the first frame that this predicate saw
///   after_bytes                payload bytes that have passed before it begins to hold
/// Of the frames that satisfy those, counted from 1:
///   nth = 3                    only the third; with `count = 5` that one and the 4 after
///   count = 5                  alone: the first 5
///   every = 10                 the 10th, 20th ...; with nth: that one and each tenth after it;
///   with
///                              count: so many of them
/// Of the frames that are left:
///   probability = "1%"         (default: all of them)
/// A frame that is not IP satisfies `only = "any"` and `not-gso`, and no size, payload or port.
class Predicate {
 public:
  /// Reads its keys out of `settings`; errors surface in settings.check().
  static Predicate read(Settings& settings);

  /// Asks for one frame; keeps counts, so each frame is to be asked once.
  bool holds(const Frame& frame, const PacketView& packet, Time now, Random& random);
  /// Instead, for a frame that is none of the stage's business: it counts for `from`, `until` and
  /// `after_bytes` alone.
  void pass_over(const PacketView& packet, Time now);

 private:
  enum class Only : std::uint8_t;
  [[nodiscard]] bool is_kind(const Frame& frame, const PacketView& packet) const;
  [[nodiscard]] bool fits(const Frame& frame, const PacketView& packet) const;

  Only only_{};
  double probability_ = 1;
  std::uint16_t port_ = 0;
  std::uint32_t min_size_ = 0, max_size_ = UINT32_MAX, min_payload_ = 0;
  std::uint64_t nth_ = 1, every_ = 1, count_ = UINT64_MAX;  // first, step, how many
  std::uint64_t after_bytes_ = 0;
  Duration from_{0};
  std::optional<Duration> until_;
  std::optional<Time> first_;
  std::uint64_t seen_ = 0, payload_seen_ = 0;
};

}  // namespace slowpath::lab

// SPDX-License-Identifier: Apache-2.0
// Examines the first chapter of a connection before it is believed: copies from several taps, where
// the capture was taken, how long each leg of the round trip is, what a full segment is, how
// windows scale.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "facts/connection.h"
#include "flow/record.h"

namespace slowpath::flow {

/// Where the tap is on the path of one connection.
enum class TapPlace : std::uint8_t { unknown, near_client, near_server, at_both, midpath };

/// What the first chapter says about the connection as a whole; later chapters keep it.
struct Witness {
  TapPlace place = TapPlace::unknown;
  std::array<std::optional<Duration>, 2>
      leg{};  // shortest: tap to client and back, tap to server and back
  std::array<std::uint32_t, 2>
      segment_size{};  // payload of a full segment, by Direction; 0 unknown
  std::array<std::uint32_t, 2>
      path_segment_size{};  // likewise, where a router said that less passes
  // What is shorter is a message, no full segment. Where no handshake told the size, messages may
  // be all that was seen: 512 at least, which every path takes.
  std::array<std::uint32_t, 2> message_below{};
  std::array<std::uint8_t, 2>
      window_shift{};  // of windows that the sender of that Direction advertises
  std::array<ScaleKnowledge, 2> scale{};
  // Of a coarse clock (coarse_tick()), by which only legs of several ticks can be told; 0: it is
  // fine.
  Duration clock_tick{0};
  // Between the clocks of the two directions (skew_of_ways()); 0: none shows.
  Duration clock_skew{0};
  bool several_taps =
      false;  // copies with other TTL, MAC, VLAN or interface, or most packets twice

  /// Vantage as seen from the data that travels in `direction`.
  [[nodiscard]] Vantage vantage(Direction direction) const;
  /// Tap to the sender of `direction` and back: how much later its sender sees an ACK than the tap
  /// does. 0 unknown.
  [[nodiscard]] Duration sender_leg(Direction direction) const;
};

/// Marks copies of packets among `records` (tap_copy, network_copy). `several_taps` carries over
/// between chapters.
void mark_copies(std::span<Record> records, bool& several_taps);

/// A TTL (hop limit) that hosts begin with: no router has forwarded such a packet.
bool is_initial_ttl(std::uint8_t ttl);

/// Judges a chapter whose copies are marked. `icmp`: what its records' icmp_index is about.
Witness examine(std::span<const Record> records, const HandshakeFacts& handshake,
                std::span<const IcmpFacts> icmp);

}  // namespace slowpath::flow

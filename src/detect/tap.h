// SPDX-License-Identifier: Apache-2.0
// What a capture point and its clock show of one direction's sender.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "facts/clock_error.h"
#include "facts/connection.h"
#include "facts/direction.h"

namespace slowpath::detect {

/// It shows each packet as it leaves.
inline bool is_at_sender(const DirectionFacts& data) {
  return data.vantage == Vantage::sender || data.vantage == Vantage::both;
}

/// Most of what was lost never passed the capture point: when it was sent and what it met before is
/// only guessed.
inline bool is_behind_losses(const DirectionFacts& data) {
  return data.lost_before_capture * 2 > data.lost_packets;
}

/// It shows the lost originals: then the loss lies beyond the capture point, and what is missing at
/// the end of a burst is seen, not supposed.
inline bool shows_originals(const DirectionFacts& data) {
  return is_at_sender(data) || data.lost_before_capture * 2 < data.lost_packets;
}

/// The capture that tells what a coarse clock, or two clocks, do not.
inline constexpr std::string_view kFinerClock =
    "both directions by one clock that tells microseconds apart: tcpdump on one of the hosts";

/// How long its sender had nothing to send at a time.
inline double mean_pause_s(const DirectionFacts& data) {
  return data.idle.seconds / static_cast<double>(std::max<std::uint64_t>(1, data.idle.count));
}

/// The clock ticks so seldom that such pauses and round trips look alike, away from the sender.
inline bool pauses_are_blurred(const ConnectionFacts& connection, const DirectionFacts& data) {
  return !is_at_sender(data) && mean_pause_s(data) < kTicksThatTell * connection.clock_tick_s;
}

}  // namespace slowpath::detect

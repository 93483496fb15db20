// SPDX-License-Identifier: Apache-2.0
// What a capture point shows of one direction's sender.
#pragma once

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

}  // namespace slowpath::detect

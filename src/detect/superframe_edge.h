// SPDX-License-Identifier: Apache-2.0
// An edge in the delivery of super-frames by size: from so many segments on they are lost whole,
// smaller ones arrive. A NIC that does not cut the largest makes one, a full queue or a policer
// does not. Shared by lso-not-segmented and by those who judge losses in general.
#pragma once

#include <cstdint>

#include "detect/support.h"
#include "facts/direction.h"

namespace slowpath::detect {

/// The smallest number of segments from which on super-frames are lost, and how many there were on
/// each side. All zero without super-frames whose fate is known.
struct SuperframeEdge {
  std::uint32_t segments = 0;
  std::uint64_t lost = 0, delivered = 0;  // at and above it
  std::uint64_t lost_below = 0, delivered_below = 0;
};

SuperframeEdge find_edge(const SuperframeFacts& super);

/// Whether size alone decides: smaller ones pass, nearly all that is lost is above the edge, and
/// that in several flights.
bool only_large_are_lost(const DirectionFacts& data, const SuperframeEdge& edge);

/// The same in one flight only, and cleanly: every frame from the edge on was lost whole, and
/// nothing else was. A queue that overflows once may do so, too.
bool only_large_were_lost_once(const DirectionFacts& data, const SuperframeEdge& edge);

/// Whether the large frames seen here were merged after they left their sender: seen away from it,
/// or with finished checksums where the peer's are not. Who leaves cutting to a NIC leaves it the
/// checksum as well, so a neighbour that receives shows by that.
bool merged_after_sending(const Transfer& transfer);

}  // namespace slowpath::detect

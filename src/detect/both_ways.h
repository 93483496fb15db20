// SPDX-License-Identifier: Apache-2.0
// Whether a direction loses while the other one carries data, and only then: a link whose ends do
// not agree about duplex does so, whatever limits a rate or fills a queue does not.
#pragma once

#include "detect/support.h"

namespace slowpath::detect {

/// What one way sent and lost while the other way carried data, and while it did not. In segments;
/// stretches of time are those of the timeline.
struct BothWays {
  /// Sent in each of the two kinds of time, so that shares can be compared.
  static constexpr double kSegments = 200;

  double both = 0, both_lost = 0, alone = 0, alone_lost = 0;
  double both_stretches = 0, alone_stretches = 0;  // in which it sent anything

  [[nodiscard]] double both_share() const { return both > 0 ? both_lost / both : 0; }
  [[nodiscard]] double alone_share() const { return alone > 0 ? alone_lost / alone : 0; }
  [[nodiscard]] bool tell() const { return both >= kSegments && alone >= kSegments; }
  /// It sent about as fast alone: the rate is not what made the difference.
  [[nodiscard]] bool as_fast_alone() const;
};

BothWays both_ways_of(const Transfer& transfer);

/// Losses keep to the times of both ways, far beyond chance.
bool losses_keep_to_both_ways(const BothWays& ways);

}  // namespace slowpath::detect

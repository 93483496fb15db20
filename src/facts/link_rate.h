// SPDX-License-Identifier: Apache-2.0
// When the gaps between segments tell a link's rate exactly, and who has all of it.
#pragma once

#include <cstdint>

#include "facts/direction.h"

namespace slowpath {

/// Hosts take segments and ACKs that wait for them one after the other, 10 to 40 us each, as regularly as a path.
/// Shorter gaps tell nothing of it.
inline constexpr double kHostGap_s = 50e-6;

/// Who has so much of a link's rate, as a share, has nearly all of it.
inline constexpr double kLinkFilled = 0.95;

/// Segments of so many bytes come as close at this rate as hosts make them: what waited is taken in one go.
inline bool is_host_pace(std::uint32_t segment_bytes, double bps) {
  return segment_bytes * 8 < kHostGap_s * bps;
}

/// The rate, of payload, on which half of all gaps between segments agree, far enough apart that no host made them.
/// 0: there is none.
inline double exact_link_bps(const DirectionFacts& data) {
  constexpr double kAgreeing = 0.5;
  const TrainFacts& trains = data.trains;
  const bool exact = trains.pair_share >= kAgreeing && !is_host_pace(data.segment_size, trains.pair_bps);
  return exact ? trains.pair_bps : 0;
}

}  // namespace slowpath

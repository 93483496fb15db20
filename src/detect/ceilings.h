// SPDX-License-Identifier: Apache-2.0
// What would still limit a transfer once its fault is gone: the path's own rate as packets show it,
// the window, the sender's buffer, and losses that are not the fault's. Pure; prediction.h makes an
// expectation of them.
#pragma once

#include <limits>
#include <string>

#include "detect/prediction.h"
#include "facts/direction.h"

namespace slowpath::detect {

/// Congestion control leaves up to a tenth of a path unused between its losses.
inline constexpr double kUsable = 0.9;

/// A rate of payload that would remain a limit, and why. Infinite: none is known.
struct Ceiling {
  double bps = std::numeric_limits<double>::infinity();
  std::string why;

  [[nodiscard]] bool is_known() const { return bps < std::numeric_limits<double>::infinity(); }
};

/// The round trip without a queue: its minimum, else the handshake's. 0: not known.
double base_rtt_s(const DirectionFacts& data);

/// The most that was acknowledged in stretches of several round trips, but for one in twenty: what
/// a host takes late, and at once, makes a stretch look faster than the path. 0: nothing was.
double peak_bps(const DirectionFacts& data);

/// The gaps between segments, or their bursts, agree on one rate, the upper quartile of the trains.
bool spacing_agrees(const DirectionFacts& data);
/// The path's rate, where the gaps between segments or their bursts agree on one, far enough apart
/// that no host made them. 0: they do not.
double spacing_bps(const DirectionFacts& data);

/// What the path was seen to carry, less what congestion control leaves unused: bursts, as far as
/// some stretch kept up with them, and more where their spacing agrees.
double carried_bps(const DirectionFacts& data);
/// What that rate was seen in, and what it leaves open: "as bursts arrived; ...".
std::string what_carried(const DirectionFacts& data);

/// The path's own rate: where its bursts or the gaps between segments agree on it, or the transfer
/// filled it.
Ceiling path_ceiling(const DirectionFacts& data, const Repairs& repairs);

/// The least of what limits beside the path: the window, the sender, losses; those that are not
/// repaired.
Ceiling other_ceiling(const DirectionFacts& data, const Repairs& repairs);

}  // namespace slowpath::detect

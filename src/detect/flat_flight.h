// SPDX-License-Identifier: Apache-2.0
// A flight that stands still although nothing outside the hosts holds it: a receive window, a send
// buffer, a program or pacing does. Which of them, whoever asks decides.
#pragma once

#include <cstdint>
#include <string>

#include "detect/support.h"

namespace slowpath::detect {

/// The catalogue's minimum for a flat flight: round trips after slow start.
inline constexpr std::uint64_t kFlatRounds = 10;
/// Interquartile range over median of the flight's maxima.
inline constexpr double kFlatSpread = 0.25;

/// Why it is not so; empty when the flight stands still, a congestion window would have grown, and
/// neither losses nor a queue of the path explain it.
std::string why_no_host_holds(const Transfer& transfer);

/// Seconds that such a flight's sender waited, for whatever it was.
double held_s(const DirectionFacts& data);

}  // namespace slowpath::detect

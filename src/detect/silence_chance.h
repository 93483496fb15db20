// SPDX-License-Identifier: Apache-2.0
// Whether a long silence, several transmissions of one range without an answer, is more than the
// path's ordinary loss: a path that loses one packet in ten loses four in a row now and then.
#pragma once

#include <cstdint>

#include "facts/direction.h"

namespace slowpath::detect {

/// As the catalogue asks of an outage: a second, and three transmissions of the same range.
inline constexpr double kLongSilence_s = 1.0;
inline constexpr std::uint32_t kLongSilenceTransmissions = 3;

/// A silence with both. Not one that a window of zero explains.
bool is_long_silence(const Stall& stall);

/// Packets lost in flights that no long silence interrupted: what the path loses when it works.
std::uint64_t losses_elsewhere(const DirectionFacts& data);

/// Silences of as many transmissions that the transfer's own loss makes, as an expected count: each
/// needs a loss whose resends are all lost as well. What the long silences themselves lost does not
/// count as that loss. 0 where nothing else was lost.
double silences_by_chance(const DirectionFacts& data, const Stall& like);

/// A silence that chance would make so often proves nothing by itself.
inline constexpr double kHardlyByChance = 0.01;

}  // namespace slowpath::detect

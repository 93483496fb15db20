// SPDX-License-Identifier: Apache-2.0
// Whether losses lie as chance would lay them: at any load, at no rhythm, among packets sent alone
// as among packets sent close behind others, and among resends too. What speaks against chance
// speaks for a queue, a limit of rate, or a device that cannot take two packets at a time; which of
// them, the detectors say.
#pragma once

#include <string>

#include "detect/loss_pattern.h"

namespace slowpath::detect {

/// Losses that come when the path is full: the round trips before them are among the longest, more
/// than chance allows. A sentence; empty if not.
std::string losses_come_when_full(const DirectionFacts& data);

/// Why chance did not choose these losses. Empty when nothing speaks against it.
std::string why_not_chance(const DirectionFacts& data, const LossPattern& pattern);

/// Lost packets lie side by side in the stream far more often than chance would have it.
bool losses_come_in_runs(const DirectionFacts& data, const LossPattern& pattern);

}  // namespace slowpath::detect

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

/// What is lost side by side in the stream. Zeros with too few of them to tell.
struct LossRuns {
  std::size_t count = 0;
  double mean_segments = 0;
  /// 0..1: of so many runs, each ended by the next segment with the same chance, none is a single
  /// segment; 1 where one is.
  double chance_of_none_alone = 1;

  [[nodiscard]] double segments() const { return static_cast<double>(count) * mean_segments; }
};

LossRuns loss_runs(const DirectionFacts& data);

/// So many losses, always of two or three segments and never of one, that frames of several
/// segments seem to die where single ones pass.
bool large_frames_may_die(const DirectionFacts& data, const LossRuns& runs);

/// Lost packets lie side by side in the stream far more often than chance would have it.
bool losses_come_in_runs(const DirectionFacts& data, const LossPattern& pattern);

}  // namespace slowpath::detect

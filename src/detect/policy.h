// SPDX-License-Identifier: Apache-2.0
// Thresholds that all detectors and the synthesis share: when lost time matters. Thresholds of one
// fault live in its own file.
#pragma once

#include <algorithm>

#include "detect/support.h"

namespace slowpath::detect {

/// Below a tenth of the transfer nobody would have asked why it was slow.
inline constexpr double kMaterialShare = 0.10;

/// Less than this nobody notices, whatever the share: a quarter of the smallest retransmission
/// timeout that stacks use (Linux: 200 ms).
inline constexpr double kMaterialSeconds = 0.050;

/// Time that nobody explains: from this share on the honest answer is `unclear`.
inline constexpr double kUnexplainedShare = 0.30;

/// And at least that much of it. Shorter than the smallest usual timeout it was no stall.
inline constexpr double kUnexplainedSeconds = 0.200;

/// Whether seconds out of a whole are worth a fault.
constexpr bool is_material(double seconds_lost, double whole_s) {
  return seconds_lost >= kMaterialSeconds && seconds_lost >= kMaterialShare * whole_s;
}

/// The same for a transfer: measured against the time its connection was active.
inline bool is_material(double seconds_lost, const Transfer& transfer) {
  return is_material(seconds_lost, active_s(transfer.connection));
}

/// `fault` when the evidence is complete and the cost matters, `note` when only the evidence is,
/// `suspect` when only the cost is. Without either there is nothing to say: check before.
inline Severity severity_of(bool evidence_complete, double seconds_lost, const Transfer& transfer) {
  if (!evidence_complete) return Severity::suspect;
  return is_material(seconds_lost, transfer) ? Severity::fault : Severity::note;
}

}  // namespace slowpath::detect

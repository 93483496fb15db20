// SPDX-License-Identifier: Apache-2.0
#include "detect/arithmetic/window.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace slowpath::arithmetic {

double bdp_bytes(double rate_bps, double rtt_s) { return rate_bps * rtt_s / 8; }

double window_rate_bps(double window_bytes, double rtt_s) {
  if (rtt_s <= 0) return std::numeric_limits<double>::infinity();
  return window_bytes * 8 / rtt_s;
}

std::uint32_t true_window_bytes(std::uint16_t field, int shift) {
  return std::uint32_t{field} << std::clamp(shift, 0, kMaxWindowShift);
}

std::uint32_t max_window_bytes(int shift) { return true_window_bytes(kMaxWindowField, shift); }

std::optional<int> shift_for_window(double window_bytes) {
  for (int shift = 0; shift <= kMaxWindowShift; ++shift) {
    if (window_bytes <= max_window_bytes(shift)) return shift;
  }
  return std::nullopt;
}

double linux_receive_buffer_bytes(double window_bytes, int adv_win_scale) {
  if (adv_win_scale <= 0) return std::ldexp(window_bytes, -adv_win_scale);
  return window_bytes / (1 - std::ldexp(1.0, -adv_win_scale));
}

double linux_window_bytes(double buffer_bytes, int adv_win_scale) {
  if (adv_win_scale <= 0) return std::ldexp(buffer_bytes, adv_win_scale);
  return buffer_bytes * (1 - std::ldexp(1.0, -adv_win_scale));
}

std::uint32_t max_window_bytes(const AutoTuningLevel& level) {
  return level.shift < 0 ? kMaxWindowField : max_window_bytes(level.shift);
}

}  // namespace slowpath::arithmetic

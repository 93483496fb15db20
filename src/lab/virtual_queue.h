// SPDX-License-Identifier: Apache-2.0
// A first-in first-out queue in front of a server of constant speed, by arithmetic: when would the
// last unit of this arrival leave? Nothing is held or allocated; the plane keeps the frames.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace slowpath::lab {

/// Units are bytes for a link, frames for a ring. What is being served counts as queued until it
/// is done, a part of it as that part.
class VirtualQueue {
 public:
  VirtualQueue(double units_per_second, double capacity)
      : ns_per_unit_(1e9 / units_per_second), capacity_(capacity) {}

  /// When the arrival leaves, or nothing where the queue has no room for it. An empty queue takes
  /// an arrival of any size. Departures never go back; rounding does not add up.
  std::optional<Time> admit(Time now, double units) {
    if (!origin_) origin_ = now;
    const auto now_ns = static_cast<double>((now - *origin_).count());
    const double waiting = queued(now_ns);
    if (waiting > 0 && waiting + units > capacity_ + kRounding) return std::nullopt;
    busy_until_ns_ = std::max(busy_until_ns_, now_ns) + units * ns_per_unit_;
    return *origin_ + Duration{std::llround(busy_until_ns_)};
  }

 private:
  // Parts of a unit; doubles of nanoseconds are exact to far less for a run of days.
  static constexpr double kRounding = 1e-3;

  [[nodiscard]] double queued(double now_ns) const {
    const double units = (busy_until_ns_ - now_ns) / ns_per_unit_;
    return units > kRounding ? units : 0;
  }

  double ns_per_unit_;
  double capacity_;
  std::optional<Time> origin_;
  double busy_until_ns_ = 0;  // since origin_
};

}  // namespace slowpath::lab

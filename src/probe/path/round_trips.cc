// SPDX-License-Identifier: Apache-2.0
#include "probe/path/round_trips.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace slowpath::probe {

double quantile(std::span<const double> sorted, double share) {
  if (sorted.empty()) return 0;
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = at - static_cast<double>(below);
  return sorted[below] + part * (sorted[above] - sorted[below]);
}

RoundTrips summarise(std::span<const double> seconds, std::uint32_t sent) {
  RoundTrips trips;
  trips.sent = sent;
  trips.answered = static_cast<std::uint32_t>(seconds.size());
  if (seconds.empty()) return trips;
  double differences = 0;
  for (std::size_t i = 1; i < seconds.size(); ++i) {
    differences += std::abs(seconds[i] - seconds[i - 1]);
  }
  if (seconds.size() > 1) trips.deviation_s = differences / static_cast<double>(seconds.size() - 1);
  std::vector<double> sorted(seconds.begin(), seconds.end());
  std::ranges::sort(sorted);
  trips.min_s = sorted.front();
  trips.median_s = quantile(sorted, 0.5);
  trips.p95_s = quantile(sorted, 0.95);
  trips.max_s = sorted.back();
  return trips;
}

}  // namespace slowpath::probe

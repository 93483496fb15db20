// SPDX-License-Identifier: Apache-2.0
#include "flow/comparison/clock_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace slowpath::flow::comparison {
namespace {

/// Quartz and its temperature: RFC 5905 allows 15 ppm a second of dispersion; worn hardware and
/// virtual machines reach some hundreds.
constexpr double kMostDrift = 1e-3;
/// Captures show microseconds; two of them may round apart.
constexpr double kResolution = 1e-6;

struct Point {
  double t = 0, y = 0;
};

/// The part of the hull that faces a line from below (`sign` 1: lower hull) or above (-1). Monotone
/// chain (Andrew 1979).
std::vector<Point> hull_of(const std::vector<ClockSample>& samples, Time origin, double sign) {
  std::vector<Point> points;
  points.reserve(samples.size());
  for (const ClockSample& sample : samples)
    points.push_back({to_seconds(sample.at - origin), sample.later_s * sign});
  std::ranges::sort(points, [](const Point& a, const Point& b) {
    return a.t < b.t || (a.t == b.t && a.y < b.y);
  });
  std::vector<Point> hull;
  for (const Point& point : points) {
    const auto turns_right = [&] {
      const Point& a = hull[hull.size() - 2];
      const Point& b = hull.back();
      return (b.t - a.t) * (point.y - a.y) - (b.y - a.y) * (point.t - a.t) <= 0;
    };
    while (hull.size() >= 2 && turns_right()) hull.pop_back();
    hull.push_back(point);
  }
  for (Point& point : hull) point.y *= sign;
  return hull;
}

/// For a drift, the offsets (at t = 0) that fit lie between `low` and `high`; none do where low >
/// high.
struct Corridor {
  std::vector<Point> above, below;  // samples toward, and back

  [[nodiscard]] double high(double drift) const {
    double least = std::numeric_limits<double>::infinity();
    for (const Point& point : above) least = std::min(least, point.y - drift * point.t);
    return least;
  }
  [[nodiscard]] double low(double drift) const {
    double most = -std::numeric_limits<double>::infinity();
    for (const Point& point : below) most = std::max(most, point.y - drift * point.t);
    return most;
  }
  [[nodiscard]] double width(double drift) const { return high(drift) - low(drift); }
};

/// Where a concave function is greatest.
template <typename Function>
double argmax(Function function, double left, double right) {
  constexpr int kSteps = 100;
  for (int i = 0; i < kSteps; ++i) {
    const double a = left + (right - left) / 3;
    const double b = right - (right - left) / 3;
    if (function(a) < function(b)) {
      left = a;
    } else {
      right = b;
    }
  }
  return (left + right) / 2;
}

/// The last drift from `inside` towards `outside` whose corridor is still open (by `slack`).
double edge_of(const Corridor& corridor, double inside, double outside, double slack) {
  constexpr int kSteps = 60;
  if (corridor.width(outside) + slack >= 0) return outside;
  for (int i = 0; i < kSteps; ++i) {
    const double middle = (inside + outside) / 2;
    (corridor.width(middle) + slack >= 0 ? inside : outside) = middle;
  }
  return inside;
}

void fit_both(const Corridor& corridor, double middle_t, ClockRelation& relation) {
  double best =
      argmax([&](double drift) { return corridor.width(drift); }, -kMostDrift, kMostDrift);
  relation.misfit_s = std::max(0.0, -corridor.width(best) / 2);
  const double slack = 2 * relation.misfit_s + kResolution;
  const double least = edge_of(corridor, best, -kMostDrift, slack);
  const double most = edge_of(corridor, best, kMostDrift, slack);
  relation.drifts = least > 0 || most < 0;
  if (!relation.drifts) best = 0;
  relation.drift_ppm = best * 1e6;
  relation.drift_error_ppm = std::max(most - best, best - least) * 1e6;
  const auto highest = [&](double drift) { return corridor.high(drift) + drift * middle_t; };
  const auto lowest = [&](double drift) { return -(corridor.low(drift) + drift * middle_t); };
  const double top = highest(argmax(highest, least, most)) + slack / 2;
  const double bottom = -lowest(argmax(lowest, least, most)) - slack / 2;
  relation.offset_s = (corridor.high(best) + corridor.low(best)) / 2 + best * middle_t;
  relation.error_s = std::max(top - relation.offset_s, relation.offset_s - bottom);
  relation.round_trip_s = std::max(0.0, corridor.width(best));
  relation.known = true;
}

}  // namespace

ClockRelation fit_clock(const std::vector<ClockSample>& toward,
                        const std::vector<ClockSample>& back) {
  ClockRelation relation;
  if (toward.empty() && back.empty()) return relation;
  Time first = Time::max();
  Time last = Time::min();
  for (const auto* samples : {&toward, &back}) {
    for (const ClockSample& sample : *samples) {
      first = std::min(first, sample.at);
      last = std::max(last, sample.at);
    }
  }
  relation.span_s = to_seconds(last - first);
  relation.at = first + (last - first) / 2;
  const Corridor corridor{hull_of(toward, first, 1), hull_of(back, first, -1)};
  if (!toward.empty() && !back.empty()) {
    fit_both(corridor, to_seconds(relation.at - first), relation);
  } else {
    relation.offset_s = toward.empty() ? corridor.low(0) : corridor.high(0);
    relation.error_s = std::numeric_limits<double>::infinity();
  }
  return relation;
}

double clock_difference_s(const ClockRelation& relation, Time at) {
  return relation.offset_s + relation.drift_ppm * 1e-6 * to_seconds(at - relation.at);
}

}  // namespace slowpath::flow::comparison

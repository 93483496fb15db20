// SPDX-License-Identifier: Apache-2.0
#include "detect/arithmetic/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "base/assert.h"

namespace slowpath::arithmetic {
namespace {

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

struct Ranked {
  double value;
  bool in_a;
};

/// Sum of a's ranks, and Σ(t³ - t) over groups of t equal values. `ranked` is sorted by value.
struct RankSums {
  double of_a = 0;
  double ties = 0;
};

RankSums sum_ranks(std::span<const Ranked> ranked) {
  RankSums sums;
  for (std::size_t from = 0; from < ranked.size();) {
    std::size_t to = from;
    std::size_t in_a = 0;
    for (; to < ranked.size() && ranked[to].value == ranked[from].value; ++to) {
      in_a += ranked[to].in_a ? 1 : 0;
    }
    const auto equal = static_cast<double>(to - from);
    // Equal values share the mean of the ranks from+1 .. to.
    sums.of_a += static_cast<double>(in_a) * (static_cast<double>(from + to) + 1) / 2;
    sums.ties += equal * equal * equal - equal;
    from = to;
  }
  return sums;
}

}  // namespace

std::optional<double> percentile(std::span<const double> values, double share) {
  if (values.empty()) return std::nullopt;
  std::vector<double> copy(values.begin(), values.end());
  const double position = std::clamp(share, 0.0, 1.0) * static_cast<double>(copy.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const auto at = copy.begin() + static_cast<std::ptrdiff_t>(below);
  std::ranges::nth_element(copy, at);
  if (below + 1 == copy.size()) return *at;
  const double next = *std::min_element(at + 1, copy.end());
  return *at + (position - static_cast<double>(below)) * (next - *at);
}

std::optional<double> median(std::span<const double> values) { return percentile(values, 0.5); }

double chance_of_at_most(std::uint64_t most, std::uint64_t events, double chance) {
  if (most >= events || chance <= 0) return 1;
  if (chance >= 1) return 0;
  const auto n = static_cast<double>(events);
  const auto last = static_cast<double>(most);
  double sum = 0;
  for (double k = 0; k <= last; ++k) {
    sum += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) +
                    k * std::log(chance) + (n - k) * std::log1p(-chance));
  }
  return sum;
}

std::optional<RankTest> rank_test(std::span<const double> a, std::span<const double> b) {
  if (a.size() < 2 || b.size() < 2) return std::nullopt;
  std::vector<Ranked> ranked;
  ranked.reserve(a.size() + b.size());
  for (const double value : a) ranked.push_back({value, true});
  for (const double value : b) ranked.push_back({value, false});
  std::ranges::sort(ranked, {}, &Ranked::value);
  const RankSums sums = sum_ranks(ranked);

  const auto n_a = static_cast<double>(a.size());
  const auto n_b = static_cast<double>(b.size());
  const double n = n_a + n_b;
  const double variance = n_a * n_b / 12 * ((n + 1) - sums.ties / (n * (n - 1)));
  if (variance <= 0) return std::nullopt;
  const double u = sums.of_a - n_a * (n_a + 1) / 2;
  const double distance = u - n_a * n_b / 2;
  const double corrected = std::copysign(std::max(0.0, std::abs(distance) - 0.5), distance);
  const double z = corrected / std::sqrt(variance);
  return RankTest{.u = u,
                  .superiority = u / (n_a * n_b),
                  .z = z,
                  .p_two_sided = std::erfc(std::abs(z) / std::numbers::sqrt2)};
}

std::optional<LinearFit> linear_fit(std::span<const double> x, std::span<const double> y) {
  SLOWPATH_ASSERT(x.size() == y.size());
  if (x.size() < 2) return std::nullopt;
  const double mean_x = mean_of(x);
  const double mean_y = mean_of(y);
  double xx = 0;
  double xy = 0;
  double yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - mean_x;
    const double dy = y[i] - mean_y;
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  if (xx <= 0) return std::nullopt;
  const double slope = xy / xx;
  return LinearFit{.slope = slope,
                   .intercept = mean_y - slope * mean_x,
                   .r_squared = yy > 0 ? xy * xy / (xx * yy) : 1};
}

std::optional<ChangePoint> find_change_point(std::span<const double> values, std::size_t min_side) {
  const std::size_t side = std::max<std::size_t>(min_side, 1);
  const auto n = static_cast<double>(values.size());
  if (values.size() < 3 || values.size() / 2 < side) return std::nullopt;
  const double mean = mean_of(values);
  double total = 0;
  for (const double value : values) total += (value - mean) * (value - mean);
  if (total <= 0) return std::nullopt;

  double sum = 0;  // S_k: the first k values less their share of the mean.
  double best_sum = 0;
  double best_score = -1;
  std::size_t best = 0;
  for (std::size_t k = 1; k + side <= values.size(); ++k) {
    sum += values[k - 1] - mean;
    const auto before = static_cast<double>(k);
    const double score = sum * sum * n / (before * (n - before));
    if (k < side || score <= best_score) continue;
    best_score = score;
    best_sum = sum;
    best = k;
  }
  const auto before = static_cast<double>(best);
  const double explained = std::min(1.0, best_score / total);
  const double t = explained < 1 ? std::sqrt((n - 2) * explained / (1 - explained))
                                 : std::numeric_limits<double>::infinity();
  return ChangePoint{.index = best,
                     .mean_before = mean + best_sum / before,
                     .mean_after = mean - best_sum / (n - before),
                     .explained = explained,
                     .t = t};
}

}  // namespace slowpath::arithmetic

// SPDX-License-Identifier: Apache-2.0
// The few statistics that detectors share. All are robust or exact, none assumes a distribution
// unless it says so. Values must be finite; order matters only where said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace slowpath::arithmetic {

/// The value below which this share (0..1) of the values lies, interpolated between neighbours
/// (type 7 of Hyndman and Fan, the default of R and NumPy). Nothing for no values.
std::optional<double> percentile(std::span<const double> values, double share);

/// The percentile of one half.
std::optional<double> median(std::span<const double> values);

/// The chance that at most `most` of `events` happen, each by itself with `chance` (the lower tail
/// of the binomial distribution).
double chance_of_at_most(std::uint64_t most, std::uint64_t events, double chance);

/// Do the values of a tend to be larger than those of b?
struct RankTest {
  double u;            // pairs in which a is larger, ties count a half
  double superiority;  // u / (n_a · n_b): chance that a value of a is larger; 0.5 is no difference
  double z;            // > 0: a is larger
  double p_two_sided;  // chance of so great a difference were there none
};

/// Mann and Whitney's U test, normal approximation with continuity and tie correction. Fair from
/// about eight values on each side; nothing with fewer than two on either, or all values equal.
std::optional<RankTest> rank_test(std::span<const double> a, std::span<const double> b);

/// y = intercept + slope · x by least squares.
struct LinearFit {
  double slope;
  double intercept;
  double r_squared;  // share of y's variance that x explains; 1 where y does not vary
};

/// Nothing for fewer than two points or where x does not vary. x and y have the same length.
std::optional<LinearFit> linear_fit(std::span<const double> x, std::span<const double> y);

/// The split of a series, in order of time, that parts its mean best.
struct ChangePoint {
  std::size_t index;  // the first value after the change
  double mean_before;
  double mean_after;
  double explained;  // share of the variance that the step explains, 0..1
  double t;          // |t| of the two means. The largest of many: without a change it stays below
                     // about 4 for up to a thousand independent values; ask for more.
};

/// Largest normalised CUSUM, |S_k| / √(k(n-k)/n), each side at least min_side values. Nothing for a
/// series too short or constant. Linear time.
std::optional<ChangePoint> find_change_point(std::span<const double> values,
                                             std::size_t min_side = 5);

}  // namespace slowpath::arithmetic

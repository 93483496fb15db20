// SPDX-License-Identifier: Apache-2.0
// Did it help? Pairs of measurements, with the step and without, in turns of order; the median of
// the paired ratios with its confidence interval by order statistics, which asks nothing of the
// distribution (Conover, Practical Nonparametric Statistics, section 3.2).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace slowpath::fix {

/// One measurement: the figure, larger is better, or why there is none.
struct Measured {
  std::optional<double> value;
  bool integrity_broken = false;  // it ran, and bytes were wrong
  std::string why_not;
};

struct Pair {
  double without = 0, with = 0;
};

enum class Judgement : std::uint8_t {
  helped,
  harmed,
  no_difference,
  undecided,
  broke_integrity,
  could_not_measure
};
/// "helped", "harmed", "no difference", "undecided", "broke integrity", "could not measure".
std::string_view to_string(Judgement judgement);

struct Proof {
  Judgement judgement = Judgement::undecided;
  std::vector<Pair> pairs;
  double ratio = 0;  // median of with / without
  double low = 0,
         high =
             0;  // its confidence interval, at least 95 %; 0 and infinity with fewer than six pairs
  std::string why;  // of could_not_measure
};

/// The median and its interval. Fewer than six pairs have no interval of 95 %.
void summarise(Proof& proof);

/// What the pairs so far say. A difference counts from `least` on (0.03: three per cent); a
/// narrower interval around 1 is "no difference".
Judgement judge(const Proof& proof, double least);

struct ProofOptions {
  std::size_t most_pairs = 20;
  double least_difference = 0.03;
};

/// Measures in turns until a difference is shown or excluded, or there are enough pairs.
/// `turn(true)` takes the step, `turn(false)` takes it back; it is taken back when this returns.
/// Errors: of `turn`.
Result<Proof> prove(const std::function<Result<void>(bool)>& turn,
                    const std::function<Measured()>& measure, const ProofOptions& options);

/// The figure in what a measuring command printed: the rate of `iperf3 -J` or `slowpath test
/// --json`, else the last number of its last line. nullopt where there is none.
std::optional<double> figure_in(const std::string& output);

}  // namespace slowpath::fix

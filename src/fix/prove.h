// SPDX-License-Identifier: Apache-2.0
// Did it help? Pairs of measurements, with the step and without, in turns of order; the median of
// the paired ratios with its confidence interval by order statistics, which asks nothing of the
// distribution (Conover, Practical Nonparametric Statistics, section 3.2).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slowpath::fix {

/// One measurement: the figure, larger is better, or why there is none.
struct Measured {
  std::optional<double> value;
  bool integrity_broken = false;  // it ran, and bytes were wrong; with its figure
  std::string why_not;
  bool is_rate = false;  // the figure is in bit/s
};

struct Pair {
  double without = 0, with = 0;
  bool wrong_without = false;  // bytes were wrong without the step; with it that ends the proof
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
  std::string why;       // of could_not_measure and broke_integrity
  bool is_rate = false;  // Measured::is_rate

  /// In how many pairs bytes were wrong without the step, and right with it.
  [[nodiscard]] std::size_t cured() const;
};

/// The median and its interval. Fewer than six pairs have no interval of 95 %.
void summarise(Proof& proof);

/// What the pairs so far say. A difference counts from `least` on (0.03: three per cent); a
/// narrower interval around 1 is "no difference". Right bytes go before speed: six pairs in which
/// the step alone made them right have helped, whatever the figure (by chance once in 64 times).
Judgement judge(const Proof& proof, double least);

struct ProofOptions {
  std::size_t most_pairs = 20;
  double least_difference = 0.03;
  std::vector<Pair> earlier = {};  // of a proof that was cut short
  /// Told all pairs after each one, so that a proof can go on after a restart.
  std::function<void(const std::vector<Pair>&)> keep = {};
};

/// Measures in turns, from six pairs on now and then judging, until a difference is shown or
/// excluded, or there are enough pairs. `turn(true)` takes the step, `turn(false)` takes it back;
/// it is taken back when this returns. Errors: of `turn`.
Result<Proof> prove(const std::function<Result<void>(bool)>& turn,
                    const std::function<Measured()>& measure, const ProofOptions& options);

}  // namespace slowpath::fix

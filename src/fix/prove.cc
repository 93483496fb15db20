// SPDX-License-Identifier: Apache-2.0
#include "fix/prove.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace slowpath::fix {
namespace {

constexpr double kOutside = 0.05;  // one minus the confidence

/// How many of the smallest and largest of n values lie outside the interval: the largest d with
/// P(Binomial(n, 1/2) < d) <= kOutside / 2. 0: n is too small.
std::size_t left_out(std::size_t n) {
  double probability = std::pow(0.5, static_cast<double>(n)), sum = 0;
  std::size_t d = 0;
  while (d < n && sum + probability <= kOutside / 2) {
    sum += probability;
    probability *= static_cast<double>(n - d) / static_cast<double>(d + 1);
    ++d;
  }
  return d;
}

// After so many pairs it is judged, and after the last. Each look at the interval is one more
// chance to be misled: with noise alone and a look after every pair from six to twenty, 7 in 100
// proofs would show a difference, with these looks 5 (simulated).
constexpr std::array<std::size_t, 5> kLooks{6, 8, 11, 15, 20};

bool is_time_to_judge(std::size_t pairs, std::size_t most) {
  // Beyond the table each look comes a third later than the one before.
  std::size_t look = kLooks.back();
  while (look < pairs) look += look / 3;
  return pairs == most || pairs == look || std::ranges::find(kLooks, pairs) != kLooks.end();
}

double ratio_of(const Pair& pair) {
  if (pair.without > 0) return pair.with / pair.without;
  return pair.with > 0 ? std::numeric_limits<double>::infinity() : 1;
}

/// Takes one pair; false where the proof ends with it.
Result<bool> take_pair(const std::function<Result<void>(bool)>& turn,
                       const std::function<Measured()>& measure, Proof& proof) {
  Pair pair;
  // Every second pair begins with the step, so that what drifts favours neither.
  const bool first = proof.pairs.size() % 2 == 1;
  for (const bool with : {first, !first}) {
    if (const Result<void> turned = turn(with); !turned) return std::unexpected(turned.error());
    const Measured measured = measure();
    proof.is_rate = measured.is_rate;
    if (with && measured.integrity_broken) {
      proof.judgement = Judgement::broke_integrity;
    } else if (!measured.value) {
      proof.judgement = Judgement::could_not_measure;
    }
    if (proof.judgement != Judgement::undecided) {
      proof.why = measured.why_not;
      return false;
    }
    if (!with) pair.wrong_without = measured.integrity_broken;
    (with ? pair.with : pair.without) = *measured.value;
  }
  proof.pairs.push_back(pair);
  return true;
}

}  // namespace

std::string_view to_string(Judgement judgement) {
  switch (judgement) {
    case Judgement::helped:
      return "helped";
    case Judgement::harmed:
      return "harmed";
    case Judgement::no_difference:
      return "no difference";
    case Judgement::undecided:
      return "undecided";
    case Judgement::broke_integrity:
      return "broke integrity";
    case Judgement::could_not_measure:
      return "could not measure";
  }
  return "undecided";
}

void summarise(Proof& proof) {
  std::vector<double> ratios;
  for (const Pair& pair : proof.pairs) ratios.push_back(ratio_of(pair));
  std::ranges::sort(ratios);
  const std::size_t n = ratios.size();
  if (n == 0) return;
  proof.ratio = n % 2 == 1 ? ratios[n / 2] : (ratios[n / 2 - 1] + ratios[n / 2]) / 2;
  const std::size_t d = left_out(n);
  proof.low = d == 0 ? 0 : ratios[d - 1];
  proof.high = d == 0 ? std::numeric_limits<double>::infinity() : ratios[n - d];
}

std::size_t Proof::cured() const {
  return static_cast<std::size_t>(std::ranges::count(pairs, true, &Pair::wrong_without));
}

Judgement judge(const Proof& proof, double least) {
  if (proof.cured() >= kLooks.front()) return Judgement::helped;
  if (proof.low >= 1 + least) return Judgement::helped;
  if (proof.high <= 1 - least) return Judgement::harmed;
  if (proof.low > 1 - least && proof.high < 1 + least) return Judgement::no_difference;
  return Judgement::undecided;
}

Result<Proof> prove(const std::function<Result<void>(bool)>& turn,
                    const std::function<Measured()>& measure, const ProofOptions& options) {
  Proof proof;
  proof.pairs = options.earlier;
  summarise(proof);
  while (proof.pairs.size() < options.most_pairs) {
    const Result<bool> taken = take_pair(turn, measure, proof);
    if (!taken) return std::unexpected(taken.error());
    if (!*taken) break;
    if (options.keep) options.keep(proof.pairs);
    summarise(proof);
    if (!is_time_to_judge(proof.pairs.size(), options.most_pairs)) continue;
    proof.judgement = judge(proof, options.least_difference);
    if (proof.judgement != Judgement::undecided) break;
  }
  if (const Result<void> turned = turn(false); !turned) return std::unexpected(turned.error());
  return proof;
}

}  // namespace slowpath::fix

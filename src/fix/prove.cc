// SPDX-License-Identifier: Apache-2.0
#include "fix/prove.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

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

std::optional<double> rate_in_json(const nlohmann::json& json) {
  for (const char* pointer :
       {"/end/sum_received/bits_per_second", "/end/sum/bits_per_second", "/goodput_bps"}) {
    const nlohmann::json::json_pointer at(pointer);
    if (json.contains(at) && json.at(at).is_number()) return json.at(at).get<double>();
  }
  return std::nullopt;
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
  for (const Pair& pair : proof.pairs)
    ratios.push_back(pair.without > 0 ? pair.with / pair.without
                                      : std::numeric_limits<double>::infinity());
  std::ranges::sort(ratios);
  const std::size_t n = ratios.size();
  if (n == 0) return;
  proof.ratio = n % 2 == 1 ? ratios[n / 2] : (ratios[n / 2 - 1] + ratios[n / 2]) / 2;
  const std::size_t d = left_out(n);
  proof.low = d == 0 ? 0 : ratios[d - 1];
  proof.high = d == 0 ? std::numeric_limits<double>::infinity() : ratios[n - d];
}

Judgement judge(const Proof& proof, double least) {
  if (proof.low >= 1 + least) return Judgement::helped;
  if (proof.high <= 1 - least) return Judgement::harmed;
  if (proof.low > 1 - least && proof.high < 1 + least) return Judgement::no_difference;
  return Judgement::undecided;
}

Result<Proof> prove(const std::function<Result<void>(bool)>& turn,
                    const std::function<Measured()>& measure, const ProofOptions& options) {
  Proof proof;
  while (proof.pairs.size() < options.most_pairs) {
    Pair pair;
    // Every second pair begins with the step, so that what drifts favours neither.
    const bool first = proof.pairs.size() % 2 == 1;
    for (const bool with : {first, !first}) {
      if (const Result<void> turned = turn(with); !turned) return std::unexpected(turned.error());
      const Measured measured = measure();
      if (with && measured.integrity_broken) proof.judgement = Judgement::broke_integrity;
      if (!measured.value && proof.judgement != Judgement::broke_integrity)
        proof.judgement = Judgement::could_not_measure;
      proof.why = measured.why_not;
      if (proof.judgement != Judgement::undecided) break;
      (with ? pair.with : pair.without) = *measured.value;
    }
    if (proof.judgement != Judgement::undecided) break;
    proof.pairs.push_back(pair);
    summarise(proof);
    proof.judgement = judge(proof, options.least_difference);
    if (proof.judgement != Judgement::undecided) break;
  }
  if (const Result<void> turned = turn(false); !turned) return std::unexpected(turned.error());
  return proof;
}

std::optional<double> figure_in(const std::string& output) {
  const std::size_t brace = output.find('{');
  if (brace != std::string::npos) {
    const nlohmann::json json = nlohmann::json::parse(output.substr(brace), nullptr, false);
    if (!json.is_discarded()) return rate_in_json(json);
  }
  const std::size_t end = output.find_last_of("0123456789");
  if (end == std::string::npos) return std::nullopt;
  const std::size_t line = output.find_last_of('\n', end),
                    from = line == std::string::npos ? 0 : line + 1;
  std::size_t begin = end;
  while (begin > from && (std::isdigit(static_cast<unsigned char>(output[begin - 1])) != 0 ||
                          output[begin - 1] == '.'))
    --begin;
  if (begin >= from + 2 && (output[begin - 1] == '+' || output[begin - 1] == '-') &&
      output[begin - 2] == 'e') {
    begin -= 2;
    while (begin > from && (std::isdigit(static_cast<unsigned char>(output[begin - 1])) != 0 ||
                            output[begin - 1] == '.'))
      --begin;
  }
  try {
    return std::stod(output.substr(begin, end + 1 - begin));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace slowpath::fix

// SPDX-License-Identifier: Apache-2.0
// The judgement of pairs, and what is taken for a figure.
#include "fix/prove.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace slowpath::test {
namespace {

using fix::Judgement;

/// Proves a step that multiplies a noisy figure by `factor`. `left_on` tells how the switch was
/// left.
fix::Proof prove_factor(double factor, double noise, bool* left_on = nullptr,
                        std::size_t most = 40) {
  std::mt19937 random(3);
  std::normal_distribution<double> spread(0, noise);
  bool on = false;
  const auto turn = [&](bool wanted) -> Result<void> { return on = wanted, Result<void>{}; };
  const auto measure = [&] {
    return fix::Measured{.value = 100 * (on ? factor : 1) * std::exp(spread(random)),
                         .integrity_broken = false,
                         .why_not = {}};
  };
  const fix::Proof proof =
      *fix::prove(turn, measure, {.most_pairs = most, .least_difference = 0.03});
  if (left_on != nullptr) *left_on = on;
  return proof;
}

TEST(Prove, ShowsADifferenceAndExcludesOne) {
  EXPECT_EQ(prove_factor(2, 0.1).judgement, Judgement::helped);
  EXPECT_EQ(prove_factor(0.5, 0.1).judgement, Judgement::harmed);
  EXPECT_EQ(prove_factor(1, 0.001).judgement, Judgement::no_difference);
  EXPECT_EQ(prove_factor(1.04, 0.3, nullptr, 8).judgement, Judgement::undecided);
}

TEST(Prove, LeavesTheStepUntaken) {
  bool on = true;
  (void)prove_factor(2, 0.1, &on);
  EXPECT_FALSE(on);
}

TEST(Prove, AFewPairsAreNotEnough) {
  fix::Proof proof;
  for (int i = 0; i < 5; ++i) proof.pairs.push_back({1, 2});
  fix::summarise(proof);
  EXPECT_EQ(judge(proof, 0.03), Judgement::undecided);
  proof.pairs.push_back({1, 2});
  fix::summarise(proof);
  EXPECT_EQ(judge(proof, 0.03), Judgement::helped);
}

// Of the true median, at least 95 intervals in a hundred hold it (order statistics are exact).
TEST(Prove, TheIntervalHoldsTheMedianAsOftenAsItSays) {
  std::mt19937 random(5);
  std::normal_distribution<double> spread(0, 0.4);
  int held = 0;
  constexpr int kTrials = 2000;
  for (int trial = 0; trial < kTrials; ++trial) {
    fix::Proof proof;
    for (int i = 0; i < 11; ++i) proof.pairs.push_back({1, std::exp(spread(random))});
    fix::summarise(proof);
    held += proof.low <= 1 && proof.high >= 1;
  }
  EXPECT_GE(held, kTrials * 94 / 100);
  EXPECT_LE(held, kTrials * 995 / 1000);
}

TEST(Prove, WrongBytesEndIt) {
  bool on = false;
  const auto turn = [&](bool wanted) -> Result<void> { return on = wanted, Result<void>{}; };
  const auto measure = [&] {
    return on ? fix::Measured{{}, true, "wrong"} : fix::Measured{1.0, false, {}};
  };
  EXPECT_EQ(fix::prove(turn, measure, {})->judgement, Judgement::broke_integrity);
  EXPECT_FALSE(on);
}

TEST(Prove, AMeasureThatFailsIsNoProof) {
  const auto turn = [](bool) -> Result<void> { return {}; };
  const auto measure = [] { return fix::Measured{{}, false, "no peer"}; };
  const fix::Proof proof = *fix::prove(turn, measure, {});
  EXPECT_EQ(proof.judgement, Judgement::could_not_measure);
  EXPECT_EQ(proof.why, "no peer");
}

TEST(Figure, IsTheRateOrTheLastNumber) {
  EXPECT_EQ(fix::figure_in(R"({"end":{"sum_received":{"bits_per_second":9.5e8}}})"), 9.5e8);
  EXPECT_EQ(fix::figure_in("took 3 tries\nrate 12.5 MB/s\n"), 12.5);
  EXPECT_EQ(fix::figure_in("1.5e+03"), 1500.0);
  EXPECT_EQ(fix::figure_in("nothing\n"), std::nullopt);
  EXPECT_EQ(fix::figure_in(R"({"end":{}})"), std::nullopt);
}

}  // namespace
}  // namespace slowpath::test

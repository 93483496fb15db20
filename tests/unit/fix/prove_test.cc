// SPDX-License-Identifier: Apache-2.0
// The judgement of pairs, and what is taken for a figure.
#include "fix/prove.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "fix/figure.h"
#include "fix/proof_state.h"
#include "unit/fix/scratch.h"

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
                         .why_not = {},
                         .is_rate = false};
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
  for (int i = 0; i < 5; ++i) proof.pairs.push_back({1, 2, false});
  fix::summarise(proof);
  EXPECT_EQ(judge(proof, 0.03), Judgement::undecided);
  proof.pairs.push_back({1, 2, false});
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
    for (int i = 0; i < 11; ++i) proof.pairs.push_back({1, std::exp(spread(random)), false});
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
    return on ? fix::Measured{{}, true, "wrong", false} : fix::Measured{1.0, false, {}, false};
  };
  EXPECT_EQ(fix::prove(turn, measure, {})->judgement, Judgement::broke_integrity);
  EXPECT_FALSE(on);
}

TEST(Prove, RightBytesGoBeforeSpeed) {
  bool on = false;
  const auto turn = [&](bool wanted) -> Result<void> { return on = wanted, Result<void>{}; };
  const auto measure = [&] { return fix::Measured{on ? 30.0 : 100.0, !on, "wrong", false}; };
  const fix::Proof proof = *fix::prove(turn, measure, {});
  EXPECT_EQ(proof.judgement, Judgement::helped);
  EXPECT_EQ(proof.cured(), 6U);
  // Wrong with it as without it: it cures nothing.
  const auto always = [] { return fix::Measured{100.0, true, "wrong", false}; };
  EXPECT_EQ(fix::prove(turn, always, {})->judgement, Judgement::broke_integrity);
  // Now and then wrong without it is no proof yet.
  int n = 0;
  const auto seldom = [&] {
    return fix::Measured{on ? 30.0 : 100.0, !on && ++n % 8 == 0, {}, false};
  };
  EXPECT_EQ(fix::prove(turn, seldom, {})->judgement, Judgement::harmed);
}

TEST(Prove, AMeasureThatFailsIsNoProof) {
  const auto turn = [](bool) -> Result<void> { return {}; };
  const auto measure = [] { return fix::Measured{{}, false, "no peer", false}; };
  const fix::Proof proof = *fix::prove(turn, measure, {});
  EXPECT_EQ(proof.judgement, Judgement::could_not_measure);
  EXPECT_EQ(proof.why, "no peer");
}

std::optional<double> figure(const std::string& output) {
  const std::optional<fix::Figure> found = fix::figure_in(output);
  return found ? std::optional(found->value) : std::nullopt;
}

TEST(Figure, KnowsARateFromANumber) {
  EXPECT_TRUE(fix::figure_in("934 Mbit/s")->is_rate);
  EXPECT_FALSE(fix::figure_in("934 apples")->is_rate);
}

TEST(Figure, IsTheRateOrTheLastNumber) {
  EXPECT_EQ(figure(R"({"end":{"sum_received":{"bits_per_second":9.5e8}}})"), 9.5e8);
  EXPECT_EQ(figure("took 3 tries\nscore 12.5\n"), 12.5);
  EXPECT_EQ(figure("1.5e+03"), 1500.0);
  EXPECT_EQ(figure("nothing\n"), std::nullopt);
  EXPECT_EQ(figure(R"({"end":{}})"), std::nullopt);
}

TEST(Figure, ARateHasItsUnit) {
  EXPECT_EQ(figure("took 3 tries\nrate 12.5 MB/s\n"), 100e6);
  EXPECT_EQ(figure("934 Mbit/s"), 934e6);
  EXPECT_EQ(figure("1.5 GiB/s in 3 tries"), 1.5 * 8 * 1024 * 1024 * 1024);
  EXPECT_EQ(figure("0.00 bits/sec\n"), 0);
}

// As iperf3 3.12 prints it; the receiver's line counts, and what follows it does not.
TEST(Figure, OfIperfsText) {
  EXPECT_EQ(
      figure("[ ID] Interval           Transfer     Bitrate         Retr\n"
             "[  5]   0.00-2.00   sec  2.25 GBytes  9.66 Gbits/sec    0             sender\n"
             "[  5]   0.00-2.04   sec  1.12 MBytes   987 Kbits/sec                  receiver\n"
             "\niperf Done.\n"),
      987e3);
  EXPECT_EQ(figure("[  3]  0.0-10.0 sec  1.09 GBytes   941 Mbits/sec\n"), 941e6);
}

// docs/slowpath.test.v1.schema.json.
TEST(Figure, OfATestIsItsSlowestFlow) {
  const char* sound = R"({"schema":"slowpath.test.v1","runs":[{"flows":[
      {"goodput_bps":9e8,"integrity":{"differing_bytes":0}},{"goodput_bps":4e6,"integrity":null}]}]})";
  EXPECT_EQ(figure(sound), 4e6);
  EXPECT_FALSE(fix::figure_in(sound)->bytes_wrong);
  const char* wrong =
      R"({"runs":[{"flows":[{"goodput_bps":9e8,"integrity":{"differing_bytes":7}}]}]})";
  EXPECT_TRUE(fix::figure_in(wrong)->bytes_wrong);
  EXPECT_EQ(figure(R"({"runs":[{"flows":[]}]})"), std::nullopt);
  EXPECT_EQ(figure(R"({"runs":7})"), std::nullopt);
}

TEST(Figure, AnErrorIsNone) {
  EXPECT_EQ(figure(R"({"start":{},"intervals":[],"end":{},"error":"unable to connect"})"),
            std::nullopt);
}

TEST(Prove, ATransferThatNeverMovedIsCuredToo) {
  bool on = false;
  const auto turn = [&](bool wanted) -> Result<void> { return on = wanted, Result<void>{}; };
  const auto measure = [&] { return fix::Measured{on ? 5.0 : 0.0, false, {}, false}; };
  const fix::Proof proof = *fix::prove(turn, measure, {});
  EXPECT_EQ(proof.judgement, Judgement::helped);
  EXPECT_EQ(proof.pairs.size(), 6U);
  const auto nothing = [] { return fix::Measured{0.0, false, {}, false}; };
  EXPECT_EQ(fix::prove(turn, nothing, {})->judgement, Judgement::no_difference);
}

// Noise alone shall not show a difference more often than the interval says, although the interval
// is looked at again and again.
TEST(Prove, NoiseSeldomShowsADifference) {
  std::mt19937 random(17);
  std::normal_distribution<double> spread(0, 0.3);
  const auto turn = [](bool) -> Result<void> { return {}; };
  const auto measure = [&] { return fix::Measured{std::exp(spread(random)), false, {}, false}; };
  int misled = 0;
  constexpr int kTrials = 3000;
  for (int trial = 0; trial < kTrials; ++trial) {
    const Judgement judgement = fix::prove(turn, measure, {})->judgement;
    misled += judgement == Judgement::helped || judgement == Judgement::harmed;
  }
  EXPECT_LE(misled, kTrials * 6 / 100);
  EXPECT_GT(misled, 0);
}

TEST(Prove, GoesOnWhereItWasCutShort) {
  std::vector<fix::Pair> kept;
  int measured = 0;
  const auto turn = [](bool) -> Result<void> { return {}; };
  const auto measure = [&] {
    return ++measured > 6 ? fix::Measured{{}, false, "cut short", false}
                          : fix::Measured{1.0, false, {}, false};
  };
  const auto keep = [&](const std::vector<fix::Pair>& pairs) { kept = pairs; };
  EXPECT_EQ(fix::prove(turn, measure, {.keep = keep})->judgement, Judgement::could_not_measure);
  ASSERT_EQ(kept.size(), 3U);
  measured = 0;
  const fix::Proof proof = *fix::prove(turn, measure, {.earlier = kept, .keep = keep});
  EXPECT_EQ(proof.judgement, Judgement::no_difference);
  EXPECT_EQ(proof.pairs.size(), 6U);
  EXPECT_EQ(measured, 6);
}

TEST(ProofState, ReadsWhatItWrote) {
  const Scratch scratch;
  const fix::Journal journal = *fix::Journal::open(scratch.path());
  EXPECT_FALSE(fix::read_proof(journal));
  const fix::ProofState state{
      "ethtool -K eth0 tso off", "iperf3 -c x", false, "boot", {{1, 2, false}, {3, 4, true}}};
  ASSERT_TRUE(fix::write_proof(journal, state));
  const auto again = fix::read_proof(journal);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->is_same_question(state));
  EXPECT_EQ(again->boot_id, "boot");
  ASSERT_EQ(again->pairs.size(), 2U);
  EXPECT_EQ(again->pairs[1].with, 4);
  EXPECT_TRUE(again->pairs[1].wrong_without);
  // It is no entry of the journal, and no damage of it.
  EXPECT_TRUE(journal.read()->list.empty());
  EXPECT_TRUE(journal.read()->damaged.empty());
  fix::forget_proof(journal);
  EXPECT_FALSE(fix::read_proof(journal));
}

}  // namespace
}  // namespace slowpath::test

// SPDX-License-Identifier: Apache-2.0
// The sweep against paths made of rules, without a network.
#include "probe/path/size_sweep.h"

#include <random>

#include <gtest/gtest.h>

namespace slowpath::probe {
namespace {

constexpr IpAddress kRouter{.bytes = {10, 0, 0, 254}, .version = 4};

/// A path that carries packets up to a size.
class RulePath final : public SizeProbe {
 public:
  std::uint32_t mtu = 1500;
  std::uint32_t reports_above =
      0;  // a router names `reported_mtu` for packets above this; 0: silent
  std::uint32_t reported_mtu = 0;
  std::uint32_t interface_mtu = 65535;
  double loss = 0;
  bool dead = false;
  std::size_t most = 8;
  std::size_t volleys = 0, packets = 0;

  std::vector<ProbeAnswer> volley(std::span<const std::uint32_t> sizes, Duration) override {
    ++volleys;
    packets += sizes.size();
    std::vector<ProbeAnswer> answers;
    for (const std::uint32_t size : sizes) answers.push_back(answer(size));
    return answers;
  }
  [[nodiscard]] std::size_t at_once() const override { return most; }

 private:
  ProbeAnswer answer(std::uint32_t size) {
    if (size > interface_mtu) return {.fate = Fate::too_large_here, .mtu = interface_mtu};
    if (dead || chance_(random_) < loss) return {};
    if (size <= mtu) return {.fate = Fate::passed, .from = kRouter, .rtt_s = 0.001};
    if (reports_above > 0 && size > reports_above) {
      return {.fate = Fate::refused, .from = kRouter, .mtu = reported_mtu, .rtt_s = 0.001};
    }
    return {};
  }
  std::mt19937 random_{7};
  std::uniform_real_distribution<double> chance_{0, 1};
};

SweepLimits up_to(std::uint32_t ceiling) {
  SweepLimits limits;
  limits.ceiling_bytes = ceiling;
  return limits;
}

TEST(SizeSweep, EverythingPasses) {
  RulePath path;
  const SizeSweep sweep = sweep_sizes(path, up_to(1500));
  EXPECT_EQ(sweep.largest_passed_bytes, 1500U);
  EXPECT_EQ(sweep.smallest_failed_bytes, 0U);
  EXPECT_TRUE(sweep.finished);
  EXPECT_LT(path.volleys, 8U);
}

TEST(SizeSweep, FindsEveryEdgeToTheByte) {
  for (const std::uint32_t mtu : {69U, 576U, 577U, 1279U, 1400U, 1499U, 1500U, 1501U, 8999U}) {
    RulePath path;
    path.mtu = mtu;
    const SizeSweep sweep = sweep_sizes(path, up_to(9000));
    EXPECT_EQ(sweep.largest_passed_bytes, mtu);
    EXPECT_EQ(sweep.smallest_failed_bytes, mtu + 1);
    EXPECT_TRUE(sweep.reports.empty());
    EXPECT_TRUE(sweep.finished);
  }
}

TEST(SizeSweep, OneByOneFindsTheSame) {
  RulePath path;
  path.mtu = 1437;
  path.most = 2;
  const SizeSweep sweep = sweep_sizes(path, up_to(1500));
  EXPECT_EQ(sweep.largest_passed_bytes, 1437U);
  EXPECT_EQ(sweep.smallest_failed_bytes, 1438U);
}

TEST(SizeSweep, AnEdgeIsProvedByTenOnEachSide) {
  RulePath path;
  path.mtu = 1400;
  const SizeSweep sweep = sweep_sizes(path, up_to(1500));
  for (const SizeResult& size : sweep.sizes) {
    if (size.ip_bytes == 1400) {
      EXPECT_GE(size.passed, 10U);
    }
    if (size.ip_bytes == 1401) {
      EXPECT_GE(size.sent, 10U);
      EXPECT_EQ(size.passed, 0U);
    }
  }
}

TEST(SizeSweep, KeepsWhatARouterSays) {
  RulePath path;
  path.mtu = 1400;
  path.reports_above = 1400;
  path.reported_mtu = 1400;
  const SizeSweep sweep = sweep_sizes(path, up_to(1500));
  EXPECT_EQ(sweep.largest_passed_bytes, 1400U);
  ASSERT_EQ(sweep.reports.size(), 1U);
  EXPECT_EQ(sweep.reports[0].mtu_bytes, 1400U);
  EXPECT_EQ(sweep.reports[0].from, kRouter);
  EXPECT_EQ(sweep.reports[0].smallest_refused_bytes, 1401U);
}

TEST(SizeSweep, DoesNotBelieveAReportAgainstWhatPasses) {
  RulePath path;
  path.mtu = 1400;
  path.reports_above = 1400;
  path.reported_mtu = 1500;  // It refuses 1500 itself.
  const SizeSweep sweep = sweep_sizes(path, up_to(1500));
  EXPECT_EQ(sweep.largest_passed_bytes, 1400U);
  EXPECT_EQ(sweep.smallest_failed_bytes, 1401U);
  ASSERT_EQ(sweep.reports.size(), 1U);
  EXPECT_EQ(sweep.reports[0].mtu_bytes, 1500U);
}

TEST(SizeSweep, LossIsNoEdge) {
  RulePath path;
  path.loss = 0.3;
  const SizeSweep sweep = sweep_sizes(path, up_to(1500));
  EXPECT_EQ(sweep.largest_passed_bytes, 1500U);
  EXPECT_EQ(sweep.smallest_failed_bytes, 0U);
}

TEST(SizeSweep, AnEdgeIsFoundThroughLoss) {
  RulePath path;
  path.loss = 0.2;
  path.mtu = 1380;
  const SizeSweep sweep = sweep_sizes(path, up_to(1500));
  EXPECT_EQ(sweep.largest_passed_bytes, 1380U);
  EXPECT_EQ(sweep.smallest_failed_bytes, 1381U);
}

TEST(SizeSweep, TheOwnInterfaceIsNoEdgeOfThePath) {
  RulePath path;
  path.mtu = 9000;
  path.interface_mtu = 1500;
  const SizeSweep sweep = sweep_sizes(path, up_to(65535));
  EXPECT_EQ(sweep.ceiling_bytes, 1500U);
  EXPECT_EQ(sweep.largest_passed_bytes, 1500U);
  EXPECT_EQ(sweep.smallest_failed_bytes, 0U);
}

TEST(SizeSweep, ASilentHostIsNotABlackHole) {
  RulePath path;
  path.dead = true;
  const SizeSweep sweep = sweep_sizes(path, up_to(1500));
  EXPECT_FALSE(sweep.unable.empty());
  EXPECT_EQ(sweep.smallest_failed_bytes, 0U);
  EXPECT_LT(path.packets, 10U);
}

TEST(SizeSweep, StopsWhenAsked) {
  RulePath path;
  SweepLimits limits = up_to(1500);
  limits.stopped = [] { return true; };
  const SizeSweep sweep = sweep_sizes(path, limits);
  EXPECT_FALSE(sweep.finished);
  EXPECT_EQ(path.volleys, 0U);
}

}  // namespace
}  // namespace slowpath::probe

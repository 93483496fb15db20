// SPDX-License-Identifier: Apache-2.0
// Statistics against values from R's documentation or worked out by counting pairs.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "detect/arithmetic/statistics.h"

namespace slowpath::arithmetic {
namespace {

using Values = std::vector<double>;

TEST(Statistics, percentiles) {
  EXPECT_EQ(median(Values{}), std::nullopt);
  EXPECT_DOUBLE_EQ(*median(Values{3}), 3);
  EXPECT_DOUBLE_EQ(*median(Values{5, 1, 3}), 3);
  EXPECT_DOUBLE_EQ(*median(Values{4, 1, 3, 2}), 2.5);
  EXPECT_DOUBLE_EQ(*percentile(Values{1, 2, 3, 4, 5}, 0.95), 4.8);
  EXPECT_DOUBLE_EQ(*percentile(Values{2, 1}, 0), 1);
  EXPECT_DOUBLE_EQ(*percentile(Values{2, 1}, 1), 2);
  EXPECT_DOUBLE_EQ(*percentile(Values{2, 1}, 7), 2);
}

TEST(RankTest, disjointSamples) {
  // R: wilcox.test(1:10, 11:20, exact=FALSE) gives p 0.0001827.
  const auto test = rank_test(Values{1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
                              Values{11, 12, 13, 14, 15, 16, 17, 18, 19, 20});
  ASSERT_TRUE(test);
  EXPECT_DOUBLE_EQ(test->u, 0);
  EXPECT_DOUBLE_EQ(test->superiority, 0);
  EXPECT_NEAR(test->p_two_sided, 0.0001827, 5e-8);
  EXPECT_LT(test->z, 0);
}

TEST(RankTest, tiesShareTheirRank) {
  const auto test = rank_test(Values{1, 2, 2, 3, 5, 5, 7, 9}, Values{2, 3, 3, 4, 5, 8, 8, 8, 10});
  ASSERT_TRUE(test);
  EXPECT_DOUBLE_EQ(test->u, 25);
  EXPECT_NEAR(test->z, -1.0204165815979276, 1e-12);
  EXPECT_NEAR(test->p_two_sided, 0.30753093310522545, 1e-12);
}

TEST(RankTest, isSymmetric) {
  const Values a{1, 4, 4, 6, 9};
  const Values b{2, 4, 5, 5};
  const auto ab = rank_test(a, b);
  const auto ba = rank_test(b, a);
  ASSERT_TRUE(ab && ba);
  EXPECT_DOUBLE_EQ(ab->superiority + ba->superiority, 1);
  EXPECT_DOUBLE_EQ(ab->z, -ba->z);
}

TEST(RankTest, saysNothingOfNothing) {
  EXPECT_FALSE(rank_test(Values{1}, Values{2, 3}));
  EXPECT_FALSE(rank_test(Values{1, 2}, Values{}));
  EXPECT_FALSE(rank_test(Values{2, 2, 2}, Values{2, 2}));
}

TEST(LinearFit, line) {
  const auto fit = linear_fit(Values{1, 2, 3, 4}, Values{3, 5, 7, 9});
  ASSERT_TRUE(fit);
  EXPECT_DOUBLE_EQ(fit->slope, 2);
  EXPECT_DOUBLE_EQ(fit->intercept, 1);
  EXPECT_DOUBLE_EQ(fit->r_squared, 1);
}

TEST(LinearFit, scattered) {
  // By hand: Sxx 10, Sxy 6, Syy 6.8.
  const auto fit = linear_fit(Values{1, 2, 3, 4, 5}, Values{2, 4, 5, 4, 5});
  ASSERT_TRUE(fit);
  EXPECT_DOUBLE_EQ(fit->slope, 0.6);
  EXPECT_DOUBLE_EQ(fit->intercept, 2.2);
  EXPECT_NEAR(fit->r_squared, 0.6, 1e-12);
}

TEST(LinearFit, degenerate) {
  EXPECT_FALSE(linear_fit(Values{1}, Values{1}));
  EXPECT_FALSE(linear_fit(Values{2, 2}, Values{1, 5}));
  EXPECT_DOUBLE_EQ(linear_fit(Values{1, 2}, Values{3, 3})->r_squared, 1);
}

Values noise(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal(10, 1);
  Values values(count);
  std::ranges::generate(values, [&] { return normal(generator); });
  return values;
}

TEST(ChangePoint, exactStep) {
  const auto change = find_change_point(Values{1, 1, 1, 1, 1, 1, 5, 5, 5, 5, 5});
  ASSERT_TRUE(change);
  EXPECT_EQ(change->index, 6U);
  EXPECT_NEAR(change->mean_before, 1, 1e-12);
  EXPECT_NEAR(change->mean_after, 5, 1e-12);
  EXPECT_NEAR(change->explained, 1, 1e-12);
  EXPECT_GT(change->t, 1e6);
}

TEST(ChangePoint, meansAreThoseOfTheSides) {
  const Values values{3, 1, 2, 9, 8, 7, 9};
  const auto change = find_change_point(values, 2);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->index, 3U);
  EXPECT_NEAR(change->mean_before, 2, 1e-12);
  EXPECT_NEAR(change->mean_after, 8.25, 1e-12);
}

TEST(ChangePoint, stepInNoiseIsFoundNearItsPlace) {
  Values values = noise(400, 7);
  for (std::size_t i = 150; i < values.size(); ++i) values[i] += 2;
  const auto change = find_change_point(values);
  ASSERT_TRUE(change);
  EXPECT_NEAR(static_cast<double>(change->index), 150, 8);
  EXPECT_GT(change->t, 10);
}

TEST(ChangePoint, noiseAloneStaysBelowFour) {
  int above = 0;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    above += find_change_point(noise(1000, seed))->t > 4 ? 1 : 0;
  }
  EXPECT_LE(above, 2);
}

TEST(ChangePoint, shortOrConstantSeriesHaveNone) {
  EXPECT_FALSE(find_change_point(Values{1, 2, 3, 4}));
  EXPECT_FALSE(find_change_point(Values{}, 0));
  EXPECT_FALSE(find_change_point(Values(20, 3.0)));
}

}  // namespace
}  // namespace slowpath::arithmetic

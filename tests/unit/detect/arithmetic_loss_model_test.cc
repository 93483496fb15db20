// SPDX-License-Identifier: Apache-2.0
// Loss against rate: budgets recomputed from the formulas by hand, CUBIC against RFC 9438's tables,
// the full PFTK model against values computed apart from this code and against its own
// approximation.
#include <gtest/gtest.h>

#include "detect/arithmetic/loss_model.h"

namespace slowpath::arithmetic {
namespace {

constexpr double kMss = 1448;

void expect_ratio(double value, double expected, double tolerance) {
  EXPECT_NEAR(value / expected, 1, tolerance) << value << " for " << expected;
}

TEST(LossModel, renoBudgets) {
  expect_ratio(mathis_max_loss(kMss, 0.010, 1e9), 2.0e-6, 0.01);
  expect_ratio(mathis_max_loss(kMss, 0.080, 1e9), 3.15e-8, 0.01);
  expect_ratio(mathis_max_loss(kMss, 0.080, 1e10), 3.15e-10, 0.01);
  expect_ratio(mathis_max_loss(kMss, 0.050, 1e8), 8.05e-6, 0.01);
}

TEST(LossModel, cubicBudgets) {
  expect_ratio(cubic_max_loss(kMss, 0.080, 1e9), 6.5e-7, 0.01);
  expect_ratio(cubic_max_loss(kMss, 0.080, 1e10), 3.0e-8, 0.01);
  expect_ratio(cubic_max_loss(kMss, 0.050, 1e8), 1.6e-5, 0.03);
  // Short paths: the Reno-friendly region carries more.
  EXPECT_DOUBLE_EQ(cubic_max_loss(kMss, 0.010, 1e9), mathis_max_loss(kMss, 0.010, 1e9));
}

TEST(LossModel, cubicWindowsOfRfc9438) {
  // Tables 1 and 2, section 5.1: average window in segments by loss, at RTT 0.1 s and 0.01 s.
  expect_ratio(cubic_window_segments(0.1, 1e-4), 187, 0.01);
  expect_ratio(cubic_window_segments(0.1, 1e-6), 5926, 0.01);
  expect_ratio(cubic_window_segments(0.1, 1e-8), 187400, 0.01);
  expect_ratio(cubic_window_segments(0.01, 1e-8), 33325, 0.01);
  // There Reno's 1.2/√p rules; the RFC rounds the constant.
  expect_ratio(cubic_window_segments(0.01, 1e-4), 120, 0.03);
}

TEST(LossModel, mathisRate) {
  // 1 % loss, 100 ms: 12.2 segments a round trip; 8.7 with delayed ACKs.
  expect_ratio(mathis_rate_bps(1460, 0.1, 0.01), 1.43e6, 0.01);
  expect_ratio(mathis_rate_bps(1460, 0.1, 0.01, kMathisDelayedAck), 1.011e6, 0.01);
  EXPECT_GT(mathis_rate_bps(1460, 0.1, 0), 1e300);
}

TEST(LossModel, budgetsInvertRates) {
  for (const double p : {1e-3, 1e-5, 1e-7}) {
    expect_ratio(mathis_max_loss(kMss, 0.05, mathis_rate_bps(kMss, 0.05, p)), p, 1e-9);
    expect_ratio(cubic_max_loss(kMss, 0.05, cubic_rate_bps(kMss, 0.05, p)), p, 1e-9);
  }
  EXPECT_DOUBLE_EQ(mathis_max_loss(kMss, 0.05, 1), 1);
  EXPECT_DOUBLE_EQ(cubic_max_loss(kMss, 0.05, 0), 1);
}

double segments_per_second(double p, double rtt_s, double rto_s, double max_window = 0) {
  const PftkOptions options{.rto_s = rto_s, .max_window_segments = max_window};
  return pftk_rate_bps(1000, rtt_s, p, options) / 8000;
}

TEST(LossModel, pftkFullModel) {
  expect_ratio(segments_per_second(0.01, 0.2, 1.0), 38.161905543946844, 1e-9);
  expect_ratio(segments_per_second(0.1, 0.2, 1.0), 6.819838967455801, 1e-9);
  expect_ratio(segments_per_second(1e-4, 0.1, 0.3), 862.9820327410935, 1e-9);
  expect_ratio(segments_per_second(0.01, 0.2, 1.0, 6), 23.280746421945683, 1e-9);
  expect_ratio(segments_per_second(1e-4, 0.1, 1.0, 20), 197.05121650253852, 1e-9);
}

TEST(LossModel, pftkLimits) {
  EXPECT_DOUBLE_EQ(segments_per_second(0, 0.1, 1, 20), 200);
  EXPECT_DOUBLE_EQ(segments_per_second(1, 0.1, 1, 20), 0);
  EXPECT_LE(segments_per_second(1e-15, 0.1, 1, 20), 200);
  EXPECT_GT(segments_per_second(1e-15, 0.1, 1), 1e6);
  double last = 1e300;
  for (double p = 1e-9; p < 0.5; p *= 1.3) {
    const double rate = segments_per_second(p, 0.05, 0.3);
    EXPECT_LT(rate, last) << p;
    last = rate;
  }
}

TEST(LossModel, pftkApproximationIsNear) {
  for (const double p : {1e-5, 1e-4, 1e-3, 1e-2}) {
    const PftkOptions options{.rto_s = 0.3};
    expect_ratio(pftk_simple_rate_bps(kMss, 0.1, p, options), pftk_rate_bps(kMss, 0.1, p, options),
                 0.2);
  }
}

TEST(LossModel, bitErrorsGrowWithLength) {
  expect_ratio(loss_from_bit_errors(1e-12, 1538), 1.2304e-8, 1e-4);
  expect_ratio(loss_from_bit_errors(1e-6, 1000), 0.0079681, 1e-4);
  EXPECT_DOUBLE_EQ(loss_from_bit_errors(0, 1500), 0);
}

}  // namespace
}  // namespace slowpath::arithmetic

// SPDX-License-Identifier: Apache-2.0
#include "detect/arithmetic/loss_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "detect/arithmetic/window.h"

namespace slowpath::arithmetic {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// RFC 9438 sections 4.1.2 and 4.6.
constexpr double kCubicC = 0.4;
constexpr double kCubicBeta = 0.7;

/// The factor of (RTT/p)^¾ in CUBIC's average window: 1.054.
double cubic_factor() {
  return std::pow(kCubicC * (3 + kCubicBeta) / (4 * (1 - kCubicBeta)), 0.25);
}

double window_limit_bps(double mss_bytes, double rtt_s, const PftkOptions& options) {
  if (options.max_window_segments <= 0) return kInfinity;
  return window_rate_bps(options.max_window_segments * mss_bytes, rtt_s);
}

/// Q(w): the chance that a loss in a window of w segments ends in a timeout.
double timeout_chance(double p, double window) {
  if (window <= 3) return 1;
  const double q = 1 - p;
  const double q3 = q * q * q;
  const double denominator = 1 - std::pow(q, window);
  // Below about 1e-16 the quotient is 0/0; its limit is 3/w, the paper's own approximation.
  if (denominator < 1e-12) return std::min(1.0, 3 / window);
  return std::min(1.0, (1 - q3) * (1 + q3 * (1 - std::pow(q, window - 3))) / denominator);
}

/// G(p): how the doubled timeouts add up, in units of (1 - p)·T0.
double backoff_sum(double p) {
  return 1 + p * (1 + p * (2 + p * (4 + p * (8 + p * (16 + p * 32)))));
}

}  // namespace

double mathis_rate_bps(double mss_bytes, double rtt_s, double p, double c) {
  if (p <= 0 || rtt_s <= 0) return kInfinity;
  return mss_bytes * 8 / rtt_s * c / std::sqrt(p);
}

double mathis_max_loss(double mss_bytes, double rtt_s, double rate_bps, double c) {
  if (rtt_s <= 0 || rate_bps <= 0) return 1;
  const double root = c * mss_bytes * 8 / (rtt_s * rate_bps);
  return std::min(1.0, root * root);
}

double pftk_rate_bps(double mss_bytes, double rtt_s, double p, const PftkOptions& options) {
  const double limit_bps = window_limit_bps(mss_bytes, rtt_s, options);
  if (p <= 0 || rtt_s <= 0) return limit_bps;
  if (p >= 1) return 0;
  const double b = options.segments_per_ack;
  const double base = (2 + b) / (3 * b);
  const double unlimited = base + std::sqrt(8 * (1 - p) / (3 * b * p) + base * base);
  const bool limited = options.max_window_segments > 0 && unlimited >= options.max_window_segments;
  const double window = limited ? options.max_window_segments : unlimited;

  const double timeouts = timeout_chance(p, window);
  const double rounds = limited ? b / 8 * window + (1 - p) / (p * window) + 2 : b / 2 * window + 1;
  const double packets = (1 - p) / p + window + timeouts / (1 - p);
  const double seconds = rtt_s * rounds + timeouts * backoff_sum(p) * options.rto_s / (1 - p);
  return std::min(limit_bps, packets / seconds * mss_bytes * 8);
}

double pftk_simple_rate_bps(double mss_bytes, double rtt_s, double p, const PftkOptions& options) {
  const double limit_bps = window_limit_bps(mss_bytes, rtt_s, options);
  if (p <= 0 || rtt_s <= 0) return limit_bps;
  const double b = options.segments_per_ack;
  const double seconds =
      rtt_s * std::sqrt(2 * b * p / 3) +
      options.rto_s * std::min(1.0, 3 * std::sqrt(3 * b * p / 8)) * p * (1 + 32 * p * p);
  return std::min(limit_bps, mss_bytes * 8 / seconds);
}

double cubic_window_segments(double rtt_s, double p) {
  if (p <= 0) return kInfinity;
  return std::max(cubic_factor() * std::pow(rtt_s / p, 0.75), kMathisAckEvery / std::sqrt(p));
}

double cubic_rate_bps(double mss_bytes, double rtt_s, double p) {
  return window_rate_bps(cubic_window_segments(rtt_s, p) * mss_bytes, rtt_s);
}

double cubic_max_loss(double mss_bytes, double rtt_s, double rate_bps) {
  if (rtt_s <= 0 || rate_bps <= 0) return 1;
  const double segments = bdp_bytes(rate_bps, rtt_s) / mss_bytes;
  const double cubic = rtt_s * std::pow(cubic_factor() / segments, 4.0 / 3);
  return std::min(1.0, std::max(cubic, mathis_max_loss(mss_bytes, rtt_s, rate_bps)));
}

double loss_from_bit_errors(double bit_error_ratio, double packet_bytes) {
  // expm1 and log1p keep the digits that 1 - (1 - 1e-12) would lose.
  return -std::expm1(8 * packet_bytes * std::log1p(-bit_error_ratio));
}

}  // namespace slowpath::arithmetic

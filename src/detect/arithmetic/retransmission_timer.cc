// SPDX-License-Identifier: Apache-2.0
#include "detect/arithmetic/retransmission_timer.h"

#include <algorithm>
#include <cmath>

namespace slowpath::arithmetic {

void RetransmissionTimer::add_rtt(double rtt_s) {
  factor_ = 1;
  if (!measured_) {
    measured_ = true;
    srtt_s_ = rtt_s;
    rttvar_s_ = rtt_s / 2;
    return;
  }
  // RFC 6298 section 2.3: RTTVAR is updated with the SRTT of before.
  constexpr double kAlpha = 1.0 / 8;
  constexpr double kBeta = 1.0 / 4;
  rttvar_s_ = (1 - kBeta) * rttvar_s_ + kBeta * std::abs(srtt_s_ - rtt_s);
  srtt_s_ = (1 - kAlpha) * srtt_s_ + kAlpha * rtt_s;
}

double RetransmissionTimer::rto_s() const {
  const double base = measured_
                          ? std::max(constants_.minimum_s,
                                     srtt_s_ + std::max(constants_.granularity_s, 4 * rttvar_s_))
                          : constants_.initial_s;
  return std::min(constants_.maximum_s, base * factor_);
}

double retransmission_time_s(double rto_s, int n, double maximum_s) {
  double at = 0;
  double step = rto_s;
  for (int i = 0; i < n; ++i) {
    at += std::min(step, maximum_s);
    step = std::min(step * 2, maximum_s);
  }
  return at;
}

}  // namespace slowpath::arithmetic

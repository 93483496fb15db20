// SPDX-License-Identifier: Apache-2.0
// The retransmission timer: RFC 6298's estimator with the constants of the stacks in the field, and
// the moments at which an unanswered segment is sent again.
#pragma once

#include <string_view>

namespace slowpath::arithmetic {

/// RTO = max(minimum, SRTT + max(granularity, 4·RTTVAR)), at most maximum. Seconds.
struct TimerConstants {
  std::string_view stack;
  double granularity_s;
  double minimum_s;
  double maximum_s;
  double initial_s;  // before the first measurement: also the first SYN timeout
};

/// RFC 6298 sections 2.1, 2.4 and 2.5. G is taken as 1 ms: of today's clocks.
inline constexpr TimerConstants kRfc6298Timer{"RFC 6298", 0.001, 1.0, 60, 1.0};
/// Linux: TCP_RTO_MIN bounds 4·RTTVAR, not the sum, so that RTO = SRTT + 200 ms on a quiet path.
inline constexpr TimerConstants kLinuxTimer{"Linux", 0.2, 0.2, 120, 1.0};
/// FreeBSD: net.inet.tcp.rexmit_min is 30 ms.
inline constexpr TimerConstants kFreeBsdTimer{"FreeBSD", 0.001, 0.03, 64, 1.0};
/// Windows: MinRtoMs of Get-NetTCPSetting is 300 in the Internet template; the largest is the
/// RFC's.
inline constexpr TimerConstants kWindowsTimer{"Windows", 0.001, 0.3, 60, 1.0};

/// The estimator of RFC 6298 section 2. Feed it measurements of segments never retransmitted
/// (Karn).
class RetransmissionTimer {
 public:
  explicit RetransmissionTimer(const TimerConstants& constants = kRfc6298Timer)
      : constants_(constants) {}

  void add_rtt(double rtt_s);
  /// Doubles the timer, as each expiry does (section 5.5); a new measurement ends it.
  void back_off() { factor_ *= 2; }

  [[nodiscard]] double rto_s() const;
  [[nodiscard]] double srtt_s() const { return srtt_s_; }
  [[nodiscard]] double rttvar_s() const { return rttvar_s_; }

 private:
  TimerConstants constants_;
  double srtt_s_ = 0;
  double rttvar_s_ = 0;
  double factor_ = 1;
  bool measured_ = false;
};

/// Seconds from the first sending to the n-th retransmission when nothing answers:
/// RTO · (2^n - 1), each step at most maximum_s. With 1 s: 1, 3, 7, 15, 31 (RFC 6298 section 5).
double retransmission_time_s(double rto_s, int n, double maximum_s = kLinuxTimer.maximum_s);

}  // namespace slowpath::arithmetic

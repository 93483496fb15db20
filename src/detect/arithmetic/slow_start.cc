// SPDX-License-Identifier: Apache-2.0
#include "detect/arithmetic/slow_start.h"

#include <algorithm>
#include <cmath>

#include "detect/arithmetic/packet_size.h"
#include "detect/arithmetic/window.h"

namespace slowpath::arithmetic {

int slow_start_rounds(double bytes, double mss_bytes, double initial_window_segments) {
  const double window = initial_window_segments * mss_bytes;
  if (bytes <= 0 || window <= 0) return 0;
  return static_cast<int>(std::ceil(std::log2(1 + bytes / window)));
}

double ideal_transfer_s(double bytes, double mss_bytes, double rtt_s, double rate_bps,
                        double initial_window_segments) {
  if (bytes <= 0) return 0;
  const double bdp = bdp_bytes(rate_bps, rtt_s);
  double window = initial_window_segments * mss_bytes;
  double left = bytes;
  double elapsed_s = 0;
  // A round ends one RTT after it began, until windows follow each other without a gap.
  while (window > 0 && window < bdp && left > window) {
    elapsed_s += rtt_s;
    left -= window;
    window *= 2;
  }
  return elapsed_s + serialisation_s(left, rate_bps) + rtt_s;
}

double exchanges_s(const Exchanges& exchanges, double mss_bytes, double rtt_s, double rate_bps,
                   double initial_window_segments) {
  if (exchanges.count <= 0 || exchanges.answer_bytes <= 0) return 0;
  const double bdp = bdp_bytes(rate_bps, rtt_s);
  double window = initial_window_segments * mss_bytes;
  double elapsed_s = 0, done = 0;
  while (done < exchanges.count) {
    const double opened = window;
    double left = exchanges.answer_bytes;
    double each_s = rtt_s;
    while (window > 0 && window < bdp && left > window) {
      each_s += rtt_s;
      left -= window;
      window *= 2;
    }
    each_s += serialisation_s(left, rate_bps);
    // The others are like this one, unless the window is wider for the next.
    const bool alike = exchanges.begin_anew || window == opened;
    const double covered = alike ? exchanges.count - done : std::min(1.0, exchanges.count - done);
    elapsed_s += covered * each_s;
    done += covered;
  }
  return elapsed_s;
}

}  // namespace slowpath::arithmetic

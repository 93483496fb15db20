// SPDX-License-Identifier: Apache-2.0
#include "detect/arithmetic/slow_start.h"

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

}  // namespace slowpath::arithmetic

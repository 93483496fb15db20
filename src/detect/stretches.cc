// SPDX-License-Identifier: Apache-2.0
// See stretches.h.
#include "detect/stretches.h"

namespace slowpath::detect {

std::vector<double> stretches_of(const Timeline& timeline, std::uint64_t TimelineBin::* bytes,
                                 std::size_t width) {
  const std::vector<TimelineBin>& bins = timeline.bins;
  std::vector<double> sums;
  sums.reserve(bins.size());
  double sum = 0;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    sum += static_cast<double>(bins[i].*bytes);
    if (i >= width) sum -= static_cast<double>(bins[i - width].*bytes);
    sums.push_back(sum);
  }
  return sums;
}

double rate_in_stretch_bps(const Timeline& timeline, double bytes, std::size_t width) {
  return bytes * 8 / (static_cast<double>(width) * timeline.bin_s);
}

}  // namespace slowpath::detect

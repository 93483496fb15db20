// SPDX-License-Identifier: Apache-2.0
// See stretches.h.
#include "detect/stretches.h"

#include <span>

namespace slowpath::detect {

std::vector<double> stretches_of(const Timeline& timeline, std::uint64_t TimelineBin::* bytes,
                                 std::size_t width) {
  const std::span<const TimelineBin> kept = timeline.bins.kept();
  const std::span<const std::uint16_t> numbers = timeline.bins.numbers();
  std::vector<double> sums(timeline.bins.size());
  double sum = 0;
  std::size_t entering = 0, leaving = 0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (entering < kept.size() && numbers[entering] == i)
      sum += static_cast<double>(kept[entering++].*bytes);
    if (leaving < kept.size() && numbers[leaving] + width == i)
      sum -= static_cast<double>(kept[leaving++].*bytes);
    sums[i] = sum;
  }
  return sums;
}

std::uint64_t bytes_within(const Timeline& timeline, std::uint64_t TimelineBin::* bytes,
                           std::size_t from, std::size_t to) {
  const std::span<const std::uint16_t> numbers = timeline.bins.numbers();
  std::uint64_t sum = 0;
  for (std::size_t i = timeline.bins.first_kept_from(from); i < numbers.size() && numbers[i] < to;
       ++i) {
    sum += timeline.bins.kept()[i].*bytes;
  }
  return sum;
}

double rate_in_stretch_bps(const Timeline& timeline, double bytes, std::size_t width) {
  return bytes * 8 / (static_cast<double>(width) * timeline.bin_s);
}

}  // namespace slowpath::detect

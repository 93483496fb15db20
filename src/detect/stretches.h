// SPDX-License-Identifier: Apache-2.0
// What moved in stretches of time, from the timeline of a direction. Shared by those who ask how
// fast a transfer was at its best.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "facts/timeline.h"

namespace slowpath::detect {

/// The sums of one of the bins' counts of bytes over stretches of `width` bins, one for each bin,
/// which is the stretch's last; the first ones lack what was before the beginning.
std::vector<double> stretches_of(const Timeline& timeline, std::uint64_t TimelineBin::* bytes,
                                 std::size_t width);

/// The sum of one of the bins' counts of bytes over the bins from `from` to before `to`.
std::uint64_t bytes_within(const Timeline& timeline, std::uint64_t TimelineBin::* bytes,
                           std::size_t from, std::size_t to);

/// The rate at which so many bytes fill such a stretch, bit/s.
double rate_in_stretch_bps(const Timeline& timeline, double bytes, std::size_t width);

}  // namespace slowpath::detect

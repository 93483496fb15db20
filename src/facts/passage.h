// SPDX-License-Identifier: Apache-2.0
// What a path let through and what it dropped, by the time of sending: what a token bucket is fitted to.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"

namespace slowpath {

/// Of the payload bytes sent within one short interval (every copy counts): those that arrived and those that did not.
/// Times are those of the capture point.
struct PassageCell {
  Time at{};                       // begin of the interval
  std::uint32_t passed_bytes = 0;
  std::uint32_t lost_bytes = 0;
};

/// From the first loss on; empty with fewer than kFewestLosses losses, which no model could be fitted to.
struct PassageFacts {
  static constexpr std::size_t kMaxCells = 8192;
  static constexpr std::uint64_t kFewestLosses = 10;
  double cell_s = 0;               // length of an interval; doubled when there were too many
  std::vector<PassageCell> cells;  // in time order; intervals without sends are left out
  std::uint64_t bytes_before = 0;  // acknowledged before the first loss
};

}  // namespace slowpath

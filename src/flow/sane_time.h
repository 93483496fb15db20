// SPDX-License-Identifier: Apache-2.0
// Which time stamps are believed.
#pragma once

#include "base/time.h"
#include "wire/frame.h"

namespace slowpath::flow {

/// Instants before 1896 and after 2116 are no clock's; between these two the difference of any two
/// fits a Duration.
inline constexpr Time kOldestTime = time_from_ns(-(std::int64_t{1} << 61)),
                      kNewestTime = time_from_ns(std::int64_t{1} << 62);

inline bool has_sane_time(const wire::Frame& frame) {
  return frame.has_time && frame.time >= kOldestTime && frame.time <= kNewestTime;
}

}  // namespace slowpath::flow

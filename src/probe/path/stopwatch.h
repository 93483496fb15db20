// SPDX-License-Identifier: Apache-2.0
// How long poll(2) may still wait.
#pragma once

#include <algorithm>
#include <cstdint>

#include "probe/socket.h"

namespace slowpath::probe {

/// Until an instant of steady_ns(), rounded up; 0 when it has passed.
inline int milliseconds_until(std::int64_t deadline_ns) {
  const std::int64_t left = deadline_ns - steady_ns();
  return static_cast<int>(std::clamp<std::int64_t>((left + 999'999) / 1'000'000, 0, 3'600'000));
}

}  // namespace slowpath::probe

// SPDX-License-Identifier: Apache-2.0
// The clock that both ends of a transfer share: CLOCK_MONOTONIC is one for all processes.
#pragma once

#include <chrono>
#include <cstdint>
#include <thread>

#include "base/time.h"

namespace slowpath::lab {

inline std::int64_t steady_ns() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

/// Sleeps until `ns` of the steady clock, or not at all.
inline void sleep_until_ns(std::int64_t ns) {
  const auto left = ns - steady_ns();
  if (left > 0) std::this_thread::sleep_for(Duration{left});
}

}  // namespace slowpath::lab

// SPDX-License-Identifier: Apache-2.0
// How far a packet came, by its time to live: stacks start from 32, 64, 128 or 255.
#pragma once

#include <cstdint>

namespace slowpath::detect {

/// Routers crossed, if the sender began with the next usual value.
constexpr int hops_of(std::uint8_t ttl) {
  for (const int initial : {32, 64, 128, 255}) {
    if (ttl <= initial) return initial - ttl;
  }
  return 0;
}

/// The time to live is one that stacks begin with (0 = not known, and then it is not).
constexpr bool crossed_no_router(std::uint8_t ttl) { return ttl == 64 || ttl == 128 || ttl == 255; }

}  // namespace slowpath::detect

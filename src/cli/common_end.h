// SPDX-License-Identifier: Apache-2.0
// Threads that each read the whole of an input end at the same place.
#pragma once

#include <atomic>
#include <cstdint>

namespace slowpath::cli {

/// Where they all end when one of them is to end: after what any of them has begun. Any thread.
class CommonEnd {
 public:
  /// Whether a thread is to go on with `round`, its next, counted from 1 by each alike. With
  /// `is_to_end` no round begins that no thread has begun.
  [[nodiscard]] bool goes_on(std::uint64_t round, bool is_to_end) {
    std::uint64_t seen = state_.load();
    for (;;) {
      if (round <= seen / 2) return true;
      if (seen % 2 != 0) return false;
      const std::uint64_t next = is_to_end ? seen + 1 : round * 2;
      if (state_.compare_exchange_weak(seen, next)) return !is_to_end;
    }
  }

 private:
  std::atomic<std::uint64_t> state_{0};  // the newest round begun, times two; odd: it is the last
};

}  // namespace slowpath::cli

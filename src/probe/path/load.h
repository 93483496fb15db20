// SPDX-License-Identifier: Apache-2.0
// A TCP transfer that only fills the path, while something else is measured.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace slowpath::probe {

struct LoadResult {
  std::uint64_t bytes = 0;  // given to the kernel, or read
  double seconds = 0;
  [[nodiscard]] double rate_bps() const {
    return seconds > 0 ? static_cast<double>(bytes) * 8 / seconds : 0;
  }
};

/// Sends zeros for so long; bytes are those that the peer acknowledged. Ends early where the
/// connection breaks.
LoadResult send_load(int socket, Duration how_long);

/// Reads and drops until the peer closes, or `stop` is set and nothing comes any more.
LoadResult drain_load(int socket, const std::atomic<bool>& stop);

}  // namespace slowpath::probe

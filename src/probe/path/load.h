// SPDX-License-Identifier: Apache-2.0
// A TCP transfer that only fills the path, while something else is measured.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "base/descriptor.h"
#include "base/time.h"

namespace slowpath::probe {

struct LoadResult {
  std::uint64_t bytes = 0;  // given to the kernel, or read
  double seconds = 0;
  [[nodiscard]] double rate_bps() const {
    return seconds > 0 ? static_cast<double>(bytes) * 8 / seconds : 0;
  }
};

/// So many connections at once: one alone fills a long queue slowly, and halves for each loss.
inline constexpr std::size_t kLoadConnections = 4;

/// Sends zeros on all for so long; bytes are those that the peer acknowledged. Ends early where all
/// connections are broken.
LoadResult send_load(std::span<const Descriptor> sockets, Duration how_long);

/// Reads and drops until the peer has closed all, or `stop` is set and nothing comes any more.
LoadResult drain_load(std::span<const Descriptor> sockets, const std::atomic<bool>& stop);

}  // namespace slowpath::probe

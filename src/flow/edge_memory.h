// SPDX-License-Identifier: Apache-2.0
// The right edges that a receive window had of late. A sender that fills the window to the byte
// cuts its last segment there (RFC 9293 section 3.8.6.2.1). Away from the sender later ACKs have
// passed the tap by then, of which it knew nothing: the newest edge no longer tells, an earlier one
// does.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace slowpath::flow {

class EdgeMemory {
 public:
  /// The window ends at the stream's offset `edge` from `now` on.
  void moved(std::int64_t edge, Time now) {
    if (count_ > 0 && at(count_ - 1).edge == edge) return;
    edges_[count_++ % kEdges] = {edge, now};
  }

  /// Whether the window ended at `end` at some time within `seconds` before `now`. Of the newest
  /// sixteen edges.
  [[nodiscard]] bool was_edge(std::int64_t end, Time now, double seconds) const {
    const std::size_t kept = std::min<std::size_t>(count_, kEdges);
    for (std::size_t back = 1; back <= kept; ++back) {
      if (at(count_ - back).edge == end) return true;
      // The one before it was replaced when this one began.
      if (to_seconds(now - at(count_ - back).since) > seconds) return false;
    }
    return false;
  }

 private:
  static constexpr std::size_t kEdges = 16;
  struct Edge {
    std::int64_t edge = 0;
    Time since{};
  };

  [[nodiscard]] const Edge& at(std::size_t index) const { return edges_[index % kEdges]; }

  std::array<Edge, kEdges> edges_{};
  std::size_t count_ = 0;
};

}  // namespace slowpath::flow

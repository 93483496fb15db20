// SPDX-License-Identifier: Apache-2.0
// SACK blocks that cannot be true. A box that renumbers a stream and forgets the SACK option leaves
// the receiver's own numbers in it: each block is then off by the same distance, mostly far from
// anything that is in flight.
#include <algorithm>

#include "flow/direction_analysis.h"

namespace slowpath::flow {

// A receiver has nothing that was not sent; what the capture missed lies within the window, and
// none is wider than 2^30 (RFC 7323 section 2.3). A block below the ACK reports a duplicate (RFC
// 2883), but never of what lies before the stream began.
bool DirectionAnalysis::note_impossible_sack(std::int64_t begin, std::int64_t end, std::int64_t ack,
                                             const Record& record) {
  constexpr std::int64_t kWidest = std::int64_t{1} << 30;
  // A witness that has missed nothing so far may be a little late, no more.
  constexpr std::int64_t kLate = std::int64_t{64} * 1024;
  const bool scale_known = facts_.window.knowledge == ScaleKnowledge::negotiated ||
                           facts_.window.knowledge == ScaleKnowledge::not_in_use;
  const bool complete = from_syn_ && facts_.unseen_acked.count == 0;
  const std::int64_t window = complete      ? kLate
                              : scale_known ? static_cast<std::int64_t>(facts_.window.max_bytes)
                                            : kWidest;
  const bool beyond = end > std::max(next_, std::max(una_, ack)) + window;
  // Without the SYN the stream may have begun before the capture.
  const bool before = begin < (from_syn_ ? 0 : -kWidest);
  if (!beyond && !before) return false;
  SackEdgeFacts& edges = facts_.sack_edges;
  const std::int64_t offset = begin - ack;
  edges.offset_min = edges.impossible == 0 ? offset : std::min(edges.offset_min, offset);
  edges.offset_max = edges.impossible == 0 ? offset : std::max(edges.offset_max, offset);
  ++edges.impossible;
  note(edges.frames, record.frame);
  return true;
}

}  // namespace slowpath::flow

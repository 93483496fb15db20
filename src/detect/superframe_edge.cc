// SPDX-License-Identifier: Apache-2.0
#include "detect/superframe_edge.h"

#include "detect/tap.h"

namespace slowpath::detect {
namespace {

// One in twenty above the edge may pass: a merge at the capture point of what had been cut already.
constexpr std::uint64_t kSentPerDelivered = 20;
// Fewer may be one overshoot of a queue, as may be losses in one or two flights.
constexpr std::uint64_t kLostAboveEdge = 6;
constexpr std::uint64_t kEpisodes = 3;
// Unless the edge is clean: so many are lost, nothing at all passes from it on, and nothing at all
// is lost below. What fills up or is down takes parts of frames, and the small ones beside them.
constexpr std::uint64_t kEpisodesIfClean = 2, kLostIfClean = 12;
// A queue or a policer takes small frames too.
constexpr double kLossesAboveEdge = 0.9;
// But of so many large frames neither lets none through, and hardly a smaller one is lost whole:
// then size decides, whatever else was lost or, on a path that reorders, was taken for lost.
constexpr std::uint64_t kLostBySize = 20, kDeliveredPerLostBySize = 100;
// Below the edge super-frames do arrive, at least so many for each that is lost whole.
constexpr std::uint64_t kDeliveredPerLost = 10;

// Without a timeout: behind one, a sender without SACK sends all of a flight again, whatever of it
// arrived.
bool is_clean(const DirectionFacts& data, const SuperframeEdge& edge, std::uint64_t least) {
  return edge.lost >= least && edge.delivered == 0 && edge.lost_below == 0 &&
         data.lost_packets == edge.lost && data.timeouts == 0;
}

bool size_decides(const SuperframeEdge& edge) {
  return edge.lost >= kLostBySize && edge.delivered == 0 &&
         edge.lost_below * kDeliveredPerLostBySize <= edge.delivered_below;
}

std::uint64_t unfinished(const ChecksumFacts& sums) {
  return sums.partial + sums.partial_no_length + sums.zero;
}

}  // namespace

SuperframeEdge find_edge(const SuperframeFacts& super) {
  SuperframeEdge edge;
  for (auto size = super.sizes.rbegin(); size != super.sizes.rend(); ++size) {
    const std::uint64_t lost = edge.lost + size->lost_whole;
    const std::uint64_t delivered = edge.delivered + size->delivered;
    const bool goes_on = edge.lost_below + edge.delivered_below == 0 &&
                         delivered * kSentPerDelivered <= lost + delivered;
    if (goes_on) {
      edge.segments = size->segments;
      edge.lost = lost;
      edge.delivered = delivered;
    } else {
      edge.lost_below += size->lost_whole;
      edge.delivered_below += size->delivered;
    }
  }
  return edge;
}

bool only_large_are_lost(const DirectionFacts& data, const SuperframeEdge& edge) {
  const std::uint64_t episodes = is_clean(data, edge, kLostIfClean) ? kEpisodesIfClean : kEpisodes;
  return edge.lost >= kLostAboveEdge && data.loss_episodes >= episodes &&
         edge.delivered_below > 0 && edge.lost_below * kDeliveredPerLost <= edge.delivered_below &&
         (size_decides(edge) ||
          static_cast<double>(edge.lost) >=
              kLossesAboveEdge * static_cast<double>(data.lost_packets));
}

bool only_large_were_lost_once(const DirectionFacts& data, const SuperframeEdge& edge) {
  return edge.delivered_below > 0 && is_clean(data, edge, kLostAboveEdge);
}

bool merged_after_sending(const Transfer& transfer) {
  if (!is_at_sender(transfer.data())) return true;
  const SuperframeFacts& super = transfer.data().superframes;
  return super.unfinished * 2 < super.sent && unfinished(transfer.reverse().checksums) > 0;
}

}  // namespace slowpath::detect

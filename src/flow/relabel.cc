// SPDX-License-Identifier: Apache-2.0
// What only the whole transfer tells of whose its time was.
#include <algorithm>

#include "facts/link_rate.h"
#include "flow/direction_analysis.h"

namespace slowpath::flow {

// Round trips near their least: nothing queues.
bool DirectionAnalysis::is_quiet() const {
  constexpr double kQuiet = 1.2, kQuietFloor_s = 0.002;
  const RttFacts& rtt = facts_.rtt.total;
  return rtt.median_s <= std::max(kQuiet * rtt.min_s, rtt.min_s + kQuietFloor_s);
}

// A congestion window grows every round trip that nothing hinders it. A flight that stays flat for
// many, below the window, without loss and without a queue, was held by the sending host: buffer,
// application or pacing. Packets cannot say which, so that time is nobody's (DESIGN principle 5).
void DirectionAnalysis::relabel_flat_flight() {
  constexpr std::uint64_t kRounds = 10;
  constexpr double kFlat = 0.15, kBelowWindow = 0.8, kGrowthShare = 0.3, kIdle = 0.2,
                   kLeastRtt_s = 0.001;
  const auto plateau = static_cast<double>(facts_.flight_plateau_bytes);
  // RFC 5681 section 3.1, with an ACK for every second segment: half a segment a round trip, at the
  // very least.
  const double growth =
      0.5 * static_cast<double>(facts_.flight_rounds) * static_cast<double>(segment_size_);
  if (facts_.flight_rounds < kRounds || growth < kGrowthShare * plateau) return;
  if (facts_.lost_packets > 0 || facts_.flight_plateau_spread > kFlat || plateau <= 0) return;
  if (!is_quiet()) return;
  // Below a millisecond the hosts' own time weighs as much as the flight.
  if (facts_.rtt.total.min_s < kLeastRtt_s) return;
  // A window that grows by a segment a round trip is no flat flight, however small that is beside
  // it. Delayed ACKs halve the growth, and a median forgives a little more.
  if (facts_.flight_growth_bytes > 0.25 * segment_size_) return;
  // Nor is one that the path's own rate clocks.
  if (facts_.flight_idle_share < kIdle) return;
  if (have_window_ && plateau > kBelowWindow * static_cast<double>(facts_.window.median_bytes))
    return;
  facts_.time.give(TimeOwner::congestion_window, TimeOwner::unknown);
}

// A capture that begins while a queue stands does not show the round trip without it: what waits in
// that queue seems to wait for ACKs. That the path was full shows all the same where segments come
// as close as its rate lets them, and the transfer had nearly all of that rate.
void DirectionAnalysis::relabel_full_path() {
  const double bps = exact_link_bps(facts_);
  // A program's rhythm looks like the path's, but for the queue.
  if (!begun_late_ || bps <= 0 || is_quiet()) return;
  if (facts_.goodput_bps < kLinkFilled * bps) return;
  facts_.time.give(TimeOwner::congestion_window, TimeOwner::bottleneck);
  if (away()) facts_.time.give(TimeOwner::pacing_or_cpu, TimeOwner::bottleneck);
}

// Of data without its ACKs, or ACKs without the data, only what was sent again tells what was
// waited for.
void DirectionAnalysis::disown_half() {
  const bool no_acks = facts_.data_packets > 0 && !facts_.acks_seen;
  const bool no_data = !facts_.seen && facts_.unseen_acked_holes > 0;
  if (!no_acks && !no_data) return;
  for (std::size_t i = 0; i < kTimeOwnerCount; ++i) {
    const auto owner = static_cast<TimeOwner>(i);
    const bool shows = (owner == TimeOwner::handshake && established_) ||
                       owner == TimeOwner::loss_recovery || owner == TimeOwner::timeout ||
                       owner == TimeOwner::unknown;
    if (!shows) facts_.time.give(owner, TimeOwner::unknown);
  }
}

}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
// Loss probes that carry new data (RFC 8985 section 7.3). When the end of a flight is lost nothing
// reports it, and after two round trips the sender sends one segment more, to be told. It looks as
// if its application had written late. What tells is the answer: the probe arrived and what was
// sent before it did not, so the wait was the loss's.
#include <algorithm>

#include "flow/direction_analysis.h"

namespace slowpath::flow {
namespace {

// The probe timeout (RFC 8985 section 7.2) is two smoothed round trips, and more for the ACK of a
// lone segment, which may be delayed: as long as the shortest timeout in Linux. Clocks and timers
// add to it. Who waits longer has something else to wait for.
constexpr double kProbeRoundTrips = 2, kMostRoundTrips = 2.5;
constexpr double kDelayedAck_s = 0.2, kTimer_s = 0.02;

}  // namespace

// Asked when the wait before new data has been charged.
bool DirectionAnalysis::may_be_probe(const Sending& s, double waited_s) const {
  const bool by_itself = newest_owner_ == TimeOwner::application ||
                         newest_owner_ == TimeOwner::pacing_or_cpu ||
                         newest_owner_ == TimeOwner::unknown;
  const auto segment = static_cast<std::int64_t>(std::max(segment_size_, path_segment_size_));
  const bool lone = next_ - una_ <= segment;
  const double most_s = kMostRoundTrips * srtt_s_ + (lone ? kDelayedAck_s : kTimer_s);
  return by_itself && next_ > una_ && srtt_s_ > 0 && waited_s >= kProbeRoundTrips * srtt_s_ &&
         waited_s <= most_s && s.end - s.begin <= segment;
}

void DirectionAnalysis::settle_probe(bool finds_loss) {
  if (!probe_) return;
  const TailProbe probe = *probe_;
  probe_.reset();
  if (!finds_loss) {
    if (probe.idle_s > 0) note_idle(probe.idle_s, probe.before, probe.frame);
    return;
  }
  const double moved_s = std::min(probe.waited_s, facts_.time[probe.owner]);
  facts_.time[probe.owner] -= moved_s;
  facts_.time[TimeOwner::loss_recovery] += moved_s;
  stalls_.correct(probe.since, TimeOwner::loss_recovery);
  rhythm_.take_back_own();
}

}  // namespace slowpath::flow

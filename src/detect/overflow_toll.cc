// SPDX-License-Identifier: Apache-2.0
// Thresholds and arithmetic of overflow_toll.h.
#include "detect/overflow_toll.h"

#include <algorithm>
#include <vector>

#include "detect/arithmetic/statistics.h"
#include "detect/full_path.h"
#include "detect/loss_pattern.h"
#include "facts/link_rate.h"

namespace slowpath::detect {
namespace {

// An overflow costs a timeout, or two: round trips of a silence beyond which no queue is to blame.
constexpr double kOverflowTimeouts = 8;
// The rate of a link that stays full for a tenth of the time.
constexpr double kBest = 0.9;
// A transfer that has nearly all of it, and makes it queue for a good part of the time, loses
// nothing. (One that is paced has all of its own rhythm, and no queue.)
constexpr double kQueuedShare = 0.3;

/// The share of time in which the path queued. Where the least round trip had a queue in it
/// already, as in a capture begun late, what waits in that queue seems to wait for the congestion
/// window.
double queued_share(const DirectionFacts& data) {
  const double queued = data.time.share(TimeOwner::bottleneck);
  if (!queue_builds(queue_of(data))) return queued;
  return queued + data.time.share(TimeOwner::congestion_window);
}

}  // namespace

bool fills_link(const DirectionFacts& data) {
  const double bps = link_bps(data);
  return bps > 0 && data.goodput_bps >= kLinkFilled * bps && queued_share(data) >= kQueuedShare;
}

double outage_s(const DirectionFacts& data) {
  const double longest_s = std::max(1.0, kOverflowTimeouts * data.rtt.total.p95_s);
  double seconds = 0;
  for (const Stall& stall : data.stalls) {
    if (stall.owner == TimeOwner::timeout && stall.seconds > longest_s) seconds += stall.seconds;
  }
  return seconds;
}

double idle_link_s(const DirectionFacts& data) {
  return data.time[TimeOwner::congestion_window] * data.flight_idle_share;
}

double below_its_best_s(const DirectionFacts& data) {
  if (fills_link(data)) return 0;
  std::vector<double> rates;
  for (const TimelineBin& bin : data.timeline.bins)
    rates.push_back(static_cast<double>(bin.acked_bytes));
  const double best = arithmetic::percentile(rates, kBest).value_or(0) / data.timeline.bin_s;
  if (!(best > 0)) return data.transfer_s;
  return std::max(0.0, data.transfer_s - static_cast<double>(data.bytes) / best);
}

double repair_toll_s(const DirectionFacts& data) {
  if (fills_link(data)) return 0;
  return data.time[TimeOwner::loss_recovery] + std::max(0.0, data.timeout_s - outage_s(data));
}

}  // namespace slowpath::detect

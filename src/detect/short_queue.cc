// SPDX-License-Identifier: Apache-2.0
// Thresholds and arithmetic of short_queue.h.
#include "detect/short_queue.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/loss_model.h"
#include "detect/ceilings.h"
#include "detect/loss_chance.h"
#include "detect/loss_pattern.h"
#include "detect/support.h"
#include "detect/tap.h"
#include "facts/link_rate.h"

namespace slowpath::detect {
namespace {

// A short queue shows in round trips too, if only by part of what it holds: those of packets in
// front.
constexpr double kShortQueueShown = 0.3;
// What overflows holds this many packets at least.
constexpr double kLeastQueued = 2;
// A window that overflows a queue has filled the link before it, but for what losses took.
constexpr double kFilled = 0.5;

// So many of all gaps between segments agree, and so many trains, that they tell a rate.
constexpr double kPairShare = 0.2;
constexpr std::uint64_t kTrains = 20;
// Interrupts of network cards wait for no longer than this for what comes next.
constexpr double kHostWait_s = 0.0002;

/// What a queue that overflows delays by at least, where it is emptied at `bps`.
double least_delay_s(const DirectionFacts& data, double bps) {
  return std::max(kShortQueueSeconds, kLeastQueued * data.segment_size * 8 / bps);
}

// Windows that grow until they overflow lose a share that Mathis' model names. Where so many times
// that is lost, and much, windows do not choose.
constexpr double kBeyondWindows = 10;

/// How fast bursts arrived, where that is no host's doing. Trains need not agree on a rate to be
/// faster than a link on which segments are further apart than hosts make them wait.
double burst_bps(const DirectionFacts& data, double held_bps) {
  const TrainFacts& trains = data.trains;
  double bps = spacing_bps(data);
  if (trains.pair_share >= kPairShare && !is_host_pace(data.segment_size, trains.pair_bps))
    bps = std::max(bps, trains.pair_bps);
  const bool far_apart = data.segment_size * 8 > kHostWait_s * held_bps;
  if (trains.trains >= kTrains && far_apart) bps = std::max(bps, trains.median_bps);
  return bps;
}

/// More is lost than a sender loses that backs off when its queue is full.
bool loses_more_than_windows(const DirectionFacts& data) {
  const double share = loss_pattern(data).share;
  if (share <= kMostLost || data.segment_size == 0) return false;
  return share > kBeyondWindows * arithmetic::mathis_max_loss(
                                      data.segment_size, least_rtt_s(data.rtt), data.goodput_bps);
}

}  // namespace

bool overflows_short_queue(const DirectionFacts& data, const Policing* policing) {
  return policing != nullptr && policing->has_bucket && !policing->fits &&
         policing->rise_s >= least_delay_s(data, policing->bucket.rate_bytes_per_s * 8) &&
         policing->rise_s >= kShortQueueShown * policing->queue_s;
}

bool overflows_unseen(const DirectionFacts& data) {
  if (data.goodput_bps <= 0) return false;
  return data.rtt.total.p95_s - least_rtt_s(data.rtt) >= least_delay_s(data, data.goodput_bps) &&
         !losses_come_when_full(data).empty();
}

bool bursts_outpace(const DirectionFacts& data) {
  const double held_bps = peak_bps(data);
  return !is_at_sender(data) && held_bps > 0 && held_bps < kFilled * burst_bps(data, held_bps);
}

std::string why_not_short_queue(const DirectionFacts& data) {
  if (loses_more_than_windows(data)) {
    return fmt::format(
        "{} of the packets are lost, far more than a window loses that backs "
        "off: whether by a short queue or a policer does not show",
        format_percent(loss_pattern(data).share));
  }
  // Then resends come when a timer says so, and what their ACKs took tells nothing of a queue.
  if (data.sack_edges.impossible > 0) {
    return fmt::format(
        "{} SACK blocks report what was never sent: when packets were lost, "
        "and how full the path was, cannot be told",
        data.sack_edges.impossible);
  }
  return {};
}

}  // namespace slowpath::detect

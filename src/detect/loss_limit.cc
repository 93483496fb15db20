// SPDX-License-Identifier: Apache-2.0
// Thresholds and arithmetic of loss_limit.h.
#include "detect/loss_limit.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "detect/arithmetic/loss_model.h"
#include "detect/loss_pattern.h"
#include "detect/stretches.h"

namespace slowpath::detect {
namespace {

// Losses that are no accident: so many, and this share of the segments.
constexpr std::uint64_t kLosses = 5;
constexpr double kLossShare = 0.01;
// Fewer limit a sender only where the loss model says so.
constexpr double kLeastShare = 0.001;
constexpr double kModelFactor = 3;
// And below one in a thousand only one that waits for its congestion window most of the time: so
// many losses, in so many flights, on a path that is seen to carry so many times the rate.
constexpr std::uint64_t kFewLosses = 4, kFewFlights = 3;
constexpr double kWaits = 0.5;
constexpr double kPathCarries = 4;
// It went so many times as fast before, over round trips enough that no burst is meant.
constexpr double kFasterBefore = 2;
constexpr std::size_t kLatePart = 4;  // the last quarter of its time
constexpr double kStretchRoundTrips = 2, kStretchSeconds = 0.020;

// Of a super-frame that is one loss, any number of segments may have been sent again.
double lost_share(const DirectionFacts& data) {
  const double again =
      data.segment_size > 0 ? static_cast<double>(data.resent_bytes) / data.segment_size : 0;
  const bool whole_frames = data.superframes.sent > 0;
  const auto lost = static_cast<double>(data.lost_packets);
  return (whole_frames ? std::max(lost, again) : lost) / std::max(1.0, segments_sent(data));
}

// Losses of one flight halve the window once: models of a rate ask for these events (RFC 5348
// section 5.2). A handful came as chance would have it: one standard deviation fewer are as likely.
double event_share(const DirectionFacts& data) {
  const auto events = static_cast<double>(data.loss_episodes);
  return std::min(lost_share(data),
                  (events - std::sqrt(events)) / std::max(1.0, segments_sent(data)));
}

bool loss_explains_rate(const DirectionFacts& data, double share, double rate_bps) {
  if (data.segment_size == 0 || data.rtt.total.median_s <= 0 || data.bytes == 0) return false;
  const double left_bps =
      std::max(arithmetic::cubic_rate_bps(data.segment_size, data.rtt.total.median_s, share),
               arithmetic::mathis_rate_bps(data.segment_size, data.rtt.total.median_s, share));
  return rate_bps < kModelFactor * left_bps;
}

// The most that was sent in a stretch of time.
double best_rate_bps(const DirectionFacts& data) {
  const Timeline& timeline = data.timeline;
  if (timeline.bin_s <= 0 || timeline.bins.empty()) return 0;
  const double wanted_s = std::max(kStretchSeconds, kStretchRoundTrips * data.rtt.total.median_s);
  const auto width = static_cast<std::size_t>(std::ceil(wanted_s / timeline.bin_s));
  const double best = std::ranges::max(stretches_of(timeline, &TimelineBin::sent_bytes, width));
  return rate_in_stretch_bps(timeline, best, width);
}

// What is left in the end: a window that was large when the first loss came takes several to be as
// small as they make it.
double late_rate_bps(const DirectionFacts& data) {
  const Timeline& timeline = data.timeline;
  const std::size_t bins = timeline.bins.size();
  const std::size_t late = bins / kLatePart;
  if (timeline.bin_s <= 0 || late == 0) return data.goodput_bps;
  const auto bytes = bytes_within(timeline, &TimelineBin::acked_bytes, bins - late, bins);
  return std::min(data.goodput_bps,
                  rate_in_stretch_bps(timeline, static_cast<double>(bytes), late));
}

// A handful of losses on a long path, or some in a few bursts: nothing queues, the sender waits for
// its congestion window, and short trains arrive far faster, or the sender itself was.
bool few_losses_slowed(const DirectionFacts& data) {
  const bool waits = data.time.share(TimeOwner::congestion_window) >= kWaits;
  if (!waits || data.lost_packets < kFewLosses || data.loss_episodes < kFewFlights) return false;
  const double late_bps = late_rate_bps(data);
  const bool could_more = data.trains.median_bps >= kPathCarries * data.goodput_bps ||
                          best_rate_bps(data) >= kFasterBefore * late_bps;
  return could_more && !queue_builds(queue_of(data)) &&
         loss_explains_rate(data, event_share(data), late_bps);
}

}  // namespace

bool losses_limit(const DirectionFacts& data) {
  const double share = lost_share(data);
  const bool many = share >= kLeastShare && data.lost_packets >= kLosses &&
                    (share >= kLossShare || loss_explains_rate(data, share, data.goodput_bps));
  return many || few_losses_slowed(data);
}

}  // namespace slowpath::detect

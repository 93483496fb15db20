// SPDX-License-Identifier: Apache-2.0
// See bucket_or_queue.h.
#include "detect/bucket_or_queue.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/statistics.h"
#include "detect/loss_chance.h"
#include "detect/loss_pattern.h"

namespace slowpath::detect {
namespace {

// A queue of the bucket's depth would show as delay. Less than a third of it is none; and delays
// shorter than this could not be told from host jitter.
constexpr double kQueueShown = 0.3;
constexpr double kLeastQueueSeconds = 0.002;
// Not even whether it was there can be told of a shorter one.
constexpr double kShortestQueueSeconds = 0.001;
// The mean rank of round trips before losses, up to which no queue made them: chance leaves one
// half, a queue that overflows three quarters and more.
constexpr double kAnyTime = 0.6;
// From this share of the time on a queue stands; and up to this rank it is short. Below one half,
// as what fills a queue empties a bucket.
constexpr double kQueueStands = 0.5, kWhenShort = 0.25;

/// Round trips before losses are no longer than at other times, by enough losses to tell.
bool come_at_any_time(const std::vector<Transfer>& transfers) {
  double ranks = 0, count = 0;
  for (const Transfer& t : transfers) {
    const LossPattern pattern = loss_pattern(t.data());
    ranks += pattern.mean_rank * static_cast<double>(pattern.ranked);
    count += static_cast<double>(pattern.ranked);
  }
  return count >= static_cast<double>(kLossesOfABucket) && ranks <= kAnyTime * count &&
         !come_when_full(transfers);
}

/// Although a queue of their own stands most of the time, losses come when it is short. A bucket,
/// too, is emptied by much that is under way.
bool come_when_empty(const std::vector<Transfer>& transfers) {
  return std::ranges::any_of(transfers, [](const Transfer& t) {
    const LossPattern pattern = loss_pattern(t.data());
    return pattern.ranked >= kLossesOfABucket && pattern.mean_rank <= kWhenShort &&
           t.data().time.share(TimeOwner::bottleneck) >= kQueueStands;
  });
}

}  // namespace

double rise_before_losses_s(const std::vector<Transfer>& transfers) {
  std::vector<double> rises;
  for (const Transfer& t : transfers) {
    const RttSet& rtt = t.data().rtt;
    for (const LossEvent& loss : t.data().losses) {
      if (loss.rtt_before_s > 0) rises.push_back(loss.rtt_before_s - rtt.total.min_s);
    }
    rises.push_back(queue_of(t.data()).added_s());
  }
  return arithmetic::median(rises).value_or(0);
}

bool come_when_full(const std::vector<Transfer>& transfers) {
  return std::ranges::any_of(
      transfers, [](const Transfer& t) { return !losses_come_when_full(t.data()).empty(); });
}

std::string why_a_queue(const Policing& judged) {
  if (come_when_empty(judged.transfers)) {
    return "a queue stands most of the time, and losses come when it is short: neither tokens nor "
           "room choose them";
  }
  if (judged.queue_s >= kLeastQueueSeconds && judged.rise_s <= kQueueShown * judged.queue_s) {
    return {};
  }
  // Hardly to be told by its length: then by whether it is there when something is lost.
  if (!judged.link_seen && judged.queue_s >= kShortestQueueSeconds &&
      judged.rise_s < std::min(kLeastQueueSeconds, judged.queue_s) &&
      come_at_any_time(judged.transfers)) {
    return {};
  }
  return fmt::format(
      "round trips had grown by {} before losses, and a queue of {} would show as "
      "{}: what overflows may be a queue",
      format_duration(judged.rise_s), format_bytes(judged.bucket.level_bytes),
      format_duration(judged.queue_s));
}

}  // namespace slowpath::detect

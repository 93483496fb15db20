// SPDX-License-Identifier: Apache-2.0
// The window's part in a transfer's time: see window_limit.h.
#include "detect/window_limit.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/window.h"
#include "detect/bare_field.h"
#include "detect/ceilings.h"
#include "detect/loss_limit.h"
#include "detect/loss_time.h"
#include "detect/policy.h"

namespace slowpath::detect {
namespace {

// rwnd-limited's minimum evidence: ten round trips of flight.
constexpr std::uint64_t kRounds = 10;

// A window that is full while the round trip has doubled only fills a queue: without it the queue
// would be longer and the rate the same. The floor leaves delayed-ACK and host jitter out.
constexpr double kQueueFactor = 2.0;
constexpr double kQueueFloorS = 0.010;

// The window is just large enough: data flows without a pause from one round trip to the next, at
// the rate of the path, and a small queue stands.
constexpr double kBusyIdleShare = 0.1;
constexpr double kBusyFactor = 1.1;
// Windows that closed: never behind a path that is the bottleneck.
constexpr std::uint64_t kCloses = 3;
constexpr double kBusyFloorS = 0.001;
// Fewer segments leave pauses that the share of idle time does not count.
constexpr std::uint64_t kBusySegments = 30;

// An application that reads now and then: until it does, the receiver has no window to offer and
// leaves the ACK for later too. That is longer than hosts take, and half as long as the path.
constexpr double kHeldFloorS = 0.005;
constexpr double kHeldFactor = 0.5;
// Most of a round trip nothing moves: a queue lets out at the path's own pace. What lengthens the
// round trips of so small a flight is others' queue, or a host.
constexpr double kHeldIdleShare = 0.5;
// Away from the receiver: one ACK for so much at once, while a queue's come for two segments each.
constexpr double kHeldSegments = 8;

double segments_per_ack(const Transfer& transfer) {
  const auto acks = static_cast<double>(transfer.reverse().packets);
  const double segment = std::max(1U, transfer.data().segment_size);
  return acks > 0 ? static_cast<double>(transfer.data().bytes) / segment / acks : 0;
}

/// ACKs come when the application reads, not when data arrives.
bool acks_wait_for_reader(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const double base = base_rtt_s(data);
  if (base <= 0 || data.flight_idle_share < kHeldIdleShare) return false;
  const bool here = data.vantage == Vantage::receiver;
  if (!here && segments_per_ack(transfer) < kHeldSegments) return false;
  const double held_s = here ? data.rtt.receiver_leg.median_s : data.rtt.total.median_s - base;
  return held_s >= std::max(kHeldFloorS, kHeldFactor * base);
}

bool fills_a_queue(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const RttSet& rtt = data.rtt;
  // What is shorter than a tick of the capture's clock shows as none, or as a whole one.
  const double base = std::max(base_rtt_s(data), transfer.connection.clock_tick_s / 2);
  // A slow reader delays its ACKs as well; what tells it from a queue is a window that closes, or
  // that each of its ACKs is for all that it has room for.
  if (base <= 0 || data.window.zero_episodes >= kCloses || acks_wait_for_reader(transfer))
    return false;
  const bool busy = data.flight_rounds >= kRounds && data.segment_size > 0 &&
                    data.flight_plateau_bytes >= kBusySegments * data.segment_size &&
                    data.flight_idle_share < kBusyIdleShare;
  if (busy && rtt.loaded_s > kBusyFactor * base && rtt.loaded_s - base > kBusyFloorS) return true;
  const bool grows = rtt.loaded_s > kQueueFactor * base && rtt.loaded_s - base > kQueueFloorS;
  return grows && data.flight_idle_share < kHeldIdleShare;
}

// Data beyond the window that was taken all the same, twice as much as the window and so often that
// it is no slip: sender and receiver agree about another window than this capture's handshake
// shows.
constexpr std::uint64_t kBeyond = 10;

bool is_exceeded(const DirectionFacts& data) {
  return data.window.beyond.count >= kBeyond && data.flight_max_bytes > 2 * data.window.max_bytes;
}

// A window below this share of the widest so far is narrowed by data that nobody has read yet.
constexpr double kOpenShare = 0.75;
// A flight that fills so much of the window in the same stretch of time stands at its edge.
constexpr double kAtEdge = 0.85;
// A reader that limits a transfer does so most of the time: one that hesitates now and then shares
// its processor.
constexpr double kMostOfTheTime = 0.5;
// Or a part of it, where it takes piece by piece: a sender that paces spreads each piece over the
// time until the next, in which the account finds it at work.
constexpr double kPartOfTheTime = 0.15;
constexpr double kFilled = 0.9;
// The widest window would have carried so many times what came, in the time that a full one took:
// then it was not the widest that held the sender.
constexpr double kMoreThanCame = 2;

// A receiver that tunes its buffer opens the window in each round trip that fills it. One that has
// opened stands only when it has been full for so many.
constexpr double kStoodRoundTrips = 5;

/// While losses are repaired, or keep the congestion window small, no reader can limit: where they
/// do that much, it is held against the rest of the time.
double share_beside_losses(const DirectionFacts& data, double seconds) {
  const double losses_s = losses_limit(data) ? loss_s(data) + kept_small_s(data) : 0;
  const double rest_s = data.time.total() - losses_s;
  return rest_s > 0 ? std::min(1.0, seconds / rest_s) : 0;
}

/// Of the stretches of time with a full window: the part in which unread data had narrowed it.
double narrowed_share(const DirectionFacts& data) {
  double widest = 0, wide = 0, narrowed = 0;
  for (const TimelineBin& bin : data.timeline.bins.kept()) {
    const auto window = static_cast<double>(bin.window_min_bytes);
    if (window <= 0) continue;
    if (static_cast<double>(bin.flight_max_bytes) >= kAtEdge * window) {
      (window < kOpenShare * widest ? narrowed : wide) += 1;
    }
    widest = std::max(widest, window);
  }
  return wide + narrowed > 0 ? narrowed / (wide + narrowed) : 0;
}

/// Takes piece by piece, seldom and evenly: one ACK in a round trip or more, for many segments,
/// which neither a queue nor merging on arrival makes; and the flight of the usual round trip is
/// all that the usual window, which unread data narrows, leaves room for.
bool takes_pieces(const Transfer& transfer, double narrowed) {
  const DirectionFacts& data = transfer.data();
  const auto acks = static_cast<double>(transfer.reverse().packets);
  const double base = base_rtt_s(data);
  if (acks <= 0 || base < kHeldFloorS || data.transfer_s < acks * base) return false;
  const auto flight = static_cast<double>(data.flight_plateau_bytes);
  const auto window = static_cast<double>(data.window.median_bytes);
  return segments_per_ack(transfer) >= kHeldSegments && narrowed >= kFilled &&
         data.flight_rounds >= kRounds && window > 0 && flight >= kFilled * window;
}

/// A reader that is slow throughout, and not only now and then.
bool reader_limits(const DirectionFacts& data, double seconds, bool in_pieces) {
  if (seconds < kUnexplainedSeconds) return false;
  const double share = share_beside_losses(data, seconds);
  return share >= kMostOfTheTime || (share >= kPartOfTheTime && in_pieces);
}

/// Why what was read as the window is not what held the sender; empty when it may be.
std::string why_unread(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const WindowFacts& window = data.window;
  if (window.max_bytes == 0) return "no window was seen";
  if (window.knowledge == ScaleKnowledge::unknown) {
    return "the handshake was not captured, so the window's scale is unknown";
  }
  if (keeps_to_bare_field(transfer)) {
    return fmt::format(
        "the sender keeps to the field as it stands, at most {} bytes, and the window is {}",
        window.raw_max, format_bytes(static_cast<double>(window.max_bytes)));
  }
  if (is_exceeded(data)) {
    return fmt::format(
        "{} packets were sent beyond it, {} on the way at once: the sender reads another window, "
        "as if the handshake had been changed on its way here",
        window.beyond.count, format_bytes(static_cast<double>(data.flight_max_bytes)));
  }
  return {};
}

/// Why a wider one would not help; empty when it would. `limit` but for its conclusions.
std::string why_not(const Transfer& transfer, const WindowLimit& limit, bool in_pieces) {
  const DirectionFacts& data = transfer.data();
  if (std::string why = why_unread(transfer); !why.empty()) return why;
  if (!is_material(limit.seconds, transfer)) {
    return fmt::format("a full window owns {} of {}; {} are needed", format_duration(limit.seconds),
                       format_duration(active_s(transfer.connection)),
                       format_percent(kMaterialShare));
  }
  if (limit.by_reader && !reader_limits(data, limit.seconds, in_pieces)) {
    return fmt::format(
        "it was narrower than its widest when it held the sender ({} of {} in all), by unread data "
        "or still opening: a larger buffer would not help",
        format_duration(limit.seconds), format_duration(active_s(transfer.connection)));
  }
  if (data.window.opening_s > 0 && limit.seconds < kStoodRoundTrips * limit.rtt_s) {
    return fmt::format("it opened until {} round trips before the end, and may open further",
                       static_cast<int>(limit.seconds / limit.rtt_s) + 1);
  }
  if (!in_pieces && fills_a_queue(transfer)) {
    return fmt::format("the round trip grows from {} to {}: the window only fills a queue",
                       format_duration(base_rtt_s(data)), format_duration(data.rtt.loaded_s));
  }
  return {};
}

}  // namespace

WindowLimit judge_window(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  WindowLimit limit;
  // A receiver that tunes its buffer opens the window as the transfer grows: waiting for that is no
  // ceiling.
  limit.seconds = std::max(0.0, data.time[TimeOwner::receive_window] - data.window.opening_s);
  limit.share = data.time.total() > 0 ? limit.seconds / data.time.total() : 0;
  limit.window_bytes = static_cast<double>(data.window.max_bytes);
  limit.rtt_s = data.rtt.total.median_s > 0 ? data.rtt.total.median_s : base_rtt_s(data);
  if (limit.rtt_s > 0) {
    limit.ceiling_bps = arithmetic::window_rate_bps(limit.window_bytes, limit.rtt_s);
  }
  const double narrowed = narrowed_share(data);
  const double reader_s = limit.seconds * narrowed;
  const bool in_pieces = takes_pieces(transfer, narrowed);
  limit.by_reader = acks_wait_for_reader(transfer) ||
                    !is_material(limit.seconds - reader_s, transfer) ||
                    limit.share * limit.ceiling_bps > kMoreThanCame * data.goodput_bps;
  limit.why_not = why_not(transfer, limit, in_pieces);
  if (limit.why_not.empty()) {
    limit.limits = true;
    limit.complete =
        data.window.knowledge != ScaleKnowledge::guessed && data.flight_rounds >= kRounds;
  }
  return limit;
}

void add_window_evidence(const Transfer& transfer, const WindowLimit& limit, Finding& finding) {
  const DirectionFacts& data = transfer.data();
  finding.evidence.push_back(
      shown_by(fmt::format("{} of the time less than one segment of window was left",
                           format_percent(limit.share)),
               data.window.at_edge,
               {{"window_max_bytes", limit.window_bytes},
                {"flight_max_bytes", static_cast<double>(data.flight_max_bytes)},
                {"round_trips", static_cast<double>(data.flight_rounds)}}));
  if (limit.ceiling_bps > 0) {
    finding.evidence.push_back(
        shown_by(fmt::format("{} of window in a round trip of {} allow {}; the transfer made {}",
                             format_bytes(limit.window_bytes), format_duration(limit.rtt_s),
                             format_rate(limit.ceiling_bps), format_rate(data.goodput_bps)),
                 {},
                 {{"window_ceiling_bps", limit.ceiling_bps},
                  {"goodput_bps", data.goodput_bps},
                  {"rtt_median_s", limit.rtt_s}}));
  }
}

}  // namespace slowpath::detect

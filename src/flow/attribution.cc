// SPDX-License-Identifier: Apache-2.0
// Who owned the time between two events of a direction, as its sender lived through it. The rules
// are asked in order; the first that fits owns the interval:
//  1. before the handshake is over: handshake
//  2. ended by a retransmission timeout with the window open: timeout
//  3. the window is closed: zero-window
//  4. a loss is being repaired: loss-recovery
//  5. nothing outstanding: application if the sender had sent all it had (it was drained); see
//  owner_of_idle()
//  6. the window is full: receive-window; bottleneck if the path queues, because then the window
//  only fills a queue
//  7. new data at a rhythm of its own, not at an ACK's: application after a drained sender, else
//  pacing-or-cpu
//  8. waiting for the ACK of a short end that takes a delayed-ACK timer's time: delayed-ack
//  9. waiting for ACKs: bottleneck if the path queues, slow-start while the flight grows, else
//  congestion-window
//
// Whose wait rule 9 was, what ends it decides. A sender that answers an ACK at once had waited for
// it, and its writes only happen to be no multiple of a segment. One that lets ACKs pass and then
// sends had nothing to send, if it is seen to run dry now and then; see settle_wait(). And one that
// does not know the window's scale waits for the field as it stands; see bare_field.h.
#include <algorithm>

#include "flow/direction_analysis.h"
#include "flow/stream_limits.h"

namespace slowpath::flow {
namespace {

// The path queues when the RTT stands this much above its minimum; the constant keeps host jitter
// out.
constexpr double kQueueFactor = 1.5, kQueueFloor_s = 0.002;
// The shortest of many round trips needs less margin than a single one.
constexpr double kStandingFactor = 1.2;
// Delayed-ACK timers: 40 ms (Linux minimum) to 500 ms (RFC 1122 section 4.2.3.2).
constexpr double kDelayedAckMin_s = 0.035, kDelayedAckMax_s = 0.5;
// A send this soon after an ACK was clocked by it. Where the tap is away from the sender, the
// path's jitter adds to it.
constexpr double kClockedMost_s = 0.001, kClockedAway_s = 0.002, kClockedShare = 0.1;
constexpr double kReactionRoundTrips = 2;
// A sender that has more data does not stop for so long: below timeouts, above the pacing of a
// large frame.
constexpr double kSilence_s = 0.18;
// ACKs that a busy path spaces out leave no pause of this share of a round trip.
constexpr double kAckPause = 0.5;

}  // namespace

bool DirectionAnalysis::path_queues() const {
  return rtt_min_s_ > 0 &&
         rtt_last_s_ > std::max(kQueueFactor * rtt_min_s_, rtt_min_s_ + kQueueFloor_s);
}

// With a full window the flight is constant: when even the shortest round trip of the last rounds
// is above the minimum, a queue stands, and it stands only where the path is busy all the time
// (Little's law). Delayed ACKs lengthen some round trips, never all.
bool DirectionAnalysis::queue_stands() const {
  const double recent_s = std::min(round_rtt_min_s_, earlier_round_rtt_min_s_);
  return rtt_min_s_ > 0 &&
         recent_s > std::max(kStandingFactor * rtt_min_s_, rtt_min_s_ + kQueueFloor_s);
}

double DirectionAnalysis::stall_threshold_s() const { return std::max(0.2, 2 * srtt_s_); }

void DirectionAnalysis::on_established(Time at) {
  if (established_) return;
  const double seconds = to_seconds(at - last_event_);
  if (seconds > 0) {
    facts_.time[TimeOwner::handshake] += seconds;
    last_event_ = at;
  }
  established_ = true;
}

bool DirectionAnalysis::away() const {
  return facts_.vantage == Vantage::receiver || facts_.vantage == Vantage::midpath;
}

double DirectionAnalysis::clock_s() const {
  return std::max(kClockedFloor_s,
                  std::min(kClockedShare * rtt_min_s_, away() ? kClockedAway_s : kClockedMost_s));
}

bool DirectionAnalysis::is_clocked(Time now) const {
  return to_seconds(now - last_reply_) <= clock_s();
}

// Nothing is outstanding, as far as the tap shows.
TimeOwner DirectionAnalysis::owner_of_idle(Time now, Event event, bool window_full) const {
  // A timer ends the wait for a window that stays below a segment (RFC 9293 section 3.8.6.2.1).
  const bool too_small =
      filled_window_ && knows_window() && window_room() < static_cast<std::int64_t>(segment_size_);
  if (too_small || (window_full && event == Event::replied)) return TimeOwner::receive_window;
  if (facts_.data_packets == 0 || peer_spoke_ || event == Event::ended)
    return TimeOwner::application;
  const double waited_s = to_seconds(now - last_event_);
  // A host that takes longer than the path did is busy itself.
  const bool at_once = away() || waited_s <= kReactionRoundTrips * rtt_min_s_;
  const bool stream_goes_on = event == Event::sent && is_clocked(now) && at_once;
  if (rhythm_.runs_dry()) return away() && stream_goes_on ? waiting_for_ : TimeOwner::application;
  if (stream_goes_on) return waiting_for_;
  // Away from the sender what it sent may be on its way, and a flight lost whole looks like an
  // empty one.
  if (away())
    return waited_s < kSilence_s
               ? waiting_for_
               : (event == Event::sent ? TimeOwner::unknown : TimeOwner::application);
  return waited_s < kSilence_s ? TimeOwner::pacing_or_cpu : TimeOwner::application;
}

TimeOwner DirectionAnalysis::owner_of_wait(Time now, Event event) const {
  if (!established_) return TimeOwner::handshake;
  if (event == Event::timeout_resent && !window_closed()) return TimeOwner::timeout;
  if (event == Event::unheard_resent) return TimeOwner::timeout;
  const std::int64_t in_flight = next_ - una_;
  if (window_closed() && (in_flight > 0 || zero_mattered_ || event == Event::probe ||
                          event == Event::replied || event == Event::spoke)) {
    return TimeOwner::zero_window;
  }
  // A sender that hears of a loss may wait for a quarter of a round trip, lest it be late (RFC 8985
  // section 6.2).
  if (in_recovery_ || event == Event::repaired) return TimeOwner::loss_recovery;
  const bool full = is_window_full(now);
  if (in_flight <= 0) return owner_of_idle(now, event, full);
  if (full) return window_fills_queue() ? TimeOwner::bottleneck : TimeOwner::receive_window;
  const double waited_s = to_seconds(now - last_event_);
  if (event == Event::ended) return rhythm_.drained() ? TimeOwner::application : TimeOwner::unknown;
  if (event == Event::sent && !is_clocked(now) && waited_s > kClockedFloor_s) {
    if (!rhythm_.runs_dry()) return TimeOwner::pacing_or_cpu;
    // While its own data stands in a queue nobody waits for its application, unless that had said
    // all it had.
    return path_queues() && !rhythm_.drained() ? TimeOwner::bottleneck : TimeOwner::application;
  }
  if (event == Event::replied && waits_for_timer(waited_s)) return TimeOwner::delayed_ack;
  if (path_queues()) return TimeOwner::bottleneck;
  return slow_start_ ? TimeOwner::slow_start : TimeOwner::congestion_window;
}

bool DirectionAnalysis::window_fills_queue() const {
  return (path_queues() || queue_stands()) && ack_pause_share_ < kAckPause && !window_is_filling();
}

bool DirectionAnalysis::waits_for_timer(double waited_s) const {
  const auto segment = static_cast<std::int64_t>(std::max(segment_size_, 1u));
  const std::int64_t in_flight = next_ - una_;
  if (!last_short_ && in_flight > segment) return false;
  return waited_s >= kDelayedAckMin_s && waited_s <= kDelayedAckMax_s && in_flight <= 2 * segment &&
         rtt_min_s_ > 0 && waited_s > 2 * rtt_min_s_;
}

}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
// Who owned the time between two events of a direction, as its sender lived through it. The rules are asked in
// order; the first that fits owns the interval:
//  1. before the handshake is over: handshake
//  2. ended by a retransmission timeout with the window open: timeout
//  3. the window is closed: zero-window
//  4. a loss is being repaired: loss-recovery
//  5. nothing outstanding: application, or receive-window where less than one segment would have fitted
//  6. the window is full: receive-window; bottleneck if the path queues, because then the window only fills a queue
//  7. new data at a rhythm of its own, not at an ACK's: application after a short segment, else pacing-or-cpu
//  8. waiting for the ACK of a short end: delayed-ack if it takes a timer's time, else application
//  9. waiting for ACKs: bottleneck if the path queues, slow-start while the flight grows, else congestion-window
#include <algorithm>
#include <bit>

#include "flow/direction_analysis.h"

namespace slowpath::flow {
namespace {

// The path queues when the RTT stands this much above its minimum; the constant keeps host jitter out.
constexpr double kQueueFactor = 1.5, kQueueFloor_s = 0.002;
// The shortest of many round trips needs less margin than a single one.
constexpr double kStandingFactor = 1.2;
// Shorter gaps are the host's own work between two writes.
constexpr double kIdleMin_s = 0.001;
// A window that closed so often belongs to a slow reader.
constexpr std::uint64_t kCloses = 3;
// A window below this share of its largest is being filled by data that nobody reads.
constexpr double kOpenShare = 0.75;
// Delayed-ACK timers: 40 ms (Linux minimum) to 500 ms (RFC 1122 section 4.2.3.2).
constexpr double kDelayedAckMin_s = 0.035, kDelayedAckMax_s = 0.5;
// A send this soon after an ACK was clocked by it.
constexpr double kClockedFloor_s = 0.0005, kClockedShare = 0.1;
// Rounds without 10 % growth of the flight that end slow start without a loss (HyStart, application, window).
constexpr std::uint32_t kFlatRounds = 3;
// A delayed ACK releases two or three segments at once: pauses of so many spacings are even sending.
constexpr double kEvenSpacings = 3;

}  // namespace

bool DirectionAnalysis::path_queues() const {
  return rtt_min_s_ > 0 && rtt_last_s_ > std::max(kQueueFactor * rtt_min_s_, rtt_min_s_ + kQueueFloor_s);
}

// With a full window the flight is constant: when even the shortest round trip of the last rounds is above the minimum,
// a queue stands, and it stands only where the path is busy all the time (Little's law). Delayed ACKs lengthen some
// round trips, never all.
bool DirectionAnalysis::queue_stands() const {
  const double recent_s = std::min(round_rtt_min_s_, earlier_round_rtt_min_s_);
  return rtt_min_s_ > 0 && recent_s > std::max(kStandingFactor * rtt_min_s_, rtt_min_s_ + kQueueFloor_s);
}

// A reader that falls behind closes the window; a window that only fills a queue stands wide open. The slow reader also
// delays ACKs, so that the round trip alone would accuse the path.
bool DirectionAnalysis::window_is_filling() const {
  // A path that is full keeps the reader waiting: then the window never closes.
  if (facts_.window.zero.count >= kCloses) return true;
  return static_cast<double>(window_bytes_) < kOpenShare * static_cast<double>(facts_.window.max_bytes);
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

// The room for which a sender does not wait any longer: a segment, or the super-frame that it hands to its NIC at once,
// but a third of the window at most (Linux: tcp_tso_win_divisor).
std::int64_t DirectionAnalysis::useful_room() const {
  const auto segment = static_cast<std::int64_t>(std::max(segment_size_, 1u));
  const std::int64_t useful = std::min<std::int64_t>(segment, std::max<std::int64_t>(facts_.largest_payload, 1));
  if (facts_.vantage != Vantage::sender) return useful;
  const auto third = static_cast<std::int64_t>(window_bytes_ / 3);
  return std::max(useful, std::min<std::int64_t>(facts_.superframes.max_payload, third));
}

TimeOwner DirectionAnalysis::owner_of_wait(Time now, Event event) const {
  if (!established_) return TimeOwner::handshake;
  if (event == Event::timeout_resent && !window_closed()) return TimeOwner::timeout;
  const std::int64_t in_flight = next_ - una_;
  if (window_closed() && (in_flight > 0 || zero_mattered_ || event == Event::probe || event == Event::replied)) {
    return TimeOwner::zero_window;
  }
  if (in_recovery_) return TimeOwner::loss_recovery;
  const auto segment = static_cast<std::int64_t>(std::max(segment_size_, 1u));
  const bool full = have_window_ && window_room() < useful_room();
  if (in_flight <= 0) {
    if (full && event == Event::replied) return TimeOwner::receive_window;
    // Away from the sender a flight lost whole looks like an empty one; after a full segment packets cannot tell.
    const bool away = facts_.vantage == Vantage::receiver || facts_.vantage == Vantage::midpath;
    const bool silent = event == Event::sent && to_seconds(now - last_event_) >= 0.18;
    return away && silent && !last_short_ && facts_.data_packets > 0 ? TimeOwner::unknown : TimeOwner::application;
  }
  if (full) return (path_queues() || queue_stands()) && !window_is_filling() ? TimeOwner::bottleneck : TimeOwner::receive_window;
  const double waited_s = to_seconds(now - last_event_);
  if (event == Event::ended) return last_short_ ? TimeOwner::application : TimeOwner::unknown;
  if (event == Event::sent) {
    const double clock_s = std::max(kClockedFloor_s, kClockedShare * rtt_min_s_);
    if (to_seconds(now - last_reply_) > clock_s && waited_s > clock_s) {
      return last_short_ ? TimeOwner::application : TimeOwner::pacing_or_cpu;
    }
  }
  if (last_short_ || (in_flight <= segment && event == Event::replied)) {
    const bool timer = event == Event::replied && waited_s >= kDelayedAckMin_s && waited_s <= kDelayedAckMax_s &&
                       in_flight <= 2 * segment && rtt_min_s_ > 0 && waited_s > 2 * rtt_min_s_;
    if (timer) return TimeOwner::delayed_ack;
    if (last_short_) return path_queues() ? TimeOwner::bottleneck : TimeOwner::application;
  }
  if (path_queues()) return TimeOwner::bottleneck;
  return slow_start_ ? TimeOwner::slow_start : TimeOwner::congestion_window;
}

void DirectionAnalysis::account(Time now, Event event, FrameRef frame) {
  now = std::min(now, end_);
  if (now <= last_event_) {
    last_frame_ = frame;
    return;
  }
  const double seconds = to_seconds(now - last_event_);
  const TimeOwner owner = newest_owner_ = owner_of_wait(now, event);
  facts_.time[owner] += seconds;
  if (owner == TimeOwner::receive_window && !window_is_filling()) {
    const auto width = std::min<std::size_t>(std::bit_width(facts_.window.max_bytes), edge_s_by_widest_.size() - 1);
    edge_s_by_widest_[width] += seconds;
  }
  if (owner == TimeOwner::timeout) {
    ++facts_.timeouts;
    facts_.timeout_s += seconds;
    note(facts_.timeout_frames, frame);
    if (!ledger_.empty()) {
      const Segment& head = ledger_.front();
      if (head.superframe || head.resend_superframe) {
        facts_.superframes.timeout_s += seconds;
        note(facts_.superframes.stall_frames, frame);
      }
    }
    if (sacked_bytes_ <= 0 && duplicate_acks_here_ == 0) {
      ++facts_.tail_timeouts;
      facts_.tail_timeout_s += seconds;
      note(facts_.tail_timeout_frames, frame);
    }
  }
  // Silences of the receiver are logged whole when they end; see end_silence().
  if ((owner != TimeOwner::timeout || !silence_open_) && seconds >= stall_threshold_s()) {
    Stall stall;
    stall.begin = last_event_;
    stall.seconds = seconds;
    stall.owner = owner;
    stall.before = last_frame_;
    stall.after = frame;
    stall.outstanding_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(next_ - una_, 0));
    stall.ended = event != Event::ended;
    stalls_.add(stall);
  }
  const bool unasked = event == Event::sent && !peer_spoke_ && facts_.data_packets > 1;
  if (owner == TimeOwner::application && unasked && seconds > kIdleMin_s) {
    PauseFacts& idle = facts_.idle;
    ++idle.count;
    idle.seconds += seconds;
    note(idle.ends, frame);
    if (seconds > idle.longest_s) {
      idle.longest_s = seconds;
      idle.longest_before = last_frame_;
      idle.longest_after = frame;
    }
  }
  last_event_ = now;
  last_frame_ = frame;
}

// A round trip ends when what was sent at its beginning is acknowledged.
void DirectionAnalysis::next_round(Time now) {
  const double round_s = to_seconds(now - round_begin_);
  round_begin_ = now;
  round_end_ = next_;
  earlier_round_rtt_min_s_ = round_rtt_min_s_;
  round_rtt_min_s_ = rtt_last_s_;
  if (round_max_ == 0) return;
  round_maxima_.add(static_cast<double>(round_max_));
  // Super-frames leave at once what the path spaces out again: segments count.
  const double spacing_s =
      round_s * static_cast<double>(segment_size_) / static_cast<double>(std::max<std::uint64_t>(round_bytes_, 1));
  round_idle_.add(round_s > 0 ? std::clamp((round_pause_s_ - kEvenSpacings * spacing_s) / round_s, 0.0, 1.0) : 0);
  // The pause before the next packet belongs to the next round.
  round_pause_s_ = 0;
  round_bytes_ = 0;
  ++facts_.flight_rounds;
  if (round_max_ * 10 > round_best_ * 11) {
    round_best_ = round_max_;
    rounds_without_growth_ = 0;
  } else if (++rounds_without_growth_ >= kFlatRounds) {
    slow_start_ = false;
  }
  round_max_ = 0;
}

}  // namespace slowpath::flow

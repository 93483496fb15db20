// SPDX-License-Identifier: Apache-2.0
// Who owned the time between two events of a direction, as its sender lived through it. The rules are asked in
// order; the first that fits owns the interval:
//  1. before the handshake is over: handshake
//  2. ended by a retransmission timeout with the window open: timeout
//  3. the window is closed: zero-window
//  4. a loss is being repaired: loss-recovery
//  5. nothing outstanding: application if the sender had sent all it had (it was drained); see owner_of_idle()
//  6. the window is full: receive-window; bottleneck if the path queues, because then the window only fills a queue
//  7. new data at a rhythm of its own, not at an ACK's: application after a drained sender, else pacing-or-cpu
//  8. waiting for the ACK of a short end that takes a delayed-ACK timer's time: delayed-ack
//  9. waiting for ACKs: bottleneck if the path queues, slow-start while the flight grows, else congestion-window
//
// Whose wait rule 9 was, what ends it decides. A sender that answers an ACK at once had waited for it, and its writes
// only happen to be no multiple of a segment. One that lets ACKs pass and then sends had nothing to send, if it is seen
// to run dry now and then; see settle_wait().
#include <algorithm>
#include <bit>
#include <cmath>

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
// A send this soon after an ACK was clocked by it. Where the tap is away from the sender, the path's jitter adds to it.
constexpr double kClockedFloor_s = 0.0005, kClockedMost_s = 0.001, kClockedAway_s = 0.002, kClockedShare = 0.1;
constexpr double kReactionRoundTrips = 2;
// A sender that has more data does not stop for so long: below timeouts, above the pacing of a large frame.
constexpr double kSilence_s = 0.18;
// ACKs that a busy path spaces out leave no pause of this share of a round trip.
constexpr double kAckPause = 0.5;
// Rounds without 10 % growth of the flight that end slow start without a loss (HyStart, application, window).
constexpr std::uint32_t kFlatRounds = 3;
// Linux's smallest timeout; other stacks wait as long or longer.
constexpr double kRetransmissionTimeoutFloor_s = 0.2;
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

bool DirectionAnalysis::away() const { return facts_.vantage == Vantage::receiver || facts_.vantage == Vantage::midpath; }

double DirectionAnalysis::clock_s() const {
  return std::max(kClockedFloor_s, std::min(kClockedShare * rtt_min_s_, away() ? kClockedAway_s : kClockedMost_s));
}

bool DirectionAnalysis::is_clocked(Time now) const { return to_seconds(now - last_reply_) <= clock_s(); }

// Nothing is outstanding, as far as the tap shows.
TimeOwner DirectionAnalysis::owner_of_idle(Time now, Event event, bool window_full) const {
  // A timer ends the wait for a window that stays below a segment (RFC 9293 section 3.8.6.2.1).
  const bool too_small = filled_window_ && have_window_ && window_room() < static_cast<std::int64_t>(segment_size_);
  if (too_small || (window_full && event == Event::replied)) return TimeOwner::receive_window;
  if (facts_.data_packets == 0 || peer_spoke_ || event == Event::ended) return TimeOwner::application;
  const double waited_s = to_seconds(now - last_event_);
  // A host that takes longer than the path did is busy itself.
  const bool at_once = away() || waited_s <= kReactionRoundTrips * rtt_min_s_;
  const bool stream_goes_on = event == Event::sent && is_clocked(now) && at_once;
  if (rhythm_.runs_dry()) return away() && stream_goes_on ? waiting_for_ : TimeOwner::application;
  if (stream_goes_on) return waiting_for_;
  // Away from the sender what it sent may be on its way, and a flight lost whole looks like an empty one.
  if (away()) return waited_s < kSilence_s ? waiting_for_ : (event == Event::sent ? TimeOwner::unknown : TimeOwner::application);
  return waited_s < kSilence_s ? TimeOwner::pacing_or_cpu : TimeOwner::application;
}

TimeOwner DirectionAnalysis::owner_of_wait(Time now, Event event) const {
  if (!established_) return TimeOwner::handshake;
  if (event == Event::timeout_resent && !window_closed()) return TimeOwner::timeout;
  if (event == Event::unheard_resent) return TimeOwner::timeout;
  const std::int64_t in_flight = next_ - una_;
  if (window_closed() && (in_flight > 0 || zero_mattered_ || event == Event::probe || event == Event::replied)) {
    return TimeOwner::zero_window;
  }
  if (in_recovery_) return TimeOwner::loss_recovery;
  const bool full = is_window_full(now);
  if (in_flight <= 0) return owner_of_idle(now, event, full);
  if (full) return window_fills_queue() ? TimeOwner::bottleneck : TimeOwner::receive_window;
  const double waited_s = to_seconds(now - last_event_);
  if (event == Event::ended) return rhythm_.drained() ? TimeOwner::application : TimeOwner::unknown;
  if (event == Event::sent && !is_clocked(now) && waited_s > kClockedFloor_s) {
    if (!rhythm_.runs_dry()) return TimeOwner::pacing_or_cpu;
    // While its own data stands in a queue nobody waits for its application, unless that had said all it had.
    return path_queues() && !rhythm_.drained() ? TimeOwner::bottleneck : TimeOwner::application;
  }
  if (event == Event::replied && waits_for_timer(waited_s)) return TimeOwner::delayed_ack;
  if (path_queues()) return TimeOwner::bottleneck;
  return slow_start_ ? TimeOwner::slow_start : TimeOwner::congestion_window;
}

// Away from the sender ACKs are shown a little early, so that some of their room seems to stay unused.
std::int64_t DirectionAnalysis::room_at_edge() const {
  return away() ? std::max(useful_room(), static_cast<std::int64_t>(window_bytes_ / 8)) : useful_room();
}

bool DirectionAnalysis::is_window_full(Time now) const {
  // Who went beyond it by a whole window reads another one than is written here.
  if (!have_window_ || facts_.window.beyond_max_bytes > facts_.window.max_bytes) return false;
  if (slow_start_ends_flight()) return false;
  return window_room() < room_at_edge() || (away() && to_seconds(now - window_full_until_) <= clock_s());
}

bool DirectionAnalysis::window_leaves_less_than(std::int64_t room) const {
  return have_window_ && window_room() < room && !slow_start_ends_flight();
}

// In slow start the congestion window grows by what is acknowledged, never by more (RFC 5681 section 3.1). A flight that
// has come so far ends there, whatever the receiver leaves; Linux asks in this order too (tcp_write_xmit).
bool DirectionAnalysis::slow_start_ends_flight() const {
  return slow_start_ && next_ - una_ + static_cast<std::int64_t>(segment_size_) > slow_start_most_;
}

bool DirectionAnalysis::window_fills_queue() const {
  return (path_queues() || queue_stands()) && ack_pause_share_ < kAckPause && !window_is_filling();
}

bool DirectionAnalysis::waits_for_timer(double waited_s) const {
  const auto segment = static_cast<std::int64_t>(std::max(segment_size_, 1u));
  const std::int64_t in_flight = next_ - una_;
  if (!last_short_ && in_flight > segment) return false;
  return waited_s >= kDelayedAckMin_s && waited_s <= kDelayedAckMax_s && in_flight <= 2 * segment && rtt_min_s_ > 0 &&
         waited_s > 2 * rtt_min_s_;
}

// New data ends the wait for it. Gives back how much of that turned out to be its application's.
double DirectionAnalysis::settle_wait(const Sending& s) {
  const Time now = s.record.time;
  double moved_s = 0;
  if (to_seconds(now - last_data_) > kClockedFloor_s) {
    const bool clocked = is_clocked(now) && !(peer_spoke_ && rhythm_.drained());
    const bool chance = clocked && rhythm_.nearly_all_own();
    if ((!clocked || chance) && rhythm_.runs_dry()) moved_s = wait_was_application(rhythm_.mostly_own());
    rhythm_.burst(clocked, s.end - s.begin >= static_cast<std::int64_t>(segment_size_));
  }
  undecided_ = {};
  return moved_s;
}

// What passed after an ACK that the sender left unanswered, or all of it.
double DirectionAnalysis::wait_was_application(bool all) {
  double moved_s = 0;
  for (const TimeOwner owner : {TimeOwner::slow_start, TimeOwner::congestion_window}) {
    const Undecided& part = undecided_[owner == TimeOwner::slow_start ? 0 : 1];
    const double seconds = part.after_ack_s + (all ? part.before_ack_s : 0);
    facts_.time[owner] = std::max(0.0, facts_.time[owner] - seconds);
    moved_s += seconds;
  }
  facts_.time[TimeOwner::application] += moved_s;
  undecided_ = {};
  return moved_s;
}

// Gives back how much of it was the application's.
double DirectionAnalysis::account(Time now, Event event, FrameRef frame) {
  now = std::min(now, end_);
  const double seconds = to_seconds(now - last_event_);
  if (seconds > 0) {
    const TimeOwner owner = newest_owner_ = owner_of_wait(now, event);
    charge(owner, seconds);
    if (event == Event::unheard_resent) {
      note_unheard(seconds, frame);
    } else if (owner == TimeOwner::timeout) {
      note_timeout(seconds, frame);
    }
    // Silences of the receiver are logged whole when they end; see end_silence().
    if (event != Event::unheard_resent && (owner != TimeOwner::timeout || !silence_open_) && seconds >= stall_threshold_s()) {
      note_stall(owner, seconds, frame, event != Event::ended);
    }
  }
  last_event_ = std::max(last_event_, now);
  last_frame_ = frame;
  return seconds > 0 && newest_owner_ == TimeOwner::application ? seconds : 0;
}

void DirectionAnalysis::account_new_data(const Sending& s) {
  const FrameRef before = last_frame_;
  double idle_s = account(s.record.time, Event::sent, s.record.frame);
  idle_s += settle_wait(s);
  if (!peer_spoke_ && facts_.data_packets > 1 && idle_s > kIdleMin_s) note_idle(idle_s, before, s.record.frame);
}

void DirectionAnalysis::charge(TimeOwner owner, double seconds) {
  facts_.time[owner] += seconds;
  const bool in_flight = next_ > una_;
  const bool nobody_waits = owner == TimeOwner::application || owner == TimeOwner::unknown;
  if (established_ && (in_flight || !nobody_waits)) facts_.outstanding_s += seconds;
  if (in_flight) waiting_for_ = owner;
  if (owner == TimeOwner::slow_start || owner == TimeOwner::congestion_window) {
    Undecided& part = undecided_[owner == TimeOwner::slow_start ? 0 : 1];
    (facts_.last_ack > last_data_ ? part.after_ack_s : part.before_ack_s) += seconds;
  }
  if (owner == TimeOwner::receive_window && !window_is_filling()) {
    const auto width = std::min<std::size_t>(std::bit_width(facts_.window.max_bytes), edge_s_by_widest_.size() - 1);
    edge_s_by_widest_[width] += seconds;
  }
}

void DirectionAnalysis::note_timeout(double seconds, FrameRef frame) {
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
  if (sacked_bytes_ > 0 || duplicate_acks_here_ > 0) return;
  ++facts_.tail_timeouts;
  facts_.tail_timeout_s += seconds;
  note(facts_.tail_timeout_frames, frame);
}

// A timer's silence although everything here was acknowledged: the sender has not heard of it.
void DirectionAnalysis::note_unheard(double seconds, FrameRef frame) {
  ++facts_.timeouts;
  facts_.timeout_s += seconds;
  note(facts_.timeout_frames, frame);
  if (seconds < stall_threshold_s()) return;
  Stall stall;
  stall.begin = last_event_;
  stall.seconds = seconds;
  stall.owner = TimeOwner::timeout;
  stall.before = last_frame_;
  stall.after = frame;
  stall.unanswered_sends = timeouts_in(seconds);
  stall.replies_lost = true;
  stalls_.add(stall);
}

// Resends of a range that a silence hides from the tap: no more than the timer makes, which doubles (RFC 6298 section
// 5.5), and than IP IDs are missing.
std::uint32_t DirectionAnalysis::timeouts_in(double silence_s) const {
  if (!ip_ids_tell() || missing_ids_ <= 1) return 0;
  const double first_s = std::max(kRetransmissionTimeoutFloor_s, srtt_s_);
  const auto by_timer = static_cast<std::uint32_t>(std::log2(silence_s / first_s + 1));
  return std::min<std::uint32_t>(by_timer, missing_ids_ - 1u);
}

void DirectionAnalysis::note_stall(TimeOwner owner, double seconds, FrameRef frame, bool ended) {
  Stall stall;
  stall.begin = last_event_;
  stall.seconds = seconds;
  stall.owner = owner;
  stall.before = last_frame_;
  stall.after = frame;
  stall.outstanding_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(next_ - una_, 0));
  stall.ended = ended;
  stalls_.add(stall);
}

void DirectionAnalysis::note_idle(double seconds, FrameRef before, FrameRef after) {
  PauseFacts& idle = facts_.idle;
  ++idle.count;
  idle.seconds += seconds;
  note(idle.ends, after);
  if (seconds <= idle.longest_s) return;
  idle.longest_s = seconds;
  idle.longest_before = before;
  idle.longest_after = after;
}

// A round trip ends when what was sent at its beginning is acknowledged.
void DirectionAnalysis::next_round(Time now) {
  const double round_s = to_seconds(now - round_begin_);
  round_begin_ = now;
  ack_pause_share_ = round_s > 0 ? round_ack_pause_s_ / round_s : 1;
  round_ack_pause_s_ = 0;
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

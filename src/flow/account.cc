// SPDX-License-Identifier: Apache-2.0
// Keeps the time account: charges each interval to its owner, and settles waits by what ended them.
#include <algorithm>
#include <cmath>

#include "flow/direction_analysis.h"
#include "flow/stream_limits.h"

namespace slowpath::flow {
namespace {

// Shorter gaps are the host's own work between two writes.
constexpr double kIdleMin_s = 0.001;
// Rounds without 10 % growth of the flight that end slow start without a loss (HyStart,
// application, window).
constexpr std::uint32_t kFlatRounds = 3;
// A delayed ACK releases two or three segments at once: pauses of so many spacings are even
// sending.
constexpr double kEvenSpacings = 3;
// Linux's smallest timeout; other stacks wait as long or longer.
constexpr double kRetransmissionTimeoutFloor_s = 0.2;

}  // namespace

// Gives back how much of it was the application's.
double DirectionAnalysis::account(Time now, Event event, FrameRef frame) {
  now = std::min(now, end_);
  double seconds = to_seconds(now - last_event_);
  if (seconds > 0 || (has_beside_ && event == Event::timeout_resent)) {
    const TimeOwner owner = newest_owner_ = owner_of_wait(now, event);
    charge(owner, seconds);
    if (has_beside_ && owner == TimeOwner::timeout) seconds += take_back_to_timeout();
    if (event == Event::unheard_resent) {
      note_unheard(seconds, frame);
    } else if (owner == TimeOwner::timeout) {
      note_timeout(seconds, frame);
    }
    // Silences of the receiver are logged whole when they end; see end_silence().
    if (event != Event::unheard_resent && (owner != TimeOwner::timeout || !silence_open_) &&
        seconds >= stall_threshold_s()) {
      note_stall(owner, seconds, frame, event != Event::ended);
    }
  }
  last_event_ = std::max(last_event_, now);
  last_frame_ = frame;
  set_beside(event, std::max(seconds, 0.0));
  return seconds > 0 && newest_owner_ == TimeOwner::application ? seconds : 0;
}

void DirectionAnalysis::account_new_data(const Sending& s) {
  const FrameRef before = last_frame_;
  const Time since = last_event_;
  const double waited_s = to_seconds(s.record.time - since);
  double idle_s = account(s.record.time, Event::sent, s.record.frame);
  const bool probes = may_be_probe(s, waited_s);
  const TimeOwner owner = newest_owner_;
  idle_s += settle_wait(s);
  if (peer_spoke_ || facts_.data_packets <= 1 || idle_s <= kIdleMin_s) idle_s = 0;
  if (probes) {
    settle_probe(false);
    probe_ = {s.begin, s.end, waited_s, idle_s, since, owner, before, s.record.frame};
  } else if (idle_s > 0) {
    note_idle(idle_s, before, s.record.frame);
  }
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
  bare_field_.on_wait(next_, segment_size_, owner, seconds);
  if (owner == TimeOwner::receive_window && !window_is_filling()) {
    edge_s_by_widest_.add(facts_.window.max_bytes, seconds);
  }
}

// What is not about this data neither stops nor restarts its timer (RFC 6298 section 5): the time
// until then is set aside, as it may turn out to be a timeout's.
void DirectionAnalysis::set_beside(Event event, double seconds) {
  if (event != Event::spoke) {
    has_beside_ = false;
    return;
  }
  if (!has_beside_) beside_ = {};
  has_beside_ = true;
  if (next_ > una_) beside_[newest_owner_] += seconds;
}

// Gives how much of it there was.
double DirectionAnalysis::take_back_to_timeout() {
  const double seconds = beside_.total();
  for (std::size_t i = 0; i < kTimeOwnerCount; ++i) {
    facts_.time.seconds[i] = std::max(0.0, facts_.time.seconds[i] - beside_.seconds[i]);
  }
  facts_.time[TimeOwner::timeout] += seconds;
  undecided_ = {};
  return seconds;
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

// New data ends the wait for it. Gives back how much of that turned out to be its application's.
double DirectionAnalysis::settle_wait(const Sending& s) {
  const Time now = s.record.time;
  double moved_s = 0;
  if (to_seconds(now - last_data_) > kClockedFloor_s) {
    const bool clocked = is_clocked(now) && !(peer_spoke_ && rhythm_.drained());
    const bool chance = clocked && rhythm_.nearly_all_own();
    if ((!clocked || chance) && rhythm_.runs_dry())
      moved_s = wait_was_application(rhythm_.mostly_own());
    rhythm_.burst(clocked, s.end - s.begin >= static_cast<std::int64_t>(path_segment_size_));
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
  const double spacing_s = round_s * static_cast<double>(segment_size_) /
                           static_cast<double>(std::max<std::uint64_t>(round_bytes_, 1));
  round_idle_.add(round_s > 0
                      ? std::clamp((round_pause_s_ - kEvenSpacings * spacing_s) / round_s, 0.0, 1.0)
                      : 0);
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

// Resends of a range that a silence hides from the tap: no more than the timer makes, which doubles
// (RFC 6298 section 5.5), and than IP IDs are missing.
std::uint32_t DirectionAnalysis::timeouts_in(double silence_s) const {
  if (!ip_ids_tell() || missing_ids_ <= 1) return 0;
  const double first_s = std::max(kRetransmissionTimeoutFloor_s, srtt_s_);
  const auto by_timer = static_cast<std::uint32_t>(std::log2(silence_s / first_s + 1));
  return std::min<std::uint32_t>(by_timer, missing_ids_ - 1u);
}

}  // namespace slowpath::flow

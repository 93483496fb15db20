// SPDX-License-Identifier: Apache-2.0
#include "flow/conversation.h"

#include <algorithm>
#include <utility>

namespace slowpath::flow {
namespace {

// The catalogue's minimum for a think time: more than 5 round trips and 200 ms.
constexpr double kPauseMin_s = 0.2, kPauseRoundTrips = 5;
// Delayed-ACK timers run from 40 ms (Linux) to 500 ms (RFC 1122); below 30 ms it can be a path.
constexpr double kTimerMin_s = 0.030, kTimerMax_s = 0.5;
// Held data leaves as soon as the ACK comes: within the host's own reaction time, plus the leg to
// the tap.
constexpr double kReaction_s = 0.003;
// An exchange that waits for more than this, and the hosts' reaction, has somebody thinking in it.
constexpr double kPromptRoundTrips = 1.5;
// And one that waits for much less than a round trip waits for nobody: the next block was under way
// already, as in a stream beside which the other end says something. But for blocks as large as a
// protocol's own window (SSH, HTTP/2): of such, part of a round trip is waited for.
constexpr double kWaitedRoundTrips = 0.8;
constexpr std::uint64_t kWindowBytes = 65'536;

// So much follows no notification: it is what somebody asked for.
constexpr std::uint64_t kLongAnswerBytes = 16'000;

double pause_from(double round_trip_s) {
  return std::max(kPauseMin_s, kPauseRoundTrips * round_trip_s);
}

void add_pause(PauseFacts& pauses, double seconds, FrameRef before, FrameRef after) {
  ++pauses.count;
  pauses.seconds += seconds;
  note(pauses.ends, after);
  if (seconds <= pauses.longest_s) return;
  pauses.longest_s = seconds;
  pauses.longest_before = before;
  pauses.longest_after = after;
}

bool is_timer(double waited_s, double round_trip_s) {
  return waited_s >= kTimerMin_s && waited_s <= kTimerMax_s && waited_s > 2 * round_trip_s;
}

// Ways vary: this one may have been shorter than the shortest that was measured.
constexpr double kWholeLeg = 0.8;

}  // namespace

void Conversation::add(const Record& record, const Context& context) {
  if (record.has(wire::kSyn) || record.icmp_index != kNone) return;
  Side& own = sides_[index(record.direction)];
  Side& other = sides_[1 - index(record.direction)];
  const bool ends = record.has(wire::kFin) || record.has(wire::kRst);
  if (ends || record.payload_len > 1) react(other, record.time, context.round_trip_s);
  if (!record.has(wire::kRst)) {
    if (record.has(wire::kAck)) ack(record, other, context.round_trip_s);
    if (record.payload_len > 0) data(record, own, other, context);
  }
  if (ends) react(own, record.time, context.round_trip_s);
}

// Whoever waited for the answer goes on, or is done.
void Conversation::react(Side& answering, Time time, double round_trip_s) {
  if (answering.open_answer_s <= 0) return;
  if (to_seconds(time - answering.last_data) <= pause_from(round_trip_s)) await(answering);
  answering.open_answer_s = 0;
}

void Conversation::await(Side& answering) {
  ++answering.answers.awaited;
  answering.answers.awaited_s += answering.open_answer_s;
  answering.open_answer_s = 0;
}

void Conversation::ack(const Record& record, Side& data_sender, double round_trip_s) {
  const bool covers_all = data_sender.have_sent && data_sender.sent_end <= record.acknowledgment;
  const bool advances = !data_sender.have_acked || record.acknowledgment > data_sender.acked;
  if (covers_all && advances && data_sender.waiting_small && record.payload_len == 0) {
    const double waited_s = to_seconds(record.time - data_sender.last_data);
    if (is_timer(waited_s, round_trip_s)) {
      note_ack(record, data_sender);
      data_sender.ack_waited_s = waited_s;
    }
    data_sender.waiting_small = false;
  }
  if (covers_all && advances && data_sender.waiting_lone && record.payload_len == 0) {
    const double waited_s = to_seconds(record.time - data_sender.last_data);
    data_sender.lone_waited_s = is_timer(waited_s, round_trip_s) ? waited_s : 0;
    note_ack(record, data_sender);
  }
  if (advances) data_sender.waiting_lone = false;
  if (advances) data_sender.acked = record.acknowledgment;
  data_sender.have_acked = true;
}

void Conversation::note_ack(const Record& record, Side& data_sender) {
  data_sender.ack_time = record.time;
  data_sender.ack_frame = record.frame;
  data_sender.ack_stamp.reset();
  if (record.has_timestamps) data_sender.ack_stamp = record.ts_value;
}

// Held data leaves at once when the ACK comes; the ACK still had a leg to go, and the data one to
// come. What came sooner, or echoes what was before that ACK (RFC 7323 section 4.3), was under way
// already: on a slow path segments arrive as far apart as a timer runs.
bool Conversation::ack_called_for(const Record& record, const Side& own, const Context& context) {
  const double gap_s = to_seconds(record.time - own.ack_time);
  if (gap_s > kReaction_s + 1.2 * context.round_trip_s) return false;
  if (gap_s < kWholeLeg * context.sender_leg_s) return false;
  if (!record.has_timestamps || !own.ack_stamp) return true;
  return static_cast<std::int32_t>(record.ts_echo - *own.ack_stamp) >= 0;
}

void Conversation::data(const Record& record, Side& own, Side& other, const Context& context) {
  const double round_trip_s = context.round_trip_s;
  const SeqNum end = record.sequence + record.payload_len;
  const bool is_new = !own.have_sent || end > own.sent_end;
  if (!is_new || record.payload_len <= 1) return;
  const bool own_done = !own.have_sent || (own.have_acked && own.acked >= own.sent_end);
  const bool other_done = !other.have_sent || (other.have_acked && other.acked >= other.sent_end) ||
                          (record.has(wire::kAck) && record.acknowledgment >= other.sent_end);
  const Time last = std::max(own.last_data, other.last_data);
  const double gap_s = to_seconds(record.time - last);
  const bool anybody_spoke = own.have_sent || other.have_sent;
  if (context.idle && anybody_spoke && own_done && other_done && gap_s > pause_from(round_trip_s)) {
    const bool answering = other.have_sent && other.last_data >= own.last_data;
    add_pause(answering ? own.answers : own.pauses, gap_s,
              answering ? other.last_data_frame : own.last_data_frame, record.frame);
    own.open_answer_s = answering ? gap_s : 0;
    own.answered_bytes = 0;
  }
  own.answered_bytes += record.payload_len;
  if (own.open_answer_s > 0 && own.answered_bytes >= kLongAnswerBytes) await(own);
  const bool small = context.segment_size > 0 && record.payload_len < context.segment_size;
  if (own.ack_waited_s > 0) {
    // Held back until the ACK came: leaves at once, although it had long been ready.
    if (own.last_small && ack_called_for(record, own, context)) {
      ++own.nagle.count;
      own.nagle.seconds += own.ack_waited_s;
      own.timers.add(own.ack_waited_s);
      note(own.nagle.ack_frames, own.ack_frame);
    }
    own.ack_waited_s = 0;
  }
  lone_segment(record, own, own_done, context);
  take_turn(record, own, other, round_trip_s);
  // Nagle holds back what the application wrote; a window's edge cuts segments small as well, and
  // is not Nagle.
  own.waiting_small = small && !context.at_window_edge;
  own.last_small = own.waiting_small;
  own.sent_end = end;
  own.have_sent = true;
  own.last_data = record.time;
  own.last_data_frame = record.frame;
}

// One segment at a time: the receiver acknowledges every second one at once, and a lone one when
// its timer fires.
void Conversation::lone_segment(const Record& record, Side& own, bool own_done,
                                const Context& context) {
  if (own.lone_waited_s > 0 && own_done && ack_called_for(record, own, context)) {
    ++own.lone.count;
    own.lone.seconds += own.lone_waited_s;
    own.lone_timers.add(own.lone_waited_s);
    note(own.lone.ack_frames, own.ack_frame);
  }
  own.lone_waited_s = 0;
  own.waiting_lone = own_done && context.segment_size > 0 &&
                     record.payload_len == context.segment_size && !context.at_window_edge;
}

// The client's question ends a turn, and so does the answer. Between them lies a round trip in all,
// one leg on either side of the tap; where much more passes, somebody thinks, and the path is not
// what they wait for.
void Conversation::take_turn(const Record& record, const Side& own, const Side& other,
                             double round_trip_s) {
  if (round_trip_s <= 0) return;
  exchanges_.round_trip_s = round_trip_s;
  turn_bytes_ += record.payload_len;
  const bool turned = other.have_sent && (!own.have_sent || other.last_data >= own.last_data);
  if (!turned) return;
  const double gap_s = to_seconds(record.time - other.last_data);
  if (record.direction == Direction::to_client) {
    answered_ = true;
    turn_waited_s_ = gap_s;
    return;
  }
  if (!answered_) return;
  answered_ = false;
  ++exchanges_.count;
  const std::uint64_t bytes = std::exchange(turn_bytes_, 0);
  const double waited_s = turn_waited_s_ + gap_s;
  if (waited_s > kPromptRoundTrips * round_trip_s + kReaction_s) return;
  if (waited_s < kWaitedRoundTrips * round_trip_s && bytes < kWindowBytes) return;
  ++exchanges_.prompt;
  exchanges_.waited_s += std::min(waited_s, round_trip_s);
  note(exchanges_.requests, record.frame);
}

void Conversation::finish(Direction direction, Time end, DirectionFacts& facts) {
  Side& side = sides_[index(direction)];
  const Side& other = sides_[1 - index(direction)];
  const bool asked = other.have_sent && other.have_acked && other.acked >= other.sent_end;
  if (asked && !side.have_sent) {
    facts.unanswered_s = to_seconds(end - other.last_data);
    facts.unanswered_request = other.last_data_frame;
  }
  facts.pauses = side.pauses;
  facts.answers = side.answers;
  facts.nagle = side.nagle;
  facts.nagle.timer_median_s = side.timers.quantile(0.5);
  facts.lone = side.lone;
  facts.lone.timer_median_s = side.lone_timers.quantile(0.5);
}

}  // namespace slowpath::flow

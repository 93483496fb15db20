// SPDX-License-Identifier: Apache-2.0
// What the receiver replies: how far its ACKs reach. What became of each range is settle.cc.
#include <algorithm>

#include "flow/direction_analysis.h"
#include "flow/stream_limits.h"

namespace slowpath::flow {

void DirectionAnalysis::on_reply(const Record& record, const SackList* sack, Time now) {
  // Replies that were shown early must not make later ones come before them.
  if (facts_.acks_seen) now = std::max(now, last_reply_);
  facts_.acks_seen = true;
  facts_.last_reply = std::max(facts_.last_reply, record.time);
  last_reply_frame_ = record.frame;
  if (record.has(wire::kRst) || record.has(wire::kSyn)) {
    account(now, Event::replied, record.frame);
    if (!record.has(wire::kRst)) read_syn_ack(record, now);
    return;
  }
  remember_stamp(record);
  if (!record.has(wire::kAck) || !acknowledges_stream(record)) return;
  const std::int64_t ack = offset_of(record.acknowledgment);
  if (!saw_ack_ && facts_.data_packets == 0 && next_ == 0 && una_ == 0 && ack > syn_payload_len_ &&
      anchor_ == 0) {
    // Captured from the middle: the first ACK says where the stream is.
    next_ = std::max(next_, ack);
    una_ = ack;
  }
  const bool ordered = sacked_high_ <= una_ && !in_recovery_;
  const std::int64_t delivered = una_ + sacked_bytes_;
  const bool data_in_reply = record.payload_len > 0;
  peer_spoke_ |= data_in_reply;
  // A packet that the receiver sends of its own accord answers nothing.
  const bool answers = ack > una_ || sack != nullptr || (!data_in_reply && !record.has(wire::kFin));
  const Event event = !answers                       ? Event::spoke
                      : data_in_reply && ack <= una_ ? Event::probe
                                                     : Event::replied;
  account(now, event, record.frame);
  if (next_ > una_ && window_leaves_less_than(room_at_edge())) window_full_until_ = now;
  if (answers) end_silence(record, now);
  if (ack > una_) {
    advance_ack(ack, record, now);
  } else {
    if (sack == nullptr && repeats_ack(record, ack)) note_repeated_ack();
    if (is_duplicate_ack(record, ack, sack != nullptr)) count_duplicate_ack(record);
  }
  const bool fin_outstanding = fin_at_ && ack == *fin_at_;
  if (saw_ack_ && ack == una_ && next_ == una_ && !fin_outstanding)
    label(record, kNothingOutstanding);
  saw_ack_ = true;
  read_window(record, std::max(ack, una_), now);
  if (sack != nullptr) read_sack(*sack, ack, record, now);
  if (!ordered) note_spacing(record, una_ + sacked_bytes_ - delivered);
  last_reply_ = now;
  if (answers) last_answer_ = now;
}

// Beside a hole each segment that arrives is reported at once (RFC 5681 section 4.2). Without SACK
// an ACK that fills the hole tells of what came long before.
void DirectionAnalysis::note_spacing(const Record& record, std::int64_t bytes) {
  constexpr std::int64_t kMostSegments = 2;
  if (facts_.vantage == Vantage::receiver || bytes > kMostSegments * segment_size_) return;
  if (bytes > 0) trains_.arrived_beside(record.time, bytes, segment_size_, round_trip_s());
}

void DirectionAnalysis::read_syn_ack(const Record& record, Time now) {
  if (record.has(wire::kAck) && !anchored_) {
    anchored_ = true;
    anchor_sequence_ = record.acknowledgment;
  }
  last_reply_ = last_answer_ = now;
}

void DirectionAnalysis::remember_stamp(const Record& record) {
  constexpr std::ptrdiff_t kMost = 2048;
  if (!record.has_timestamps || (!stamps_.empty() && stamps_.back().value == record.ts_value))
    return;
  if (std::ssize(stamps_) >= kMost) {
    stamps_.erase(stamps_.begin(), stamps_.begin() + kMost / 2);
    stamp_head_ = 0;
  }
  stamps_.push_back({record.ts_value, record.acknowledgment, record.time});
}

bool DirectionAnalysis::acknowledges_stream(const Record& record) {
  const bool bad = record.checksum == wire::ChecksumState::bad;
  if (!anchored_) {
    if (bad) return false;
    anchored_ = true;
    anchor_sequence_ = record.acknowledgment;
  }
  if (offset_of(record.acknowledgment) <= next_ + (bad ? kMaxDamagedJump : kMaxJump)) return true;
  if (bad) label(record, kNotBelieved);
  return false;
}

bool DirectionAnalysis::is_duplicate_ack(const Record& record, std::int64_t ack,
                                         bool has_sack) const {
  if (!saw_ack_ || ack != una_ || next_ <= una_ || record.payload_len > 0 || record.has(wire::kFin))
    return false;
  return repeats_ack(record, ack) || has_sack;
}

// An answer to a window probe repeats the ACK too, and reports no hole.
bool DirectionAnalysis::repeats_ack(const Record& record, std::int64_t ack) const {
  const bool same_window = std::uint64_t{record.window} << window_shift_ == window_bytes_;
  return saw_ack_ && ack == una_ && record.payload_len == 0 && !record.has(wire::kFin) &&
         same_window && record.window > 0;
}

void DirectionAnalysis::count_duplicate_ack(const Record& record) {
  ++facts_.duplicate_acks;
  label(record, kDuplicateAck);
  if (duplicate_acks_here_++ == 0) hole_since_ = record.time;
}

void DirectionAnalysis::end_silence(const Record& record, Time now) {
  if (!silence_open_) return;
  const double seconds = to_seconds(now - silence_begin_);
  if (silence_sends_ > 0 && seconds >= stall_threshold_s()) {
    Stall stall;
    stall.begin = silence_begin_;
    stall.seconds = seconds;
    stall.owner = TimeOwner::timeout;
    stall.before = silence_frame_;
    stall.after = record.frame;
    stall.outstanding_bytes =
        static_cast<std::uint64_t>(std::max<std::int64_t>(silence_outstanding_, 0));
    stall.unanswered_sends = silence_sends_ + 1;
    stall.smallest_unanswered_ip_len = silence_len_min_;
    stall.largest_unanswered_ip_len = silence_len_max_;
    stalls_.add(stall);
  }
  silence_open_ = false;
}

void DirectionAnalysis::advance_ack(std::int64_t ack, const Record& record, Time now) {
  if (fin_at_ && ack > *fin_at_) ack = std::max(*fin_at_, una_);
  if (ack > next_ &&
      ack <= syn_payload_len_) {  // Fast Open: the SYN's own data was taken (RFC 7413)
    facts_.bytes_seen += static_cast<std::uint64_t>(ack - next_);
    next_ = ack;
  }
  if (ack > next_) note_acked_unseen(ack, record);
  const std::int64_t newly = ack - una_;
  TimelineBin& bin = timeline_.bin(now);
  bin.acked_bytes += static_cast<std::uint64_t>(newly);
  facts_.acked_bytes += static_cast<std::uint64_t>(newly);
  slow_start_most_ += newly;
  settle_up_to(ack, record, now);
  if (!ledger_.empty() && ledger_.front().sacked && ledger_.front().begin <= ack)
    note_reneged(record);
  note_passed_over(ack);
  una_ = ack;
  if (probe_ && una_ >= probe_->begin) settle_probe(false);
  round_ack_pause_s_ =
      std::max(round_ack_pause_s_, to_seconds(now - std::max(facts_.last_ack, round_begin_)));
  facts_.last_ack = now;
  duplicate_acks_here_ = 0;
  if (sacked_high_ <= una_) sacked_bytes_ = 0;
  if (in_recovery_ && una_ >= recovery_point_) in_recovery_ = after_timeout_ = false;
  if (una_ >= round_end_) next_round(now);
}

// Acknowledged but never captured: the capture missed it, or it comes late in the file.
void DirectionAnalysis::note_acked_unseen(std::int64_t ack, const Record& record) {
  Segment hole;
  hole.begin = next_;
  hole.end = ack;
  hole.copies = 0;
  hole.first_sent = hole.last_sent = record.time;
  hole.first_frame = record.frame;
  // A bare ACK of the SYN or of a FIN is one beyond the data.
  if (ack - next_ > 1 || facts_.data_packets > 0) remember(hole);
  acked_unseen_end_ = ack;
  next_ = ack;
  follow_stream();
}

void DirectionAnalysis::settle_up_to(std::int64_t ack, const Record& record, Time now) {
  // Where packets arrive their order is seen: SACK tells nothing more of it.
  const bool passed_over =
      sacked_high_ > una_ && !in_recovery_ && facts_.vantage != Vantage::receiver;
  const bool waited_for_hole = ack_waited_for_hole();
  if (sacked_high_ > una_ || in_recovery_) {
    trains_.interrupt(segment_size_);
  } else if (facts_.vantage != Vantage::receiver) {
    trains_.arrived(record.time, ack - una_, segment_size_, round_trip_s());
  }
  while (!ledger_.empty() && ledger_.front().end <= ack) {
    Segment& segment = ledger_.front();
    if (passed_over && segment.copies == 1 && !segment.sacked && !segment.came_late &&
        segment.end <= sacked_high_) {
      facts_.reorder.by_sack = true;
      note_late(to_seconds(record.time - hole_since_), sacked_high_ - segment.begin,
                segment.first_frame);
    }
    settle(segment, record, now);
    ledger_.pop();
  }
  if (!ledger_.empty() && ledger_.front().begin < ack) {
    Segment& partly = ledger_.front();
    if (partly.copies == 0) {
      ledger_.split(ack);
      settle(ledger_.front(), record, now);
      ledger_.pop();
    } else if (partly.copies == 1) {
      if (!partly.touched && !waited_for_hole) take_rtt(partly, record, now);
      partly.touched = true;
    } else {
      partly.cut |= partly.resent_whole;
    }
  }
}

}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
// What the receiver replies: ACKs, SACK, windows. Decides what became of each range of the ledger.
#include <algorithm>

#include "flow/direction_analysis.h"

namespace slowpath::flow {
namespace {

// Further than any window (RFC 7323 section 2.2), it is not about this stream.
constexpr std::int64_t kMaxJump = std::int64_t{1} << 30;
// An ACK with a wrong checksum is believed near the stream only: its numbers may be what is damaged.
constexpr std::int64_t kMaxDamagedJump = std::int64_t{1} << 20;
// A duplicate is reported as it came (RFC 2883 section 4): one packet, at most a large merged one.
constexpr std::int64_t kMaxDuplicate = std::int64_t{1} << 20;

}  // namespace

void DirectionAnalysis::on_reply(const Record& record, const SackList* sack, Time now) {
  // Replies that were shown early must not make later ones come before them.
  if (facts_.acks_seen) now = std::max(now, last_reply_);
  facts_.acks_seen = true;
  facts_.last_reply = std::max(facts_.last_reply, record.time);
  last_reply_frame_ = record.frame;
  if (record.has(wire::kRst)) {
    account(now, Event::replied, record.frame);
    return;
  }
  if (record.has(wire::kSyn)) {
    if (record.has(wire::kAck) && !anchored_) {
      anchored_ = true;
      anchor_sequence_ = record.acknowledgment;
    }
    account(now, Event::replied, record.frame);
    last_reply_ = now;
    return;
  }
  if (record.has_timestamps && (stamps_.empty() || stamps_.back().value != record.ts_value)) {
    if (stamps_.size() >= 2048) {
      stamps_.erase(stamps_.begin(), stamps_.begin() + 1024);
      stamp_head_ = 0;
    }
    stamps_.push_back({record.ts_value, record.time});
  }
  if (!record.has(wire::kAck)) return;
  const bool bad = record.checksum == wire::ChecksumState::bad;
  if (!anchored_) {
    if (bad) return;
    anchored_ = true;
    anchor_sequence_ = record.acknowledgment;
  }
  const std::int64_t ack = offset_of(record.acknowledgment);
  if (ack > next_ + (bad ? kMaxDamagedJump : kMaxJump)) {
    if (bad) label(record, kNotBelieved);
    return;
  }
  if (!saw_ack_ && facts_.data_packets == 0 && next_ == 0 && una_ == 0 && ack > syn_payload_len_ && anchor_ == 0) {
    // Captured from the middle: the first ACK says where the stream is.
    next_ = std::max(next_, ack);
    una_ = ack;
  }
  const bool data_in_reply = record.payload_len > 0;
  peer_spoke_ |= data_in_reply;
  account(now, data_in_reply && ack <= una_ ? Event::probe : Event::replied, record.frame);
  if (next_ > una_ && window_leaves_less_than(room_at_edge())) window_full_until_ = now;
  // A packet that the receiver sends of its own accord answers nothing.
  if (ack > una_ || sack != nullptr || (record.payload_len == 0 && !record.has(wire::kFin))) end_silence(record, now);
  const bool same_window = std::uint64_t{record.window} << window_shift_ == window_bytes_;
  if (ack > una_) {
    advance_ack(ack, record, now);
  } else if (saw_ack_ && ack == una_ && next_ > una_ && !data_in_reply && !record.has(wire::kFin)) {
    // An answer to a window probe repeats the ACK too, and reports no hole.
    if ((same_window && record.window > 0) || sack != nullptr) {
      ++facts_.duplicate_acks;
      label(record, kDuplicateAck);
      if (duplicate_acks_here_++ == 0) hole_since_ = record.time;
    }
  }
  const bool fin_outstanding = fin_at_ && ack == *fin_at_;
  if (saw_ack_ && ack == una_ && next_ == una_ && !fin_outstanding) label(record, kNothingOutstanding);
  saw_ack_ = true;
  read_window(record, std::max(ack, una_), now);
  if (sack != nullptr) read_sack(*sack, ack, record, now);
  last_reply_ = now;
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
    stall.outstanding_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(silence_outstanding_, 0));
    stall.unanswered_sends = silence_sends_ + 1;
    stall.smallest_unanswered_ip_len = silence_len_min_;
    stall.largest_unanswered_ip_len = silence_len_max_;
    stalls_.add(stall);
  }
  silence_open_ = false;
}

void DirectionAnalysis::advance_ack(std::int64_t ack, const Record& record, Time now) {
  if (fin_at_ && ack > *fin_at_) ack = std::max(*fin_at_, una_);
  if (ack > next_ && ack <= syn_payload_len_) {  // Fast Open: the SYN's own data was taken (RFC 7413)
    facts_.bytes_seen += static_cast<std::uint64_t>(ack - next_);
    next_ = ack;
  }
  if (ack > next_) {  // acknowledged but never captured: the capture missed it, or it comes late in the file
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
  const std::int64_t newly = ack - una_;
  TimelineBin& bin = timeline_.bin(now);
  bin.acked_bytes += static_cast<std::uint64_t>(newly);
  facts_.acked_bytes += static_cast<std::uint64_t>(newly);
  slow_start_most_ += newly;
  const bool passed_over = sacked_high_ > una_ && !in_recovery_;
  while (!ledger_.empty() && ledger_.front().end <= ack) {
    Segment& segment = ledger_.front();
    if (passed_over && segment.copies == 1 && !segment.sacked && !segment.came_late &&
        segment.end <= sacked_high_) {
      ++facts_.reorder.packets;
      facts_.reorder.by_sack = true;
      const double late_s = to_seconds(record.time - hole_since_);
      reorder_late_.add(late_s);
      facts_.reorder.max_late_s = std::max(facts_.reorder.max_late_s, late_s);
      note(facts_.reorder.frames, segment.first_frame);
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
      if (!partly.touched) take_rtt(partly, record, now);
      partly.touched = true;
    }
  }
  if (!ledger_.empty() && ledger_.front().sacked && ledger_.front().begin <= ack) note_reneged(record);
  una_ = ack;
  round_ack_pause_s_ = std::max(round_ack_pause_s_, to_seconds(now - std::max(facts_.last_ack, round_begin_)));
  facts_.last_ack = now;
  duplicate_acks_here_ = 0;
  if (sacked_high_ <= una_) sacked_bytes_ = 0;
  if (in_recovery_ && una_ >= recovery_point_) in_recovery_ = after_timeout_ = false;
  if (una_ >= round_end_) next_round(now);
}

// An ACK takes all that lies behind it in order. One that stops before bytes reported as arrived has lost them again.
void DirectionAnalysis::note_reneged(const Record& record) {
  const Segment& segment = ledger_.front();
  if (offset_of(record.acknowledgment) >= segment.end) return;
  ++facts_.reneged.count;
  facts_.reneged.bytes += static_cast<std::uint64_t>(segment.len());
  note(facts_.reneged.frames, record.frame);
}

// What became of a range that is now acknowledged.
void DirectionAnalysis::settle(Segment& segment, const Record& record, Time now) {
  if (segment.sacked) sacked_bytes_ -= segment.len();
  if (segment.copies == 0) {
    settle_hole(segment);
    return;
  }
  if (segment.copies > 1) {
    // Too soon after the resend for that resend to be what is acknowledged (RFC 3522's question, asked of time);
    // an echoed timestamp older than the resend says the same.
    const double since_s = to_seconds(record.time - segment.last_sent);
    const double leg_s = to_seconds(receiver_leg_min_);
    const bool too_soon = since_s < 0 || (leg_s > 0.001 && since_s < 0.6 * leg_s && segment.copies == 2);
    const bool eifel = record.has_timestamps && segment.last_ts != segment.first_ts &&
                       SeqNum{record.ts_echo} < SeqNum{segment.last_ts} && segment.end == offset_of(record.acknowledgment);
    if (!segment.spurious && !segment.first_bad && (too_soon || eifel)) {
      facts_.spurious.by_eifel += eifel;
      facts_.spurious.by_acked_before += !eifel;
      mark_spurious(segment, record);
    }
  }
  // An ACK that fills a hole comes late for everything behind it.
  const bool waited_for_hole = duplicate_acks_here_ > 0 || in_recovery_;
  if (segment.copies == 1 && segment.resent_bytes == 0 && !segment.sacked && !segment.touched && !waited_for_hole) {
    take_rtt(segment, record, now);
  }
  if (segment.first_bad) {
    if (segment.copies == 1) {
      ++facts_.checksums.bad_but_acknowledged;
      note(facts_.checksums.bad_acknowledged_frames, segment.first_frame);
    } else {
      ++facts_.checksums.bad_needed_resend;
    }
  }
  if (segment.first_partial && segment.copies > 1 && !segment.spurious) ++facts_.checksums.partial_needed_resend;
  const bool arrived_first = segment.copies == 1 || segment.spurious || segment.sacked_before_resend;
  if (arrived_first) {
    settle_first_copy(segment);
  } else {
    settle_lost(segment);
  }
  note_delivered(segment, arrived_first);
  passage_.arrived(segment.begin, segment.end, segment.first_sent, arrived_first);
}

void DirectionAnalysis::note_delivered(const Segment& segment, bool arrived_first) {
  const std::uint32_t delivered_len = arrived_first ? segment.first_ip_len : segment.last_ip_len;
  std::uint32_t passed_len = delivered_len;
  if (arrived_first && segment.superframe) {  // it crossed the path as full segments, or longer
    passed_len -= static_cast<std::uint32_t>(segment.len()) - segment_size_;
  } else if (!arrived_first && segment.resend_superframe) {
    return;
  }
  if (passed_len <= facts_.largest_delivered_ip_len) return;
  facts_.largest_delivered_ip_len = passed_len;
  facts_.largest_delivered_frame = arrived_first ? segment.first_frame : segment.last_frame;
}

SuperframeSize& DirectionAnalysis::superframe_size(const Segment& segment) {
  std::vector<SuperframeSize>& sizes = facts_.superframes.sizes;
  const std::int64_t unit = std::max(segment_size_, 1u);
  const auto segments = static_cast<std::uint32_t>((segment.len() + unit - 1) / unit);
  const auto at = std::ranges::lower_bound(sizes, segments, {}, &SuperframeSize::segments);
  if (at != sizes.end() && at->segments == segments) return *at;
  return *sizes.insert(at, SuperframeSize{.segments = segments});
}

void DirectionAnalysis::settle_first_copy(const Segment& segment) {
  if (segment.first_ip_len == 0) return;
  SizeClass& size = sizes_.of(segment.first_ip_len);
  ++size.first_delivered;
  note(size.delivered, segment.first_frame);
  if (!segment.superframe) return;
  ++facts_.superframes.delivered;
  ++superframe_size(segment).delivered;
  note(facts_.superframes.delivered_frames, segment.first_frame);
}

void DirectionAnalysis::settle_lost(Segment& segment) {
  const bool partly_arrived = segment.touched || segment.resent_bytes + segment_size_ / 2 < segment.len();
  if (segment.superframe && partly_arrived) {
    ++facts_.superframes.delivered;
    ++superframe_size(segment).delivered;
    note(facts_.superframes.delivered_frames, segment.first_frame);
  }
  if (segment.superframe && !partly_arrived) {
    SuperframeFacts& super = facts_.superframes;
    ++super.lost_whole;
    ++superframe_size(segment).lost_whole;
    note(super.lost_frames, segment.first_frame);
    if (!segment.resend_superframe) {
      ++super.lost_then_pieces_delivered;
      note(super.piece_frames, segment.last_frame);
    }
  }
  if (segment.first_ip_len > 0) {
    SizeClass& size = sizes_.of(segment.first_ip_len);
    ++size.first_lost;
    note(size.lost, segment.first_frame);
  }
  if (segment.last_frame != credited_frame_) {
    credited_frame_ = segment.last_frame;
    SizeClass& size = sizes_.of(segment.last_ip_len);
    ++size.resent_delivered;
    note(size.delivered, segment.last_frame);
    if (segment.resend_superframe) ++facts_.superframes.resent_delivered;
  }
  LossEvent loss;
  loss.time = segment.last_sent;
  loss.original = segment.first_frame;
  loss.resend = segment.last_frame;
  loss.offset = static_cast<std::uint64_t>(std::max<std::int64_t>(segment.begin, 0));
  loss.len = static_cast<std::uint32_t>(std::min<std::int64_t>(segment.len(), 0xffff'ffff));
  loss.original_ip_len = segment.first_ip_len;
  loss.how = segment.how;
  loss.rtt_before_s = static_cast<double>(segment.rtt_before_s);
  loss.flight_bytes = segment.flight_bytes;
  loss.waited_s = to_seconds(segment.last_sent - segment.first_sent);
  if (segment.begin >= episode_end_) {
    ++episode_;
    episode_end_ = std::max(next_, recovery_point_);
    ++facts_.loss_episodes;
  }
  loss.episode = episode_;
  ++facts_.lost_packets;
  ++timeline_.bin(segment.last_sent).losses;
  add_loss(loss);
}

void DirectionAnalysis::settle_hole(const Segment& segment) {
  facts_.unseen_acked_bytes += static_cast<std::uint64_t>(segment.len());
  ++facts_.unseen_acked_holes;
  note(facts_.unseen_acked, segment.first_frame);
}

void DirectionAnalysis::add_loss(LossEvent loss) {
  constexpr std::size_t kKept = 1024;
  if (facts_.losses.size() < kKept) facts_.losses.push_back(loss);
}

void DirectionAnalysis::take_rtt(const Segment& segment, const Record& record, Time now) {
  const double leg_s = to_seconds(record.time - segment.first_sent);
  if (leg_s < 0) return;
  rtt_receiver_.add(leg_s);
  RttFacts& leg = facts_.rtt.receiver_leg;
  if (leg.samples++ == 0 || leg_s < leg.min_s) leg.min_s = leg_s;
  leg.max_s = std::max(leg.max_s, leg_s);
  receiver_leg_typical_s_ = receiver_leg_typical_s_ > 0 ? 0.875 * receiver_leg_typical_s_ + 0.125 * leg_s : leg_s;
  if (receiver_leg_min_ == Duration{0} || from_seconds(leg_s) < receiver_leg_min_) receiver_leg_min_ = from_seconds(leg_s);
  // Where the tap is away from the sender and echoes tell the other leg, echo_sample() takes the totals.
  if (away_from_sender() && facts_.rtt.sender_leg.samples > 0) return;
  take_total_rtt(leg_s + to_seconds(sender_leg_min_), static_cast<std::int64_t>(segment.flight_bytes), now);
}

bool DirectionAnalysis::away_from_sender() const {
  return sender_leg_min_ > Duration{0} && to_seconds(sender_leg_min_) >= 0.2 * receiver_leg_typical_s_;
}

void DirectionAnalysis::take_total_rtt(double total_s, std::int64_t flight_then, Time now) {
  rtt_last_s_ = total_s;
  round_rtt_min_s_ = std::min(round_rtt_min_s_, total_s);
  rtt_total_.add(total_s);
  if (rtt_min_s_ == 0 || total_s < rtt_min_s_) rtt_min_s_ = total_s;
  facts_.rtt.total.max_s = std::max(facts_.rtt.total.max_s, total_s);
  if (srtt_s_ == 0) {  // RFC 6298 section 2
    srtt_s_ = total_s;
    rttvar_s_ = total_s / 2;
  } else {
    rttvar_s_ = 0.75 * rttvar_s_ + 0.25 * std::abs(srtt_s_ - total_s);
    srtt_s_ = 0.875 * srtt_s_ + 0.125 * total_s;
  }
  if (flight_then <= 2 * static_cast<std::int64_t>(std::max(segment_size_, 1u))) rtt_idle_.add(total_s);
  if (flight_then * 2 > static_cast<std::int64_t>(facts_.flight_max_bytes)) rtt_loaded_.add(total_s);
  TimelineBin& bin = timeline_.bin(now);
  const auto rtt = static_cast<float>(total_s);
  bin.rtt_min_s = bin.rtt_min_s == 0 ? rtt : std::min(bin.rtt_min_s, rtt);
  bin.rtt_max_s = std::max(bin.rtt_max_s, rtt);
}

// The sender echoes the receiver's timestamp (RFC 7323 section 3): the trip from the tap to the sender and back.
void DirectionAnalysis::echo_sample(const Record& record) {
  if (!record.has_timestamps || record.payload_len == 0) return;
  while (stamp_head_ < stamps_.size() && SeqNum{stamps_[stamp_head_].value} < SeqNum{record.ts_echo}) ++stamp_head_;
  if (stamp_head_ >= stamps_.size() || stamps_[stamp_head_].value != record.ts_echo) return;
  const double leg_s = to_seconds(record.time - stamps_[stamp_head_].time);
  ++stamp_head_;
  // A sender that paused did not answer: only echoes within a running stream tell the leg.
  const double since_data_s = to_seconds(record.time - last_data_);
  const double usual_s = std::max(facts_.rtt.sender_leg.min_s, to_seconds(sender_leg_min_));
  const bool silent = since_data_s > 0.5 * leg_s && leg_s > 2 * usual_s + 0.001;
  if (leg_s < 0 || facts_.data_packets < 2 || silent || in_recovery_) return;
  rtt_sender_.add(leg_s);
  RttFacts& leg = facts_.rtt.sender_leg;
  if (leg.samples++ == 0 || leg_s < leg.min_s) leg.min_s = leg_s;
  leg.max_s = std::max(leg.max_s, leg_s);
  if (away_from_sender()) take_total_rtt(leg_s + receiver_leg_typical_s_, flight(), record.time);
}

// RFC 2018; a first block at or below the ACK, or inside the second, reports a duplicate (RFC 2883 section 4).
void DirectionAnalysis::read_sack(const SackList& sack, std::int64_t ack, const Record& record, Time now) {
  std::array<Range, kMaxSackBlocks> read{};
  for (std::size_t i = 0; i < sack.count; ++i) {
    const std::int64_t begin = offset_of(sack.blocks[i].begin), end = offset_of(sack.blocks[i].end);
    if (end <= begin || end - begin > kMaxJump) continue;
    ++facts_.sack_blocks;
    if (note_impossible_sack(begin, end, ack, record)) continue;
    const bool inside_next = i == 0 && sack.count > 1 && begin >= offset_of(sack.blocks[1].begin) &&
                             end <= offset_of(sack.blocks[1].end);
    if (i == 0 && (end <= ack || inside_next)) {
      read_dsack(begin, end, record);
      continue;
    }
    if (end > next_ + 1 || begin < una_) continue;
    if (sacked_high_ <= una_ && duplicate_acks_here_ <= 1) hole_since_ = record.time;
    sacked_high_ = std::max(sacked_high_, end);
    // Blocks grow by a segment an ACK: only what the block before did not cover is looked at.
    Range known{begin, begin};
    for (const Range& earlier : sack_read_) {
      if (earlier.begin >= begin && earlier.end <= end && earlier.end - earlier.begin > known.end - known.begin) known = earlier;
    }
    mark_sacked(begin, known.begin, {begin, end}, record, now);
    mark_sacked(known.end, end, {begin, end}, record, now);
    read[i] = {begin, end};
  }
  sack_read_ = read;
}

// Marks what lies wholly in `block`, among the segments that reach into [from, to).
void DirectionAnalysis::mark_sacked(std::int64_t from, std::int64_t to, Range block, const Record& record, Time now) {
  if (from >= to) return;
  for (Segment& segment : ledger_.overlapping(from, to)) {
    if (segment.sacked || segment.begin < block.begin || segment.end > block.end) {
      if (!segment.sacked && segment.superframe && segment.copies == 1) segment.touched = true;
      continue;
    }
    segment.sacked = true;
    sacked_bytes_ += segment.len();
    if (segment.copies == 1 && !segment.touched) take_rtt(segment, record, now);
  }
}

void DirectionAnalysis::read_dsack(std::int64_t begin, std::int64_t end, const Record& record) {
  ++facts_.dsacks;
  if (end - begin > kMaxDuplicate) return;
  bool resent = false;
  const auto look = [&](Segment& segment) {
    if (segment.begin >= end || segment.end <= begin || segment.copies < 2) return;
    resent = true;
    if (segment.spurious) return;
    mark_spurious(segment, record);
    ++facts_.spurious.by_dsack;
  };
  for (Segment& segment : ledger_.overlapping(begin, end)) look(segment);
  for (Segment& segment : ledger_.recent()) {
    const bool counted_lost = segment.begin < end && segment.end > begin && segment.copies >= 2 && !segment.spurious &&
                              !segment.sacked_before_resend;
    look(segment);
    if (!counted_lost || !segment.spurious || facts_.lost_packets == 0) continue;
    // It had been called lost: the receiver now says that both copies came.
    --facts_.lost_packets;
    std::erase_if(facts_.losses, [&](const LossEvent& loss) { return loss.resend == segment.last_frame && loss.original == segment.first_frame; });
    if (segment.first_ip_len == 0) continue;
    SizeClass& size = sizes_.of(segment.first_ip_len);
    if (size.first_lost > 0) --size.first_lost;
    ++size.first_delivered;
  }
  if (resent || end <= 1 || facts_.resent_packets > 0) return;
  ++facts_.duplicates.dsack_without_resend;
  note(facts_.duplicates.dsack_frames, record.frame);
}

void DirectionAnalysis::mark_spurious(Segment& segment, const Record& proof) {
  segment.spurious = true;
  ++facts_.spurious.packets;
  note(facts_.spurious.frames, segment.last_frame);
  note(facts_.spurious.proof, proof.frame);
  if (segment.how != ResendClass::timeout) return;
  ++facts_.spurious.timeouts;
  facts_.spurious.seconds += to_seconds(segment.last_sent - segment.first_sent);
}

void DirectionAnalysis::read_window(const Record& record, std::int64_t ack, Time now) {
  const std::uint64_t window = std::uint64_t{record.window} << window_shift_;
  WindowFacts& facts = facts_.window;
  if (!have_window_) {
    facts.initial_bytes = window;
    facts.raw_min = facts.raw_max = record.window;
  }
  facts.raw_max = std::max(facts.raw_max, record.window);
  facts.raw_min = std::min(facts.raw_min, record.window);
  const std::int64_t edge = ack + static_cast<std::int64_t>(window);
  if (have_window_ && edge + (std::int64_t{1} << window_shift_) <= right_edge_ && window > 0) note(facts.shrunk, record.frame);
  if (edge != right_edge_) newest_opening_ = have_window_ ? edge - right_edge_ : 0;
  have_window_ = true;
  window_bytes_ = window;
  right_edge_ = edge;
  facts.max_bytes = std::max(facts.max_bytes, window);
  TimelineBin& bin = timeline_.bin(now);
  if (window > 0) bin.window_min_bytes = bin.window_min_bytes == 0 ? window : std::min(bin.window_min_bytes, window);
  if (record.payload_len == 0 || next_ > una_) windows_.add(static_cast<double>(window));
  if (window == 0 && !record.has(wire::kFin)) {
    note(facts.zero, record.frame);
    label(record, kZeroWindow);
    if (!zero_open_) {
      zero_open_ = true;
      zero_since_ = now;
      zero_frame_ = record.frame;
      zero_mattered_ = false;
    }
    zero_mattered_ |= next_ > una_;
  } else if (zero_open_) {
    zero_open_ = false;
    zero_until_ = now;
    zero_end_frame_ = record.frame;
    // Nothing outstanding and no probe: only data that follows at once shows that somebody waited.
    zero_undecided_ = !zero_mattered_;
    if (zero_mattered_) count_closing();
  }
}

void DirectionAnalysis::count_closing() {
  WindowFacts& facts = facts_.window;
  const double seconds = to_seconds(zero_until_ - zero_since_);
  ++facts.zero_episodes;
  facts.zero_s += seconds;
  if (seconds < facts.zero_longest_s) return;
  facts.zero_longest_s = seconds;
  facts.zero_longest_begin = zero_frame_;
  facts.zero_longest_end = zero_end_frame_;
}

// A closing that nobody waited for was the application's time.
void DirectionAnalysis::decide_closing(std::optional<Time> next_data) {
  if (!zero_undecided_) return;
  zero_undecided_ = false;
  constexpr double kReactionRoundTrips = 2, kReactionFloor_s = 0.02;
  const double soon_s = std::max(kReactionRoundTrips * srtt_s_, kReactionFloor_s);
  if (next_data && to_seconds(*next_data - zero_until_) <= soon_s) return count_closing();
  double& closed = facts_.time[TimeOwner::zero_window];
  const double moved = std::clamp(to_seconds(zero_until_ - zero_since_), 0.0, closed);
  closed -= moved;
  facts_.time[TimeOwner::application] += moved;
}

}  // namespace slowpath::flow

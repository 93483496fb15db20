// SPDX-License-Identifier: Apache-2.0
// What the sender sends again. Every resend gets one class.
#include <algorithm>

#include "flow/direction_analysis.h"
#include "flow/stream_limits.h"

namespace slowpath::flow {
namespace {

// A receiver acknowledges at least every second segment (RFC 5681 section 4.2): an ACK that passes
// over more than these, and the resend before them, found them there.
constexpr std::uint32_t kForOneAck = 2;

}  // namespace

void DirectionAnalysis::send_again(const Sending& s, const BytesAt& bytes_at) {
  if (s.end <= una_) {
    resend_acknowledged(s, bytes_at);
    return;
  }
  if (sends_probed_byte(s)) return;
  split_holes_at(s);
  bool fills = false;
  bool resends = false;
  bool recut = false;
  for (const Segment& segment : ledger_.overlapping(s.begin, s.end)) {
    fills |= segment.copies == 0;
    resends |= segment.copies > 0;
    recut |= segment.copies > 0 && (segment.begin != s.begin || segment.end != s.end);
  }
  if (fills && !resends) {
    send_unseen(s);
    return;
  }
  const ResendClass how = classify_resend(s);
  account(s.record.time, event_of(how), s.record.frame);
  count_resend(s, how);
  label(s.record, kResend | kSentBefore);
  facts_.recut_packets += recut;
  for (Segment& segment : ledger_.overlapping(s.begin, s.end)) {
    if (segment.copies == 0) {
      segment.how = how;
      fill_hole(segment, s, false);
    } else {
      compare_payload(segment, s, bytes_at);
      resend_segment(segment, s, how);
    }
  }
  enter_recovery(how);
  for (IcmpWatch& watch : icmp_watch_) {
    if (watch.offset >= s.begin && watch.offset < s.end && !watch.resent)
      watch.resent = s.record.time;
  }
  last_send_ = s.record.time;
}

DirectionAnalysis::Event DirectionAnalysis::event_of(ResendClass how) {
  if (how == ResendClass::timeout) return Event::timeout_resent;
  return how == ResendClass::fast ? Event::repaired : Event::resent;
}

// The byte of a window probe was refused, not lost: what goes through once the window is open is
// its first sending.
bool DirectionAnalysis::sends_probed_byte(const Sending& s) {
  const std::span<Segment> segments = ledger_.overlapping(s.begin, s.end);
  if (segments.size() != 1 || !segments.front().probe || window_closed()) return false;
  Segment& segment = segments.front();
  segment.probe = false;
  segment.first_sent = segment.last_sent = s.record.time;
  segment.first_frame = segment.last_frame = s.record.frame;
  segment.first_ip_len = segment.last_ip_len = s.record.ip_len;
  account(s.record.time, Event::sent, s.record.frame);
  last_send_ = s.record.time;
  return true;
}

// Rules, in order:
// 1. Beyond a timeout everything resent in order up to what was in flight then is go-back.
// 2. The end of the data, alone, about two round trips after the last event: a tail probe (RFC 8985
// section 7).
// 3. Silence of a timeout's length: timeout.
// 4. Otherwise somebody reported the loss: fast.
ResendClass DirectionAnalysis::classify_resend(const Sending& s) const {
  const double silence_s = to_seconds(s.record.time - std::max({last_send_, last_answer_, Time{}}));
  const double rtt_s = srtt_s_ > 0 ? srtt_s_ : to_seconds(receiver_leg_min_ + sender_leg_min_);
  const double timeout_s = std::max(kTimeoutFloor_s, rtt_s + 2 * rttvar_s_);
  const bool reported = duplicate_acks_here_ > 0 || sacked_bytes_ > 0;
  const bool is_tail = s.end == next_;
  const bool first_resend = !after_timeout_ && [&] {
    const auto& segments = const_cast<Ledger&>(ledger_).overlapping(s.begin, s.end);
    return !segments.empty() && segments.front().copies <= 1;
  }();
  if (silence_s >= 0.9 * timeout_s && silence_s > 1.2 * rtt_s) {
    const bool probe_time =
        rtt_s > 0 && silence_s < 2.5 * rtt_s && silence_s < timeout_s && is_tail && s.begin > una_;
    return probe_time && first_resend ? ResendClass::tail_probe : ResendClass::timeout;
  }
  if (after_timeout_ && s.begin < recovery_point_) return ResendClass::go_back;
  if (is_tail && first_resend && !reported && rtt_s > 0 && silence_s > 1.4 * rtt_s)
    return ResendClass::tail_probe;
  if (reported || in_recovery_) return ResendClass::fast;
  return ResendClass::unknown;
}

void DirectionAnalysis::enter_recovery(ResendClass how) {
  if (how == ResendClass::tail_probe || how == ResendClass::unknown) return;
  if (how == ResendClass::fast) undecided_ = {};  // what it waited for was no data of its own
  slow_start_ = false;
  if (!in_recovery_) recovery_point_ = next_;
  in_recovery_ = true;
  if (how != ResendClass::timeout) return;
  recovery_point_ = next_;
  after_timeout_ = true;
  ++silence_sends_;
}

void DirectionAnalysis::count_resend(const Sending& s, ResendClass how) {
  ResendFacts& class_facts = facts_.resends[static_cast<std::size_t>(how)];
  ++class_facts.packets;
  class_facts.bytes += static_cast<std::uint64_t>(s.end - s.begin);
  note(class_facts.frames, s.record.frame);
  ++facts_.resent_packets;
  facts_.resent_bytes += static_cast<std::uint64_t>(s.end - s.begin);
  ++chunk_resends_;
  facts_.chunks.lossy += chunk_resends_ == 1;
  facts_.chunks.lossy_enough += chunk_resends_ == ChunkFacts::kEnoughLosses;
}

void DirectionAnalysis::resend_segment(Segment& segment, const Sending& s, ResendClass how) {
  const Record& r = s.record;
  if (segment.copies > 1 && superseded_frame_ != segment.last_frame) {
    superseded_frame_ = segment.last_frame;  // a resend that a further resend replaces was lost
    SizeClass& size = sizes_.of(segment.last_ip_len);
    ++size.resent_lost;
    note(size.lost, segment.last_frame);
    ++facts_.lost_resends;
  }
  resent_end_ = std::max(resent_end_, s.end);
  const std::int64_t begin = std::max(segment.begin, s.begin);
  const std::int64_t end = std::min(segment.end, s.end);
  const std::int64_t overlap = end - begin;
  passage_.resent(begin, end, segment.first_sent, r.time, facts_.acked_bytes);
  const bool first = segment.resent_bytes == 0;
  segment.resent_begin = first ? begin : std::min(segment.resent_begin, begin);
  segment.resent_end = first ? end : std::max(segment.resent_end, end);
  segment.resent_bytes +=
      static_cast<std::uint32_t>(std::min<std::int64_t>(overlap, segment.len()));
  if (segment.copies == 1) {
    segment.sacked_before_resend = segment.sacked;
    segment.overtaken =
        how == ResendClass::fast && !segment.sacked && sacked_high_ > std::min(segment.end, s.end);
  }
  ++segment.copies;
  segment.last_sent = r.time;
  segment.last_frame = r.frame;
  segment.last_ip_len = r.ip_len;
  segment.last_ts = r.ts_value;
  segment.how = how;
  segment.resend_superframe = s.superframe;
  segment.resent_whole = s.begin <= segment.begin && s.end >= segment.end;
  segment.cut = false;
  if (segment.bad_checksum) {
    if (r.checksum == wire::ChecksumState::bad) {
      ++facts_.checksums.bad_resent_bad;
    } else if (r.checksum == wire::ChecksumState::good) {
      note(facts_.checksums.good_twins, r.frame);
    }
  }
  segment.bad_checksum = r.checksum == wire::ChecksumState::bad && !s.superframe;
  facts_.checksums.partial_resent_partial +=
      segment.last_partial && is_partial(r.checksum) && !s.superframe;
  segment.last_partial = is_partial(r.checksum) && !s.superframe;
  if (segment.begin <= s.begin) {
    ++sizes_.of(r.ip_len).resent;
    if (s.superframe) ++facts_.superframes.resent_sent;
  }
}

// Everything in it had been acknowledged when the sender sent it again: the forward path had
// delivered it.
void DirectionAnalysis::resend_acknowledged(const Sending& s, const BytesAt& bytes_at) {
  if (was_recorded_late(s)) {
    if (s.end >= acked_unseen_end_) acked_unseen_end_ = -1;
    account(s.record.time, Event::sent, s.record.frame);
    return;
  }
  const ResendClass how = classify_resend(s);
  const double silence_s = to_seconds(s.record.time - std::max({last_send_, last_answer_, Time{}}));
  const bool unheard = away() && how == ResendClass::timeout && established_;
  account(s.record.time, unheard ? Event::unheard_resent : Event::resent, s.record.frame);
  count_resend(s, how);
  label(s.record, kResend | kSpurious | kSentBefore);
  ++facts_.spurious.packets;
  ++facts_.spurious.by_acked_before;
  note(facts_.spurious.frames, s.record.frame);
  note(facts_.spurious.proof, last_reply_frame_);
  if (how == ResendClass::timeout && !unheard) {  // unheard ACKs make no timeout needless
    ++facts_.spurious.timeouts;
    facts_.spurious.seconds += silence_s;
  }
  for (const Segment& old : ledger_.recent()) {
    if (old.begin < s.end && old.end > s.begin && old.copies > 0) compare_payload(old, s, bytes_at);
  }
  last_send_ = s.record.time;
}

// A sender without SACK sends again after a timeout also what had arrived behind the loss. The ACK
// of the first resend passes over all of it, and each of the others, which bring nothing new, is
// answered at once by the same ACK (RFC 5681 section 4.2). Resends that had been needed would have
// moved it one by one, or, merged on arrival, would not have been answered singly. Whether it was a
// timeout does not matter: a silence does not always show it.
void DirectionAnalysis::note_passed_over(std::int64_t ack) {
  passed_over_ = {una_, ack};
  went_back_ = repeated_acks_ = 0;
  if (una_ >= resent_end_ || facts_.sack_blocks > 0 || segment_size_ == 0) return;
  for (const Segment& segment : ledger_.recent()) {
    if (!went_back_over(segment)) continue;
    went_back_ += static_cast<std::uint32_t>((segment.len() + segment_size_ - 1) / segment_size_);
  }
}

bool DirectionAnalysis::went_back_over(const Segment& segment) const {
  return segment.begin > passed_over_.begin && segment.end <= passed_over_.end &&
         segment.copies > 1 && segment.resent_bytes <= segment.len() && !segment.first_bad &&
         !segment.spurious && !segment.sacked_before_resend;
}

// They accuse nobody: a timeout goes back.
void DirectionAnalysis::note_repeated_ack() {
  if (went_back_ <= kForOneAck || ++repeated_acks_ < went_back_) return;
  went_back_ = 0;
  for (Segment& segment : ledger_.recent()) {
    if (!went_back_over(segment)) continue;
    segment.spurious = true;
    take_back_loss(segment);
    if (segment.superframe) take_back_lost_superframe(segment);
  }
}

}  // namespace slowpath::flow

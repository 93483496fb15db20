// SPDX-License-Identifier: Apache-2.0
// What the sender does: new data, holes, resends. Every resend gets one class.
#include <algorithm>

#include "flow/direction_analysis.h"

namespace slowpath::flow {
namespace {

// A jump in sequence space beyond any window (RFC 7323 section 2.2: 2^30) is not this stream.
constexpr std::int64_t kMaxJump = std::int64_t{1} << 30;
// With a wrong checksum the sequence number itself may be what is damaged: only near the stream is it believed.
constexpr std::int64_t kMaxDamagedJump = std::int64_t{1} << 20;
// Linux's smallest retransmission timeout is 200 ms, Windows' 300, Solaris' 200-400; timers fire a little early
// or late against the tap's clock. FreeBSD's 30 ms is below what can be told from a tail probe.
constexpr double kTimeoutFloor_s = 0.180;
// Missing IP IDs that one lost ACK or probe does not explain.
constexpr std::uint16_t kMissingIds = 3;
// An ACK recorded before its data: interfaces and queues are that far apart, at most.
constexpr Duration kRecordedLate = std::chrono::milliseconds(20);
// So many packets in a row beyond any window are no forgery: the capture missed more than a window of the stream.
constexpr std::uint32_t kStraysOfAJump = 8;
// The anchor follows the stream at this distance, so that 32-bit differences to it never wrap.
constexpr std::int64_t kAnchorStep = std::int64_t{1} << 29;
constexpr Duration kCloseSuccession = std::chrono::milliseconds(20);

bool is_partial(wire::ChecksumState state) {
  return state == wire::ChecksumState::partial || state == wire::ChecksumState::partial_no_length;
}

}  // namespace

void DirectionAnalysis::on_send(const Record& record, const BytesAt& bytes_at) {
  ++facts_.packets;
  facts_.seen = true;
  if (labels_ != nullptr) label_send(record);
  if (record.has(wire::kSyn)) {
    if (!anchored_) {
      anchored_ = true;
      anchor_sequence_ = record.sequence + 1;
      anchor_ = 0;
    }
    syn_payload_len_ = record.payload_len;
    note_checksum(record, false);
    account(record.time, Event::sent, record.frame);
    return;
  }
  echo_sample(record);
  note_ip_id(record);
  if (record.has(wire::kFin) && anchored_) fin_at_ = offset_of(record.sequence) + record.payload_len;
  const bool superframe = segment_size_ > 0 && record.payload_len > segment_size_;
  note_checksum(record, superframe);
  if (record.network_copy) {
    ++facts_.duplicates.packets;
    if (record.payload_len > 0) note(facts_.duplicates.frames, record.frame);
    account(record.time, Event::sent, record.frame);
    return;
  }
  if (record.payload_len > 0 && !record.has(wire::kRst)) {  // what a RST carries is no data (RFC 9293 section 3.5.3)
    send_data(record, bytes_at);
  } else {
    if (anchored_ && is_keep_alive_or_probe(record, offset_of(record.sequence))) {
      note_keep_alive_or_probe(record);
    }
    account(record.time, Event::probe, record.frame);
  }
}

void DirectionAnalysis::note_keep_alive_or_probe(const Record& record) {
  const bool probe = window_closed();
  const ResendClass how = probe ? ResendClass::zero_window_probe : ResendClass::keep_alive;
  ResendFacts& class_facts = facts_.resends[static_cast<std::size_t>(how)];
  ++class_facts.packets;
  note(class_facts.frames, record.frame);
  label(record, probe ? kWindowProbe : kKeepAlive);
  if (!probe) return;
  zero_mattered_ = true;
  note(facts_.window.zero_probes, record.frame);
}

bool DirectionAnalysis::is_keep_alive_or_probe(const Record& record, std::int64_t begin) const {
  // One byte (or none) just before the next: Linux, BSD and Windows keep-alives; Linux zero-window probes.
  return record.payload_len <= 1 && !record.has(wire::kFin) && !record.has(wire::kRst) && saw_ack_ &&
         begin == una_ - 1 && una_ == next_;
}

void DirectionAnalysis::send_data(const Record& record, const BytesAt& bytes_at) {
  // A damaged header must not say where the stream is: TCP would not believe it either.
  const bool bad = record.checksum == wire::ChecksumState::bad;
  if (!anchored_ && bad) {
    label(record, kNotBelieved);
    return;
  }
  if (!anchored_) {
    anchored_ = true;
    anchor_sequence_ = record.sequence;
  }
  if (is_stray(record)) {
    if (bad) label(record, kNotBelieved);
    return;
  }
  std::int64_t begin = offset_of(record.sequence);
  const std::int64_t end = begin + record.payload_len;
  const bool superframe = segment_size_ > 0 && record.payload_len > segment_size_;
  if (is_keep_alive_or_probe(record, begin)) {
    note_keep_alive_or_probe(record);
    account(record.time, Event::probe, record.frame);
    return;
  }
  ++facts_.data_packets;
  facts_.dont_fragment |= record.dont_fragment;
  facts_.largest_payload = std::max(facts_.largest_payload, record.payload_len);
  facts_.largest_ip_len = std::max(facts_.largest_ip_len, record.ip_len);
  if (!superframe) largest_single_ip_len_ = std::max(largest_single_ip_len_, record.ip_len);
  if (facts_.data_packets == 1) facts_.first_data = record.time;
  facts_.last_data = std::max(facts_.last_data, record.time);
  for (IcmpWatch& watch : icmp_watch_) {
    ++watch.sent_after;
    watch.largest_after = std::max(watch.largest_after, superframe ? 0u : record.ip_len);
  }
  TimelineBin& bin = timeline_.bin(record.time);
  bin.sent_bytes += record.payload_len;

  // A probe of a closed window that carries the next byte.
  if (window_closed() && record.payload_len == 1 && begin >= una_) {
    ++facts_.resends[static_cast<std::size_t>(ResendClass::zero_window_probe)].packets;
    note(facts_.window.zero_probes, record.frame);
    zero_mattered_ = true;
    label(record, kWindowProbe);
    if (begin < next_) {  // the probe's byte again: nobody was asked to take it
      account(record.time, Event::probe, record.frame);
      return;
    }
  }
  if (begin < next_) {
    send_again({record, begin, std::min(end, next_), superframe}, bytes_at);
    begin = next_;
  }
  if (end > next_) send_new({record, begin, end, superframe});
  silence_outstanding_ = next_ - una_;
  if (!silence_open_) {
    silence_open_ = true;
    silence_begin_ = record.time;
    silence_frame_ = record.frame;
    silence_sends_ = 0;
    silence_timeout_s_ = 0;
    silence_len_min_ = silence_len_max_ = record.ip_len;
  }
  silence_len_min_ = std::min(silence_len_min_, record.ip_len);
  silence_len_max_ = std::max(silence_len_max_, record.ip_len);
  newest_ts_ = record.ts_value;
}

// Beyond any window: not this stream, unless it goes on like that. Then the capture missed the part between.
bool DirectionAnalysis::is_stray(const Record& record) {
  const bool bad = record.checksum == wire::ChecksumState::bad;
  const std::int64_t most = bad ? kMaxDamagedJump : kMaxJump;
  const std::int64_t jump = offset_of(record.sequence) - next_;
  if (jump <= most && jump >= -most) {
    strays_ = 0;
    return false;
  }
  if (bad || ++strays_ < kStraysOfAJump) return true;
  strays_ = 0;
  anchor_ = next_;
  anchor_sequence_ = record.sequence;
  return false;
}

void DirectionAnalysis::follow_stream() {
  if (next_ - anchor_ < kAnchorStep) return;
  anchor_sequence_ = anchor_sequence_ + static_cast<std::uint32_t>(next_ - anchor_);
  anchor_ = next_;
}

void DirectionAnalysis::remember(const Segment& segment) {
  if (ledger_.full() && ledger_.front().sacked) sacked_bytes_ -= ledger_.front().len();
  ledger_.push(segment);
}

void DirectionAnalysis::send_new(const Sending& s) {
  const Record& r = s.record;
  decide_closing(r.time);
  const bool unseen_timeout = s.begin == next_ && follows_unseen_loss(r);
  if (unseen_timeout) {
    account(r.time, Event::timeout_resent, r.frame);
    note_unseen_loss(s);
  } else {
    account_new_data(s);
  }
  if (s.begin > named_end_ && facts_.packets > 1 && (s.begin > next_ || s.begin == acked_unseen_end_)) {
    label(r, kLostSegment);
  }
  if (s.begin > next_) open_hole(s);
  if (round_begin_ != Time{} && last_data_ != Time{}) round_pause_s_ = std::max(round_pause_s_, to_seconds(r.time - last_data_));
  round_bytes_ += static_cast<std::uint64_t>(s.end - s.begin);
  const bool clocked = r.time - last_reply_ < from_seconds(std::max(0.0005, 0.1 * rtt_min_s_));
  (clocked ? clocked_sends_ : unclocked_sends_) += 1;
  if (!clocked && next_ > una_ && !in_recovery_ && last_data_ != Time{} && r.time > last_data_) {
    spacing_.add(to_seconds(r.time - last_data_));
    spacing_bytes_.add(previous_payload_);
  }
  previous_payload_ = r.payload_len;
  if (peer_spoke_ || facts_.chunks.count == 0) begin_chunk();

  Segment segment;
  segment.begin = s.begin;
  segment.end = s.end;
  segment.first_sent = segment.last_sent = r.time;
  segment.first_frame = segment.last_frame = r.frame;
  segment.payload_at = r.payload_at + static_cast<std::uint64_t>(s.begin - offset_of(r.sequence));
  const auto skipped = static_cast<std::uint32_t>(s.begin - offset_of(r.sequence));
  segment.captured_len = r.captured_len > skipped ? r.captured_len - skipped : 0;
  segment.payload_skipped = skipped;
  segment.payload_len = r.payload_len;
  segment.first_ip_len = segment.last_ip_len = r.ip_len;
  segment.first_ts = segment.last_ts = r.ts_value;
  segment.copies = 1;
  segment.probe = window_closed() && r.payload_len == 1;
  segment.ip_id = r.ip_id;
  segment.rtt_before_s = static_cast<float>(rtt_last_s_);
  segment.superframe = s.superframe;
  segment.bad_checksum = segment.first_bad = r.checksum == wire::ChecksumState::bad && !s.superframe;
  segment.first_partial = segment.last_partial = is_partial(r.checksum) && !s.superframe;
  next_ = s.end;
  facts_.bytes_seen += static_cast<std::uint64_t>(s.end - s.begin);
  segment.flight_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(flight(), 0));
  remember(segment);
  follow_stream();

  if (s.superframe) {
    ++facts_.superframes.sent;
    facts_.superframes.unfinished += is_partial(r.checksum) || r.checksum == wire::ChecksumState::zero;
    facts_.superframes.max_payload = std::max(facts_.superframes.max_payload, r.payload_len);
  }
  ++sizes_.of(r.ip_len).first_sent;
  if (segment_size_ > 0 && r.payload_len < segment_size_) ++facts_.small_segments;

  facts_.flight_max_bytes = std::max(facts_.flight_max_bytes, segment.flight_bytes);
  TimelineBin& bin = timeline_.bin(r.time);
  bin.flight_max_bytes = std::max(bin.flight_max_bytes, segment.flight_bytes);
  round_max_ = std::max(round_max_, static_cast<std::int64_t>(segment.flight_bytes));
  slow_start_most_ = std::max(slow_start_most_, next_ - una_);
  if (have_window_) {
    if (window_room() < 0) {
      note(facts_.window.beyond, r.frame);
      facts_.window.beyond_max_bytes =
          std::max(facts_.window.beyond_max_bytes, static_cast<std::uint64_t>(-window_room()));
    } else if (window_room() < static_cast<std::int64_t>(segment_size_)) {
      note(facts_.window.at_edge, r.frame);
      note_silly_segment(s);
    }
  }
  last_short_ = segment_size_ > 0 && r.payload_len % segment_size_ != 0;
  filled_window_ = have_window_ && window_room() < useful_room();
  if (filled_window_ && !slow_start_ends_flight()) window_full_until_ = r.time;
  rhythm_.sent(r.has(wire::kPsh), last_short_ && !filled_window_);
  last_send_ = r.time;
  last_data_ = r.time;
  peer_spoke_ = false;
}

// Shorter than a full one, to the very edge of a window that moved by less than a segment.
void DirectionAnalysis::note_silly_segment(const Sending& s) {
  if (window_room() > 0 || s.record.payload_len >= segment_size_) return;
  if (newest_opening_ <= 0 || newest_opening_ >= static_cast<std::int64_t>(segment_size_)) return;
  note(facts_.window.silly, s.record.frame);
  facts_.window.silly_bytes += s.record.payload_len;
}

// A sender that counts its IP IDs up by one leaves a gap for each packet that was lost before the tap. Asked between
// packets in close succession, so that other traffic of a host-wide counter does not look like loss.
void DirectionAnalysis::note_ip_id(const Record& record) {
  // A merged frame carries the first of its segments' IDs (RFC 6864 leaves the choice; NICs and GRO count on).
  const auto merged = static_cast<std::uint16_t>(
      segment_size_ > 0 && newest_payload_len_ > segment_size_ ? (newest_payload_len_ - 1) / segment_size_ : 0);
  const auto step = static_cast<std::uint16_t>(record.ip_id - newest_ip_id_ - merged);
  missing_ids_ = 0;
  if (record.ip_id != 0 && newest_ip_id_ != 0 && !record.network_copy) {
    missing_ids_ = step;
    if (record.time - newest_ip_id_time_ < kCloseSuccession) {
      ++ip_id_steps_;
      // A few back is an earlier packet, overtaken.
      ip_id_odd_steps_ += step == 0 || (step > 1024 && step < 0x10000 - 1024);
      ip_id_ones_ += step == 1;
    }
  }
  newest_ip_id_ = record.ip_id;
  newest_payload_len_ = record.payload_len;
  newest_ip_id_time_ = record.time;
}

// Seen away from the sender, a flight that was lost whole leaves no hole: after the timeout the stream goes on where it
// stopped. A full segment before the silence says that the sender had more to send; the gap in its IP IDs, that it did.
bool DirectionAnalysis::follows_unseen_loss(const Record& record) const {
  if (facts_.vantage != Vantage::receiver && facts_.vantage != Vantage::midpath) return false;
  const double silence_s = to_seconds(record.time - std::max(last_send_, last_reply_));
  const bool timeout_long = silence_s >= std::max(kTimeoutFloor_s, 1.5 * srtt_s_);
  // Several IDs missing say by themselves that more was sent, however short the last segment was.
  const bool more_sent = !last_short_ ? missing_ids_ > 1 : missing_ids_ > kMissingIds;
  return established_ && facts_.data_packets > 1 && timeout_long && ip_ids_tell() && more_sent && missing_ids_ < 4096;
}

// The sender counts its IP IDs up by one, as far as the tap shows.
bool DirectionAnalysis::ip_ids_tell() const { return ip_id_steps_ >= 8 && ip_id_ones_ * 10 >= ip_id_steps_ * 7; }

void DirectionAnalysis::note_unseen_loss(const Sending& s) {
  LossEvent loss;
  loss.time = s.record.time;
  loss.resend = s.record.frame;
  loss.offset = static_cast<std::uint64_t>(std::max<std::int64_t>(s.begin, 0));
  loss.len = s.record.payload_len;
  loss.how = ResendClass::timeout;
  loss.before_capture = true;
  loss.waited_s = to_seconds(s.record.time - last_data_);
  loss.episode = ++episode_;
  ++facts_.loss_episodes;
  ++facts_.lost_packets;
  ++facts_.lost_before_capture;
  ++timeline_.bin(s.record.time).losses;
  add_loss(loss);
}

// Bytes between next_ and the packet were never seen: lost before the tap, missed by the capture, or late.
void DirectionAnalysis::open_hole(const Sending& s) {
  Segment hole;
  hole.begin = next_;
  hole.end = s.begin;
  hole.first_sent = s.record.time;
  hole.last_sent = last_send_ == Time{} ? s.record.time : last_send_;  // what is missing left after that
  hole.copies = 0;
  hole.ip_id = s.record.ip_id;     // of the packet behind the hole, to tell late from resent
  hole.first_ts = s.record.ts_value;
  hole.rtt_before_s = static_cast<float>(rtt_last_s_);
  hole.first_frame = s.record.frame;
  remember(hole);
}

void DirectionAnalysis::send_again(const Sending& s, const BytesAt& bytes_at) {
  if (s.end <= una_) {
    resend_acknowledged(s, bytes_at);
    return;
  }
  if (sends_probed_byte(s)) return;
  // Holes are filled piece by piece; what was seen before is a resend.
  for (Segment& segment : ledger_.overlapping(s.begin, s.end)) {
    if (segment.copies == 0 && (segment.begin < s.begin || segment.end > s.end)) {
      ledger_.split(s.begin);
      ledger_.split(s.end);
      break;
    }
  }
  bool fills = false;
  bool resends = false;
  bool recut = false;
  for (const Segment& segment : ledger_.overlapping(s.begin, s.end)) {
    fills |= segment.copies == 0;
    resends |= segment.copies > 0;
    recut |= segment.copies > 0 && (segment.begin != s.begin || segment.end != s.end);
  }
  if (fills && !resends) {
    bool late = true;
    for (Segment& hole : ledger_.overlapping(s.begin, s.end)) late = late && came_out_of_order(hole, s);
    const ResendClass how = late ? ResendClass::unknown : classify_resend(s);
    account(s.record.time, how == ResendClass::timeout ? Event::timeout_resent : (late ? Event::sent : Event::resent),
            s.record.frame);
    label(s.record, late ? kOutOfOrder | kSentEarlier : kResend | kSentLater);
    if (!late) {
      count_resend(s, how);
      enter_recovery(how);
    }
    for (Segment& hole : ledger_.overlapping(s.begin, s.end)) {
      hole.how = how;
      fill_hole(hole, s);
    }
    last_send_ = s.record.time;
    return;
  }
  const ResendClass how = classify_resend(s);
  account(s.record.time, how == ResendClass::timeout ? Event::timeout_resent : Event::resent, s.record.frame);
  count_resend(s, how);
  label(s.record, kResend | kSentBefore);
  facts_.recut_packets += recut;
  for (Segment& segment : ledger_.overlapping(s.begin, s.end)) {
    if (segment.copies == 0) {
      fill_hole(segment, s);
    } else {
      compare_payload(segment, s, bytes_at);
      resend_segment(segment, s, how);
    }
  }
  enter_recovery(how);
  for (IcmpWatch& watch : icmp_watch_) {
    if (watch.offset >= s.begin && watch.offset < s.end && !watch.resent) watch.resent = s.record.time;
  }
  last_send_ = s.record.time;
}

// The byte of a window probe was refused, not lost: what goes through once the window is open is its first sending.
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

// Sent before the packet that opened the hole, or too soon after it for anybody to have asked for it.
bool DirectionAnalysis::came_out_of_order(const Segment& hole, const Sending& s) const {
  const Duration late = s.record.time - hole.first_sent;
  const bool ids_tell = ip_id_steps_ >= 8 && ip_id_odd_steps_ * 10 < ip_id_steps_ && s.record.ip_id != 0 && hole.ip_id != 0;
  if (ids_tell) {
    const auto behind = static_cast<std::uint16_t>(hole.ip_id - s.record.ip_id);
    return behind > 0 && behind < 4096;
  }
  if (s.record.has_timestamps && SeqNum{s.record.ts_value} < SeqNum{hole.first_ts}) return true;
  const double round_trip_s = rtt_min_s_ > 0 ? rtt_min_s_ : to_seconds(sender_leg_min_);
  return round_trip_s > 0 ? to_seconds(late) < 0.8 * round_trip_s : to_seconds(late) < 0.001;
}

void DirectionAnalysis::fill_hole(Segment& hole, const Sending& s) {
  const Record& r = s.record;
  const bool late = hole.how == ResendClass::unknown;
  hole.copies = 1;
  facts_.bytes_seen += static_cast<std::uint64_t>(hole.len());
  hole.came_late = late;
  if (late) {
    ++facts_.reorder.packets;
    const double late_s = to_seconds(r.time - hole.first_sent);
    reorder_late_.add(late_s);
    facts_.reorder.max_late_s = std::max(facts_.reorder.max_late_s, late_s);
    note(facts_.reorder.frames, r.frame);
    ++sizes_.of(r.ip_len).first_sent;
    hole.first_ip_len = r.ip_len;
  } else {
    passage_.lost(hole.last_sent, hole.len(), facts_.acked_bytes);
    LossEvent loss;
    loss.time = r.time;
    loss.resend = r.frame;
    loss.offset = static_cast<std::uint64_t>(std::max<std::int64_t>(hole.begin, 0));
    loss.len = static_cast<std::uint32_t>(std::min<std::int64_t>(hole.len(), 0xffff'ffff));
    loss.how = hole.how;
    loss.before_capture = true;
    loss.rtt_before_s = static_cast<double>(hole.rtt_before_s);
    loss.waited_s = to_seconds(r.time - hole.first_sent);
    if (hole.begin >= episode_end_) {
      ++episode_;
      episode_end_ = next_;
      ++facts_.loss_episodes;
    }
    loss.episode = episode_;
    ++facts_.lost_before_capture;
    ++facts_.lost_packets;
    ++timeline_.bin(r.time).losses;
    add_loss(loss);
    slow_start_ = false;
    ++sizes_.of(r.ip_len).resent;
    hole.first_ip_len = 0;
  }
  hole.first_frame = hole.last_frame = r.frame;
  hole.first_sent = hole.last_sent = r.time;
  hole.last_ip_len = r.ip_len;
  hole.last_ts = r.ts_value;
  const auto skipped = static_cast<std::uint32_t>(std::max<std::int64_t>(hole.begin - offset_of(r.sequence), 0));
  hole.payload_at = r.payload_at + skipped;
  hole.captured_len = r.captured_len > skipped ? r.captured_len - skipped : 0;
  hole.payload_skipped = skipped;
  hole.payload_len = r.payload_len;
  hole.bad_checksum = hole.first_bad = r.checksum == wire::ChecksumState::bad && !s.superframe;
  hole.superframe = s.superframe;
}

// Rules, in order:
// 1. Beyond a timeout everything resent in order up to what was in flight then is go-back.
// 2. The end of the data, alone, about two round trips after the last event: a tail probe (RFC 8985 section 7).
// 3. Silence of a timeout's length: timeout.
// 4. Otherwise somebody reported the loss: fast.
ResendClass DirectionAnalysis::classify_resend(const Sending& s) const {
  const double silence_s = to_seconds(s.record.time - std::max({last_send_, last_reply_, Time{}}));
  const double rtt_s = srtt_s_ > 0 ? srtt_s_ : to_seconds(receiver_leg_min_ + sender_leg_min_);
  const double timeout_s = std::max(kTimeoutFloor_s, rtt_s + 2 * rttvar_s_);
  const bool reported = duplicate_acks_here_ > 0 || sacked_bytes_ > 0;
  const bool is_tail = s.end == next_;
  const bool first_resend = !after_timeout_ && [&] {
    const auto& segments = const_cast<Ledger&>(ledger_).overlapping(s.begin, s.end);
    return !segments.empty() && segments.front().copies <= 1;
  }();
  if (silence_s >= 0.9 * timeout_s && silence_s > 1.2 * rtt_s) {
    const bool probe_time = rtt_s > 0 && silence_s < 2.5 * rtt_s && silence_s < timeout_s && is_tail && s.begin > una_;
    return probe_time && first_resend ? ResendClass::tail_probe : ResendClass::timeout;
  }
  if (after_timeout_ && s.begin < recovery_point_) return ResendClass::go_back;
  if (is_tail && first_resend && !reported && rtt_s > 0 && silence_s > 1.4 * rtt_s) return ResendClass::tail_probe;
  if (reported || in_recovery_) return ResendClass::fast;
  return ResendClass::unknown;
}

void DirectionAnalysis::enter_recovery(ResendClass how) {
  if (how == ResendClass::tail_probe || how == ResendClass::unknown) return;
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

// The other end spoke, and this one answers.
void DirectionAnalysis::begin_chunk() {
  ++facts_.chunks.count;
  chunk_resends_ = 0;
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
  const std::int64_t overlap = std::min(segment.end, s.end) - std::max(segment.begin, s.begin);
  passage_.resent(std::max(segment.begin, s.begin), std::min(segment.end, s.end), segment.first_sent, r.time, facts_.acked_bytes);
  segment.resent_bytes += static_cast<std::uint32_t>(std::min<std::int64_t>(overlap, segment.len()));
  if (segment.copies == 1) segment.sacked_before_resend = segment.sacked;
  ++segment.copies;
  segment.last_sent = r.time;
  segment.last_frame = r.frame;
  segment.last_ip_len = r.ip_len;
  segment.last_ts = r.ts_value;
  segment.how = how;
  segment.resend_superframe = s.superframe;
  if (segment.bad_checksum) {
    if (r.checksum == wire::ChecksumState::bad) {
      ++facts_.checksums.bad_resent_bad;
    } else if (r.checksum == wire::ChecksumState::good) {
      note(facts_.checksums.good_twins, r.frame);
    }
  }
  segment.bad_checksum = r.checksum == wire::ChecksumState::bad && !s.superframe;
  facts_.checksums.partial_resent_partial += segment.last_partial && is_partial(r.checksum) && !s.superframe;
  segment.last_partial = is_partial(r.checksum) && !s.superframe;
  if (segment.begin <= s.begin) {
    ++sizes_.of(r.ip_len).resent;
    if (s.superframe) ++facts_.superframes.resent_sent;
  }
}

// Its ACK stands before it in the file: the capture's order, not the network's. Takes back what was said of the hole.
bool DirectionAnalysis::was_recorded_late(const Sending& s) {
  for (Segment& hole : ledger_.recent()) {
    if (hole.copies > 0 || hole.begin >= s.end || hole.end <= s.begin) continue;
    if (s.record.time - hole.first_sent > kRecordedLate) continue;
    const auto found = static_cast<std::uint64_t>(std::min(hole.end, s.end) - std::max(hole.begin, s.begin));
    facts_.unseen_acked_bytes -= std::min(facts_.unseen_acked_bytes, found);
    facts_.bytes_seen += found;
    if (s.begin <= hole.begin) hole.begin = std::min(hole.end, s.end);
    if (hole.begin >= hole.end && facts_.unseen_acked_holes > 0) --facts_.unseen_acked_holes;
    return true;
  }
  return false;
}

// Everything in it had been acknowledged when the sender sent it again: the forward path had delivered it.
void DirectionAnalysis::resend_acknowledged(const Sending& s, const BytesAt& bytes_at) {
  if (was_recorded_late(s)) {
    if (s.end >= acked_unseen_end_) acked_unseen_end_ = -1;
    account(s.record.time, Event::sent, s.record.frame);
    return;
  }
  const ResendClass how = classify_resend(s);
  const double silence_s = to_seconds(s.record.time - std::max({last_send_, last_reply_, Time{}}));
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

void DirectionAnalysis::note_checksum(const Record& record, bool superframe) {
  ChecksumFacts& sums = facts_.checksums;
  sums.bad_ip_headers += record.ip_header_bad;
  using wire::ChecksumState;
  switch (record.checksum) {
    case ChecksumState::not_checked:
    case ChecksumState::unverifiable: ++sums.unverifiable; return;
    case ChecksumState::good: ++sums.good; return;
    case ChecksumState::partial: ++sums.partial; return;
    case ChecksumState::partial_no_length: ++sums.partial_no_length; return;
    case ChecksumState::zero: ++sums.zero; return;
    case ChecksumState::bad: break;
  }
  if (superframe) {
    ++sums.bad_superframes;
    return;
  }
  if (sums.bad == 0) sums.bad_len_min = record.payload_len;
  ++sums.bad;
  note(sums.bad_frames, record.frame);
  seeds_.add(record, sums);
  sums.bad_len_min = std::min(sums.bad_len_min, record.payload_len);
  sums.bad_len_max = std::max(sums.bad_len_max, record.payload_len);
  const auto known_end = error_values_.begin() + static_cast<std::ptrdiff_t>(sums.error_distinct);
  if (std::find(error_values_.begin(), known_end, record.checksum_error) != known_end) return;
  if (sums.error_distinct == 0) sums.error_value = record.checksum_error;
  if (sums.error_distinct < error_values_.size()) error_values_[sums.error_distinct++] = record.checksum_error;
}

}  // namespace slowpath::flow

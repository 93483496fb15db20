// SPDX-License-Identifier: Apache-2.0
// What the sender does: new data, keep-alives, probes. What it sends again is resend.cc.
#include <algorithm>

#include "flow/direction_analysis.h"
#include "flow/stream_limits.h"

namespace slowpath::flow {
namespace {

// So many packets in a row beyond any window are no forgery: the capture missed more than a window
// of the stream.
constexpr std::uint32_t kStraysOfAJump = 8;
// The anchor follows the stream at this distance, so that 32-bit differences to it never wrap.
constexpr std::int64_t kAnchorStep = std::int64_t{1} << 29;

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
  if (record.has(wire::kFin) && anchored_)
    fin_at_ = offset_of(record.sequence) + record.payload_len;
  const bool superframe = segment_size_ > 0 && record.payload_len > segment_size_;
  note_checksum(record, superframe);
  if (record.network_copy) {
    ++facts_.duplicates.packets;
    if (record.payload_len > 0) note(facts_.duplicates.frames, record.frame);
    account(record.time, Event::sent, record.frame);
    return;
  }
  if (record.payload_len > 0 &&
      !record.has(wire::kRst)) {  // what a RST carries is no data (RFC 9293 section 3.5.3)
    send_data(record, bytes_at);
  } else {
    const bool probes = anchored_ && is_keep_alive_or_probe(record, offset_of(record.sequence));
    if (probes) note_keep_alive_or_probe(record);
    note_count_ahead(record);
    account(record.time, probes ? Event::probe : Event::spoke, record.frame);
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
  // One byte (or none) just before the next: Linux, BSD and Windows keep-alives; Linux zero-window
  // probes.
  return record.payload_len <= 1 && !record.has(wire::kFin) && !record.has(wire::kRst) &&
         saw_ack_ && begin == una_ - 1 && una_ == next_;
}

void DirectionAnalysis::send_data(const Record& record, const BytesAt& bytes_at) {
  if (!belongs_to_stream(record)) return;
  std::int64_t begin = offset_of(record.sequence);
  const std::int64_t end = begin + record.payload_len;
  const bool superframe = segment_size_ > 0 && record.payload_len > segment_size_;
  if (is_keep_alive_or_probe(record, begin)) {
    note_keep_alive_or_probe(record);
    account(record.time, Event::probe, record.frame);
    return;
  }
  count_data(record, superframe);
  if (probes_closed_window(record, begin)) {
    account(record.time, Event::probe, record.frame);
    return;
  }
  if (begin < next_) {
    if (facts_.vantage == Vantage::receiver) {
      trains_.arrived_beside(record.time, std::min(end, next_) - begin, segment_size_,
                             round_trip_s());
    }
    send_again({record, begin, std::min(end, next_), superframe}, bytes_at);
    begin = next_;
  }
  if (end > next_) send_new({record, begin, end, superframe});
  watch_silence(record);
  newest_ts_ = record.ts_value;
}

// A damaged header must not say where the stream is: TCP would not believe it either.
bool DirectionAnalysis::belongs_to_stream(const Record& record) {
  const bool bad = record.checksum == wire::ChecksumState::bad;
  if (!anchored_ && !bad) {
    anchored_ = true;
    anchor_sequence_ = record.sequence;
  }
  if (anchored_ && !is_stray(record)) return true;
  if (bad) label(record, kNotBelieved);
  return false;
}

void DirectionAnalysis::count_data(const Record& record, bool superframe) {
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
  timeline_.bin(record.time).sent_bytes += record.payload_len;
}

// A probe of a closed window that carries the next byte. True when that byte was sent before:
// nobody was asked to take it.
bool DirectionAnalysis::probes_closed_window(const Record& record, std::int64_t begin) {
  if (!window_closed() || record.payload_len != 1 || begin < una_) return false;
  ++facts_.resends[static_cast<std::size_t>(ResendClass::zero_window_probe)].packets;
  note(facts_.window.zero_probes, record.frame);
  zero_mattered_ = true;
  label(record, kWindowProbe);
  return begin < next_;
}

// The receiver is silent from the first data that it leaves unanswered.
void DirectionAnalysis::watch_silence(const Record& record) {
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
}

// Beyond any window: not this stream, unless it goes on like that. Then the capture missed the part
// between.
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
  if (s.begin > named_end_ && facts_.packets > 1 &&
      (s.begin > next_ || s.begin == acked_unseen_end_)) {
    label(r, kLostSegment);
  }
  // What was under way when the capture began is neither lost nor missing.
  const bool joins_midway = !from_syn_ && facts_.data_packets == 1 && facts_.bytes_seen == 0;
  if (s.begin > next_ && !joins_midway) open_hole(s);
  note_pace(s);
  if (peer_spoke_ || facts_.chunks.count == 0) begin_chunk();
  if (facts_.vantage == Vantage::receiver) {
    trains_.arrived(r.time, r.payload_len, segment_size_, round_trip_s());
  }
  const Segment segment = segment_of(s);
  next_ = s.end;
  facts_.bytes_seen += static_cast<std::uint64_t>(s.end - s.begin);
  remember(segment);
  follow_stream();
  if (s.superframe) {
    ++facts_.superframes.sent;
    facts_.superframes.unfinished +=
        is_partial(r.checksum) || r.checksum == wire::ChecksumState::zero;
    facts_.superframes.max_payload = std::max(facts_.superframes.max_payload, r.payload_len);
  }
  ++sizes_.of(r.ip_len).first_sent;
  if (segment_size_ > 0 && r.payload_len < path_segment_size_) ++facts_.small_segments;
  note_flight(s, segment.flight_bytes);
  bare_field_.on_data(s.end, r.payload_len >= segment_size_, segment_size_);
  last_short_ = segment_size_ > 0 && r.payload_len % segment_size_ != 0 &&
                r.payload_len % path_segment_size_ != 0;
  sent_to_edge_ = at_window_edge();
  filled_window_ = knows_window() && window_room() < useful_room();
  const bool cut_by_window = filled_window_ || (last_short_ && ends_at_known_edge(s.end, r.time));
  if (cut_by_window && !slow_start_ends_flight()) window_full_until_ = r.time;
  rhythm_.sent(r.has(wire::kPsh) && !cut_by_window, last_short_ && !cut_by_window);
  last_send_ = r.time;
  last_data_ = r.time;
  peer_spoke_ = false;
}

// How data follows data: pauses within the round trip, sends at an ACK or by themselves, and the
// rhythm of the latter.
void DirectionAnalysis::note_pace(const Sending& s) {
  const Record& r = s.record;
  if (round_begin_ != Time{} && last_data_ != Time{})
    round_pause_s_ = std::max(round_pause_s_, to_seconds(r.time - last_data_));
  round_bytes_ += static_cast<std::uint64_t>(s.end - s.begin);
  const bool clocked = r.time - last_reply_ < from_seconds(std::max(0.0005, 0.1 * rtt_min_s_));
  (clocked ? clocked_sends_ : unclocked_sends_) += 1;
  if (!clocked && next_ > una_ && !in_recovery_ && last_data_ != Time{} && r.time > last_data_) {
    spacing_.add(to_seconds(r.time - last_data_));
    spacing_bytes_.add(previous_payload_);
  }
  previous_payload_ = r.payload_len;
}

// The range that is new, as the ledger keeps it.
Segment DirectionAnalysis::segment_of(const Sending& s) const {
  const Record& r = s.record;
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
  segment.bad_checksum = segment.first_bad =
      r.checksum == wire::ChecksumState::bad && !s.superframe;
  segment.first_partial = segment.last_partial = is_partial(r.checksum) && !s.superframe;
  const std::int64_t flight_then = s.end - una_ - sacked_bytes_;
  segment.flight_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(flight_then, 0));
  return segment;
}

void DirectionAnalysis::note_flight(const Sending& s, std::uint64_t flight_bytes) {
  const Record& record = s.record;
  facts_.flight_max_bytes = std::max(facts_.flight_max_bytes, flight_bytes);
  TimelineBin& bin = timeline_.bin(record.time);
  bin.flight_max_bytes = std::max(bin.flight_max_bytes, flight_bytes);
  round_max_ = std::max(round_max_, static_cast<std::int64_t>(flight_bytes));
  slow_start_most_ = std::max(slow_start_most_, next_ - una_);
  if (!have_window_) return;
  if (window_room() < 0) {
    note(facts_.window.beyond, record.frame);
    facts_.window.beyond_max_bytes =
        std::max(facts_.window.beyond_max_bytes, static_cast<std::uint64_t>(-window_room()));
  } else if (window_room() < static_cast<std::int64_t>(segment_size_)) {
    note(facts_.window.at_edge, record.frame);
    note_silly_segment(s);
  }
}

// The other end spoke, and this one answers.
void DirectionAnalysis::begin_chunk() {
  ++facts_.chunks.count;
  chunk_resends_ = 0;
}

}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
// What a connection keeps of each packet before anything is known of the stream: its extent, clock,
// handshake, resets and end.
#include <algorithm>

#include "flow/connection.h"

namespace slowpath::flow {
namespace {

constexpr std::size_t kKeptResets = 8;
// Records this little out of time order come from several receive queues; larger steps are a clock
// that was set.
constexpr Duration kQueueSkew = std::chrono::milliseconds(20);
// A clock set back again and again must not carry a connection out of what Time can hold.
constexpr Time kLatest = time_from_ns(std::int64_t{1} << 62);

}  // namespace

// A clock that was set back goes on from where it was, until it passes that instant by itself.
Time Connection::steady(Time time) {
  time -= clock_ahead_;
  if (time >= newest_) clock_shift_ = Duration{0};
  time = clock_shift_ > kLatest - time ? newest_ : time + clock_shift_;
  if (time < newest_ - kQueueSkew) {
    clock_shift_ += newest_ - time;
    time = newest_;
  }
  newest_ = std::max(newest_, time);
  // Once time is being accounted for, its beginning stands.
  return analysis_ ? std::max(time, facts_.first) : time;
}

Time Connection::last() {
  note_new();
  return facts_.last;
}

void Connection::note_new() {
  for (; noted_ < records_.size(); ++noted_) note_record(records_[noted_]);
}

void Connection::note_record(Record& record, const wire::Packet* syn_packet) {
  record.time = steady(record.time);
  if (record.direction == lag_.way) record.time -= lag_.by;
  note_extent(record);
  const bool syn = syn_packet != nullptr, reset = record.has(wire::kRst);
  if (syn)
    handshake_.add_syn(*syn_packet, record.time, record.frame,
                       record.direction == Direction::to_server);
  if (!syn && !reset) handshake_.add_ack(record);
  if (reset) note_reset(record);
  note_close(record);
  if (!watch_ && !syn) watch_ = std::make_unique<ConnectionWatch>();
  if (watch_) watch_->add(record, handshake_.facts());
  if (facts_.timestamps_in_use && !record.has_timestamps && !reset && !syn)
    ++facts_.middlebox_option_drops;
  facts_.timestamps_in_use |= record.has_timestamps && !syn;
  facts_.sack_in_use |= record.sack_index != kNone;
  note_edges(record);
  if (labels_) labels_->add(record, record.sack_index != kNone, record.len_beyond_frame);
}

void Connection::note_extent(const Record& record) {
  if (packets_[0] + packets_[1] == 0) facts_.first_frame = record.frame;
  facts_.last_frame = record.frame;
  facts_.first = std::min(facts_.first, record.time);
  facts_.last = std::max(facts_.last, record.time);
}

// How far each end has come, and what its packets look like.
void Connection::note_edges(const Record& record) {
  const std::size_t way = index(record.direction);
  facts_.ttl_min[way] = packets_[way] == 0 ? record.ttl : std::min(facts_.ttl_min[way], record.ttl);
  facts_.ttl_max[way] = std::max(facts_.ttl_max[way], record.ttl);
  ++packets_[way];
  newest_ip_id_[way] = record.ip_id;
  if (!record.has(wire::kSyn)) newest_window_[way] = record.window;
  const SeqNum end = record.sequence + record.payload_len;
  if (!have_sent_[way] || end > sent_end_[way]) sent_end_[way] = end;
  have_sent_[way] = true;
  if (!record.has(wire::kAck) || (have_acked_[1 - way] && record.acknowledgment <= acked_[1 - way]))
    return;
  acked_[1 - way] = record.acknowledgment;
  have_acked_[1 - way] = true;
}

void Connection::note_reset(const Record& record) {
  handshake_.add_reset(record.frame, record.direction == Direction::to_server);
  const std::size_t way = index(record.direction);
  ++facts_.reset_count;
  if (facts_.close == CloseKind::open || facts_.close == CloseKind::half_closed)
    facts_.close = CloseKind::reset;
  if (facts_.resets.size() >= kKeptResets) return;
  ResetFacts reset;
  reset.frame = record.frame;
  reset.time = record.time;
  reset.direction = record.direction;
  reset.ttl = record.ttl;
  reset.ip_id = record.ip_id;
  reset.window = record.window;
  reset.has_ack = record.has(wire::kAck);
  reset.has_timestamps = record.has_timestamps;
  // Acceptable: what the other end expects next, or within its window (RFC 5961 section 3).
  const bool have_edge = have_acked_[way];
  const std::int32_t ahead = record.sequence - acked_[way];
  reset.sequence_in_window = have_edge ? ahead >= 0 && ahead < (1 << 30) : true;
  reset.answers_syn = !handshake_.facts().completed && handshake_.facts().syn_count > 0;
  reset.after_fin = finished_[0] || finished_[1];
  const auto settled = [&](std::size_t d) {
    return !have_sent_[d] || (have_acked_[d] && acked_[d] >= sent_end_[d]);
  };
  reset.all_acknowledged = settled(0) && settled(1);
  reset.sender_ttl_min = packets_[way] > 0 ? facts_.ttl_min[way] : 0;
  reset.sender_ttl_max = packets_[way] > 0 ? facts_.ttl_max[way] : 0;
  reset.sender_uses_timestamps = facts_.timestamps_in_use;
  reset.ip_id_copied_from_other_side =
      packets_[1 - way] > 0 && record.ip_id != 0 && record.ip_id == newest_ip_id_[1 - way];
  reset.since_previous_s = noted_ == 0 ? 0 : to_seconds(record.time - records_[noted_ - 1].time);
  facts_.resets.push_back(reset);
}

void Connection::note_close(const Record& record) {
  const std::size_t way = index(record.direction);
  if (record.has(wire::kFin)) {
    finished_[way] = true;
    if (facts_.close != CloseKind::reset) {
      facts_.close = finished_[0] && finished_[1] ? CloseKind::finished : CloseKind::half_closed;
    }
  }
  if (record.has(wire::kRst)) return;
  // A real reset ends its sender: whatever it still says besides resets speaks against it.
  for (ResetFacts& reset : facts_.resets) {
    if (reset.direction != record.direction) continue;
    const bool same_moment = reset.time == facts_.last;
    if (!same_moment && reset.sender_packets_after++ == 0)
      reset.sender_packet_after = facts_.last_frame;
    // The alleged sender's looks may only be known afterwards.
    if (reset.sender_ttl_max == 0) reset.sender_ttl_min = reset.sender_ttl_max = record.ttl;
  }
}

}  // namespace slowpath::flow

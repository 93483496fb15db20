// SPDX-License-Identifier: Apache-2.0
// Ranges that the tap did not see when it was their turn: lost before it, missed by the capture, or
// late.
#include <algorithm>

#include "flow/direction_analysis.h"
#include "flow/stream_limits.h"
#include "flow/witness.h"

namespace slowpath::flow {
namespace {

// An ACK recorded before its data: interfaces and queues are that far apart, at most.
constexpr Duration kRecordedLate = std::chrono::milliseconds(20);
// Missing IP IDs that one lost ACK or probe does not explain.
constexpr std::uint16_t kMissingIds = 3;
// Packets in close succession: a host-wide counter of IP IDs then counts this flow.
constexpr Duration kCloseSuccession = std::chrono::milliseconds(20);

}  // namespace

// Bytes between next_ and the packet were never seen: lost before the tap, missed by the capture,
// or late.
void DirectionAnalysis::open_hole(const Sending& s) {
  Segment hole;
  hole.begin = next_;
  hole.end = s.begin;
  hole.first_sent = s.record.time;
  hole.last_sent =
      last_send_ == Time{} ? s.record.time : last_send_;  // what is missing left after that
  hole.copies = 0;
  hole.ip_id = s.record.ip_id;  // of the packet behind the hole, to tell late from resent
  hole.first_ts = s.record.ts_value;
  hole.rtt_before_s = static_cast<float>(rtt_last_s_);
  hole.first_frame = s.record.frame;
  remember(hole);
}

// Sent before the packet that opened the hole, or too soon after it for anybody to have asked for
// it.
bool DirectionAnalysis::came_out_of_order(const Segment& hole, const Sending& s) const {
  const Duration late = s.record.time - hole.first_sent;
  const bool ids_tell = ip_id_steps_ >= 8 && ip_id_odd_steps_ * 10 < ip_id_steps_ &&
                        s.record.ip_id != 0 && hole.ip_id != 0;
  if (ids_tell) {
    const auto behind = static_cast<std::uint16_t>(hole.ip_id - s.record.ip_id);
    return behind > 0 && behind < 4096;
  }
  if (s.record.has_timestamps && SeqNum{s.record.ts_value} < SeqNum{hole.first_ts}) return true;
  const double round_trip_s = rtt_min_s_ > 0 ? rtt_min_s_ : to_seconds(sender_leg_min_);
  return round_trip_s > 0 ? to_seconds(late) < 0.8 * round_trip_s : to_seconds(late) < 0.001;
}

// Holes are filled piece by piece.
void DirectionAnalysis::split_holes_at(const Sending& s) {
  for (const Segment& segment : ledger_.overlapping(s.begin, s.end)) {
    if (segment.copies > 0 || (segment.begin >= s.begin && segment.end <= s.end)) continue;
    ledger_.split(s.begin);
    ledger_.split(s.end);
    return;
  }
}

// All of it lies in holes: it comes late, or it repairs what was lost before the tap.
void DirectionAnalysis::send_unseen(const Sending& s) {
  bool late = true;
  for (const Segment& hole : ledger_.overlapping(s.begin, s.end))
    late = late && came_out_of_order(hole, s);
  const ResendClass how = late ? ResendClass::unknown : classify_resend(s);
  account(s.record.time, late ? Event::sent : event_of(how), s.record.frame);
  label(s.record, late ? kOutOfOrder | kSentEarlier : kResend | kSentLater);
  if (!late) {
    count_resend(s, how);
    enter_recovery(how);
  }
  for (Segment& hole : ledger_.overlapping(s.begin, s.end)) {
    hole.how = how;
    fill_hole(hole, s, late);
  }
  last_send_ = s.record.time;
}

// Not late, it repairs: even where nothing tells by what signal it was sent again.
void DirectionAnalysis::fill_hole(Segment& hole, const Sending& s, bool late) {
  const Record& r = s.record;
  hole.copies = 1;
  facts_.bytes_seen += static_cast<std::uint64_t>(hole.len());
  hole.came_late = late;
  if (late) {
    note_late(to_seconds(r.time - hole.first_sent), next_ - hole.begin, r.frame);
    ++sizes_.of(r.ip_len).first_sent;
    hole.first_ip_len = r.ip_len;
  } else {
    note_lost_before_tap(hole, r);
    ++sizes_.of(r.ip_len).resent;
    hole.first_ip_len = 0;
  }
  hole.first_frame = hole.last_frame = r.frame;
  hole.first_sent = hole.last_sent = r.time;
  hole.last_ip_len = r.ip_len;
  hole.last_ts = r.ts_value;
  const auto skipped =
      static_cast<std::uint32_t>(std::max<std::int64_t>(hole.begin - offset_of(r.sequence), 0));
  hole.payload_at = r.payload_at + skipped;
  hole.captured_len = r.captured_len > skipped ? r.captured_len - skipped : 0;
  hole.payload_skipped = skipped;
  hole.payload_len = r.payload_len;
  hole.bad_checksum = hole.first_bad = r.checksum == wire::ChecksumState::bad && !s.superframe;
  hole.superframe = s.superframe;
}

// `behind`: bytes from its own first to the last of those that came before it.
void DirectionAnalysis::note_late(double late_s, std::int64_t behind, FrameRef frame) {
  ++facts_.reorder.packets;
  reorder_late_.add(late_s);
  facts_.reorder.max_late_s = std::max(facts_.reorder.max_late_s, late_s);
  if (segment_size_ > 0 && behind > 0) {
    const std::uint64_t segments =
        (static_cast<std::uint64_t>(behind) + segment_size_ - 1) / segment_size_;
    facts_.reorder.max_distance_segments = std::max(facts_.reorder.max_distance_segments, segments);
  }
  note(facts_.reorder.frames, frame);
}

void DirectionAnalysis::note_lost_before_tap(const Segment& hole, const Record& resend) {
  passage_.lost(hole.last_sent, hole.len(), facts_.acked_bytes);
  LossEvent loss;
  loss.time = resend.time;
  loss.resend = resend.frame;
  loss.offset = static_cast<std::uint64_t>(std::max<std::int64_t>(hole.begin, 0));
  loss.len = static_cast<std::uint32_t>(std::min<std::int64_t>(hole.len(), 0xffff'ffff));
  loss.how = hole.how;
  loss.before_capture = true;
  loss.rtt_before_s = static_cast<double>(hole.rtt_before_s);
  loss.waited_s = to_seconds(resend.time - hole.first_sent);
  if (hole.begin >= episode_end_) {
    ++episode_;
    episode_end_ = next_;
    ++facts_.loss_episodes;
  }
  loss.episode = episode_;
  ++facts_.lost_before_capture;
  ++facts_.lost_packets;
  ++timeline_.bin(resend.time).losses;
  add_loss(loss);
  slow_start_ = false;
}

// Its ACK stands before it in the file: the capture's order, not the network's. Takes back what was
// said of the hole.
bool DirectionAnalysis::was_recorded_late(const Sending& s) {
  for (Segment& hole : ledger_.recent()) {
    if (hole.copies > 0 || hole.begin >= s.end || hole.end <= s.begin) continue;
    if (s.record.time - hole.first_sent > kRecordedLate) continue;
    const auto found =
        static_cast<std::uint64_t>(std::min(hole.end, s.end) - std::max(hole.begin, s.begin));
    facts_.unseen_acked_bytes -= std::min(facts_.unseen_acked_bytes, found);
    facts_.bytes_seen += found;
    if (s.begin <= hole.begin) hole.begin = std::min(hole.end, s.end);
    if (hole.begin >= hole.end && facts_.unseen_acked_holes > 0) --facts_.unseen_acked_holes;
    return true;
  }
  return false;
}

// A sender that counts its IP IDs up by one leaves a gap for each packet that was lost before the
// tap. Asked between packets in close succession, so that other traffic of a host-wide counter does
// not look like loss.
void DirectionAnalysis::note_ip_id(const Record& record) {
  // A merged frame carries the first of its segments' IDs (RFC 6864 leaves the choice; NICs and GRO
  // count on).
  const auto merged =
      static_cast<std::uint16_t>(segment_size_ > 0 && newest_payload_len_ > segment_size_
                                     ? (newest_payload_len_ - 1) / segment_size_
                                     : 0);
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

// Seen away from the sender, a flight that was lost whole leaves no hole: after the timeout the
// stream goes on where it stopped. A full segment before the silence says that the sender had more
// to send; the gap in its IP IDs, that it did.
bool DirectionAnalysis::follows_unseen_loss(const Record& record) const {
  // Where both ends are near, a router on the way tells that the tap is not at the sender.
  const bool routed = facts_.vantage == Vantage::both && !is_initial_ttl(record.ttl);
  if (!away() && !routed) return false;
  // The IDs that are missing are then those of packets that arrived and were not captured.
  if (next_ == acked_unseen_end_) return false;
  const double silence_s = to_seconds(record.time - std::max(last_send_, last_reply_));
  const bool timeout_long = silence_s >= std::max(kTimeoutFloor_s, 1.5 * srtt_s_);
  // Several IDs missing say by themselves that more was sent, however short the last segment was.
  const bool more_sent = !last_short_ ? missing_ids_ > 1 : missing_ids_ > kMissingIds;
  return established_ && facts_.data_packets > 1 && timeout_long && ip_ids_tell() && more_sent &&
         missing_ids_ < 4096;
}

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

void DirectionAnalysis::settle_hole(const Segment& segment) {
  facts_.unseen_acked_bytes += static_cast<std::uint64_t>(segment.len());
  ++facts_.unseen_acked_holes;
  note(facts_.unseen_acked, segment.first_frame);
}

// The sender counts its IP IDs up by one, as far as the tap shows.
bool DirectionAnalysis::ip_ids_tell() const {
  return ip_id_steps_ >= 8 && ip_id_ones_ * 10 >= ip_id_steps_ * 7;
}

}  // namespace slowpath::flow

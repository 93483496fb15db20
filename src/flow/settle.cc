// SPDX-License-Identifier: Apache-2.0
// What became of a range that is acknowledged: which copy arrived, and what was lost.
#include <algorithm>

#include "flow/direction_analysis.h"

namespace slowpath::flow {

// What became of a range that is now acknowledged.
void DirectionAnalysis::settle(Segment& segment, const Record& record, Time now) {
  if (segment.sacked) sacked_bytes_ -= segment.len();
  if (segment.copies == 0) {
    settle_hole(segment);
    return;
  }
  if (segment.copies > 1) ask_whether_needless(segment, record);
  if (segment.copies == 1 && segment.resent_bytes == 0 && !segment.sacked && !segment.touched &&
      !ack_waited_for_hole()) {
    take_rtt(segment, record, now);
  }
  settle_checksum(segment);
  const bool arrived_first =
      segment.copies == 1 || segment.spurious || segment.sacked_before_resend;
  if (arrived_first) {
    settle_first_copy(segment);
  } else {
    settle_lost(segment);
  }
  note_delivered(segment, arrived_first);
  passage_.arrived(segment.begin, segment.end, segment.first_sent, arrived_first);
}

// Too soon after the resend for that resend to be what is acknowledged (RFC 3522's question, asked
// of time); an echoed timestamp older than the resend says the same.
void DirectionAnalysis::ask_whether_needless(Segment& segment, const Record& record) {
  if (segment.spurious || segment.first_bad) return;
  const double since_s = to_seconds(record.time - segment.last_sent);
  const double leg_s = to_seconds(receiver_leg_min_);
  const bool too_soon =
      since_s < 0 || (leg_s > 0.001 && since_s < 0.6 * leg_s && segment.copies == 2);
  const bool eifel = record.has_timestamps && segment.last_ts != segment.first_ts &&
                     SeqNum{record.ts_echo} < SeqNum{segment.last_ts} &&
                     segment.end == offset_of(record.acknowledgment);
  if (!too_soon && !eifel) return;
  facts_.spurious.by_eifel += eifel;
  facts_.spurious.by_acked_before += !eifel;
  mark_spurious(segment, record);
  note_taken_for_lost(segment);
}

void DirectionAnalysis::settle_checksum(const Segment& segment) {
  ChecksumFacts& sums = facts_.checksums;
  if (segment.first_bad && segment.copies == 1) {
    ++sums.bad_but_acknowledged;
    note(sums.bad_acknowledged_frames, segment.first_frame);
  }
  sums.bad_needed_resend += segment.first_bad && segment.copies > 1;
  sums.partial_needed_resend += segment.first_partial && segment.copies > 1 && !segment.spurious;
}

void DirectionAnalysis::note_delivered(const Segment& segment, bool arrived_first) {
  const std::uint32_t delivered_len = arrived_first ? segment.first_ip_len : segment.last_ip_len;
  std::uint32_t passed_len = delivered_len;
  if (segment.cut) return;
  if (arrived_first && segment.superframe) {
    // It crossed the path as full segments, or longer, if it holds a whole number of them. A sender
    // that has learned of a smaller path cuts at another length.
    if (segment.len() % segment_size_ != 0 || !segment.tells_of_first_copy()) return;
    passed_len -= static_cast<std::uint32_t>(segment.len()) - segment_size_;
  } else if (!arrived_first && segment.resend_superframe) {
    return;
  }
  if (passed_len <= facts_.largest_delivered_ip_len) return;
  facts_.largest_delivered_ip_len = passed_len;
  facts_.largest_delivered_frame = arrived_first ? segment.first_frame : segment.last_frame;
}

void DirectionAnalysis::settle_first_copy(const Segment& segment) {
  if (segment.first_ip_len == 0) return;
  SizeClass& size = sizes_.of(segment.first_ip_len);
  ++size.first_delivered;
  note(size.delivered, segment.first_frame);
  if (!segment.superframe || !segment.tells_of_first_copy()) return;
  ++facts_.superframes.delivered;
  ++superframe_size(segment).delivered;
  note(facts_.superframes.delivered_frames, segment.first_frame);
}

// Of a super-frame some segments may have arrived: what was sent again had not.
DirectionAnalysis::Range DirectionAnalysis::lost_part(const Segment& segment) {
  const Range whole{segment.begin, segment.end};
  if (!segment.superframe || segment.resent_bytes == 0) return whole;
  const Range again{std::max(segment.begin, segment.resent_begin),
                    std::min(segment.end, segment.resent_end)};
  return again.begin < again.end ? again : whole;
}

void DirectionAnalysis::settle_lost(Segment& segment) {
  if (segment.superframe) settle_lost_superframe(segment);
  if (segment.first_ip_len > 0) {
    SizeClass& size = sizes_.of(segment.first_ip_len);
    ++size.first_lost;
    note(size.lost, segment.first_frame);
  }
  if (segment.last_frame != credited_frame_ && !segment.cut) {
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
  const Range lost = lost_part(segment);
  loss.offset = static_cast<std::uint64_t>(std::max<std::int64_t>(lost.begin, 0));
  loss.len = static_cast<std::uint32_t>(std::min<std::int64_t>(lost.end - lost.begin, 0xffff'ffff));
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

void DirectionAnalysis::settle_lost_superframe(const Segment& segment) {
  const bool partly_arrived =
      segment.touched || segment.resent_bytes + segment_size_ / 2 < segment.len();
  SuperframeFacts& super = facts_.superframes;
  if (partly_arrived) {
    ++super.delivered;
    ++superframe_size(segment).delivered;
    note(super.delivered_frames, segment.first_frame);
    return;
  }
  ++super.lost_whole;
  ++superframe_size(segment).lost_whole;
  note(super.lost_frames, segment.first_frame);
  if (segment.resend_superframe) return;
  ++super.lost_then_pieces_delivered;
  note(super.piece_frames, segment.last_frame);
}

// It had been called lost, and an ACK says afterwards that its first copy came.
void DirectionAnalysis::take_back_loss(const Segment& segment) {
  if (facts_.lost_packets == 0) return;
  --facts_.lost_packets;
  std::erase_if(facts_.losses, [&](const LossEvent& loss) {
    return loss.resend == segment.last_frame && loss.original == segment.first_frame;
  });
  if (segment.first_ip_len == 0) return;
  SizeClass& size = sizes_.of(segment.first_ip_len);
  if (size.first_lost > 0) --size.first_lost;
  ++size.first_delivered;
}

void DirectionAnalysis::take_back_lost_superframe(const Segment& segment) {
  SuperframeFacts& super = facts_.superframes;
  SuperframeSize& size = superframe_size(segment);
  if (segment.touched || super.lost_whole == 0 || size.lost_whole == 0) return;
  --super.lost_whole;
  --size.lost_whole;
  ++super.delivered;
  ++size.delivered;
  if (!segment.resend_superframe && super.lost_then_pieces_delivered > 0)
    --super.lost_then_pieces_delivered;
}

void DirectionAnalysis::add_loss(LossEvent loss) {
  constexpr std::size_t kKept = 1024;
  if (facts_.losses.size() < kKept) facts_.losses.push_back(loss);
}

SuperframeSize& DirectionAnalysis::superframe_size(const Segment& segment) {
  std::vector<SuperframeSize>& sizes = facts_.superframes.sizes;
  const std::int64_t unit = std::max(segment_size_, 1u);
  const auto segments = static_cast<std::uint32_t>((segment.len() + unit - 1) / unit);
  const auto at = std::ranges::lower_bound(sizes, segments, {}, &SuperframeSize::segments);
  if (at != sizes.end() && at->segments == segments) return *at;
  return *sizes.insert(at, SuperframeSize{.segments = segments});
}

}  // namespace slowpath::flow

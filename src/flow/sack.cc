// SPDX-License-Identifier: Apache-2.0
// What SACK blocks report: ranges that arrived (RFC 2018), and copies that were not needed (RFC
// 2883).
#include <algorithm>

#include "flow/direction_analysis.h"
#include "flow/stream_limits.h"

namespace slowpath::flow {
namespace {

// A duplicate is reported as it came (RFC 2883 section 4): one packet, at most a large merged one.
constexpr std::int64_t kMaxDuplicate = std::int64_t{1} << 20;
// Blocks that cannot be true: damage makes one or two. With more, those that could be true name
// other data than the receiver meant, and say nothing of when it arrived.
constexpr std::uint64_t kShifted = 3;

}  // namespace

// RFC 2018; a first block at or below the ACK, or inside the second, reports a duplicate (RFC 2883
// section 4).
void DirectionAnalysis::read_sack(const SackList& sack, std::int64_t ack, const Record& record,
                                  Time now) {
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
    if (probe_ && begin > una_ && begin <= probe_->begin && end >= probe_->end) settle_probe(true);
    if (sacked_high_ <= una_ && duplicate_acks_here_ <= 1) hole_since_ = record.time;
    sacked_high_ = std::max(sacked_high_, end);
    // Blocks grow by a segment an ACK: only what the block before did not cover is looked at.
    Range known{begin, begin};
    for (const Range& earlier : sack_read_) {
      if (earlier.begin >= begin && earlier.end <= end &&
          earlier.end - earlier.begin > known.end - known.begin)
        known = earlier;
    }
    mark_sacked(begin, known.begin, {begin, end}, record, now);
    mark_sacked(known.end, end, {begin, end}, record, now);
    read[i] = {begin, end};
  }
  sack_read_ = read;
}

// Marks what lies wholly in `block`, among the segments that reach into [from, to).
void DirectionAnalysis::mark_sacked(std::int64_t from, std::int64_t to, Range block,
                                    const Record& record, Time now) {
  if (from >= to) return;
  const bool tells_when = facts_.sack_edges.impossible < kShifted;
  for (Segment& segment : ledger_.overlapping(from, to)) {
    if (segment.sacked || segment.begin < block.begin || segment.end > block.end) {
      if (!segment.sacked && segment.superframe && segment.copies == 1) segment.touched = true;
      continue;
    }
    segment.sacked = true;
    sacked_bytes_ += segment.len();
    if (tells_when && segment.copies == 1 && !segment.touched) take_rtt(segment, record, now);
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
    // Of a super-frame a part may have been lost and another part sent again for nothing.
    const std::int64_t needless = std::min(segment.end, end) - std::max(segment.begin, begin);
    if (needless >= segment.resent_bytes) note_taken_for_lost(segment);
  };
  for (Segment& segment : ledger_.overlapping(begin, end)) look(segment);
  for (Segment& segment : ledger_.recent()) {
    const bool counted_lost = segment.begin < end && segment.end > begin && segment.copies >= 2 &&
                              !segment.spurious && !segment.sacked_before_resend;
    look(segment);
    if (counted_lost && segment.spurious) take_back_loss(segment);
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

// Both copies arrived, and bytes behind them before either: the first copy was late. Where packets
// arrive, it was seen to be.
void DirectionAnalysis::note_taken_for_lost(const Segment& segment) {
  if (!segment.overtaken || segment.copies != 2 || segment.came_late) return;
  if (facts_.vantage == Vantage::receiver) return;
  ++facts_.reorder.taken_for_lost;
  note(facts_.reorder.frames, segment.first_frame);
}

// An ACK takes all that lies behind it in order. One that stops before bytes reported as arrived
// has lost them again.
void DirectionAnalysis::note_reneged(const Record& record) {
  const Segment& segment = ledger_.front();
  if (offset_of(record.acknowledgment) >= segment.end) return;
  ++facts_.reneged.count;
  facts_.reneged.bytes += static_cast<std::uint64_t>(segment.len());
  note(facts_.reneged.frames, record.frame);
}

}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
// The byte ledger of one direction: which range of the stream was sent when, how often, in frames
// of what size, and what became of it. Holds what is not yet acknowledged, and a short memory of
// what recently was.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"
#include "facts/direction.h"
#include "facts/frame_ref.h"

namespace slowpath::flow {

/// A range of the stream that travelled as one frame when it was first seen. Offsets count from the
/// first byte after the SYN (or from the first byte seen).
struct Segment {
  std::int64_t begin = 0, end = 0;
  Time first_sent{}, last_sent{};  // at the capture point
  FrameRef first_frame, last_frame;
  std::uint64_t payload_at = 0;  // of the first copy
  std::uint32_t captured_len = 0;
  std::uint32_t payload_skipped = 0,
                payload_len = 0;  // of the first copy's frame: before `begin`, and in all
  std::uint32_t first_ip_len = 0, last_ip_len = 0;
  std::uint32_t first_ts = 0, last_ts = 0;
  std::uint32_t resent_bytes = 0;                 // of this range, in further copies
  std::int64_t resent_begin = 0, resent_end = 0;  // these lie within; both 0 without
  std::uint32_t copies = 0;                       // 0: a hole, never captured
  std::uint64_t flight_bytes = 0;                 // outstanding when first sent
  float rtt_before_s = 0;
  std::uint32_t episode = 0;
  std::uint16_t ip_id = 0;
  ResendClass how = ResendClass::unknown;
  bool sacked = false;
  bool sacked_before_resend = false;
  bool bad_checksum = false;  // of the newest copy
  bool first_bad = false;
  bool first_partial = false;  // the first copy's checksum was left unfinished
  bool last_partial = false;
  bool superframe = false;
  bool touched = false;       // an ACK covered part of it before any resend: its first copy arrived
  bool resent_whole = false;  // by its newest copy
  bool cut = false;  // an ACK covered part of that copy: the sender's NIC had made several of it
  bool spurious = false;
  bool probe = false;              // sent against a closed window, which refused it
  bool came_late = false;          // filled a hole out of order
  bool resend_superframe = false;  // the newest copy was part of a super-frame
  bool overtaken = false;  // when first sent again: SACK had told of bytes behind it, not of it

  [[nodiscard]] std::int64_t len() const { return end - begin; }
  /// Of two copies that arrived one is the first. Where bytes were sent three times, the second and
  /// the third may have been the two.
  [[nodiscard]] bool tells_of_first_copy() const {
    return copies == 1 || sacked_before_resend || resent_bytes <= len();
  }
};

/// Ranges in order, without gaps, from the oldest unacknowledged byte to the newest sent.
class Ledger {
 public:
  /// With more outstanding ranges than this the oldest are forgotten; nobody has that many in
  /// flight for a reason.
  static constexpr std::size_t kMaxSegments = 1u << 16;
  static constexpr std::size_t kRecent = 256;

  [[nodiscard]] bool empty() const { return head_ == items_.size(); }
  [[nodiscard]] bool full() const { return size() >= kMaxSegments; }
  [[nodiscard]] std::size_t size() const { return items_.size() - head_; }
  Segment& front() { return items_[head_]; }
  Segment& back() { return items_.back(); }
  std::span<Segment> all() { return {items_.data() + head_, size()}; }

  void push(const Segment& segment);
  /// Forgets the oldest range; it stays in recent() for a while.
  void pop();
  /// Splits the segment that holds `offset` so that one begins there. Does nothing at a boundary or
  /// outside.
  void split(std::int64_t offset);
  /// The segments that overlap [begin, end).
  std::span<Segment> overlapping(std::int64_t begin, std::int64_t end);
  /// The newest acknowledged segments, unordered.
  std::span<Segment> recent() {
    return {recent_.data(), recent_count_ < kRecent ? recent_count_ : kRecent};
  }
  /// Bytes of memory it holds.
  [[nodiscard]] std::size_t memory_bytes() const {
    return (items_.capacity() + recent_.capacity()) * sizeof(Segment);
  }

 private:
  [[nodiscard]] std::size_t first_ending_after(std::int64_t offset) const;
  void insert(std::size_t position, const Segment& segment);

  std::vector<Segment> items_;
  std::size_t head_ = 0;
  std::vector<Segment> recent_;
  std::size_t recent_count_ = 0;
};

}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
// The quick twin of add_to(), for common segments of connections in their course: what is odd about
// a packet is gathered in one word and asked for once, and what then is counted does not branch by
// who speaks or how much, which no processor can foretell. screener_test compares the two.
#pragma once

#include <algorithm>

#include "flow/screen/light_record.h"
#include "wire/common_segment.h"

namespace slowpath::flow {

/// Nothing that add_to() would look at twice: data or an acknowledgment in order, within the
/// window, of a connection that lost nothing as far as is known. `way` is the segment's.
inline bool is_steady(const LightRecord& record, const wire::CommonSegment& segment,
                      std::size_t way) {
  using State = LightDirection::State;
  constexpr unsigned kOwn = State::kHasNext | State::kHasEdge;
  constexpr unsigned kOther = State::kHasNext | State::kHasAcked;
  constexpr unsigned kTrouble = State::kRecovering | State::kWindowClosed;
  constexpr unsigned kFlags = wire::kAck | wire::kSyn | wire::kFin | wire::kRst;
  const LightDirection& own = record.directions[way];
  const LightDirection& other = record.directions[1 - way];
  const SeqNum ack = segment.acknowledgment();
  const std::uint32_t len = segment.payload_len(), window = segment.window();
  // Each is zero where all is well.
  const unsigned states = (~own.state & kOwn) | ((other.state & (kOther | kTrouble)) ^ kOther);
  const unsigned flags = ((segment.flags() & kFlags) ^ wire::kAck) |
                         unsigned{segment.congestion_experienced()} | unsigned{!record.completed} |
                         (unsigned{record.stamps_agreed} & unsigned{!segment.has_timestamps()});
  const std::uint32_t gap = segment.sequence().value ^ own.next.value;
  // Each is negative where something is not: room for another packet of this size, an
  // acknowledgment between the last one and what was sent, a window.
  // Where only one way was captured the edge may be any distance off, half of all numbers too: so
  // the difference is made in unsigned numbers, and asked for by itself, as it may wrap.
  const std::int32_t ahead = own.edge - own.next;
  const auto room = static_cast<std::int32_t>(static_cast<std::uint32_t>(ahead) - 2 * len);
  const std::int32_t below = room | ahead | (ack - other.acked) | (other.next - ack) |
                             (static_cast<std::int32_t>(window) - 1);
  if ((states | flags | gap | (static_cast<std::uint32_t>(below) >> 31)) != 0) [[unlikely]]
    return false;
  const SeqNum edge = ack + (window << other.shift);
  const std::uint32_t news =
      (ack.value ^ other.acked.value) | len | (edge.value ^ other.edge.value);
  return news != 0 || other.next == other.acked;  // Else it is a duplicate acknowledgment.
}

/// What add_to() does with a segment that is_steady().
inline void add_steady(LightRecord& record, const wire::CommonSegment& segment, std::size_t way,
                       Time time) {
  using State = LightDirection::State;
  LightDirection& own = record.directions[way];
  LightDirection& other = record.directions[1 - way];
  LightTotals& totals = record.totals[way];
  LightTotals& answered = record.totals[1 - way];
  const std::uint32_t len = segment.payload_len();
  const SeqNum ack = segment.acknowledgment();
  if (time - record.last > kSilence) [[unlikely]]
    note_gap(record, way, len != 0, time - record.last);
  record.last = std::max(record.last, time);
  // All ones where there is data. The compiler makes branches of conditions, but not of this.
  const std::uint32_t speaks = std::uint32_t{0} - std::uint32_t{len != 0};
  const auto choose = [speaks](std::uint32_t yes, std::uint32_t no) {
    return no ^ ((yes ^ no) & speaks);
  };
  ++totals.packets;
  totals.bytes += len;
  totals.data_packets -= speaks;
  own.next = own.next + len;
  own.newest_ip_id = static_cast<std::uint16_t>(choose(segment.ip_id(), own.newest_ip_id));
  const std::uint32_t turned = speaks & std::uint32_t{record.last_speaker == 1 - way} &
                               std::uint32_t{record.turns != 0xffff};
  record.turns = static_cast<std::uint16_t>(record.turns + turned);
  record.last_speaker =
      static_cast<std::uint8_t>(choose(static_cast<std::uint32_t>(way), record.last_speaker));
  if ((speaks & ~own.state & State::kProbing) != 0) {
    own.set(State::kProbing);
    totals.probe_end = own.next;
    totals.probe_us = wrapped_microseconds(time);
  }
  // Both negative where it is answered.
  const std::int32_t answers = (other.acked - ack) & ~(ack - answered.probe_end);
  const std::uint32_t answered_now = static_cast<std::uint32_t>(answers) >> 31;
  if ((answered_now & (other.state / State::kProbing)) != 0) {
    other.set(State::kProbing, false);
    answered.rtt_min_us =
        std::min(answered.rtt_min_us, wrapped_microseconds(time) - answered.probe_us);
  }
  other.acked = ack;
  other.edge = ack + (std::uint32_t{segment.window()} << other.shift);
  other.state |= State::kHasEdge;
}

}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/light_record.h"

#include <algorithm>

#include "flow/stream_limits.h"

namespace slowpath::flow {
namespace {

using State = LightDirection::State;

// Where no round trip was measured yet: the smallest usual retransmission timeout.
constexpr Duration kSilenceUnmeasured = std::chrono::milliseconds(200);
constexpr int kSilenceRtts = 3;
// The same packet again so soon was recorded, or delivered, twice.
constexpr Duration kCopy = std::chrono::milliseconds(20);
constexpr std::uint32_t kDuplicateAcks = 3;  // RFC 5681
constexpr std::uint8_t kMaxShift = 14;       // RFC 7323 section 2.3
constexpr std::uint16_t kStraysOfAJump = 8;  // so many in a row, and the stream goes on there

void count(std::uint16_t& counter) {
  counter = static_cast<std::uint16_t>(counter + (counter != 0xffff));
}

float seconds(Duration d) { return static_cast<float>(to_seconds(d)); }

void begin_recovery(LightDirection& data, LightTrouble& trouble, Time now) {
  if (data.is(State::kRecovering) || !data.is(State::kHasNext)) return;
  data.set(State::kRecovering);
  trouble.recovery_begin = now;
  trouble.recovery_end = data.next;
}

void end_recovery(LightDirection& data, LightTrouble& trouble, Time now) {
  if (data.acked < trouble.recovery_end) return;
  data.set(State::kRecovering, false);
  trouble.recovery_s += seconds(std::max(Duration{0}, now - trouble.recovery_begin));
}

bool is_long_silence(const LightTotals& totals, Duration gap) {
  if (totals.rtt_min_us == 0xffff'ffffu) return gap >= kSilenceUnmeasured;
  return gap >= std::chrono::microseconds(totals.rtt_min_us) * kSilenceRtts;
}

void note_handshake_end(LightRecord& record, const wire::LightPacket& packet) {
  record.completed = true;
  if (record.has_syn || record.has_syn_ack) {
    record.handshake_s = seconds(std::max(Duration{0}, packet.time - record.first));
  }
}

// A scale holds only where both offer one; either may come first in the file.
void agree_on_scale(LightRecord& record) {
  auto& [a, b] = record.directions;
  if (!record.has_syn || !record.has_syn_ack) return;
  if (a.is(State::kWindowScaled) && b.is(State::kWindowScaled)) return;
  a.shift = b.shift = 0;
}

/// `way`: of the packet.
void note_syn(LightRecord& record, const wire::LightPacket& packet, std::size_t way) {
  const bool is_answer = (packet.flags & wire::kAck) != 0;
  if (!record.client_known) {
    record.client_known = true;
    record.client = (way == 1) != is_answer;
  }
  const bool from_client = record.client == (way == 1);
  if (from_client) {
    if (!record.has_syn) record.initial_sequence = packet.sequence;
    record.has_syn = true;
    count(record.syn_count);
  } else {
    record.has_syn_ack = true;
    count(record.syn_ack_count);
  }
  // What its sender offers is about the data that it receives.
  LightDirection& to_sender = record.directions[1 - way];
  to_sender.set(State::kWindowScaled, packet.syn.has_window_scale);
  to_sender.shift = std::min(packet.syn.window_scale, kMaxShift);
  record.trouble[way].mss = packet.syn.mss;
  agree_on_scale(record);
  const bool lacks = !packet.syn.cut && (!packet.syn.has_window_scale ||
                                         !packet.syn.sack_permitted || packet.syn.mss == 0);
  record.options_differ |= lacks;
  if (is_answer) {
    record.stamps_agreed =
        packet.syn.has_timestamps;  // An answer may only have what was asked for.
  }
  LightDirection& own = record.directions[way];
  if (!own.is(State::kHasNext)) {
    own.next = packet.sequence + 1;
    own.set(State::kHasNext);
  }
}

void note_reset(LightRecord& record, std::size_t way) {
  record.reset = true;
  count(record.resets);
  const bool orderly =
      record.directions[0].is(State::kFinished) || record.directions[1].is(State::kFinished);
  const bool settled =
      !record.directions[0].is_outstanding() && !record.directions[1].is_outstanding();
  if (!orderly || !settled || !record.directions[1 - way].is(State::kHasNext))
    count(record.odd_resets);
}

/// Beyond any window, as DirectionAnalysis::is_stray says it.
bool is_stray(const wire::LightPacket& packet, std::int32_t jump, LightTrouble& trouble) {
  const std::int64_t most = packet.checksum_bad ? kMaxDamagedJump : kMaxJump;
  if (jump <= most && jump >= -most) {
    trouble.strays = 0;
    return false;
  }
  return packet.checksum_bad || ++trouble.strays < kStraysOfAJump;
}

/// Data that does not begin where the newest ended.
void add_odd_data(LightRecord& record, const wire::LightPacket& packet, std::size_t way,
                  Duration since_last) {
  LightDirection& data = record.directions[way];
  LightTotals& totals = record.totals[way];
  LightTrouble& trouble = record.trouble[way];
  const SeqNum end = packet.sequence + packet.payload_len;
  const std::int32_t ahead = packet.sequence - data.next;
  if (is_stray(packet, ahead, trouble)) return;
  if (ahead > 0) {
    ++trouble.holes;
    begin_recovery(data, trouble, packet.time);
    totals.bytes += static_cast<std::uint64_t>(end - data.next);
    data.next = end;
    return;
  }
  // Keep-alives repeat the last byte (RFC 9293 section 3.8.4).
  if (packet.payload_len <= 1 && ahead == -1) return;
  const bool is_copy = end == data.next && packet.ip_id != 0 && packet.ip_id == data.newest_ip_id &&
                       since_last < kCopy;
  if (is_copy) return count(record.copies);
  const std::int32_t fresh = std::max(0, end - data.next);
  ++trouble.resent_packets;
  begin_recovery(data, trouble, packet.time);
  if (fresh == 0) return;
  totals.bytes += static_cast<std::uint64_t>(fresh);
  data.next = end;
}

// Where no handshake tells the scale, it is at least one that leaves room for what is sent.
void widen_window(LightDirection& data) {
  if (!data.is(State::kHasEdge) || data.is(State::kWindowClosed)) return;
  while (data.next > data.edge && data.edge > data.acked && data.shift < kMaxShift) {
    data.edge = data.edge + static_cast<std::uint32_t>(data.edge - data.acked);
    ++data.shift;
  }
}

void add_data(LightRecord& record, const wire::LightPacket& packet, std::size_t way,
              Duration since_last) {
  LightDirection& data = record.directions[way];
  LightTotals& totals = record.totals[way];
  ++totals.data_packets;
  if (!data.is(State::kHasNext)) {
    data.set(State::kHasNext);
    data.next = packet.sequence;
  }
  if (packet.sequence == data.next) {
    data.next = data.next + packet.payload_len;
    totals.bytes += packet.payload_len;
    if (!data.is(State::kProbing)) {
      data.set(State::kProbing);
      totals.probe_end = data.next;
      totals.probe_us = wrapped_microseconds(packet.time);
    }
  } else {
    data.set(State::kProbing, false);  // Karn: a resend makes the answer ambiguous.
    add_odd_data(record, packet, way, since_last);
  }
  data.newest_ip_id = packet.ip_id;
  if (!record.has_syn || !record.has_syn_ack) widen_window(data);
  // Another one of this size does not fit into the window any more.
  if (data.is(State::kHasEdge) &&
      data.edge - data.next < static_cast<std::int32_t>(packet.payload_len)) {
    ++record.trouble[way].at_edge;
  }
  if (record.last_speaker == 1 - way) count(record.turns);
  record.last_speaker = static_cast<std::uint8_t>(way);
}

// More was acknowledged than was seen: the capture lacks it. A FIN counts as one.
void acknowledge_unseen(LightRecord& record, const wire::LightPacket& packet, std::size_t way) {
  LightDirection& data = record.directions[way];
  if (!data.is(State::kHasNext)) {
    data.set(State::kHasNext);
    data.next = packet.acknowledgment;
    return;
  }
  const std::int32_t beyond = packet.acknowledgment - data.next;
  if (beyond <= 1 || beyond > (packet.checksum_bad ? kMaxDamagedJump : kMaxJump)) return;
  ++record.trouble[way].holes;
  record.totals[way].bytes += static_cast<std::uint64_t>(beyond);
  data.next = packet.acknowledgment;
}

void note_window_closed(LightDirection& data, LightTrouble& trouble, Time now, bool closed) {
  if (closed == data.is(State::kWindowClosed)) return;
  data.set(State::kWindowClosed, closed);
  if (closed) {
    trouble.closed_begin = now;
  } else {
    trouble.closed_s += seconds(std::max(Duration{0}, now - trouble.closed_begin));
  }
}

/// `way`: of the data that is acknowledged.
void advance_acked(LightRecord& record, const wire::LightPacket& packet, std::size_t way) {
  LightDirection& data = record.directions[way];
  LightTotals& totals = record.totals[way];
  data.acked = packet.acknowledgment;
  data.set(State::kHasAcked);
  if (data.is(State::kProbing) && data.acked >= totals.probe_end) {
    data.set(State::kProbing, false);
    totals.rtt_min_us =
        std::min(totals.rtt_min_us, wrapped_microseconds(packet.time) - totals.probe_us);
  }
  if (data.is(State::kRecovering)) end_recovery(data, record.trouble[way], packet.time);
}

bool is_duplicate_ack(const LightDirection& data, const wire::LightPacket& packet, SeqNum edge) {
  return packet.payload_len == 0 && edge == data.edge && data.next > data.acked &&
         (packet.flags & (wire::kFin | wire::kSyn)) == 0;
}

/// Likewise.
void acknowledge(LightRecord& record, const wire::LightPacket& packet, std::size_t way) {
  LightDirection& data = record.directions[way];
  LightTrouble& trouble = record.trouble[way];
  const SeqNum edge = packet.acknowledgment + (std::uint32_t{packet.window} << data.shift);
  const std::int32_t fresh = data.is(State::kHasAcked) ? packet.acknowledgment - data.acked : 1;
  if (!data.is(State::kHasNext) || packet.acknowledgment > data.next) {
    acknowledge_unseen(record, packet, way);
  }
  if (fresh > 0 && !(packet.acknowledgment > data.next + 1)) {
    advance_acked(record, packet, way);
  } else if (fresh == 0 && is_duplicate_ack(data, packet, edge)) {
    if (++trouble.duplicate_acks % kDuplicateAcks == 0) {
      begin_recovery(data, trouble, packet.time);
    }
  }
  if (packet.sack_count != 0) {
    ++trouble.sacks;
    begin_recovery(data, trouble, packet.time);
  }
  if (fresh < 0) return;
  data.edge = edge;
  data.set(State::kHasEdge);
  if ((packet.flags & wire::kFin) == 0) {
    note_window_closed(data, trouble, packet.time, packet.window == 0);
  }
}

void note_rare(LightRecord& record, const wire::LightPacket& packet, std::size_t way) {
  if (packet.checksum_bad) count(record.bad_checksums);
  if (packet.is_fragment) count(record.fragments);
  if (packet.congestion_experienced) count(record.marked);
  record.authenticated |= packet.authenticated;
  if ((packet.flags & wire::kSyn) != 0) note_syn(record, packet, way);
  if ((packet.flags & wire::kRst) != 0) note_reset(record, way);
  if ((packet.flags & wire::kFin) != 0) record.directions[way].set(State::kFinished);
}

}  // namespace

void note_gap(LightRecord& record, std::size_t speaker, bool has_data, Duration gap) {
  bool outstanding = false;
  for (std::size_t way = 0; way < 2; ++way) {
    if (!record.directions[way].is_outstanding()) continue;
    outstanding = true;
    if (is_long_silence(record.totals[way], gap)) record.trouble[way].silence_s += seconds(gap);
  }
  if (outstanding || !has_data || record.last_speaker == kNobody) return;
  record.trouble[speaker].pause_s += seconds(gap);
}

void begin_record(LightRecord& record, const wire::LightPacket& packet) {
  record = LightRecord{};
  std::copy_n(packet.key.words.begin(), 2, record.key_words.begin());
  if (packet.key.version != 4) {
    std::copy_n(packet.key.words.begin() + 2, 3, record.more_key_words.begin());
  }
  record.version = packet.key.version;
  record.first = record.last = packet.time;
  record.first_frame = packet.frame;
}

bool is_new_use(const LightRecord& record, const wire::LightPacket& packet) {
  if ((packet.flags & (wire::kSyn | wire::kAck)) != wire::kSyn) return false;
  if (record.has_syn) return record.initial_sequence != packet.sequence;
  if (record.has_syn_ack) return false;  // its SYN comes after its SYN-ACK in the file
  return packet.time > record.first;
}

void add_to(LightRecord& record, const wire::LightPacket& packet) {
  const std::size_t way = packet.from_lower ? 0 : 1;
  const Duration gap = packet.time - record.last;
  if (gap > kSilence) note_gap(record, way, packet.payload_len != 0, gap);
  record.last = std::max(record.last, packet.time);
  ++record.totals[way].packets;
  note_rare(record, packet, way);
  const bool syn_or_reset = (packet.flags & (wire::kSyn | wire::kRst)) != 0;
  if (packet.payload_len != 0 && !syn_or_reset) add_data(record, packet, way, gap);
  const bool unstamped = !packet.has_timestamps && !packet.options_cut;
  if (unstamped && record.stamps_agreed && !syn_or_reset) count(record.unstamped);
  if ((packet.flags & wire::kAck) == 0 || (packet.flags & wire::kRst) != 0) return;
  acknowledge(record, packet, 1 - way);
  if (!record.completed && (packet.flags & wire::kSyn) == 0) {
    const bool from_client = !record.client_known || record.client == (way == 1);
    if (from_client || packet.payload_len != 0) note_handshake_end(record, packet);
  }
}

}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/light_record.h"

#include <algorithm>

#include "flow/stream_limits.h"

namespace slowpath::flow {
namespace {

// Shorter silences are round trips and delayed ACKs of healthy hosts (RFC 9293: at most 500 ms, in
// practice 40).
constexpr Duration kSilence = std::chrono::milliseconds(30);
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

std::uint32_t microseconds(Time time) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(to_ns(time)) / 1000);
}

[[gnu::noinline]] void begin_recovery(LightDirection& data, LightTrouble& trouble, Time now) {
  if (data.recovering || !data.has_next) return;
  data.recovering = true;
  trouble.recovery_begin = now;
  trouble.recovery_end = data.next;
}

[[gnu::noinline]] void end_recovery(LightDirection& data, LightTrouble& trouble, Time now) {
  if (data.acked < trouble.recovery_end) return;
  data.recovering = false;
  trouble.recovery_s += seconds(std::max(Duration{0}, now - trouble.recovery_begin));
}

bool is_long_silence(const LightDirection& data, Duration gap) {
  if (data.rtt_min_us == 0xffff'ffffu) return gap >= kSilenceUnmeasured;
  return gap >= std::chrono::microseconds(data.rtt_min_us) * kSilenceRtts;
}

/// Nothing passed for a while: whose time was that?
[[gnu::noinline]] void note_gap(LightRecord& record, const wire::LightPacket& packet,
                                Duration gap) {
  bool outstanding = false;
  for (std::size_t way = 0; way < 2; ++way) {
    LightDirection& data = record.directions[way];
    if (!data.is_outstanding()) continue;
    outstanding = true;
    if (!is_long_silence(data, gap)) continue;
    LightTrouble& trouble = record.trouble[way];
    trouble.silence_s += seconds(gap);
    trouble.longest_silence_s = std::max(trouble.longest_silence_s, seconds(gap));
  }
  if (outstanding || packet.payload_len == 0 || !record.has_spoken) return;
  record.trouble[packet.from_lower ? 0 : 1].pause_s += seconds(gap);
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
  if (a.window_scaled && b.window_scaled) return;
  a.shift = b.shift = 0;
}

/// `way`: of the packet.
[[gnu::noinline]] void note_syn(LightRecord& record, const wire::LightPacket& packet,
                                std::size_t way) {
  const bool is_answer = (packet.flags & wire::kAck) != 0;
  if (!record.client_known) {
    record.client_known = true;
    record.client = (way == 1) != is_answer;
  }
  const bool from_client = record.client == (way == 1);
  record.last_syn = packet.time;
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
  to_sender.window_scaled = packet.syn.has_window_scale;
  to_sender.shift = std::min(packet.syn.window_scale, kMaxShift);
  record.trouble[way].mss = packet.syn.mss;
  agree_on_scale(record);
  const bool lacks =
      !packet.syn.has_window_scale || !packet.syn.sack_permitted || packet.syn.mss == 0;
  record.options_differ |= lacks;
  if (is_answer) {
    record.stamps_agreed =
        packet.syn.has_timestamps;  // An answer may only have what was asked for.
  }
  LightDirection& own = record.directions[way];
  if (!own.has_next) {
    own.next = packet.sequence + 1;
    own.has_next = true;
  }
}

[[gnu::noinline]] void note_reset(LightRecord& record, std::size_t way) {
  record.reset = true;
  count(record.resets);
  const bool orderly = record.directions[0].finished || record.directions[1].finished;
  const bool settled =
      !record.directions[0].is_outstanding() && !record.directions[1].is_outstanding();
  if (!orderly || !settled || !record.directions[1 - way].has_next) count(record.odd_resets);
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
[[gnu::noinline]] void add_odd_data(LightRecord& record, const wire::LightPacket& packet,
                                    std::size_t way, Duration since_last) {
  LightDirection& data = record.directions[way];
  LightTrouble& trouble = record.trouble[way];
  const SeqNum end = packet.sequence + packet.payload_len;
  const std::int32_t ahead = packet.sequence - data.next;
  if (is_stray(packet, ahead, trouble)) return;
  if (ahead > 0) {
    ++trouble.holes;
    begin_recovery(data, trouble, packet.time);
    data.bytes += static_cast<std::uint64_t>(end - data.next);
    data.next = end;
    return;
  }
  // Keep-alives repeat the last byte (RFC 9293 section 3.8.4).
  if (packet.payload_len <= 1 && ahead == -1) return;
  const bool is_copy = end == data.next && packet.ip_id != 0 && packet.ip_id == data.newest_ip_id &&
                       since_last < kCopy;
  if (is_copy) return count(record.copies);
  const std::int32_t fresh = std::max(0, end - data.next);
  ++data.resent_packets;
  data.resent_bytes += packet.payload_len - static_cast<std::uint32_t>(fresh);
  begin_recovery(data, trouble, packet.time);
  if (fresh == 0) return;
  data.bytes += static_cast<std::uint64_t>(fresh);
  data.next = end;
}

inline void add_data(LightRecord& record, const wire::LightPacket& packet, std::size_t way,
                     Duration since_last) {
  LightDirection& data = record.directions[way];
  ++data.data_packets;
  if (!data.has_next) {
    data.has_next = true;
    data.next = packet.sequence;
  }
  if (packet.sequence == data.next) [[likely]] {
    data.next = data.next + packet.payload_len;
    data.bytes += packet.payload_len;
    if (!data.probing) {
      data.probing = true;
      data.probe_end = data.next;
      data.probe_us = microseconds(packet.time);
    }
  } else {
    data.probing = false;  // Karn: a resend makes the answer ambiguous.
    add_odd_data(record, packet, way, since_last);
  }
  data.newest_ip_id = packet.ip_id;
  // Another one of this size does not fit into the window any more.
  if (data.has_edge && data.edge - data.next < static_cast<std::int32_t>(packet.payload_len))
      [[unlikely]] {
    ++record.trouble[way].at_edge;
  }
  data.largest_payload = std::max(data.largest_payload, packet.payload_len);
  const bool speaker = way == 1;
  if (record.has_spoken && record.last_speaker != speaker) count(record.turns);
  record.has_spoken = true;
  record.last_speaker = speaker;
}

// More was acknowledged than was seen: the capture lacks it. A FIN counts as one.
[[gnu::noinline]] void acknowledge_unseen(LightDirection& data, LightTrouble& trouble,
                                          const wire::LightPacket& packet) {
  if (!data.has_next) {
    data.has_next = true;
    data.next = packet.acknowledgment;
    return;
  }
  const std::int32_t beyond = packet.acknowledgment - data.next;
  if (beyond <= 1 || beyond > (packet.checksum_bad ? kMaxDamagedJump : kMaxJump)) return;
  ++trouble.holes;
  data.bytes += static_cast<std::uint64_t>(beyond);
  data.next = packet.acknowledgment;
}

[[gnu::noinline]] void note_window_closed(LightDirection& data, LightTrouble& trouble, Time now,
                                          bool closed) {
  if (closed == data.window_closed) return;
  data.window_closed = closed;
  if (closed) {
    trouble.closed_begin = now;
  } else {
    trouble.closed_s += seconds(std::max(Duration{0}, now - trouble.closed_begin));
  }
}

/// `way`: of the data that is acknowledged.
inline void acknowledge(LightRecord& record, const wire::LightPacket& packet, std::size_t way) {
  LightDirection& data = record.directions[way];
  const std::uint32_t window = std::uint32_t{packet.window} << data.shift;
  const SeqNum edge = packet.acknowledgment + window;
  const std::int32_t fresh = data.has_acked ? packet.acknowledgment - data.acked : 1;
  if (!data.has_next || packet.acknowledgment > data.next) [[unlikely]] {
    acknowledge_unseen(data, record.trouble[way], packet);
  }
  if (fresh > 0 && !(packet.acknowledgment > data.next + 1)) [[likely]] {
    data.acked = packet.acknowledgment;
    data.has_acked = true;
    if (data.probing && data.acked >= data.probe_end) {
      data.probing = false;
      data.rtt_min_us = std::min(data.rtt_min_us, microseconds(packet.time) - data.probe_us);
    }
    if (data.recovering) [[unlikely]]
      end_recovery(data, record.trouble[way], packet.time);
  } else if (fresh == 0 && packet.payload_len == 0 && edge == data.edge && data.next > data.acked &&
             (packet.flags & (wire::kFin | wire::kSyn)) == 0) {
    if (++record.trouble[way].duplicate_acks % kDuplicateAcks == 0) {
      begin_recovery(data, record.trouble[way], packet.time);
    }
  }
  if (packet.sack_count != 0) [[unlikely]] {
    ++record.trouble[way].sacks;
    begin_recovery(data, record.trouble[way], packet.time);
  }
  if (fresh >= 0) {
    data.edge = edge;
    data.has_edge = true;
    if ((packet.window == 0) != data.window_closed && (packet.flags & wire::kFin) == 0)
        [[unlikely]] {
      note_window_closed(data, record.trouble[way], packet.time, packet.window == 0);
    }
  }
}

[[gnu::noinline]] void note_rare(LightRecord& record, const wire::LightPacket& packet,
                                 std::size_t way) {
  if (packet.checksum_bad) count(record.bad_checksums);
  if (packet.is_fragment) count(record.fragments);
  if (packet.congestion_experienced) count(record.marked);
  record.authenticated |= packet.authenticated;
  if ((packet.flags & wire::kSyn) != 0) note_syn(record, packet, way);
  if ((packet.flags & wire::kRst) != 0) note_reset(record, way);
  if ((packet.flags & wire::kFin) != 0) record.directions[way].finished = true;
}

}  // namespace

void begin_record(LightRecord& record, const wire::LightPacket& packet) {
  record = LightRecord{};
  record.key_words = packet.key.words;
  if (packet.key.version == 4) std::fill(record.key_words.begin() + 2, record.key_words.end(), 0);
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
  if (gap > kSilence) [[unlikely]]
    note_gap(record, packet, gap);
  record.last = std::max(record.last, packet.time);
  ++record.directions[way].packets;
  constexpr std::uint8_t kRareFlags = wire::kSyn | wire::kFin | wire::kRst;
  const bool rare = ((packet.flags & kRareFlags) != 0) | packet.checksum_bad | packet.is_fragment |
                    packet.congestion_experienced | packet.authenticated;
  if (rare) [[unlikely]]
    note_rare(record, packet, way);
  const bool syn_or_reset = (packet.flags & (wire::kSyn | wire::kRst)) != 0;
  if (packet.payload_len != 0 && !syn_or_reset) add_data(record, packet, way, gap);
  if (!packet.has_timestamps && record.stamps_agreed && !syn_or_reset) [[unlikely]] {
    count(record.unstamped);
  }
  if ((packet.flags & wire::kAck) == 0 || (packet.flags & wire::kRst) != 0) return;
  acknowledge(record, packet, 1 - way);
  if (!record.completed && (packet.flags & wire::kSyn) == 0) [[unlikely]] {
    const bool from_client = !record.client_known || record.client == (way == 1);
    if (from_client || packet.payload_len != 0) note_handshake_end(record, packet);
  }
}

}  // namespace slowpath::flow

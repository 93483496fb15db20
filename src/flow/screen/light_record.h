// SPDX-License-Identifier: Apache-2.0
// What screening keeps of a connection: exact totals, and as much of the course of both directions
// as tells whether the full analysis would find something to judge. Six cache lines, of which a
// packet without anything odd touches the first three.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/sequence.h"
#include "base/time.h"
#include "facts/frame_ref.h"
#include "wire/light_packet.h"

namespace slowpath::flow {

inline constexpr std::uint32_t kNoRecord = 0xffff'ffffu;

/// Data of one end, and what the other end said about it.
struct LightDirection {
  std::uint64_t packets = 0;       // of the sender, with and without data
  std::uint64_t bytes = 0;         // distinct, of payload: seen, or acknowledged
  std::uint64_t resent_bytes = 0;  // of payload that had been sent, or overtaken, before
  std::uint32_t data_packets = 0;
  std::uint32_t resent_packets = 0;
  SeqNum next;   // one past the newest byte sent
  SeqNum acked;  // newest acknowledgment
  SeqNum edge;   // right edge of the window that its receiver advertised
  std::uint32_t largest_payload = 0;
  SeqNum probe_end;            // this being acknowledged gives a round trip
  std::uint32_t probe_us = 0;  // when it was sent; wraps
  std::uint32_t rtt_min_us = 0xffff'ffffu;
  std::uint16_t newest_ip_id = 0;
  std::uint8_t shift = 0;  // of its receiver's window field
  bool has_next : 1 = false;
  bool has_acked : 1 = false;
  bool has_edge : 1 = false;
  bool probing : 1 = false;
  bool recovering : 1 = false;
  bool finished : 1 = false;       // FIN
  bool window_closed : 1 = false;  // its receiver advertised zero
  bool window_scaled : 1 = false;  // its receiver offered a scale

  /// Sent and not acknowledged, as far as this capture shows both.
  [[nodiscard]] bool is_outstanding() const { return has_next && has_acked && next > acked; }
};
static_assert(sizeof(LightDirection) == 64);

/// What happens seldom in a direction.
struct LightTrouble {
  Time recovery_begin{}, closed_begin{};
  SeqNum recovery_end;  // acknowledged: everything sent before the trouble arrived
  float silence_s = 0;  // nothing passed while data was outstanding
  float longest_silence_s = 0;
  float recovery_s = 0;              // from the first hint of a loss until it is repaired
  float closed_s = 0;                // window of zero
  float pause_s = 0;                 // nothing outstanding until this end spoke
  std::uint32_t holes = 0;           // data that came ahead of what belongs before it
  std::uint32_t duplicate_acks = 0;  // of its receiver, about this data
  std::uint32_t sacks = 0;           // its receiver's packets with SACK blocks
  std::uint32_t at_edge = 0;         // data packets that left less than a segment of window
  std::uint16_t mss = 0;             // that this end offered; 0 unknown
  std::uint16_t strays = 0;          // packets far from this stream, in a row
};

struct alignas(64) LightRecord {
  // --- every packet
  std::array<std::uint64_t, 5> key_words;
  Time last{};
  FrameRef first_frame;
  std::uint32_t previous = kNoRecord;  // the earlier connection of this four-tuple
  std::uint16_t turns = 0;             // how often the data changed its direction; saturates
  std::uint8_t version = 0;            // of the key
  bool last_speaker : 1 = false;       // of data, by direction
  bool has_spoken : 1 = false;
  bool has_syn : 1 = false;
  bool has_syn_ack : 1 = false;
  bool completed : 1 = false;  // the handshake, or data passed
  bool client : 1 = false;     // direction of the client, where a SYN told
  bool client_known : 1 = false;
  bool reset : 1 = false;
  // --- and both of these
  std::array<LightDirection, 2> directions;
  // --- seldom
  std::array<LightTrouble, 2> trouble;
  Time first{}, last_syn{};
  SeqNum initial_sequence;  // of the client's SYN
  float handshake_s = 0;    // first SYN to completion
  std::uint16_t syn_count = 0, syn_ack_count = 0;
  std::uint16_t resets = 0, odd_resets = 0;  // odd: before any FIN, or with data outstanding
  std::uint16_t icmp = 0, fragments = 0, bad_checksums = 0, copies = 0;
  std::uint16_t marked = 0;     // CE
  std::uint16_t unstamped = 0;  // without timestamps after they were agreed
  bool stamps_agreed : 1 = false;
  bool authenticated : 1 = false;
  bool options_differ : 1 = false;  // a SYN lacks what the other one, or nearly all, offer
  bool selected : 1 = false;        // of the choice, not of the packets

  [[nodiscard]] wire::EndsKey key() const { return {key_words, version}; }
  [[nodiscard]] bool has_key(const wire::EndsKey& key) const;
  [[nodiscard]] std::uint64_t packets() const {
    return directions[0].packets + directions[1].packets;
  }
  [[nodiscard]] std::uint64_t bytes() const { return directions[0].bytes + directions[1].bytes; }
};

/// Makes `record` new, for `packet`.
void begin_record(LightRecord& record, const wire::LightPacket& packet);
/// A SYN that cannot belong to this connection: its four-tuple is used again. As
/// Connection::is_new_use says it.
bool is_new_use(const LightRecord& record, const wire::LightPacket& packet);
/// The next packet of the connection, in the order of the file.
void add_to(LightRecord& record, const wire::LightPacket& packet);

inline bool LightRecord::has_key(const wire::EndsKey& other) const {
  if (version != other.version ||
      ((key_words[0] ^ other.words[0]) | (key_words[1] ^ other.words[1])) != 0) {
    return false;
  }
  return version == 4 || ((key_words[2] ^ other.words[2]) | (key_words[3] ^ other.words[3]) |
                          (key_words[4] ^ other.words[4])) == 0;
}

}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
// What screening keeps of a connection: exact totals, and as much of the course of both directions
// as tells whether the full analysis would find something to judge. Six cache lines, of which a
// packet without anything odd touches the first two.
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
inline constexpr std::uint8_t kNobody = 2;  // of two directions neither

/// How far the data of one end got, by its sender and by the other end's word.
struct LightDirection {
  enum State : std::uint8_t {
    kHasNext = 1,
    kHasAcked = 2,
    kHasEdge = 4,
    kProbing = 8,
    kRecovering = 16,
    kFinished = 32,       // FIN
    kWindowClosed = 64,   // its receiver advertised zero
    kWindowScaled = 128,  // its receiver offered a scale
  };

  SeqNum next;                     // one past the newest byte sent
  SeqNum acked;                    // newest acknowledgment
  SeqNum edge;                     // right edge of the window that its receiver advertised
  std::uint16_t newest_ip_id = 0;  // of a packet with data
  std::uint8_t shift = 0;          // of its receiver's window field
  std::uint8_t state = 0;

  [[nodiscard]] bool is(State what) const { return (state & what) != 0; }
  void set(State what, bool on = true) {
    state = static_cast<std::uint8_t>(on ? state | what : state & ~what);
  }
  /// Sent and not acknowledged, as far as this capture shows both.
  [[nodiscard]] bool is_outstanding() const {
    return is(kHasNext) && is(kHasAcked) && next > acked;
  }
};
static_assert(sizeof(LightDirection) == 16);

/// What of a direction is only summed up, or measured once a round trip.
struct LightTotals {
  std::uint64_t packets = 0;  // of the sender, with and without data
  std::uint64_t bytes = 0;    // distinct, of payload: seen, or acknowledged
  std::uint32_t data_packets = 0;
  SeqNum probe_end;            // this being acknowledged gives a round trip
  std::uint32_t probe_us = 0;  // when it was sent; wraps
  std::uint32_t rtt_min_us = 0xffff'ffffu;
};
static_assert(sizeof(LightTotals) == 32);

/// What happens seldom in a direction.
struct LightTrouble {
  Time recovery_begin{}, closed_begin{};
  SeqNum recovery_end;  // acknowledged: everything sent before the trouble arrived
  std::uint32_t resent_packets = 0;
  float silence_s = 0;               // nothing passed while data was outstanding
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

struct alignas(128) LightRecord {
  // --- every packet: what decides
  std::array<std::uint64_t, 2> key_words;  // of EndsKey; an IPv6 key has more
  Time last{};
  std::array<LightDirection, 2> directions;
  std::uint16_t turns = 0;              // how often the data changed its direction; saturates
  std::uint8_t version = 0;             // of the key
  std::uint8_t last_speaker = kNobody;  // of data, by direction
  bool completed : 1 = false;           // the handshake, or data passed
  bool stamps_agreed : 1 = false;
  bool has_syn : 1 = false;
  bool has_syn_ack : 1 = false;
  bool client : 1 = false;  // direction of the client, where a SYN told
  bool client_known : 1 = false;
  bool reset : 1 = false;
  // --- every packet: what adds up
  alignas(64) std::array<LightTotals, 2> totals;
  // --- seldom
  std::array<LightTrouble, 2> trouble;
  std::array<std::uint64_t, 3> more_key_words;
  FrameRef first_frame;
  std::uint32_t previous = kNoRecord;  // the earlier connection of this four-tuple
  Time first{};
  SeqNum initial_sequence;  // of the client's SYN
  float handshake_s = 0;    // first SYN to completion
  std::uint16_t syn_count = 0, syn_ack_count = 0;
  std::uint16_t resets = 0, odd_resets = 0;  // odd: before any FIN, or with data outstanding
  std::uint16_t icmp = 0, fragments = 0, bad_checksums = 0, copies = 0;
  std::uint16_t marked = 0;     // CE
  std::uint16_t unstamped = 0;  // without timestamps after they were agreed
  bool authenticated : 1 = false;
  bool options_differ : 1 = false;  // a SYN lacks what the other one, or nearly all, offer
  bool selected : 1 = false;        // of the choice, not of the packets

  [[nodiscard]] wire::EndsKey key() const {
    return {{key_words[0], key_words[1], more_key_words[0], more_key_words[1], more_key_words[2]},
            version};
  }
  [[nodiscard]] bool has_key(const wire::EndsKey& key) const;
  [[nodiscard]] bool has_key4(std::uint64_t low, std::uint64_t high) const {
    return (version == 4) & (((key_words[0] ^ low) | (key_words[1] ^ high)) == 0);
  }
  [[nodiscard]] std::uint64_t packets() const { return totals[0].packets + totals[1].packets; }
  [[nodiscard]] std::uint64_t bytes() const { return totals[0].bytes + totals[1].bytes; }
};

/// Makes `record` new, for `packet`.
void begin_record(LightRecord& record, const wire::LightPacket& packet);
/// A SYN that cannot belong to this connection: its four-tuple is used again. As
/// Connection::is_new_use says it.
bool is_new_use(const LightRecord& record, const wire::LightPacket& packet);
/// The next packet of the connection, in the order of the file. steady_update.h has what is quick
/// where nothing is odd.
void add_to(LightRecord& record, const wire::LightPacket& packet);
/// Nothing passed for `gap` before a packet of direction `way`, with data or without: whose time
/// was that? A part of add_to().
void note_gap(LightRecord& record, std::size_t way, bool has_data, Duration gap);
/// Shorter gaps are round trips and delayed ACKs of healthy hosts (RFC 9293: at most 500 ms, in
/// practice 40).
inline constexpr Duration kSilence = std::chrono::milliseconds(30);
/// What round trips are measured in; wraps.
inline std::uint32_t wrapped_microseconds(Time time) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(to_ns(time)) / 1000);
}

inline bool LightRecord::has_key(const wire::EndsKey& other) const {
  if (version != other.version ||
      ((key_words[0] ^ other.words[0]) | (key_words[1] ^ other.words[1])) != 0) {
    return false;
  }
  return version == 4 ||
         ((more_key_words[0] ^ other.words[2]) | (more_key_words[1] ^ other.words[3]) |
          (more_key_words[2] ^ other.words[4])) == 0;
}

}  // namespace slowpath::flow

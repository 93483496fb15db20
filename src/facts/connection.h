// SPDX-License-Identifier: Apache-2.0
// What is known about one TCP connection: its handshake, its end, and its two directions.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.h"
#include "facts/address.h"
#include "facts/direction.h"
#include "facts/frame_ref.h"
#include "facts/tcp_options.h"

namespace slowpath {

/// One SYN or SYN-ACK.
struct SynFacts {
  FrameRef frame;
  Time time{};
  SeqNum initial_sequence;
  std::uint16_t window = 0;      // raw; never scaled (RFC 7323 section 2.2)
  std::uint8_t ttl = 0;
  std::uint16_t ip_id = 0;
  bool ecn_setup = false;        // ECE and CWR in a SYN, ECE in a SYN-ACK
  std::uint32_t payload_len = 0; // Fast Open
  TcpOptions options;
};

/// One SYN or SYN-ACK that passed two taps and was changed between them.
struct AlteredSyn {
  SynFacts first, second;        // in the order in which they were recorded
  bool from_client = false;
};

struct HandshakeFacts {
  /// No SYN was captured: the connection began before.
  [[nodiscard]] bool is_missing() const { return syn_count == 0 && syn_ack_count == 0; }

  std::uint32_t syn_count = 0, syn_ack_count = 0;   // copies sent; taps removed
  Exemplars syn_frames, syn_ack_frames;
  std::optional<SynFacts> syn, syn_ack;             // the ones that succeeded, else the first
  std::vector<Time> syn_times;                      // the first 16
  bool completed = false;                           // the client's ACK of the SYN-ACK, or data after it
  double duration_s = 0;                            // first SYN to completion, or to the last attempt
  double server_leg_s = 0, client_leg_s = 0;        // SYN to SYN-ACK, SYN-ACK to ACK, at the capture point; of unambiguous copies
  bool legs_known = false;
  bool options_differ_between_syns = false;         // a later SYN dropped or changed options
  bool refused = false;                             // RST answered a SYN
  FrameRef refusal;
};

/// What several SYNs of one handshake show when they are compared. Empty in nearly all connections.
struct SynCopyFacts {
  std::vector<SynFacts> syns, syn_acks;  // the first 16 copies; empty unless there were several
  std::vector<AlteredSyn> altered;       // the first 4
  Exemplars challenge_acks;              // the server answered a SYN with a bare ACK (RFC 5961 section 4)
  Exemplars syn_acks_after_ack;          // sent again although the client's ACK of it had passed here
};

struct ResetFacts {
  FrameRef frame;
  Time time{};
  Direction direction = Direction::to_server;  // travels towards
  std::uint8_t ttl = 0;
  std::uint16_t ip_id = 0;
  std::uint16_t window = 0;
  bool has_ack = false;
  bool has_timestamps = false;
  bool sequence_in_window = false;
  bool answers_syn = false;          // before the handshake was completed
  bool after_fin = false;            // its sender, or the other end, had finished
  bool all_acknowledged = false;     // nothing outstanding in either direction
  std::uint8_t sender_ttl_min = 0, sender_ttl_max = 0;  // of its alleged sender's other packets; 0 = none seen
  bool sender_uses_timestamps = false;
  bool ip_id_copied_from_other_side = false;  // equals the IP ID of the packet it answers
  std::uint32_t sender_packets_after = 0;     // the alleged sender went on as if nothing had happened
  FrameRef sender_packet_after;
  double since_previous_s = 0;       // since the connection's previous packet
};

/// An ICMP error matched to a connection by the header it quotes.
struct IcmpFacts {
  FrameRef frame;
  Time time{};
  IpAddress from;                    // who sent the ICMP
  Direction about = Direction::to_server;  // the direction of the quoted packet
  std::uint8_t version = 4, type = 0, code = 0;
  std::uint32_t next_hop_mtu = 0;
  std::uint32_t quoted_ip_len = 0;
  std::uint32_t largest_sent_ip_len = 0;   // by the quoted sender, in one frame of one segment, up to then
  FrameRef quoted_frame;             // the frame it is about, if captured
  std::uint32_t quoted_frame_ip_len = 0;   // as captured
  bool sequence_in_flight = false;   // quoted sequence between the oldest unacknowledged byte and the newest
  bool sender_shrank = false;        // later data packets of the quoted sender fit next_hop_mtu
  bool smaller_acknowledged = false; // and were acknowledged
  double resend_delay_s = 0;         // until the quoted bytes were sent again; 0 = never
};

/// A silence of both directions of at least kQuietSeconds with nothing outstanding, and what became of the packet that ended it.
struct QuietFacts {
  static constexpr double kQuietSeconds = 2;    // longer than the pauses of a conversation
  static constexpr std::size_t kKept = 32;      // of a connection, the longest
  Time begin{};
  double seconds = 0;
  FrameRef before, after;                  // the frames around it
  Direction speaker = Direction::to_server;  // `after` travels so
  bool keep_alive = false;                 // it is one; else it carries data or a FIN. A bare ACK ends no silence
  bool after_fin = false;                  // an end had said before that it is finished
  bool answered = false;                   // by any packet of the other end but a RST
  std::uint32_t sends = 0;                 // packets of the speaker until then
  double unanswered_s = 0;                 // from `after` to the answer, or to the connection's last packet
  FrameRef reset;                          // the RST that came instead
  std::uint8_t reset_ttl = 0;
};

/// What the segments that one end sent say about options and marks, whatever data they carry.
struct MarkFacts {
  std::array<std::uint64_t, 4> ecn{};      // data packets by ECN field: not-ECT, ECT(1), ECT(0), CE (RFC 3168 section 5)
  std::uint64_t ece = 0;                   // packets with ECE after the handshake: this end saw CE
  std::uint64_t authenticated = 0, plain = 0;  // with option 19 or 29, and without; RSTs not counted
  // All of these only while both SYNs carried timestamps (RFC 7323 section 3.2); RSTs and keep-alives not counted.
  std::uint64_t stamped = 0;               // packets with timestamps after the handshake
  Exemplars unstamped;                     // and without
  Exemplars foreign_echo;                  // echoes that the other end never sent: TSecr outside what it did send
  Exemplars stamp_back;                    // new data whose TSval is before an earlier one's
  std::uint32_t newest_stamp = 0;
};

/// Questions and answers that take turns: after each block of one end's data the other end spoke.
struct ExchangeFacts {
  std::uint64_t count = 0;             // of the client's blocks that followed an answer
  std::uint64_t prompt = 0;            // of these, exchanges in which nobody took time to think: only the path did
  double waited_s = 0;                 // in those, a round trip each at most
  double round_trip_s = 0;             // the one it was held against; 0 = unknown, and nothing counted
  Exemplars requests;                  // the first frames of the client's blocks that followed an answer
};

/// The segments of this connection travel inside others.
struct TunnelFacts {
  std::uint8_t depth = 0;                  // encapsulations removed; 0 = none
  std::uint32_t overhead_bytes = 0;        // around the inner IP packet, without Ethernet header and VLAN tags
};

/// What a connection shows beside its data. Nothing of it is known of one that never got past its SYN.
struct BesideFacts {
  std::vector<QuietFacts> quiets;      // in time order
  std::array<MarkFacts, 2> marks{};    // of packets to_server, to_client
  std::optional<Direction> first_fin;  // whose FIN came first: its sender holds TIME_WAIT
  TunnelFacts tunnel;
  ExchangeFacts exchanges;             // counted in the order in which packets passed the tap
};

enum class CloseKind : std::uint8_t { open, finished, reset, half_closed };

/// A connection as a whole.
struct ConnectionBasics {
  std::uint32_t id = 0;              // Wireshark's tcp.stream where one file holds it: order of first appearance
  Endpoint client, server;           // by SYN, else by port and who spoke first
  bool client_known = false;         // a SYN or SYN-ACK says who is the client, or ports do: an ephemeral one and a service's
  Time first{}, last{};
  FrameRef first_frame, last_frame;
  HandshakeFacts handshake;
  CloseKind close = CloseKind::open;
  std::vector<ResetFacts> resets;    // bounded: the first 8
  std::uint32_t reset_count = 0;
  std::vector<IcmpFacts> icmp;       // bounded: the first 32
  std::uint32_t icmp_count = 0;
  std::optional<std::uint32_t> reuses;   // id of an earlier connection with the same four-tuple
  double since_reused_s = 0;         // from that one's last packet to this SYN
  std::uint64_t tap_copies = 0;      // further copies of packets seen at several taps, left out
  std::uint64_t reordered_by_capture = 0;  // records put back into causal order
  std::uint64_t clock_jumps = 0;     // the capture's clock was set forward; taken out again
  double clock_lag_s = 0;            // of one direction's clock behind the other's, as timestamps tell; taken out again
  double clock_skew_s = 0;           // between the clocks that recorded the two directions, and not taken out; 0: none shows
  double clock_tick_s = 0;           // of a capture's clock that ticks so seldom that it shapes round trips; 0: it does not
  bool light = false;                // too little happened to keep more than totals
  bool forgotten = false;            // finished early to keep within the memory budget
  bool timestamps_in_use = false, sack_in_use = false;
  std::uint32_t middlebox_option_drops = 0;  // segments without timestamps after they were agreed
  std::array<std::uint8_t, 2> ttl_min{}, ttl_max{};   // of packets to_server, to_client
};

/// A connection and its two directions.
struct ConnectionFacts : ConnectionBasics {
  SynCopyFacts syn_copies;
  BesideFacts beside;
  std::array<DirectionFacts, 2> directions;           // by Direction

  DirectionFacts& operator[](Direction d) { return directions[static_cast<std::size_t>(d)]; }
  const DirectionFacts& operator[](Direction d) const { return directions[static_cast<std::size_t>(d)]; }
};

}  // namespace slowpath

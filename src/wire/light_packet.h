// SPDX-License-Identifier: Apache-2.0
// The few facts of a frame that screening needs, read without the layers in between where the frame
// has one of the usual shapes: Ethernet (one VLAN tag at most), raw IP or Linux cooked; IPv4
// without options or IPv6 without extension headers; TCP. Everything else, and every SYN, goes
// through decode(), so that both always say the same (light_packet_test, light_fuzz).
#pragma once

#include <cstdint>

#include "base/sequence.h"
#include "base/time.h"
#include "facts/frame_ref.h"
#include "wire/ends_key.h"
#include "wire/packet.h"

namespace slowpath::wire {

/// What a SYN offers; of other packets nothing.
struct LightSyn {
  std::uint16_t mss = 0;
  std::uint8_t window_scale = 0;
  bool has_window_scale : 1 = false;
  bool sack_permitted : 1 = false;
  bool has_timestamps : 1 = false;
  bool cut : 1 = false;  // as TcpOptions::cut
};

/// What belongs to another kind than `kind` means nothing. Written anew by each decode.
struct LightPacket {
  EndsKey key;         // kinds tcp, and icmp that quotes a TCP packet: of the quoted one
  std::uint64_t hash;  // of `key`, or 0 where there is none
  Time time;           // these two are the caller's to set, after decode_light()
  FrameRef frame;
  SeqNum sequence, acknowledgment;
  std::uint32_t payload_len;
  std::uint32_t captured_len;  // of the frame
  std::uint32_t frame_len;     // on the wire, as the frame says
  std::uint32_t ts_value;
  std::uint16_t window;
  std::uint16_t ip_id;
  LightSyn syn;
  PacketKind kind;
  std::uint8_t flags;  // wire::TcpFlag
  std::uint8_t sack_count;
  bool from_lower;  // the sender is the key's first end
  bool has_timestamps;
  bool options_cut;             // as TcpOptions::cut
  bool authenticated;           // MD5 signature or Authentication Option
  bool is_fragment;             // of any kind: the first one has its kind
  bool congestion_experienced;  // CE
  bool ip_header_bad;
  bool len_beyond_frame;
  bool ip_len_zero;
  bool looks_like_quic;
  bool checksum_bad;
};

/// Reads `frame`. `scratch` is for what is not of the usual shape. With `verify` the checksum of a
/// segment that is here in full is checked.
void decode_light(const Frame& frame, bool verify, LightPacket& light, Packet& scratch);
/// The twin without shortcuts.
void decode_light_plain(const Frame& frame, bool verify, LightPacket& light, Packet& scratch);

/// Only the key's hash of a frame of the usual shape, without its options; 0 when the frame needs a
/// closer look. What a walk needs that leaves out nearly everything, where the frame is not one
/// that CommonSegment reads.
std::uint64_t hash_of_usual_frame(const Frame& frame, EndsKey& key);

}  // namespace slowpath::wire

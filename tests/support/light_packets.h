// SPDX-License-Identifier: Apache-2.0
// Compares what the quick decoder and its twin made of a frame, field by field.
#pragma once

#include <string>

#include "wire/light_packet.h"

namespace slowpath::test {

/// The first field that differs, or empty. What belongs to another kind is not compared.
inline std::string difference(const wire::LightPacket& a, const wire::LightPacket& b) {
  using wire::PacketKind;
  if (a.kind != b.kind) return "kind";
  if (a.captured_len != b.captured_len || a.frame_len != b.frame_len) return "lengths";
  if (a.is_fragment != b.is_fragment) return "is_fragment";
  if (a.looks_like_quic != b.looks_like_quic) return "looks_like_quic";
  if (a.kind == PacketKind::tcp || a.kind == PacketKind::icmp) {
    if (a.hash != b.hash) return "hash";
    if (a.hash != 0 && (!(a.key == b.key) || a.from_lower != b.from_lower)) return "key";
  }
  if (a.kind != PacketKind::tcp) return {};
  if (a.sequence != b.sequence || a.acknowledgment != b.acknowledgment) return "sequence";
  if (a.payload_len != b.payload_len) return "payload_len";
  if (a.window != b.window || a.flags != b.flags || a.ip_id != b.ip_id) return "header";
  if (a.has_timestamps != b.has_timestamps) return "has_timestamps";
  if (a.has_timestamps && a.ts_value != b.ts_value) return "ts_value";
  if (a.sack_count != b.sack_count || a.authenticated != b.authenticated) return "options";
  if (a.syn.mss != b.syn.mss || a.syn.window_scale != b.syn.window_scale ||
      a.syn.has_window_scale != b.syn.has_window_scale ||
      a.syn.sack_permitted != b.syn.sack_permitted ||
      a.syn.has_timestamps != b.syn.has_timestamps) {
    return "syn";
  }
  if (a.congestion_experienced != b.congestion_experienced) return "congestion_experienced";
  if (a.ip_header_bad != b.ip_header_bad) return "ip_header_bad";
  if (a.len_beyond_frame != b.len_beyond_frame || a.ip_len_zero != b.ip_len_zero) return "ip_len";
  return a.checksum_bad != b.checksum_bad ? "checksum_bad" : "";
}

}  // namespace slowpath::test

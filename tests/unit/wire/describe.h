// SPDX-License-Identifier: Apache-2.0
// Every field of a Packet as text, so that two can be compared and a difference read.
#pragma once

#include <string>

#include <fmt/format.h>

#include "wire/packet.h"

namespace slowpath::test {

inline std::string describe(const TcpOptions& o) {
  std::string text = fmt::format(
      "mss {}:{} wscale {}:{} sackok {} ts {}:{},{} md5 {} ao {} tfo {} mptcp {} malformed {} sack "
      "{}",
      bool{o.has_mss}, o.mss, bool{o.has_window_scale}, o.window_scale, bool{o.sack_permitted},
      bool{o.has_timestamps}, o.ts_value, o.ts_echo, bool{o.has_md5}, bool{o.has_ao},
      bool{o.has_fast_open}, bool{o.has_mptcp}, bool{o.malformed}, o.sack_count);
  for (const auto& block : o.sack) {
    text += fmt::format(" {}-{}", block.begin.value, block.end.value);
  }
  return text;
}

inline std::string describe(const wire::IcmpQuote& q) {
  return fmt::format("quote {} tcp {} ports {} seq {}:{} {} > {} len {} id {} df {}", q.present,
                     q.is_tcp, q.has_ports, q.has_sequence, q.sequence.value, to_string(q.source),
                     to_string(q.destination), q.ip_total_len, q.ip_id, q.dont_fragment);
}

inline std::string describe(const wire::Packet& p) {
  std::string text =
      fmt::format("kind {} frame {} tunnels {} tags {}:{} link {:x} direction {}\n",
                  static_cast<int>(p.kind), p.frame_len, p.tunnel_depth, p.vlan_count, p.vlan_id,
                  p.link_hash, static_cast<int>(p.direction));
  text += fmt::format(
      "{} > {} ttl {} protocol {} ecn {} df {} mf {} fragment {} zero {} beyond {} header {} id {} "
      "total {} offset {} bad {}\n",
      to_string(p.source), to_string(p.destination), p.ttl, p.protocol, p.ecn, p.dont_fragment,
      p.more_fragments, p.is_fragment, p.ip_len_zero, p.ip_len_beyond_frame, p.ip_header_len,
      p.ip_id, p.ip_total_len, p.fragment_offset, p.ip_header_checksum_bad);
  text += fmt::format("ports {} {} flags {} window {} header {} checksum {:x} seq {} ack {}\n",
                      p.source_port, p.destination_port, p.tcp_flags, p.tcp_window,
                      p.tcp_header_len, p.checksum, p.sequence.value, p.acknowledgment.value);
  text += describe(p.options) + "\n";
  text += fmt::format("icmp {} {} mtu {} quic {}\n", p.icmp_type, p.icmp_code, p.icmp_mtu,
                      p.looks_like_quic);
  text += describe(p.quote) + "\n";
  text += fmt::format("transport {}+{} payload {}+{} of {}\n",
                      static_cast<const void*>(p.transport.data()), p.transport.size(),
                      static_cast<const void*>(p.payload.data()), p.payload.size(), p.payload_len);
  return text;
}

}  // namespace slowpath::test

// SPDX-License-Identifier: Apache-2.0
// What a first pass counts of an input, apart from its connections: sums that can be made in parts
// and put together in any order.
#pragma once

#include <algorithm>
#include <cstdint>

#include "facts/capture.h"
#include "flow/interface_times.h"
#include "wire/light_packet.h"

namespace slowpath::flow {

/// Sums over some packets of one input.
struct CaptureCounts {
  std::uint64_t packets = 0, bytes = 0;
  std::array<std::uint64_t, 8> kinds{};  // by wire::PacketKind
  std::uint64_t quic = 0, fragments = 0, snapped = 0;
  std::uint64_t ip_headers_bad = 0, beyond_frame = 0, zero_len = 0;
  std::uint32_t snap_len = 0;
  Exemplars zero_len_frames;

  void add(const wire::LightPacket& packet) {
    ++packets;
    bytes += packet.frame_len;
    ++kinds[static_cast<std::size_t>(packet.kind)];
    if (packet.captured_len < packet.frame_len) {
      ++snapped;
      snap_len = std::max(snap_len, packet.captured_len);
    }
    if (packet.kind == wire::PacketKind::tcp) [[likely]] {
      ip_headers_bad += packet.ip_header_bad;
      beyond_frame += packet.len_beyond_frame;
      if (packet.ip_len_zero) [[unlikely]] {
        ++zero_len;
        note(zero_len_frames, packet.frame);
      }
    }
    if (packet.is_fragment) [[unlikely]] {
      fragments += packet.kind != wire::PacketKind::fragment;
    }
    quic += packet.kind == wire::PacketKind::udp && packet.looks_like_quic;
  }
  /// The same for common segments whose IP header is right, in two parts: what differs from one to
  /// the next, and how many there were.
  void add_common(const wire::Frame& frame) {
    const auto captured = static_cast<std::uint32_t>(frame.bytes.size());
    const bool cut = captured < frame.original_len;
    bytes += frame.original_len;
    snapped += cut;
    snap_len = std::max(snap_len, cut ? captured : 0);
  }
  void add_common_count(std::uint64_t n) {
    packets += n;
    kinds[static_cast<std::size_t>(wire::PacketKind::tcp)] += n;
  }
  [[nodiscard]] std::uint64_t count(wire::PacketKind kind) const {
    return kinds[static_cast<std::size_t>(kind)];
  }
  /// Adds what another part counted of the same input.
  void merge(const CaptureCounts& other);
};

/// What only the order of the file tells, and the sums.
struct CaptureCourse {
  CaptureCounts counts;
  std::uint64_t frames_without_time = 0, steps_back = 0;
  double largest_step_back_s = 0;
  Time first{}, last{};
  // Of the interface of the newest frame, as one is the rule; what came on the others.
  Time newest{};
  std::uint32_t interface = 0;
  bool any = false;
  InterfaceTimes others;
  Exemplars back_frames;
};

}  // namespace slowpath::flow

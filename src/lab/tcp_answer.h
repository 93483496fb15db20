// SPDX-License-Identifier: Apache-2.0
// Segments that a box forges in the name of an end.
#pragma once

#include <cstdint>

#include "lab/frame.h"
#include "lab/packet_view.h"

namespace slowpath::lab {

/// In whose name a segment is forged, seen from the packet that caused it.
enum class ForgedFrom : std::uint8_t { its_sender, its_receiver };

/// What a bare TCP segment (no options, no payload) says.
struct ForgedSegment {
  ForgedFrom from = ForgedFrom::its_receiver;
  std::uint32_t sequence = 0, acknowledgment = 0;
  std::uint8_t flags = 0;  // wire::TcpFlag
  std::uint16_t window = 0;
  std::uint8_t ttl = 64;
  std::uint16_t ip_id = 0;  // IPv4 only
};

/// The segment between the addresses and ports of `cause`, a TCP packet, with good checksums.
FramePtr make_segment(FramePool& pool, const Frame& cause, const PacketView& packet,
                      const ForgedSegment& segment);

/// A reset that the sender of `packet` believes: in the name of its receiver, numbered as it
/// expects (RFC 5961 section 3.2), as RFC 9293 section 3.10.7.1 has a closed port answer.
ForgedSegment reset_for_sender(const PacketView& packet);
/// A reset that the receiver believes if it comes right behind `packet`: in its sender's name.
ForgedSegment reset_for_receiver(const PacketView& packet);

/// Sequence space that a packet takes: payload, SYN and FIN.
std::uint32_t sequence_len(const PacketView& packet);

}  // namespace slowpath::lab

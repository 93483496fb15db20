// SPDX-License-Identifier: Apache-2.0
// Where the headers of a lab frame are, and changes to them that keep checksums right.
#pragma once

#include <cstdint>
#include <span>

#include "lab/frame.h"

namespace slowpath::lab {

/// Offsets into a frame, found once. Frames of the lab are Ethernet with IPv4 or IPv6 without
/// extension headers (fragment header apart); anything else has ip_version 0 or is_tcp false and is
/// passed on untouched by stages.
struct PacketView {
  std::uint8_t ip_version = 0;
  std::uint8_t protocol = 0;
  bool is_fragment = false;           // any fragment, the first included
  std::uint16_t fragment_offset = 0;  // bytes
  bool more_fragments = false;
  bool dont_fragment = false;   // IPv6: true
  bool is_tcp = false;          // with a whole TCP header: no later fragment
  std::uint16_t ip_offset = 0;  // of the IP header within the frame
  std::uint16_t l4_offset = 0;
  std::uint16_t payload_offset = 0;  // of the transport payload
  std::uint32_t payload_len = 0;
  std::uint32_t ip_len = 0;    // IP header and all that follows, as the bytes are (not the field)
  std::uint8_t tcp_flags = 0;  // wire::TcpFlag
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint32_t sequence = 0, acknowledgment = 0;
  std::uint16_t window = 0;
  std::uint16_t ip_id = 0;
};

/// Bounds checked: offsets are inside the frame whatever its bytes are.
PacketView view(const Frame& frame);

/// Stores a 16- or 32-bit field at `offset` and corrects the transport checksum that covers it,
/// whether that checksum is complete or partial (a partial one covers no field but the
/// pseudo-header: it is left).
void set_l4_field16(Frame& frame, const PacketView& packet, std::uint16_t offset,
                    std::uint16_t value);
void set_l4_field32(Frame& frame, const PacketView& packet, std::uint16_t offset,
                    std::uint32_t value);
/// The same for an address (IPv4: 4 bytes) in the IP header: header checksum and pseudo-header sum
/// follow.
void set_ip4_address(Frame& frame, const PacketView& packet, bool source, std::uint32_t address);
/// Recomputes the IPv4 header checksum; nothing for IPv6.
void finish_ip_header(Frame& frame, const PacketView& packet);
/// Computes the whole transport checksum of an unfragmented TCP, UDP or ICMP packet and stores it;
/// clears kNeedsChecksum.
void finish_l4_checksum(Frame& frame, const PacketView& packet);
/// Completes what kNeedsChecksum left to the NIC, and clears it.
void complete_checksum(Frame& frame);
/// Finds a TCP option by kind: its offset within the frame (at the kind byte), or 0.
std::uint16_t find_tcp_option(const Frame& frame, const PacketView& packet, std::uint8_t kind);
/// Overwrites an option with NOPs and corrects the checksum: lengths stay. True if it was there.
bool blank_tcp_option(Frame& frame, const PacketView& packet, std::uint8_t kind);

}  // namespace slowpath::lab

// SPDX-License-Identifier: Apache-2.0
// Cutting a super-segment into segments as a NIC does (TSO), and merging segments as a receiver
// does (GRO, LRO). Bytes in, bytes out; nothing is allocated. Oracles in the tests: the kernel's
// stack and tshark.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace slowpath::wire {

/// Where the headers of an Ethernet frame that carries TCP over IPv4 or IPv6 are, and how it is to
/// be cut.
struct SuperSegment {
  std::uint16_t ip_offset = 0;
  std::uint16_t tcp_offset = 0;
  std::uint16_t payload_offset = 0;
  std::uint32_t payload_len = 0;
  std::uint16_t segment_payload = 0;  // gso_size
  bool is_ipv6 = false;
};

/// What the checksum of a cut segment is made of.
enum class SegmentChecksum : std::uint8_t {
  complete,    // right
  partial,     // the pseudo-header alone: left for a NIC that is to finish it
  wrong_seed,  // summed with the super-segment's length in the pseudo-header: the classic LSO fault
};

/// How many segments a super-segment makes; at least 1.
std::uint32_t segment_count(const SuperSegment& super);

/// Writes segment `index` (0-based) of `frame` to `out` and returns its length: Ethernet, IP and
/// TCP headers with lengths, IPv4 identification (+index), sequence number, flags (FIN and PSH on
/// the last only, CWR on the first only: RFC 3168 section 6.1.2 with TSO) and checksums set. `out`
/// holds at least payload_offset + segment_payload bytes. `payload` overrides where the bytes are
/// taken from: the index of the segment to copy (a stale buffer); UINT32_MAX: its own.
std::uint32_t cut_segment(Bytes frame, const SuperSegment& super, std::uint32_t index,
                          SegmentChecksum checksum, std::span<std::byte> out,
                          std::uint32_t payload_of = UINT32_MAX);

/// True if `next` may be merged behind `held` (the super-segment so far, `held_segment_payload`
/// bytes in each of its segments): same flow, next in sequence, same acknowledgment, options of the
/// same bytes, no flags but ACK and PSH, TTL and ToS equal, no larger than a segment, held not yet
/// ended by PSH or a short one, and together at most 65535 bytes of IP.
bool can_merge(Bytes held, const SuperSegment& held_layout, Bytes next,
               const SuperSegment& next_layout);

/// Appends next's payload to `held` (len bytes used of its span), fixes IP length and header
/// checksum, ORs PSH, and leaves the TCP checksum partial (pseudo-header), as a receiver's NIC
/// hands it up. Returns the new length; the caller made room.
std::uint32_t merge_segment(std::span<std::byte> held, std::uint32_t len, SuperSegment& held_layout,
                            Bytes next, const SuperSegment& next_layout);

}  // namespace slowpath::wire

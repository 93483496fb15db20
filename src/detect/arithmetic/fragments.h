// SPDX-License-Identifier: Apache-2.0
// How a packet that exceeds an MTU is cut into fragments (RFC 791 section 3.2, RFC 8200
// section 4.5).
#pragma once

#include <cstdint>
#include <vector>

#include "detect/arithmetic/packet_size.h"

namespace slowpath::arithmetic {

/// One fragment as it travels.
struct Fragment {
  std::uint32_t offset_bytes;   // of its payload in the packet's payload; a multiple of 8
  std::uint32_t payload_bytes;  // IP payload, a multiple of 8 but for the last
  std::uint32_t packet_bytes;   // with its own IP header (and fragment header in IPv6)
};

/// The largest IP packet, header included: the length field has 16 bits and counts the header in
/// IPv4 (65 535) and not in IPv6 (65 575; jumbograms apart).
std::uint32_t max_packet_bytes(IpVersion version);

/// The fragments of an IP packet of this total size (headers included) for a link of this MTU.
/// Every fragment has a header of its own: 2000 bytes at 1500 make 1500 + 520, not 1500 + 500. One
/// entry when the packet fits. The packet has one plain header and is no longer than
/// max_packet_bytes(); the MTU is at least min_mtu().
std::vector<Fragment> fragments_of(std::uint32_t packet_bytes, std::uint32_t mtu,
                                   IpVersion version);

}  // namespace slowpath::arithmetic

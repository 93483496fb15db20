// SPDX-License-Identifier: Apache-2.0
// Cuts an IPv4 packet as a router does (RFC 791 section 3.2).
#pragma once

#include <cstdint>
#include <vector>

#include "lab/frame.h"
#include "lab/packet_view.h"

namespace slowpath::lab {

/// Fragments of at most `mtu` bytes of IP, in order, each with the whole IP header. A fragment is
/// cut further. Empty if it is not IPv4 or `mtu` has no room for 8 bytes behind the header.
std::vector<FramePtr> cut_ip4_fragments(FramePool& pool, const Frame& frame,
                                        const PacketView& packet, std::uint32_t mtu);

}  // namespace slowpath::lab

// SPDX-License-Identifier: Apache-2.0
// The report of a router that a packet is too big for its next link.
#pragma once

#include <cstdint>

#include "facts/address.h"
#include "lab/frame.h"
#include "lab/packet_view.h"

namespace slowpath::lab {

/// ICMPv4 type 3 code 4 (RFC 1191) or ICMPv6 type 2 (RFC 8201) about `rejected`, addressed to its
/// sender, quoting as Linux does: IPv4 up to 576 bytes of IP packet (RFC 1812 section 4.3.2.3),
/// IPv6 up to 1280 (RFC 4443 section 2.4). `ip_id` identifies the IPv4 packet. Null where no error
/// may be sent: about ICMP errors and later fragments (RFC 1122 section 3.2.2).
FramePtr make_too_big(FramePool& pool, const Frame& rejected, const PacketView& packet,
                      const IpAddress& router, std::uint32_t mtu, std::uint16_t ip_id);

/// A router's address where the scenario names none: host 254 in the destination's /24, or ::fe in
/// its /120; 253 or ::fd if the destination itself has that.
IpAddress default_router(const IpAddress& destination);

/// True for ICMP messages that report an error rather than ask or answer.
bool is_icmp_error(const Frame& frame, const PacketView& packet);

}  // namespace slowpath::lab

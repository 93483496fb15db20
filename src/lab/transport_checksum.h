// SPDX-License-Identifier: Apache-2.0
// Transport checksums as a receiving NIC sees them: judged, or left to the host as if not needed.
#pragma once

#include "lab/packet_view.h"

namespace slowpath::lab {

/// An unfragmented TCP or UDP packet that has a checksum (UDP over IPv4 may store none).
bool has_transport_checksum(const Frame& frame, const PacketView& packet);
/// The complete checksum of a packet that has one adds up.
bool is_transport_checksum_good(const Frame& frame, const PacketView& packet);
/// Stores the folded pseudo-header and sets kNeedsChecksum with its offsets: the host that gets
/// such a frame takes its bytes on trust.
void make_checksum_partial(Frame& frame, const PacketView& packet);

}  // namespace slowpath::lab

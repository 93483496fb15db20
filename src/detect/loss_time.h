// SPDX-License-Identifier: Apache-2.0
// Time that losses cost a transfer, and the largest packet that one segment makes: what the
// segmentation, MTU and integrity families have in common.
#pragma once

#include <algorithm>
#include <cstdint>

#include "detect/support.h"

namespace slowpath::detect {

/// Seconds of timeouts and recovery.
inline double loss_s(const DirectionFacts& data) {
  return data.time[TimeOwner::timeout] + data.time[TimeOwner::loss_recovery];
}

/// The part of loss_s() that belongs to `some` of the losses.
inline double loss_s_of(const DirectionFacts& data, std::uint64_t some) {
  const std::uint64_t all = std::max(data.lost_packets, some);
  return all == 0 ? 0 : loss_s(data) * static_cast<double>(some) / static_cast<double>(all);
}

/// Losses that come again and again keep the congestion window small: the waiting for ACKs, as far
/// as the receiver's window would have allowed more (window over round-trip time, RFC 7323
/// section 1.1).
inline double kept_small_s(const DirectionFacts& data) {
  const double rtt_s = data.rtt.total.median_s;
  if (rtt_s <= 0 || data.window.max_bytes == 0) return 0;
  const double ceiling_bps = static_cast<double>(data.window.max_bytes) * 8 / rtt_s;
  return data.time[TimeOwner::congestion_window] *
         std::max(0.0, 1 - data.goodput_bps / ceiling_bps);
}

/// Bytes of IP and TCP headers of a data packet without IP options: 20 or 40, 20, and 12 of
/// timestamps (RFC 7323 section 3.2, padded) where they are in use.
inline std::uint32_t header_bytes(const ConnectionFacts& connection) {
  const std::uint32_t ip = connection.client.address.version == 6 ? 40 : 20;
  return ip + 20 + (connection.timestamps_in_use ? 12 : 0);
}

/// IP length of a packet with one full segment; 0 = segment size unknown.
inline std::uint32_t full_ip_len(const Transfer& transfer) {
  const std::uint32_t segment = transfer.data().segment_size;
  return segment == 0 ? 0 : segment + header_bytes(transfer.connection);
}

}  // namespace slowpath::detect

// SPDX-License-Identifier: Apache-2.0
// What small segments cost: more headers for the same bytes, on a link that was full.
#pragma once

#include <algorithm>

#include "detect/arithmetic/packet_size.h"
#include "detect/loss_time.h"

namespace slowpath::detect {

/// Payload that a full segment of Ethernet's 1500 bytes carries on this connection.
inline std::uint32_t usual_segment(const ConnectionFacts& connection) {
  return 1500 - header_bytes(connection);
}

/// Share of a link's bits that is payload, with segments of this size.
inline double efficiency_of(const ConnectionFacts& connection, std::uint32_t payload) {
  const double whole = payload + header_bytes(connection) + arithmetic::kEthernetOverheadBytes;
  return whole > 0 ? payload / whole : 0;
}

/// Seconds of the transfer that go into the additional headers, at most: only a full link loses
/// them.
inline double header_toll_s(const Transfer& transfer, std::uint32_t used, std::uint32_t possible) {
  const double best = efficiency_of(transfer.connection, possible);
  if (used == 0 || used >= possible || best <= 0) return 0;
  return transfer.data().transfer_s * (1 - efficiency_of(transfer.connection, used) / best);
}

}  // namespace slowpath::detect

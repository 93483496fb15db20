// SPDX-License-Identifier: Apache-2.0
// What dnat and snat share: addresses as scenarios write them, and the rewriting of one end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "facts/address.h"
#include "lab/frame.h"
#include "lab/packet_view.h"
#include "lab/settings.h"

namespace slowpath::lab {

/// An end to match or to put in: "10.0.0.9:8080", "[fd00::9]:80", ":8080" (any address), "10.0.0.9"
/// (any port).
struct NatEnd {
  IpAddress address;       // version 0: any, or left as it is
  std::uint16_t port = 0;  // 0: any, or left as it is

  [[nodiscard]] bool matches(const Endpoint& endpoint) const;
  /// `endpoint` with what this end says put in.
  [[nodiscard]] Endpoint apply(Endpoint endpoint) const;
};
/// Errors: usage, naming the key.
Result<NatEnd> read_nat_end(Settings& settings, const std::string& key);

/// Puts an endpoint in as source or destination; checksums follow.
void rewrite_end(Frame& frame, const PacketView& packet, bool source, const Endpoint& endpoint);

/// An address that only the box has is asked for by ARP, and somebody must answer: the question
/// goes on to the host behind the box as one for its own address, and its answer back as one for
/// the box's. True if `frame` is such a question (for `from`) or answer (of `from`), rewritten to
/// `to`. IPv4 only: over IPv6 a neighbour must be set.
bool rewrite_arp_question(Frame& frame, const IpAddress& from, const IpAddress& to);
bool rewrite_arp_answer(Frame& frame, const IpAddress& from, const IpAddress& to);

}  // namespace slowpath::lab

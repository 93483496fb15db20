// SPDX-License-Identifier: Apache-2.0
// Which ICMP errors say that a packet was too long for a link, in both versions of IP.
#pragma once

#include "facts/connection.h"

namespace slowpath {

/// ICMPv6 "packet too big" (RFC 4443 section 3.2), ICMP "fragmentation needed" (RFC 792, RFC 1191).
inline bool is_packet_too_big(const IcmpFacts& icmp) {
  return icmp.version == 6 ? icmp.type == 2 : icmp.type == 3 && icmp.code == 4;
}

/// A report that its receiver may act on: about bytes that were in flight (RFC 5927 section 4.1), or heeded all the
/// same by a stack that does not ask.
inline bool may_be_believed(const IcmpFacts& icmp) {
  return icmp.sequence_in_flight || icmp.sender_shrank;
}

}  // namespace slowpath

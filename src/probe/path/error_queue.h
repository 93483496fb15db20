// SPDX-License-Identifier: Apache-2.0
// The error queue of a datagram socket (ip(7), IP_RECVERR): what routers and hosts say by ICMP
// about packets that this socket sent. Linux gives it to anybody; no privilege is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "facts/address.h"

namespace slowpath::probe {

/// What an ICMP message says, whichever IP version it came by.
enum class IcmpSays : std::uint8_t {
  too_big,             // ICMP 3/4, ICMPv6 2/0
  expired,             // ICMP 11/0, ICMPv6 3/0: the time to live ended at this hop
  port_unreachable,    // ICMP 3/3, ICMPv6 1/4: the host has it, no program wants it
  reassembly_timeout,  // ICMP 11/1, ICMPv6 3/1
  prohibited,          // ICMP 3/9, 3/10, 3/13, ICMPv6 1/1, 1/5, 1/6
  unreachable,         // any other destination unreachable
  other,
};

struct SocketError {
  bool local = false;  // this host's own kernel refused, nobody else spoke
  IcmpSays says = IcmpSays::other;
  std::uint8_t type = 0, code = 0;
  std::uint32_t mtu = 0;  // of too_big, and of a local refusal for size
  int error = 0;          // errno
  IpAddress from;         // who said it; version 0 where local
  std::vector<std::byte>
      quote;  // what it is about, from the transport's payload on (ICMP: from its header)
};

/// Turns the error queue on, for the IP version of the socket. False where the kernel refuses.
bool enable_error_queue(int fd, int ip_version);

/// The next error, or nothing. Never waits.
std::optional<SocketError> next_error(int fd);

}  // namespace slowpath::probe

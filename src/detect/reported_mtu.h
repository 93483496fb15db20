// SPDX-License-Identifier: Apache-2.0
// What an ICMP report of an MTU can mean.
#pragma once

#include <cstdint>

#include "detect/arithmetic/packet_size.h"
#include "facts/connection.h"

namespace slowpath::detect {

/// Every link carries as much, so no router can mean less.
inline std::uint32_t least_mtu(const IcmpFacts& icmp) {
  return arithmetic::min_mtu(icmp.version == 6 ? arithmetic::IpVersion::v6
                                               : arithmetic::IpVersion::v4);
}

}  // namespace slowpath::detect

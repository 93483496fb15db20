// SPDX-License-Identifier: Apache-2.0
// Routes of both families with their metrics, and the path MTUs that ICMP taught (RTM_GETROUTE;
// route exceptions come with RTM_F_CLONED, since Linux 5.3).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "facts/machine.h"
#include "machine/live/links.h"
#include "machine/netlink.h"

namespace slowpath::machine {

/// The routes of one RTM_NEWROUTE payload: one for each next hop. None for local, broadcast,
/// multicast and anycast entries, which the addresses of the interfaces imply.
std::vector<RouteFacts> parse_route(Bytes payload, const InterfaceNames& names);

/// Fills machine.routes; machine.interfaces give the names.
void read_routes(netlink::Socket& route_socket, MachineFacts& machine);

/// The number of the interface that packets to `destination` leave by; none where there is no
/// route.
std::optional<std::uint32_t> find_route_interface(netlink::Socket& route_socket,
                                                  const IpAddress& destination);

}  // namespace slowpath::machine

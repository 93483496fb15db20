// SPDX-License-Identifier: Apache-2.0
// Network interfaces and their addresses, from rtnetlink (RTM_GETLINK, RTM_GETADDR): kind, state,
// MTU, what they are stacked on, counters. What the driver tells is left to ethtool_*.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "facts/machine.h"
#include "machine/netlink.h"

namespace slowpath::machine {

/// One link as the kernel numbers it.
struct LinkRecord {
  InterfaceFacts facts;
  std::uint32_t master_index = 0, lower_index = 0;  // 0: none
  bool lower_is_elsewhere = false;                  // in another network namespace
  std::optional<IpAddress> tunnel_remote;
  std::map<std::string, std::uint32_t> index_properties;  // properties that name another interface
};
/// Of the payload of RTM_NEWLINK; none if it is no link.
std::optional<LinkRecord> parse_link(Bytes payload);

struct AddressRecord {
  std::uint32_t index = 0;
  IpAddress address;
};
/// Of the payload of RTM_NEWADDR.
std::optional<AddressRecord> parse_address(Bytes payload);
/// An address of four or sixteen bytes; none of other lengths.
std::optional<IpAddress> address_of(Bytes bytes);

/// Puts names for numbers: master, lower; the addresses at their interfaces.
std::vector<InterfaceFacts> join_links(std::vector<LinkRecord> links,
                                       const std::vector<AddressRecord>& addresses);

/// Fills machine.interfaces. A tunnel that is bound to no interface is put on the one the route to
/// its remote end leaves by.
void read_links(netlink::Socket& route_socket, MachineFacts& machine);

using InterfaceNames = std::map<std::uint32_t, std::string>;
InterfaceNames names_of(const std::vector<InterfaceFacts>& interfaces);

}  // namespace slowpath::machine

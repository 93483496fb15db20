// SPDX-License-Identifier: Apache-2.0
// Queueing disciplines and their statistics (RTM_GETQDISC). An interface keeps its root's, which
// counts what its children drop too, and the drops of its ingress (policing).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "facts/machine.h"
#include "machine/netlink.h"

namespace slowpath::machine {

struct QdiscRecord {
  std::uint32_t interface_index = 0, parent = 0;
  std::string kind;
  std::map<std::string, std::uint64_t> statistics;
  std::optional<std::uint64_t> rate_bps;  // tbf
};
/// Of the payload of RTM_NEWQDISC.
std::optional<QdiscRecord> parse_qdisc(Bytes payload);

/// Puts one qdisc at its interface.
void apply_qdisc(const QdiscRecord& qdisc, InterfaceFacts& facts);

/// Fills the qdisc facts of machine.interfaces.
void read_qdiscs(netlink::Socket& route_socket, MachineFacts& machine);

}  // namespace slowpath::machine

// SPDX-License-Identifier: Apache-2.0
// Words of iproute2 that its text and its JSON share: kinds of links and what belongs to them.
#pragma once

#include <optional>
#include <string_view>

#include "facts/machine.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {

/// "vxlan", "bridge", "bond" ...: rtnetlink's kinds (IFLA_INFO_KIND).
bool is_kind(std::string_view word);
/// A kind that stands within a line, where it can be nothing else.
std::optional<std::string_view> kind_among(const Words& words);
/// A property of the kind under its name: "vlan.id", "bond.mode"; of all tunnels "tunnel.id",
/// "tunnel.port", "tunnel.local", "tunnel.remote", "tunnel.ttl". `interface.kind` is set before.
void set_kind_property(InterfaceFacts& interface, std::string_view name, std::string_view value);
/// A line of -d that begins with the kind: "vlan protocol 802.1Q id 42 <REORDER_HDR>".
void read_kind(const Words& words, InterfaceFacts& interface);
/// First words of other lines of -d, of addresses and of statistics that have no place.
bool is_known_detail(std::string_view word);

}  // namespace slowpath::machine::text

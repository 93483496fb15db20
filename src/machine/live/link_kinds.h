// SPDX-License-Identifier: Apache-2.0
// What rtnetlink says of a link beyond what all links have: VLAN, bond, bridge and tunnel settings
// (IFLA_INFO_DATA), as properties.
#pragma once

#include "machine/live/links.h"

namespace slowpath::machine {

/// Fills link.facts.properties, tunnel_remote and lower_index from the attributes of the link's
/// kind.
void apply_kind_data(const netlink::Attributes& data, LinkRecord& link);

}  // namespace slowpath::machine

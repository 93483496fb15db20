// SPDX-License-Identifier: Apache-2.0
// The rule of a clamp in expressions of nf_tables (linux/netfilter/nf_tables.h): which packets, and
// what is written into them. What table and chain it stands in is left to mss_clamp.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "machine/netlink.h"

namespace slowpath::fix {

/// Appends the attribute NFTA_RULE_EXPRESSIONS to a rule: of each SYN of TCP, either way, that
/// leaves by `interface` (empty: by any), the MSS becomes what the MTU of its route allows, where
/// it is larger. Returns the names of the expressions, in order.
std::vector<std::string> add_clamp_expressions(machine::netlink::Request& rule,
                                               std::string_view interface);

/// The names of the expressions that a rule has: what add_clamp_expressions() made returns the
/// same.
std::vector<std::string> expression_names(const machine::netlink::Attributes& rule);

}  // namespace slowpath::fix

// SPDX-License-Identifier: Apache-2.0
// One rule as iptables-save and ip6tables-save print it: "-A INPUT -p icmp -j DROP".
#pragma once

#include <string>
#include <string_view>

#include "machine/firewall/ruleset.h"

namespace slowpath::machine::firewall {

/// What a target of that name does to a rule; false where iptables-extensions(8) has none such.
bool apply_target(std::string_view name, Rule& rule);

/// The options after the chain's name. What is not known becomes a condition that may hold or not,
/// and an unknown target one that may decide; whether a target is a chain only the table tells, so
/// that it is a jump here unless it is a target of iptables-extensions(8).
Rule parse_iptables_rule(std::string_view options, bool is_v6);

}  // namespace slowpath::machine::firewall

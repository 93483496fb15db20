// SPDX-License-Identifier: Apache-2.0
// Matches of xtables in rules that iptables-nft made: structs of linux/netfilter/xt_*.h. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "machine/firewall/ruleset.h"

namespace slowpath::machine {

struct XtablesMatch {
  std::vector<firewall::Condition> conditions;
  bool is_whole = false;  // else it asks for more, which may hold or not
};
/// `revision` and `info` as NFTA_MATCH_REV and NFTA_MATCH_INFO tell them.
XtablesMatch parse_xtables_match(std::string_view name, std::uint32_t revision, Bytes info);

/// Whether a target CT keeps packets from connection tracking.
bool xtables_ct_untracks(Bytes info);

}  // namespace slowpath::machine

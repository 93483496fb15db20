// SPDX-License-Identifier: Apache-2.0
// One rule as `nft list ruleset` prints it: "ct state established,related accept".
#pragma once

#include <string_view>
#include <vector>

#include "machine/firewall/ruleset.h"

namespace slowpath::machine::firewall {

/// A verdict map makes several rules of it, one for each entry; they exclude one another. What is
/// not known becomes a condition that may hold or not. `family` is the table's.
std::vector<Rule> parse_nft_rule(std::string_view line, std::string_view family);

}  // namespace slowpath::machine::firewall

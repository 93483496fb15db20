// SPDX-License-Identifier: Apache-2.0
// Words of a rule as iptables-save and nft print them: quoted text stays one word with its quotes.
#pragma once

#include <string_view>
#include <vector>

namespace slowpath::machine::firewall {

/// Parted by blanks; '{', '}' and ',' (outside of quotes) are words of their own where `braces`.
/// At most 4096 words; what comes after is left out, and `cut` is set.
std::vector<std::string_view> rule_words(std::string_view line, bool braces, bool& cut);
/// Without the quotes around it.
std::string_view unquoted(std::string_view word);

}  // namespace slowpath::machine::firewall

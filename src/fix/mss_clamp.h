// SPDX-License-Identifier: Apache-2.0
// A knob that clamps the MSS of forwarded connections to the path MTU of the route that their SYNs
// take, by a table of nftables of its own, through netlink (linux/netfilter/nf_tables.h). Rules of
// others are neither read nor changed.
//
// The item is "any", or the interface by which SYNs leave. The value is "off", "on", or "changed"
// where somebody else has altered the table; that one can only be turned off.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "fix/knob.h"

namespace slowpath::fix {

inline constexpr std::string_view kAnyInterface = "any";

/// "any", or a name that nft(8) takes without ado: letters, digits, '_', '-', '.'.
bool is_mss_clamp_item(std::string_view item);
/// The command of nft(8) that does the same, for people: "nft 'add table inet slowpath_mss; ...'".
std::string mss_clamp_command(std::string_view item);
/// The same for a unit, which may be started twice: in one transaction the table is made anew, so
/// that it never has its rule twice.
std::string mss_clamp_start_command(std::string_view item);
/// Its reverse.
std::string mss_clamp_undo(std::string_view item);
/// The item whose command this is; nothing where it is another command.
std::optional<std::string> mss_clamp_item_of(std::string_view command);

/// Errors: environment (nf_tables is not there, or needs cap_net_admin).
Result<std::string> read_mss_clamp(const Knob& knob);
/// Errors: as read_mss_clamp(); usage where the value is neither "on" nor "off", or the table there
/// is somebody else's.
Result<void> write_mss_clamp(const Knob& knob, const std::string& value);

}  // namespace slowpath::fix

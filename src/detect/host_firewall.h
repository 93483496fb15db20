// SPDX-License-Identifier: Apache-2.0
// What the packet filter of a host does, as machine/ tells it in settings (machine/text/README.md):
// for the rules about hosts and for their testimony.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "facts/inspection.h"
#include "facts/machine.h"

namespace slowpath::detect {

/// Where rules drop one kind of packet although TCP passes there.
struct FirewallDrop {
  bool is_v6 = false;
  std::string_view way;    // "input", "forward", "output"
  std::string rule;        // "inet filter input: icmp type destination-unreachable drop"
  std::string chain;       // the base chain: "inet filter input"
  std::string interfaces;  // "from eth0"; empty: wherever TCP passes
  HostEvidence evidence;
};

/// Whether this was read of a way: "input", "forward" or "output".
bool is_size_message_read(const MachineFacts& facts, std::string_view way);
/// ICMP "fragmentation needed" and ICMPv6 "packet too big" that the host drops: those to itself,
/// and, where it forwards, those of others and its own.
std::vector<FirewallDrop> dropped_size_messages(const MachineFacts& facts);
/// Of TCP that connection tracking calls INVALID, to itself and forwarded.
std::vector<FirewallDrop> dropped_invalid(const MachineFacts& facts);
/// "none", "present" or "unclear" for both families together; nothing where neither was read.
/// `what` is "mss-clamp" or "nat".
std::optional<std::string_view> firewall_has(const MachineFacts& facts, std::string_view what);

/// Lets size messages through in front of the rule that drops them, with the undo, in the words of
/// the tool that made the chain: iptables or nft.
HostStep pass_size_messages(const FirewallDrop& drop);

}  // namespace slowpath::detect

// SPDX-License-Identifier: Apache-2.0
// What a ruleset means for TCP, as settings of a host:
//
//   firewall.ipv4.WAY.size-messages  what happens to ICMP "fragmentation needed" about a connection
//   firewall.ipv6.WAY.size-messages  ... to ICMPv6 "packet too big"
//   firewall.ipv4.WAY.invalid        what happens to TCP that connection tracking calls INVALID
//   firewall.ipv4.mss-clamp          whether a rule writes the MSS of SYNs: none, present, unclear
//   firewall.ipv4.nat                whether a rule translates addresses: the same words
//
// WAY is input, forward or output. The fates are: passes; limited (passes below a rate);
// unclear (that depends on addresses, marks, or rules that were not understood); dropped (although
// TCP of established connections passes there); closed (TCP does not pass there either).
// `dropped` and `present` have their rule under KEY.rule; `dropped` the base chain under KEY.chain
// ("inet filter input"), and the interfaces, where only some are meant, under KEY.interfaces.
#pragma once

#include <string>

#include "facts/machine.h"
#include "machine/firewall/ruleset.h"

namespace slowpath::machine::firewall {

/// Adds the settings for the families that were read. What an earlier ruleset of the same host said
/// stays where it is worse: a packet must pass all of them.
void tell(Ruleset ruleset, const Origin& origin, MachineFacts& machine);

}  // namespace slowpath::machine::firewall

// SPDX-License-Identifier: Apache-2.0
// What drivers tell by the generic netlink family "ethtool" (Linux 5.6; Documentation/networking/
// ethtool-netlink.rst): features, rings, channels, coalescing, speed and duplex, pause, RSS. Driver
// names and statistics are told by ioctl alone: ethtool_ioctl.h, which also stands in where this
// family is missing.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "facts/machine.h"
#include "machine/netlink.h"

namespace slowpath::machine {

/// The kinds of facts that one request each asks for.
enum class EthtoolTopic : std::uint8_t { features, rings, channels, coalesce, link, pause, rss };
/// "features", "rings", "channels", "coalescing", "speed and duplex", "pause frames", "RSS".
const char* to_string(EthtoolTopic topic);

/// The number of the interface a reply is about (its header attribute); 0 where it has none.
std::uint32_t reply_interface(const netlink::Attributes& reply);
/// Puts what one reply says at its interface. Features need the verbose form of bit sets.
void apply_ethtool_reply(EthtoolTopic topic, const netlink::Attributes& reply,
                         InterfaceFacts& facts);

/// "toeplitz", "xor", "crc32" of the bits ETH_RSS_HASH_*; empty for none.
std::string rss_hash_name(std::uint32_t bits);

/// What was told, by interface number, so that the rest can be asked by ioctl.
using EthtoolTold = std::map<std::uint32_t, std::set<EthtoolTopic>>;
/// Fills machine.interfaces as far as this family tells. Whoever has no such family tells nothing.
EthtoolTold read_ethtool_netlink(MachineFacts& machine);

}  // namespace slowpath::machine

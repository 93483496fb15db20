// SPDX-License-Identifier: Apache-2.0
// What drivers tell by SIOCETHTOOL: their name, version, firmware and bus, their statistics, what
// RSS hashes, and whatever the netlink family did not tell.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "facts/machine.h"
#include "machine/live/ethtool_netlink.h"

namespace slowpath::machine {

/// Names of ETH_GSTRING_LEN bytes each, as ETHTOOL_GSTRINGS returns them.
std::vector<std::string> parse_string_set(Bytes strings);
/// Puts a driver's numbers at their names; names already there (rtnetlink's) keep their value, and
/// of names told twice the first one counts.
void apply_driver_statistics(const std::vector<std::string>& names,
                             std::span<const std::uint64_t> values, InterfaceFacts& facts);
/// The blocks of 32 features as ETHTOOL_GFEATURES returns them: available, requested, active, never
/// changed, of 32 bits each.
void apply_feature_blocks(const std::vector<std::string>& names, Bytes blocks,
                          InterfaceFacts& facts);
/// RXH_* bits in the letters of `ethtool -N`: "sdfn" for addresses and ports.
std::string hash_field_letters(std::uint64_t bits);

/// Fills machine.interfaces with what `told` does not list. Only an interface that is hardware
/// (kind "") has its refusals noted: that a bridge has no rings is no news.
void read_ethtool_ioctl(const EthtoolTold& told, MachineFacts& machine);

}  // namespace slowpath::machine

// SPDX-License-Identifier: Apache-2.0
#include "machine/text/ip_words.h"

#include <algorithm>
#include <array>
#include <string>

namespace slowpath::machine::text {
namespace {

constexpr auto kKinds = std::to_array<std::string_view>(
    {"veth",   "bridge", "vlan",    "bond",      "vxlan",  "wireguard",   "tun",    "gre",
     "gretap", "erspan", "ip6gre",  "ip6gretap", "ipip",   "sit",         "ip6tnl", "vti",
     "vti6",   "xfrm",   "macvlan", "macvtap",   "ipvlan", "dummy",       "ifb",    "team",
     "geneve", "gtp",    "bareudp", "vrf",       "netkit", "openvswitch", "ovpn",   "macsec",
     "ipoib",  "hsr",    "batadv",  "nlmon",     "vcan",   "l2tp"});

constexpr auto kDetails = std::to_array<std::string_view>(
    {"bridge_slave", "bond_slave", "team_slave", "vrf_slave", "altname", "valid_lft", "vf",
     "addrgenmode", "openvswitch_slave", "RX", "TX", "parentbus", "prog/xdp", "minmtu",
     "promiscuity", "numtxqueues", "qdisc"});

}  // namespace

bool is_kind(std::string_view word) { return std::ranges::count(kKinds, word) > 0; }

std::optional<std::string_view> kind_among(const Words& words) {
  // "link/ether ADDR brd ADDR promiscuity 0 minmtu 68 maxmtu 65535 \n vlan ..." on one line.
  const auto found = std::ranges::find_if(words, is_kind);
  if (found == words.end()) return std::nullopt;
  return *found;
}

void read_kind(const Words& words, InterfaceFacts& interface) {
  interface.kind = words.front();
  constexpr auto kKept = std::to_array<std::string_view>(
      {"id", "dstport", "mode", "type", "protocol", "remote", "local", "dev"});
  for (const std::string_view key : kKept) {
    const std::string_view value = word_after(words, key);
    if (!value.empty()) interface.properties[interface.kind + "." + std::string(key)] = value;
  }
  if (interface.lower.empty()) interface.lower = word_after(words, "dev");
}

bool is_known_detail(std::string_view word) { return std::ranges::count(kDetails, word) > 0; }

}  // namespace slowpath::machine::text

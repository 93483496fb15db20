// SPDX-License-Identifier: Apache-2.0
#include "machine/text/ip_words.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace slowpath::machine::text {
namespace {

constexpr auto kKinds = std::to_array<std::string_view>(
    {"veth",   "bridge", "vlan",    "bond",      "vxlan",  "wireguard",   "tun",    "gre",
     "gretap", "erspan", "ip6gre",  "ip6gretap", "ipip",   "sit",         "ip6tnl", "vti",
     "vti6",   "xfrm",   "macvlan", "macvtap",   "ipvlan", "dummy",       "ifb",    "team",
     "geneve", "gtp",    "bareudp", "vrf",       "netkit", "openvswitch", "ovpn",   "macsec",
     "ipoib",  "hsr",    "batadv",  "nlmon",     "vcan",   "l2tp",        "ppp"});

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

bool is_tunnel(std::string_view kind) {
  return kind == "vxlan" || kind == "geneve" || kind.contains("gre") || kind == "ipip" ||
         kind == "sit" || kind == "ip6tnl" || kind == "erspan";
}

void set_kind_property(InterfaceFacts& interface, std::string_view name, std::string_view value) {
  // One name for what the kinds of tunnels call by many.
  constexpr auto kTunnel =
      std::to_array<std::pair<std::string_view, std::string_view>>({{"id", "id"},
                                                                    {"dstport", "port"},
                                                                    {"port", "port"},
                                                                    {"local", "local"},
                                                                    {"remote", "remote"},
                                                                    {"group", "remote"},
                                                                    {"ttl", "ttl"}});
  if (!is_tunnel(interface.kind)) {
    interface.properties[interface.kind + "." + std::string(name)] = value;
    return;
  }
  for (const auto& [known, property] : kTunnel) {
    if (name == known) interface.properties["tunnel." + std::string(property)] = value;
  }
}

void read_kind(const Words& words, InterfaceFacts& interface) {
  interface.kind = words.front();
  constexpr auto kKept = std::to_array<std::string_view>(
      {"id", "dstport", "remote", "group", "local", "ttl", "mode", "type", "protocol", "stp_state",
       "vlan_filtering", "nf_call_iptables", "miimon", "xmit_hash_policy"});
  for (const std::string_view key : kKept) {
    const std::string_view value = word_after(words, key);
    if (!value.empty()) set_kind_property(interface, key, value);
  }
  if (interface.lower.empty()) interface.lower = word_after(words, "dev");
}

bool is_known_detail(std::string_view word) { return std::ranges::count(kDetails, word) > 0; }

}  // namespace slowpath::machine::text

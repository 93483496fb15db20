// SPDX-License-Identifier: Apache-2.0
#include "machine/live/link_kinds.h"

#include <linux/if_link.h>
#include <linux/if_tunnel.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace slowpath::machine {
namespace {

enum class Form { u8, u16, u32, port, address, remote, lower, index, bond_mode };

struct KindAttribute {
  std::string_view kind;
  unsigned type;
  const char* property;
  Form form;
};

constexpr auto kAttributes = std::to_array<KindAttribute>({
    {"vlan", IFLA_VLAN_ID, "vlan.id", Form::u16},
    {"bond", IFLA_BOND_MODE, "bond.mode", Form::bond_mode},
    {"bond", IFLA_BOND_ACTIVE_SLAVE, "bond.active", Form::index},
    {"bond", IFLA_BOND_MIIMON, "bond.miimon", Form::u32},
    {"bond", IFLA_BOND_XMIT_HASH_POLICY, "bond.xmit_hash_policy", Form::u8},
    {"bridge", IFLA_BR_STP_STATE, "bridge.stp_state", Form::u32},
    {"bridge", IFLA_BR_VLAN_FILTERING, "bridge.vlan_filtering", Form::u8},
    {"bridge", IFLA_BR_NF_CALL_IPTABLES, "bridge.nf_call_iptables", Form::u8},
    {"macvlan", IFLA_MACVLAN_MODE, "macvlan.mode", Form::u32},
    {"vxlan", IFLA_VXLAN_ID, "tunnel.id", Form::u32},
    {"vxlan", IFLA_VXLAN_LINK, "", Form::lower},
    {"vxlan", IFLA_VXLAN_PORT, "tunnel.port", Form::port},
    {"vxlan", IFLA_VXLAN_DF, "tunnel.df", Form::u8},
    {"vxlan", IFLA_VXLAN_LOCAL, "tunnel.local", Form::address},
    {"vxlan", IFLA_VXLAN_LOCAL6, "tunnel.local", Form::address},
    {"vxlan", IFLA_VXLAN_GROUP, "tunnel.remote", Form::remote},
    {"vxlan", IFLA_VXLAN_GROUP6, "tunnel.remote", Form::remote},
    {"geneve", IFLA_GENEVE_ID, "tunnel.id", Form::u32},
    {"geneve", IFLA_GENEVE_PORT, "tunnel.port", Form::port},
    {"geneve", IFLA_GENEVE_REMOTE, "tunnel.remote", Form::remote},
    {"geneve", IFLA_GENEVE_REMOTE6, "tunnel.remote", Form::remote},
    {"gre", IFLA_GRE_LINK, "", Form::lower},
    {"gre", IFLA_GRE_LOCAL, "tunnel.local", Form::address},
    {"gre", IFLA_GRE_REMOTE, "tunnel.remote", Form::remote},
    {"gre", IFLA_GRE_TTL, "tunnel.ttl", Form::u8},
    {"gre", IFLA_GRE_PMTUDISC, "tunnel.pmtudisc", Form::u8},
    {"ipip", IFLA_IPTUN_LINK, "", Form::lower},
    {"ipip", IFLA_IPTUN_LOCAL, "tunnel.local", Form::address},
    {"ipip", IFLA_IPTUN_REMOTE, "tunnel.remote", Form::remote},
    {"ipip", IFLA_IPTUN_TTL, "tunnel.ttl", Form::u8},
    {"ipip", IFLA_IPTUN_PMTUDISC, "tunnel.pmtudisc", Form::u8},
});

constexpr std::array<const char*, 7> kBondModes = {"balance-rr", "active-backup", "balance-xor",
                                                   "broadcast",  "802.3ad",       "balance-tlb",
                                                   "balance-alb"};

// The kinds whose attributes are numbered alike (net/ipv4/ip_gre.c, net/ipv6/ip6_gre.c, ipip, sit).
std::string_view family_of(std::string_view kind) {
  if (kind == "gretap" || kind == "ip6gre" || kind == "ip6gretap" || kind == "erspan") return "gre";
  if (kind == "sit" || kind == "ip6tnl") return "ipip";
  if (kind == "macvtap") return "macvlan";
  return kind;
}

template <typename T>
std::string number(std::optional<T> value) {
  return value ? std::to_string(*value) : std::string{};
}

std::string bond_mode(std::optional<std::uint8_t> mode) {
  return mode && *mode < kBondModes.size() ? kBondModes[*mode] : number(mode);
}

std::string told_address(const netlink::Attributes& data, unsigned type,
                         std::optional<IpAddress>* keep) {
  const auto bytes = data.find(type);
  const auto address = bytes ? address_of(*bytes) : std::nullopt;
  // All zero means that none was given.
  if (!address || std::ranges::all_of(address->bytes, [](auto byte) { return byte == 0; }))
    return {};
  if (keep != nullptr) *keep = address;
  return to_string(*address);
}

std::string told(const netlink::Attributes& data, const KindAttribute& known, LinkRecord& link) {
  switch (known.form) {
    case Form::u8:
      return number(data.u8(known.type));
    case Form::u16:
      return number(data.u16(known.type));
    case Form::u32:
      return number(data.u32(known.type));
    case Form::port: {
      const auto port = data.u16(known.type);
      return port ? std::to_string(std::byteswap(*port)) : std::string{};
    }
    case Form::address:
      return told_address(data, known.type, nullptr);
    case Form::remote:
      return told_address(data, known.type, &link.tunnel_remote);
    case Form::bond_mode:
      return bond_mode(data.u8(known.type));
    case Form::lower:
      if (const auto index = data.u32(known.type); index && *index != 0) link.lower_index = *index;
      return {};
    case Form::index:
      if (const auto index = data.u32(known.type); index && *index != 0) {
        link.index_properties[known.property] = *index;
      }
      return {};
  }
  return {};
}

}  // namespace

void apply_kind_data(const netlink::Attributes& data, LinkRecord& link) {
  const std::string_view family = family_of(link.facts.kind);
  for (const KindAttribute& known : kAttributes) {
    if (known.kind != family) continue;
    std::string value = told(data, known, link);
    if (!value.empty()) link.facts.properties[known.property] = std::move(value);
  }
}

}  // namespace slowpath::machine

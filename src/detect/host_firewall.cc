// SPDX-License-Identifier: Apache-2.0
#include "detect/host_firewall.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "detect/host_support.h"

namespace slowpath::detect {
namespace {

constexpr std::array<std::string_view, 2> kFamilies{"ipv4", "ipv6"};

std::string key_of(std::string_view family, std::string_view way, std::string_view what) {
  return fmt::format("firewall.{}.{}.{}", family, way, what);
}

std::string told(const MachineFacts& facts, const std::string& key) {
  const Told<std::string>* value = find_setting(facts, key);
  return value == nullptr ? std::string() : value->value;
}

/// Whether packets of a family can be this host's: rules about IPv6 stand on many that have only
/// IPv4. True where addresses were not told.
bool uses(const MachineFacts& facts, std::string_view family) {
  if (family == "ipv4") return true;
  if (says(facts, "net.ipv6.conf.all.disable_ipv6", "1")) return false;
  bool is_told = false;
  for (const InterfaceFacts& interface : facts.interfaces) {
    for (const IpAddress& address : interface.addresses) {
      is_told = true;
      // RFC 4291 section 2.4: global addresses; fe80::/10 is of the link, ::1 of the host. RFC
      // 4193: fc00::/7 is routed.
      const bool is_of_link = address.bytes[0] == 0xFE && (address.bytes[1] & 0xC0) == 0x80;
      if (address.version == 6 && address.bytes[0] != 0 && !is_of_link) return true;
    }
  }
  return !is_told;
}

std::vector<FirewallDrop> drops_of(const MachineFacts& facts, std::string_view what,
                                   std::span<const std::string_view> ways) {
  std::vector<FirewallDrop> drops;
  for (const std::string_view family : kFamilies) {
    if (!uses(facts, family)) continue;
    for (const std::string_view way : ways) {
      const std::string key = key_of(family, way, what);
      if (!says(facts, key, "dropped")) continue;
      FirewallDrop drop{.is_v6 = family == "ipv6",
                        .way = way,
                        .rule = told(facts, key + ".rule"),
                        .chain = told(facts, key + ".chain"),
                        .interfaces = told(facts, key + ".interfaces"),
                        .evidence = shown(facts, key)};
      if (!drop.rule.empty()) drop.evidence.text += fmt::format(" by \"{}\"", drop.rule);
      drops.push_back(std::move(drop));
    }
  }
  return drops;
}

/// "ip filter INPUT" is a chain of iptables, by its name; nftables' own are written small.
bool is_of_iptables(const FirewallDrop& drop) {
  return (drop.chain.starts_with("ip ") || drop.chain.starts_with("ip6 ")) &&
         (drop.chain.ends_with(" INPUT") || drop.chain.ends_with(" FORWARD") ||
          drop.chain.ends_with(" OUTPUT") || drop.chain.ends_with(" PREROUTING") ||
          drop.chain.ends_with(" POSTROUTING"));
}

}  // namespace

bool is_size_message_read(const MachineFacts& facts, std::string_view way) {
  return std::ranges::any_of(kFamilies, [&](std::string_view family) {
    return is_read(facts, key_of(family, way, "size-messages"));
  });
}

std::vector<FirewallDrop> dropped_size_messages(const MachineFacts& facts) {
  // A host that does not forward never sends such a message.
  static constexpr std::array<std::string_view, 3> kWays{"input", "forward", "output"};
  return drops_of(facts, "size-messages", std::span(kWays).first(forwards(facts) ? 3 : 1));
}

std::vector<FirewallDrop> dropped_invalid(const MachineFacts& facts) {
  static constexpr std::array<std::string_view, 2> kWays{"input", "forward"};
  return drops_of(facts, "invalid", std::span(kWays).first(forwards(facts) ? 2 : 1));
}

std::optional<std::string_view> firewall_has(const MachineFacts& facts, std::string_view what) {
  std::optional<std::string_view> answer;
  for (const std::string_view family : kFamilies) {
    const std::string key = fmt::format("firewall.{}.{}", family, what);
    if (!is_read(facts, key)) continue;
    if (says(facts, key, "present")) return "present";
    if (!says(facts, key, "none")) {
      answer = "unclear";
    } else if (!answer) {
      answer = "none";
    }
  }
  return answer;
}

HostStep pass_size_messages(const FirewallDrop& drop) {
  const std::string chain = drop.chain.substr(drop.chain.rfind(' ') + 1);
  if (is_of_iptables(drop)) {
    const std::size_t table_at = drop.chain.find(' ') + 1;
    const std::string table = drop.chain.substr(table_at, drop.chain.rfind(' ') - table_at);
    const auto command = [&](std::string_view act) {
      return fmt::format("{}{} {} {} {} -j ACCEPT", drop.is_v6 ? "ip6tables" : "iptables",
                         table == "filter" ? "" : " -t " + table, act, chain,
                         drop.is_v6 ? "-p icmpv6 --icmpv6-type packet-too-big"
                                    : "-p icmp --icmp-type fragmentation-needed");
    };
    return {Platform::linux, command("-I"), command("-D"),
            drop.is_v6 ? "ip6tables-extensions(8), icmp6; RFC 4890 section 4.3.1"
                       : "iptables-extensions(8), icmp; RFC 2979 section 3.1.1"};
  }
  return {Platform::linux,
          fmt::format("nft 'insert rule {} {} accept'", drop.chain,
                      drop.is_v6 ? "icmpv6 type packet-too-big"
                                 : "icmp type destination-unreachable icmp code frag-needed"),
          fmt::format("nft delete rule {} handle HANDLE, as `nft -a list chain {}` shows it",
                      drop.chain, drop.chain),
          drop.is_v6 ? "nft(8), icmpv6; RFC 4890 section 4.3.1"
                     : "nft(8), icmp; RFC 2979 section 3.1.1"};
}

}  // namespace slowpath::detect

// SPDX-License-Identifier: Apache-2.0
// mss-not-clamped: a tunnel that offers more than the link below it can carry.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "detect/host_firewall.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

/// What each kind adds in front of an inner packet, at least (outer IPv4 where both can be).
struct Tunnel {
  std::string_view kind;
  std::uint32_t overhead;
};
constexpr Tunnel kTunnels[] = {
    {"vxlan", 50},     {"geneve", 50}, {"gre", 24},    {"gretap", 38},
    {"ipip", 20},      {"sit", 20},    {"ip6tnl", 40}, {"ip6gre", 44},
    {"wireguard", 60}, {"vlan", 0},    {"macvlan", 0}, {"ipvlan", 0},
};

/// The device below: told, or else the only NIC with a default route.
const InterfaceFacts* below(const MachineFacts& facts, const InterfaceFacts& tunnel) {
  if (!tunnel.lower.empty()) return find_interface(facts, tunnel.lower);
  for (const RouteFacts& route : facts.routes) {
    if (route.destination.version == 0 && route.prefix_len == 0 && !route.is_exception &&
        route.interface != tunnel.name)
      return find_interface(facts, route.interface);
  }
  return nullptr;
}

bool look_at_chain(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& tunnel : host.facts.interfaces) {
    const auto* kind = std::ranges::find(kTunnels, std::string_view(tunnel.kind), &Tunnel::kind);
    if (kind == std::end(kTunnels) || !tunnel.mtu_bytes || !is_in_use(tunnel)) continue;
    const InterfaceFacts* link = below(host.facts, tunnel);
    if (link == nullptr || !link->mtu_bytes || link->name == "lo") continue;
    is_judged = true;
    const std::uint32_t needed = *tunnel.mtu_bytes + kind->overhead;
    if (needed <= *link->mtu_bytes) continue;
    const std::uint32_t right = *link->mtu_bytes - std::min(kind->overhead, *link->mtu_bytes);
    const auto set = [&](std::uint32_t mtu) {
      return fmt::format("ip link set dev {} mtu {}", tunnel.name, mtu);
    };
    found.push_back(
        {.interface = tunnel.name,
         .claim =
             fmt::format("{} offers {}; with {} bytes of {} in front that is {}, and {} carries "
                         "{}",
                         tunnel.name, *tunnel.mtu_bytes, kind->overhead, tunnel.kind, needed,
                         link->name, *link->mtu_bytes),
         .value = std::to_string(*tunnel.mtu_bytes),
         .expected = fmt::format("{} or less", right),
         .why = "full-size packets must be cut into fragments, or are dropped where that is "
                "forbidden",
         .cost = "two packets for each full one where fragments pass, a hang where they do not",
         .evidence = {seen_on(tunnel, fmt::format("{}, mtu {}", tunnel.kind, *tunnel.mtu_bytes)),
                      seen_on(*link, fmt::format("mtu {}", *link->mtu_bytes))},
         .steps = {{Platform::linux, set(right), set(*tunnel.mtu_bytes), "RFC 4459; ip-link(8)"}}});
  }
  return is_judged;
}

/// Links that carry packets of others inside of packets, or over PPP.
constexpr std::array<std::string_view, 14> kNarrowKinds{
    "ppp",  "gre",  "ipip", "sit",       "ip6tnl", "ip6gre", "vti",
    "vti6", "xfrm", "tun",  "wireguard", "vxlan",  "geneve", "gretap"};

/// The largest MTU among the interfaces in use that are no tunnel.
const InterfaceFacts* widest(const MachineFacts& facts) {
  const InterfaceFacts* best = nullptr;
  for (const InterfaceFacts& each : facts.interfaces) {
    if (!is_nic(each) || !is_in_use(each) || !each.mtu_bytes) continue;
    if (best == nullptr || *each.mtu_bytes > *best->mtu_bytes) best = &each;
  }
  return best;
}

bool look_at_clamp(const Host& host, std::vector<HostFinding>& found) {
  const auto clamp = firewall_has(host.facts, "mss-clamp");
  const InterfaceFacts* wide = widest(host.facts);
  if (!clamp || wide == nullptr || !is_read(host.facts, "net.ipv4.ip_forward")) return false;
  if (*clamp != "none" || !forwards(host.facts)) return true;
  const std::vector<FirewallDrop> drops = dropped_size_messages(host.facts);
  for (const InterfaceFacts& narrow : host.facts.interfaces) {
    if (std::ranges::find(kNarrowKinds, narrow.kind) == kNarrowKinds.end() || !is_in_use(narrow) ||
        !narrow.mtu_bytes || *narrow.mtu_bytes >= *wide->mtu_bytes)
      continue;
    HostFinding finding{
        .severity = drops.empty() ? Severity::note : Severity::suspect,
        .interface = narrow.name,
        .claim = fmt::format("{} carries {} bytes, {} carries {}, and no rule that was read clamps "
                             "the MSS of what is forwarded",
                             narrow.name, *narrow.mtu_bytes, wide->name, *wide->mtu_bytes),
        .value = "none",
        .expected = "a clamp, or every ICMP message about sizes gets through",
        .why =
            "the ends of a forwarded connection agree on segments that do not fit; all depends "
            "on ICMP reaching the sender",
        .cost = drops.empty() ? "none while ICMP arrives; else a hang after the handshake"
                              : "a hang after the handshake, as rules drop such ICMP here",
        .evidence = {seen_on(narrow, fmt::format("{}, mtu {}", narrow.kind, *narrow.mtu_bytes)),
                     seen_on(*wide, fmt::format("mtu {}", *wide->mtu_bytes))},
        .steps = {}};
    for (const char* key : {"firewall.ipv4.mss-clamp", "firewall.ipv6.mss-clamp"}) {
      if (is_read(host.facts, key)) finding.evidence.push_back(shown(host.facts, key));
    }
    for (const FirewallDrop& drop : drops) finding.evidence.push_back(drop.evidence);
    found.push_back(std::move(finding));
  }
  return true;
}

constexpr std::array kRules{
    HostRule{
        "forwards-without-clamp", Platform::linux,
        "ip -d link, sysctl -a, iptables-save or nft list ruleset",
        "the host forwards, a tunnel or PPP link in use has a smaller MTU than its widest NIC, "
        "and no rule writes the MSS (a note; suspect where rules also drop ICMP about sizes)",
        look_at_clamp},
    HostRule{"tunnel-above-link", Platform::linux, "ip -d link, ip route",
             "the MTU of a tunnel or VLAN in use, with what it adds to each packet, is larger than "
             "that of the link below it",
             look_at_chain},
};

}  // namespace

extern const HostFault mss_not_clamped;
const HostFault mss_not_clamped{"mss-not-clamped", kRules};

}  // namespace slowpath::detect::host

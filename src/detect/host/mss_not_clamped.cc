// SPDX-License-Identifier: Apache-2.0
// mss-not-clamped: a tunnel that offers more than the link below it can carry.
#include <algorithm>
#include <array>

#include <fmt/format.h>

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

constexpr std::array kRules{
    HostRule{"tunnel-above-link", Platform::linux, "ip -d link, ip route",
             "the MTU of a tunnel or VLAN in use, with what it adds to each packet, is larger than "
             "that of the link below it",
             look_at_chain},
};

}  // namespace

extern const HostFault mss_not_clamped;
const HostFault mss_not_clamped{"mss-not-clamped", kRules};

}  // namespace slowpath::detect::host

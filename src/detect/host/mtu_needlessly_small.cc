// SPDX-License-Identifier: Apache-2.0
// mtu-needlessly-small: a NIC's or a route's MTU was set far below what Ethernet carries.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

// Clouds and overlays hand out 1400 to 1460; below this it was a cure for something once.
constexpr std::uint32_t kLeast = 1300;
constexpr double kHeaders = 40;    // IPv4 and TCP
constexpr double kWireBytes = 38;  // IEEE 802.3: header, FCS, preamble, gap
constexpr double kEthernet = 1500;

double efficiency(double mtu) { return (mtu - kHeaders) / (mtu + kWireBytes); }

std::string cost_of(std::uint32_t mtu) {
  return fmt::format(
      "{} of the line is payload where {} could be, and {:.1f} times as many packets",
      format_percent(efficiency(mtu)), format_percent(efficiency(kEthernet)),
      (kEthernet - kHeaders) / (mtu - kHeaders));
}

HostStep step_of(const MachineFacts& facts, const InterfaceFacts& interface, std::uint32_t mtu) {
  if (platform_of(facts) == Platform::windows) {
    const auto set = [&](std::uint32_t value) {
      return fmt::format("netsh int ipv4 set subinterface \"{}\" mtu={} store=persistent",
                         interface.name, value);
    };
    return {Platform::windows, set(1500), set(mtu), "Microsoft Learn: netsh interface ipv4"};
  }
  if (platform_of(facts) == Platform::solaris) {
    return {Platform::solaris, fmt::format("dladm set-linkprop -p mtu=1500 {}", interface.name),
            fmt::format("dladm set-linkprop -p mtu={} {}", mtu, interface.name), "dladm(8)"};
  }
  return {Platform::linux, fmt::format("ip link set dev {} mtu 1500", interface.name),
          fmt::format("ip link set dev {} mtu {}", interface.name, mtu), "ip-link(8)"};
}

bool is_tunnel_like(const InterfaceFacts& interface) {
  return interface.alias.contains("VPN") || interface.name.contains("VPN") ||
         interface.alias.contains("TAP-") || interface.alias.contains("WAN Miniport") ||
         interface.alias.contains("Wintun") || interface.name.starts_with("tun") ||
         interface.name.starts_with("wg") || interface.driver == "tun";
}

bool look_at_nics(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    if (!is_nic(interface) || !interface.mtu_bytes) continue;
    is_judged = true;
    const std::uint32_t mtu = *interface.mtu_bytes;
    if (mtu > kLeast || mtu <= kHeaders || !is_in_use(interface) || is_tunnel_like(interface))
      continue;
    found.push_back({.interface = interface.name,
                     .claim = fmt::format("{} has an MTU of {}", interface.name, mtu),
                     .value = std::to_string(mtu),
                     .expected = "1500, unless the path is known to carry no more",
                     .why = "every segment is smaller than it could be",
                     .cost = cost_of(mtu),
                     .evidence = {seen_on(interface, fmt::format("mtu {}", mtu))},
                     .steps = {step_of(host.facts, interface, mtu)}});
  }
  return is_judged;
}

bool look_at_routes(const Host& host, std::vector<HostFinding>& found) {
  constexpr std::uint32_t kLeastMss = kLeast - 40;
  bool is_judged = false;
  for (const RouteFacts& route : host.facts.routes) {
    if (route.is_exception) continue;
    is_judged = true;
    const InterfaceFacts* interface = find_interface(host.facts, route.interface);
    if (interface != nullptr && !is_nic(*interface)) continue;
    const bool mtu = route.mtu_bytes && *route.mtu_bytes <= kLeast && *route.mtu_bytes > kHeaders;
    const bool mss = route.advmss && *route.advmss <= kLeastMss && *route.advmss > 0;
    if (!mtu && !mss) continue;
    const std::uint32_t full =
        interface == nullptr ? 1500 : std::max(interface->mtu_bytes.value_or(1500), kLeast);
    const std::uint32_t bytes = mtu ? *route.mtu_bytes : *route.advmss + 40;
    const std::string what =
        mtu ? fmt::format("mtu {}", *route.mtu_bytes) : fmt::format("advmss {}", *route.advmss);
    const std::string name =
        route.prefix_len == 0
            ? "default"
            : fmt::format("{}/{}", to_string(route.destination), route.prefix_len);
    found.push_back(
        {.interface = route.interface,
         .claim = fmt::format("the route {} is held to {}", name, what),
         .value = what,
         .expected = "none, unless the path is known to carry no more",
         .why = "every segment on it is smaller than it could be",
         .cost = cost_of(bytes),
         .evidence = {{EvidenceKind::setting, fmt::format("{} {}", name, what),
                       route.origin.where}},
         .steps = {route_step(
             route, mtu ? fmt::format("mtu {}", full) : fmt::format("advmss {}", full - 40),
             what)}});
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"mtu-small", std::nullopt,
             "ip -d link, netsh int ipv4 show subinterfaces, dladm show-link or esxcli network nic "
             "list",
             "the MTU of a NIC in use, which is no tunnel, is 1300 or less", look_at_nics},
    HostRule{"route-mtu-small", Platform::linux, "ip route",
             "a route over a NIC has an mtu of 1300 or less, or an advmss of 1260 or less",
             look_at_routes},
};

}  // namespace

extern const HostFault mtu_needlessly_small;
const HostFault mtu_needlessly_small{"mtu-needlessly-small", kRules};

}  // namespace slowpath::detect::host

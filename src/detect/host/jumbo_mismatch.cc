// SPDX-License-Identifier: Apache-2.0
// jumbo-mismatch: the devices of one link do not agree on the largest frame.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kWhy =
    "frames above the smallest MTU of a link are dropped without a word: bridges and switches send "
    "no ICMP";
constexpr std::string_view kCost = "full-size segments vanish; connections hang once data flows";

HostStep mtu_step(const InterfaceFacts& interface, std::uint32_t mtu) {
  return {Platform::linux, fmt::format("ip link set dev {} mtu {}", interface.name, mtu),
          fmt::format("ip link set dev {} mtu {}", interface.name, *interface.mtu_bytes),
          "ip-link(8)"};
}

bool look_at_bridges(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& bridge : host.facts.interfaces) {
    if (bridge.kind != "bridge" || !bridge.mtu_bytes || !is_in_use(bridge)) continue;
    for (const InterfaceFacts& port : host.facts.interfaces) {
      if (port.master != bridge.name || !port.mtu_bytes) continue;
      is_judged = true;
      if (*port.mtu_bytes >= *bridge.mtu_bytes || !is_in_use(port)) continue;
      found.push_back({.interface = port.name,
                       .claim = fmt::format("{} carries {} and its bridge {} {}", port.name,
                                            *port.mtu_bytes, bridge.name, *bridge.mtu_bytes),
                       .value = std::to_string(*port.mtu_bytes),
                       .expected = std::to_string(*bridge.mtu_bytes),
                       .why = std::string(kWhy),
                       .cost = std::string(kCost),
                       .evidence = {seen_on(port, fmt::format("mtu {}", *port.mtu_bytes)),
                                    seen_on(bridge, fmt::format("mtu {}", *bridge.mtu_bytes))},
                       .steps = {mtu_step(bridge, *port.mtu_bytes)}});
    }
  }
  return is_judged;
}

bool look_at_switches(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& vmk : host.facts.interfaces) {
    const auto portset = vmk.properties.find("portset");
    if (portset == vmk.properties.end()) continue;
    const InterfaceFacts* vswitch = find_interface(host.facts, portset->second);
    if (vswitch == nullptr || vswitch->kind != "bridge" || !vmk.mtu_bytes || !vswitch->mtu_bytes)
      continue;
    is_judged = true;
    if (*vmk.mtu_bytes <= *vswitch->mtu_bytes) continue;
    const auto set = [&](std::uint32_t mtu) {
      return fmt::format("esxcli network vswitch standard set -v {} -m {}", vswitch->name, mtu);
    };
    found.push_back(
        {.interface = vmk.name,
         .claim = fmt::format("{} sends up to {} through {}, which carries {}", vmk.name,
                              *vmk.mtu_bytes, vswitch->name, *vswitch->mtu_bytes),
         .value = std::to_string(*vswitch->mtu_bytes),
         .expected = fmt::format("{} or more", *vmk.mtu_bytes),
         .why = std::string(kWhy),
         .cost = std::string(kCost),
         .evidence = {seen_on(vmk, fmt::format("MTU {}", *vmk.mtu_bytes)),
                      seen_on(*vswitch, fmt::format("MTU {}", *vswitch->mtu_bytes))},
         .steps = {{Platform::esxi, set(*vmk.mtu_bytes), set(*vswitch->mtu_bytes),
                    "VMware KB 1007654"}}});
  }
  return is_judged;
}

bool look_at_windows(const Host& host, std::vector<HostFinding>& found) {
  constexpr std::uint32_t kEthernet = 1514;  // the property counts the header
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    const auto jumbo = interface.properties.find("*JumboPacket");
    if (jumbo == interface.properties.end() || !interface.mtu_bytes) continue;
    is_judged = true;
    const bool is_small = jumbo->second == std::to_string(kEthernet) || jumbo->second == "1500";
    if (!is_small || *interface.mtu_bytes <= 1500 || !is_in_use(interface)) continue;
    const auto set = [&](std::uint32_t mtu) {
      return fmt::format("netsh int ipv4 set subinterface \"{}\" mtu={} store=persistent",
                         interface.name, mtu);
    };
    found.push_back(
        {.interface = interface.name,
         .claim = fmt::format("{}: IP sends up to {}, and the adapter carries 1500", interface.name,
                              *interface.mtu_bytes),
         .value = std::to_string(*interface.mtu_bytes),
         .expected = "1500, or Jumbo Packet on",
         .why = std::string(kWhy),
         .cost = std::string(kCost),
         .evidence = {seen_on(interface, fmt::format("MTU {}", *interface.mtu_bytes)),
                      seen_on(interface, fmt::format("*JumboPacket = {}", jumbo->second))},
         .steps = {{Platform::windows, set(1500), set(*interface.mtu_bytes),
                    "Microsoft Learn: netsh interface ipv4"}}});
  }
  return is_judged;
}

// A frame that the port takes for too long; a few come from broken neighbours.
constexpr std::string_view kTooLong[] = {"rx_length_errors", "rx_over_errors"};
constexpr std::string_view kPackets[] = {"rx_packets"};
constexpr CounterRule kLong{.measure = {.events = kTooLong,
                                        .of = kPackets,
                                        .least_count = 100,
                                        .least_share = 1e-5,
                                        .proven_per_s = 1},
                            .claim = "frames arrive that are longer than it takes",
                            .why =
                                "a neighbour on this link has a larger MTU; what it sends full "
                                "size is dropped here",
                            .cost = "full-size segments vanish; connections hang once data flows"};

bool look_at_lengths(const Host& host, std::vector<HostFinding>& found) {
  return judge_statistics(host, kLong, found);
}

bool look_at_pings(const Host& host, std::vector<HostFinding>& found) {
  constexpr std::uint32_t kHeaders = 28;  // IPv4 and ICMP
  std::uint32_t mtu = 0;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    if (interface.name != "lo" && interface.kind != "loopback" && is_in_use(interface))
      mtu = std::max(mtu, interface.mtu_bytes.value_or(0));
  }
  bool is_judged = false;
  for (const MeasuredFacts& ping : host.facts.measured) {
    if (ping.program != "ping" || !ping.dont_fragment.value_or(false) || mtu == 0) continue;
    is_judged = true;
    if (!ping.smallest_failed_bytes || *ping.smallest_failed_bytes + kHeaders > mtu) continue;
    const bool smaller_passed =
        std::ranges::any_of(host.facts.measured, [&](const MeasuredFacts& other) {
          return other.program == "ping" && other.largest_passed_bytes &&
                 *other.largest_passed_bytes < *ping.smallest_failed_bytes;
        });
    if (!smaller_passed) continue;
    found.push_back(
        {.claim = fmt::format("packets of {} do not pass, though this host's MTU is {}",
                              *ping.smallest_failed_bytes + kHeaders, mtu),
         .value = std::to_string(*ping.smallest_failed_bytes + kHeaders),
         .expected = std::to_string(mtu),
         .why = std::string(kWhy),
         .cost = std::string(kCost),
         .evidence = {{EvidenceKind::test,
                       fmt::format("ping of {} bytes, not to be fragmented, failed; smaller ones "
                                   "passed",
                                   *ping.smallest_failed_bytes),
                       ping.origin.where}}});
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"port-below-bridge", Platform::linux, "ip -d link",
             "a bridge's member in use has a smaller MTU than the bridge", look_at_bridges},
    HostRule{"switch-below-vmkernel", Platform::esxi,
             "esxcli network ip interface list, esxcli network vswitch standard list",
             "a vmkernel interface has a larger MTU than its virtual switch", look_at_switches},
    HostRule{"jumbo-off-in-adapter", Platform::windows,
             "netsh int ipv4 show subinterfaces, Get-NetAdapterAdvancedProperty",
             "the MTU is above 1500 and the adapter's Jumbo Packet is off", look_at_windows},
    HostRule{
        "frames-too-long", std::nullopt, "ethtool -S or ip -s link, esxcli network nic stats",
        "rx_length_errors and rx_over_errors are 100 or more and 0.001 % of the packets; fault "
        "from one a second on",
        look_at_lengths},
    HostRule{"large-ping-fails", std::nullopt, "ping with its DF option in several sizes",
             "a ping with DF no longer than the host's MTU failed, and a smaller one passed",
             look_at_pings},
};

}  // namespace

extern const HostFault jumbo_mismatch;
const HostFault jumbo_mismatch{"jumbo-mismatch", kRules};

}  // namespace slowpath::detect::host

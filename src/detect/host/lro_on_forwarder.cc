// SPDX-License-Identifier: Apache-2.0
// lro-on-forwarder: a NIC merges segments so that they cannot be cut again, on a host that hands
// them on.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kFault = "lro-on-forwarder";

bool is_in_bridge(const MachineFacts& facts, const InterfaceFacts& interface) {
  const InterfaceFacts* master = find_interface(facts, interface.master);
  return master != nullptr && master->kind == "bridge";
}

/// Why packets that arrive here leave again; nothing where they do not.
std::optional<HostEvidence> handed_on(const MachineFacts& facts, const InterfaceFacts& interface) {
  if (is_in_bridge(facts, interface))
    return seen_on(interface, fmt::format("member of {}", interface.master));
  for (const char* key : {"net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"}) {
    if (number_of(facts, key).value_or(0) == 1) return shown(facts, key);
  }
  return std::nullopt;
}

HostFinding describe(const Host& host, const InterfaceFacts& interface, HostEvidence handed) {
  HostFinding finding{
      .interface = interface.name,
      .claim =
          fmt::format("{} merges what arrives by LRO, and this host hands it on", interface.name),
      .value = "large-receive-offload: on",
      .expected = "off",
      .why =
          "merged segments are longer than the next link's MTU and cannot be cut as they were: "
          "they are dropped, or refused by ICMP",
      .cost = "bursts are lost; one or two segments pass in each retransmission timeout",
      .evidence = {seen_on(interface, "large-receive-offload: on"), std::move(handed)},
      .steps = {feature_step(interface, "lro", false)}};
  constexpr std::uint64_t kRefused = 100;
  const std::uint64_t refused = count_of(host.facts, "IpFragFails");
  if (refused >= kRefused) {
    finding.severity = Severity::fault;
    finding.evidence.push_back(counted(host.facts, "IpFragFails"));
    finding.claim += fmt::format("; {} packets were too long to leave", format_count(refused));
  }
  return finding;
}

bool look_at_nics(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    const auto lro = interface.features.find("rx-lro");
    if (lro == interface.features.end()) continue;
    is_judged = true;
    if (!lro->second.on || !is_in_use(interface)) continue;
    if (auto handed = handed_on(host.facts, interface))
      found.push_back(describe(host, interface, std::move(*handed)));
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"lro-while-forwarding", Platform::linux, "ethtool -k, sysctl -a, ip -d link",
             "LRO is on, and IP forwarding is on or the NIC is a member of a bridge; fault where "
             "IpFragFails is 100 or more",
             look_at_nics},
};

}  // namespace

extern const HostFault lro_on_forwarder;
const HostFault lro_on_forwarder{kFault, kRules};

}  // namespace slowpath::detect::host

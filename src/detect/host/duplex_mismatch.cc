// SPDX-License-Identifier: Apache-2.0
// duplex-mismatch: a link that runs half duplex, or is fixed where the other end negotiates.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

bool look_at_duplex(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    if (interface.duplex.empty() || !is_nic(interface)) continue;
    is_judged = true;
    if (interface.duplex != "half" || !is_in_use(interface)) continue;
    const std::uint64_t collisions = value_at(interface.statistics, "collisions");
    HostFinding finding{
        .severity = collisions > 0 ? Severity::fault : Severity::suspect,
        .interface = interface.name,
        .claim = fmt::format("{} runs half duplex", interface.name),
        .value = "half",
        .expected = "full",
        .why =
            "it may not send while it receives; where the other end is full, it takes every "
            "frame that comes meanwhile for a collision",
        .cost = "loss that grows with load in both directions",
        .evidence = {seen_on(interface, "duplex half")}};
    if (collisions > 0) {
      finding.claim += fmt::format(", with {} collisions", format_count(collisions));
      finding.evidence.push_back(seen_on(interface,
                                         fmt::format("collisions = {}", format_count(collisions)),
                                         EvidenceKind::counter));
    }
    if (platform_of(host.facts) == Platform::linux) {
      finding.steps.push_back({Platform::linux,
                               fmt::format("ethtool -s {} autoneg on", interface.name),
                               fmt::format("ethtool -s {} autoneg off duplex half", interface.name),
                               "ethtool(8), -s autoneg"});
    }
    found.push_back(std::move(finding));
  }
  return is_judged;
}

bool look_at_negotiation(const Host& host, std::vector<HostFinding>& found) {
  constexpr std::int64_t kFast = 100'000'000;  // at 1 Gbit/s over copper negotiation is mandatory
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    const auto autoneg = interface.properties.find("autoneg");
    if (autoneg == interface.properties.end() || !is_nic(interface) || !interface.speed_bps)
      continue;
    is_judged = true;
    if (autoneg->second != "off" || *interface.speed_bps > kFast || *interface.speed_bps <= 0 ||
        interface.duplex != "full" || !is_in_use(interface))
      continue;
    const std::string speed = format_rate(static_cast<double>(*interface.speed_bps));
    found.push_back(
        {.interface = interface.name,
         .claim = fmt::format("{} is fixed to {} full duplex", interface.name, speed),
         .value = "autoneg off",
         .expected = "autoneg on, at both ends",
         .why = "an other end that negotiates hears nothing, and falls back to half duplex",
         .cost = fmt::format("at most {}; loss under load if the other end is half", speed),
         .evidence = {seen_on(interface, fmt::format("autoneg off, {} full", speed))},
         .steps = {{Platform::linux, fmt::format("ethtool -s {} autoneg on", interface.name),
                    fmt::format("ethtool -s {} autoneg off speed {} duplex full", interface.name,
                                *interface.speed_bps / 1'000'000),
                    "ethtool(8), -s autoneg"}}});
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"half-duplex", std::nullopt, "ethtool, dladm show-phys, or esxcli network nic list",
             "a NIC in use runs half duplex; fault where it counted collisions", look_at_duplex},
    HostRule{"negotiation-off", Platform::linux, "ethtool",
             "a NIC in use is fixed to 100 Mbit/s or less, full duplex", look_at_negotiation},
};

}  // namespace

extern const HostFault duplex_mismatch;
const HostFault duplex_mismatch{"duplex-mismatch", kRules};

}  // namespace slowpath::detect::host

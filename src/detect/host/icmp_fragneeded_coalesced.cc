// SPDX-License-Identifier: Apache-2.0
// icmp-fragneeded-coalesced: a gateway refuses packets as too long although all its links carry the
// same. What was too long was merged on the gateway itself.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

/// The MTU that all interfaces and routes share; nothing where they differ or were not told.
std::optional<std::uint32_t> common_mtu(const MachineFacts& facts) {
  std::optional<std::uint32_t> mtu;
  for (const InterfaceFacts& interface : facts.interfaces) {
    if (interface.kind == "loopback" || interface.name == "lo" || !is_in_use(interface)) continue;
    if (!interface.mtu_bytes || (mtu && mtu != interface.mtu_bytes)) return std::nullopt;
    mtu = interface.mtu_bytes;
  }
  const auto limits = [](const RouteFacts& route) { return route.mtu_bytes.has_value(); };
  if (std::ranges::any_of(facts.routes, limits)) return std::nullopt;
  return mtu;
}

bool merges(const InterfaceFacts& interface) {
  return is_on(interface, "rx-gro") || is_on(interface, "rx-lro") || is_on(interface, "rx-gro-hw");
}

bool look(const Host& host, std::vector<HostFinding>& found) {
  const auto* refused = find_counter(host.facts, "IpFragFails");
  const bool has_features = std::ranges::any_of(
      host.facts.interfaces, [](const InterfaceFacts& each) { return !each.features.empty(); });
  if (refused == nullptr || !has_features || host.facts.routes.empty()) return false;
  const auto mtu = common_mtu(host.facts);
  constexpr std::uint64_t kLeast = 100;
  const auto rate = host.facts.counter_rates.find("IpFragFails");
  constexpr double kLeastNow = 5;
  const bool is_now = rate != host.facts.counter_rates.end() && host.facts.interval_s &&
                      rate->second >= 1 && rate->second * *host.facts.interval_s >= kLeastNow;
  if (!forwards(host.facts) || !mtu || (refused->value < kLeast && !is_now)) return true;
  const auto nic = std::ranges::find_if(host.facts.interfaces, merges);
  if (nic == host.facts.interfaces.end()) return true;
  found.push_back(
      {.interface = nic->name,
       .claim = fmt::format("{} packets were refused as too long, though every link carries {}",
                            format_count(refused->value), format_bytes(*mtu)),
       .value = std::to_string(refused->value),
       .expected = "none, where no link is smaller than the one before",
       .why = "only what this host merged itself can be too long here; its ICMP then blames the "
              "sender, who never sent such a packet. IPsec without an interface of its own does "
              "the same",
       .cost = "senders stall until a retransmission timeout, then send one segment",
       .evidence = {counted(host.facts, "IpFragFails"), seen_on(*nic, "merges what arrives")},
       .steps = {is_on(*nic, "rx-lro") ? feature_step(*nic, "lro", false)
                                       : feature_step(*nic, "gro", false)}});
  return true;
}

constexpr std::array kRules{
    HostRule{
        "too-long-on-equal-links", Platform::linux, "ethtool -k, ip -d link, ip route, nstat -az",
        "the host forwards, a NIC merges, all links in use have one MTU and no route a smaller "
        "one, and IpFragFails is 100 or more, or rises by 5 and once a second over an interval",
        look},
};

}  // namespace

extern const HostFault icmp_fragneeded_coalesced;
const HostFault icmp_fragneeded_coalesced{"icmp-fragneeded-coalesced", kRules};

}  // namespace slowpath::detect::host

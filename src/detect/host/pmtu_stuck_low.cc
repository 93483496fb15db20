// SPDX-License-Identifier: Apache-2.0
// pmtu-stuck-low: a small path MTU that the host remembers.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

// RFC 8200 section 5: every link of IPv6 carries 1280; real tunnels leave IPv4 as much.
constexpr std::uint32_t kSmall = 1280;

bool look_at_exceptions(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const RouteFacts& route : host.facts.routes) {
    is_judged = true;
    if (!route.is_exception || !route.mtu_bytes || *route.mtu_bytes >= kSmall) continue;
    const std::string destination = to_string(route.destination);
    HostFinding finding{
        .interface = route.interface,
        .claim = fmt::format("an MTU of {} is remembered for {}", *route.mtu_bytes, destination),
        .value = std::to_string(*route.mtu_bytes),
        .expected = fmt::format("{} or more", kSmall),
        .why = "hardly a path is that small; a forged or stale ICMP message makes such an entry",
        .cost = fmt::format("{:.1f} times as many packets to there",
                            1460.0 / std::max(1.0, static_cast<double>(*route.mtu_bytes) - 40)),
        .evidence = {{EvidenceKind::setting,
                      fmt::format("{} mtu {}{}", destination, *route.mtu_bytes,
                                  route.expires_s ? fmt::format(", expires in {}",
                                                                format_duration(*route.expires_s))
                                                  : ""),
                      route.origin.where}}};
    finding.steps.push_back({Platform::linux, "ip route flush cache",
                             "not needed: path MTUs are learnt again", "ip-route(8)"});
    found.push_back(std::move(finding));
  }
  return is_judged;
}

bool look_at_memory(const Host& host, std::vector<HostFinding>& found) {
  const std::string key = "net.ipv4.route.mtu_expires";
  const auto seconds = number_of(host.facts, key);
  if (!seconds) return false;
  constexpr std::int64_t kLong_s =
      3600;  // the default is 600 (ip-sysctl.rst, RFC 1191 section 6.3)
  if (*seconds <= kLong_s) return true;
  found.push_back({.claim = fmt::format("a small path MTU is remembered for {}",
                                        format_duration(static_cast<double>(*seconds))),
                   .value = std::to_string(*seconds),
                   .expected = "600",
                   .why = "after a detour over a small link every connection stays small that long",
                   .cost = "more packets than needed, for as long",
                   .evidence = {shown(host.facts, key)},
                   .steps = {sysctl_step(host.facts, key, "600")}});
  return true;
}

constexpr std::array kRules{
    HostRule{"small-path-mtu-learnt", Platform::linux, "ip route get DST, or read live",
             "a path MTU below 1280 is remembered", look_at_exceptions},
    HostRule{"path-mtu-kept-long", Platform::linux, "sysctl -a",
             "net.ipv4.route.mtu_expires is above 3600", look_at_memory},
};

}  // namespace

extern const HostFault pmtu_stuck_low;
const HostFault pmtu_stuck_low{"pmtu-stuck-low", kRules};

}  // namespace slowpath::detect::host

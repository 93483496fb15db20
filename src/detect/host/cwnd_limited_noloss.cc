// SPDX-License-Identifier: Apache-2.0
// cwnd-limited-noloss: congestion control that grows too timidly.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kControl = "net.ipv4.tcp_congestion_control";

bool look_at_control(const Host& host, std::vector<HostFinding>& found) {
  if (!is_read(host.facts, kControl)) return false;
  // They give way to delay: lp by design, vegas and nv beside anything that fills queues.
  constexpr std::string_view kTimid[] = {"vegas", "lp", "nv"};
  const bool is_timid = std::ranges::any_of(
      kTimid, [&](std::string_view name) { return says(host.facts, kControl, name); });
  if (!is_timid) return true;
  const std::string& name = value_of(host.facts, kControl);
  found.push_back(
      {.claim = fmt::format("all connections use the congestion control {}", name),
       .value = name,
       .expected = "cubic or bbr",
       .why = "it slows down as soon as a queue builds, so that any other transfer on the path "
              "takes the bandwidth",
       .cost = "a small share beside others; the whole path only when alone",
       .evidence = {shown(host.facts, kControl)},
       .steps = {sysctl_step(host.facts, kControl, "cubic")}});
  return true;
}

bool look_at_routes(const Host& host, std::vector<HostFinding>& found) {
  if (host.facts.routes.empty()) return false;
  for (const RouteFacts& route : host.facts.routes) {
    constexpr std::uint32_t kLeast = 4;  // RFC 3390; RFC 6928 has made it 10
    if (!route.initcwnd || *route.initcwnd >= kLeast || *route.initcwnd == 0) continue;
    found.push_back(
        {.interface = route.interface,
         .claim = fmt::format("connections of a route begin with {} segments", *route.initcwnd),
         .value = fmt::format("initcwnd {}", *route.initcwnd),
         .expected = "10",
         .why = "slow start doubles from there each round trip (RFC 6928)",
         .cost = "two to four more round trips at the beginning of each connection",
         .evidence = {{EvidenceKind::setting,
                       fmt::format("initcwnd {} on {}", *route.initcwnd, route.interface),
                       route.origin.where}},
         .steps = {route_step(route, "initcwnd 10", fmt::format("initcwnd {}", *route.initcwnd))}});
  }
  return true;
}

constexpr std::array kRules{
    HostRule{"congestion-control-timid", Platform::linux, "sysctl -a",
             "net.ipv4.tcp_congestion_control is vegas, lp or nv", look_at_control},
    HostRule{"initial-window-small", Platform::linux, "ip route", "a route's initcwnd is below 4",
             look_at_routes},
};

}  // namespace

extern const HostFault cwnd_limited_noloss;
const HostFault cwnd_limited_noloss{"cwnd-limited-noloss", kRules};

}  // namespace slowpath::detect::host

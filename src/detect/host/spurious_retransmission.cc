// SPDX-License-Identifier: Apache-2.0
// spurious-retransmission: settings under which timeouts fire too early or are not taken back, and
// copies that still wait in this host's own queue.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kWaiting[] = {"TcpExtTCPSpuriousRtxHostQueues"};
constexpr std::string_view kAgain[] = {"TcpRetransSegs"};
constexpr CounterRule kQueue{
    .measure = {.events = kWaiting, .of = kAgain, .least_count = 1000, .least_share = 0.1},
    .claim = "segments were to be sent again that had not left this host yet",
    .why =
        "the host's own queue (qdisc, driver) is so long that timeouts fire while data wait in "
        "it",
    .cost = "the congestion window is cut for nothing",
    .most = Severity::suspect};

bool look_at_queue(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kQueue, found);
}

bool look_at_routes(const Host& host, std::vector<HostFinding>& found) {
  constexpr double kShort_s = 0.02;  // below every delayed ACK: Linux waits up to 40 ms
  if (host.facts.routes.empty()) return false;
  for (const RouteFacts& route : host.facts.routes) {
    if (!route.rto_min_s || *route.rto_min_s >= kShort_s || route.quickack.value_or(false))
      continue;
    found.push_back(
        {.interface = route.interface,
         .claim =
             fmt::format("a route lets timeouts fire after {}", format_duration(*route.rto_min_s)),
         .value = format_duration(*route.rto_min_s),
         .expected = "200 ms, or above the peers' delayed ACK",
         .why = "a peer that delays its ACK, by up to 40 ms or 200 ms, is taken for a loss",
         .cost = "segments sent twice, and congestion windows cut for nothing",
         .evidence = {{EvidenceKind::setting,
                       fmt::format("rto_min {}", format_duration(*route.rto_min_s)),
                       route.origin.where}},
         .steps = {route_step(route, "rto_min 200ms",
                              fmt::format("rto_min {:.0f}ms", *route.rto_min_s * 1000))}});
  }
  return true;
}

constexpr SettingRule kForward{
    .key = "net.ipv4.tcp_frto",
    .bad = "0",
    .expected = "2",
    .claim = "forward RTO recovery is switched off",
    .why = "a timeout that came too early is not noticed, and everything goes again (RFC 5682)",
    .cost = "a window sent twice after each such timeout, as on radio links",
    .severity = Severity::note};

bool look_at_forward(const Host& host, std::vector<HostFinding>& found) {
  return judge_setting(host, kForward, found);
}

constexpr std::array kRules{
    HostRule{"own-queue-too-long", Platform::linux, "nstat -az",
             "TCPSpuriousRtxHostQueues is 1000 or more and 10 % of the retransmissions",
             look_at_queue},
    HostRule{"route-timeout-short", Platform::linux, "ip route",
             "a route's rto_min is below 20 ms, without quickack", look_at_routes},
    HostRule{"forward-rto-off", Platform::linux, "sysctl -a", "net.ipv4.tcp_frto is 0 (a note)",
             look_at_forward},
};

}  // namespace

extern const HostFault spurious_retransmission;
const HostFault spurious_retransmission{"spurious-retransmission", kRules};

}  // namespace slowpath::detect::host

// SPDX-License-Identifier: Apache-2.0
// ephemeral-exhausted: the ports from which this host opens connections run out.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kRange = "net.ipv4.ip_local_port_range";
constexpr std::string_view kWindowsPorts = "netsh.ip.dynamicport.tcp.number-of-ports";
constexpr double kLinuxTimeWait_s = 60;     // TCP_TIMEWAIT_LEN
constexpr double kWindowsTimeWait_s = 120;  // TcpTimedWaitDelay's default since Windows Server 2008
constexpr std::string_view kWhy =
    "each connection to one address and port needs a local port of its own, and keeps it for "
    "TIME_WAIT after its end";

std::string budget(double ports, double wait_s) {
  return fmt::format("{:.0f} new connections a second to one destination ({} ports, {:.0f} s each)",
                     ports / wait_s, whole(ports), wait_s);
}

std::optional<double> linux_ports(const MachineFacts& facts) {
  const std::vector<double> range = numbers_of(facts, kRange);
  if (range.size() != 2 || range[1] < range[0]) return std::nullopt;
  return range[1] - range[0] + 1;
}

bool look_at_range(const Host& host, std::vector<HostFinding>& found) {
  const auto ports = linux_ports(host.facts);
  if (!ports) return false;
  constexpr double kLeast = 14000;  // half of the kernel's own 28 232
  if (*ports >= kLeast) return true;
  found.push_back(
      {.claim = fmt::format("only {:.0f} ports are there to open connections from", *ports),
       .value = value_of(host.facts, kRange),
       .expected = "32768 60999 or wider",
       .why = std::string(kWhy),
       .cost = budget(*ports, kLinuxTimeWait_s),
       .evidence = {shown(host.facts, kRange)},
       .steps = {sysctl_step(host.facts, kRange, "1024 65535")}});
  return true;
}

bool look_at_sockets(const Host& host, std::vector<HostFinding>& found) {
  const auto ports = linux_ports(host.facts);
  if (!ports || host.facts.sockets.empty()) return false;
  std::map<std::string, std::set<std::uint16_t>> used;
  const std::vector<double> range = numbers_of(host.facts, kRange);
  for (const SocketFacts& socket : host.facts.sockets) {
    const double port = socket.local.port;
    if (socket.state != "listen" && port >= range[0] && port <= range[1])
      used[to_string(socket.remote)].insert(socket.local.port);
  }
  constexpr double kFull = 0.95, kNear = 0.8;
  for (const auto& [remote, taken] : used) {
    const std::size_t count = taken.size();
    const double share = static_cast<double>(count) / *ports;
    if (share < kNear) continue;
    found.push_back(
        {.severity = share >= kFull ? Severity::fault : Severity::suspect,
         .claim = fmt::format("{} of {:.0f} ports are in use to {}", format_count(count), *ports,
                              remote),
         .value = format_percent(share),
         .expected = "below 80 %",
         .why = std::string(kWhy),
         .cost = budget(*ports, kLinuxTimeWait_s),
         .evidence = {{EvidenceKind::counter,
                       fmt::format("{} ports of the range have sockets to {}", count, remote),
                       "sockets",
                       {{"ports", static_cast<double>(count)}}},
                      shown(host.facts, kRange)},
         .steps = {sysctl_step(host.facts, kRange, "1024 65535")}});
  }
  return true;
}

bool look_at_time_wait(const Host& host, std::vector<HostFinding>& found) {
  const auto ports = linux_ports(host.facts);
  const auto* waiting = find_counter(host.facts, "SockstatTcpTw");
  if (!ports || waiting == nullptr || !host.facts.sockets.empty()) return false;
  // They may go to many destinations, each of which has the whole range.
  if (static_cast<double>(waiting->value) < 0.8 * *ports) return true;
  found.push_back(
      {.claim = fmt::format("{} sockets are in TIME_WAIT, of {:.0f} ports",
                            format_count(waiting->value), *ports),
       .value = std::to_string(waiting->value),
       .expected = fmt::format("below {:.0f}, if most go to one destination", 0.8 * *ports),
       .why = std::string(kWhy),
       .cost = budget(*ports, kLinuxTimeWait_s),
       .evidence = {counted(host.facts, "SockstatTcpTw"), shown(host.facts, kRange)},
       .steps = {sysctl_step(host.facts, kRange, "1024 65535")}});
  return true;
}

bool look_at_windows(const Host& host, std::vector<HostFinding>& found) {
  const auto ports = number_of(host.facts, kWindowsPorts);
  if (!ports) return false;
  constexpr std::int64_t kDefault = 16384;
  if (*ports >= kDefault) return true;
  const auto start = number_of(host.facts, "netsh.ip.dynamicport.tcp.start-port").value_or(49152);
  const auto set = [](std::int64_t from, std::int64_t count) {
    return fmt::format("netsh int ipv4 set dynamicport tcp start={} num={}", from, count);
  };
  found.push_back({.claim = fmt::format("only {} ports are there to open connections from", *ports),
                   .value = std::to_string(*ports),
                   .expected = "16384 or more",
                   .why = std::string(kWhy),
                   .cost = budget(static_cast<double>(*ports), kWindowsTimeWait_s),
                   .evidence = {shown(host.facts, kWindowsPorts)},
                   .steps = {{Platform::windows, set(1025, 64510), set(start, *ports),
                              "Microsoft Learn: default dynamic port range"}}});
  return true;
}

constexpr std::array kRules{
    HostRule{"port-range-small", Platform::linux, "sysctl -a",
             "net.ipv4.ip_local_port_range holds fewer than 14000 ports", look_at_range},
    HostRule{"ports-used-up", Platform::linux, "ss -tan, sysctl -a",
             "80 % of the range's ports are in use to one destination; fault from 95 % on",
             look_at_sockets},
    HostRule{"time-wait-many", Platform::linux, "/proc/net/sockstat, sysctl -a, no list of sockets",
             "sockets in TIME_WAIT are 80 % of the range's ports", look_at_time_wait},
    HostRule{"dynamic-ports-few", Platform::windows, "netsh int ipv4 show dynamicport tcp",
             "fewer than 16384 dynamic ports", look_at_windows},
};

}  // namespace

extern const HostFault ephemeral_exhausted;
const HostFault ephemeral_exhausted{"ephemeral-exhausted", kRules};

}  // namespace slowpath::detect::host

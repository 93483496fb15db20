// SPDX-License-Identifier: Apache-2.0
// rcvbuf-pruned: the host throws received data away for lack of memory.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kPruned[] = {"TcpExtRcvPruned", "TcpExtOfoPruned", "TcpExtTCPRcvQDrop",
                                        "TcpExtTCPBacklogDrop"};
constexpr std::string_view kSegments[] = {"TcpInSegs"};

// A pruned segment comes again and costs a recovery: one in ten thousand is felt on a long path.
constexpr CounterRule kDrops{
    .measure = {.events = kPruned,
                .of = kSegments,
                .least_count = 100,
                .least_share = 1e-4,
                .proven_share = 1e-2,
                .proven_per_s = 1},
    .claim = "TCP threw received segments away for lack of buffer memory",
    .why = "the peer must send them again, and takes the loss for congestion",
    .cost = "each one is a retransmission, and cuts the peer's congestion window"};

bool look_at_drops(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kDrops, found);
}

bool look_at_memory(const Host& host, std::vector<HostFinding>& found) {
  const std::vector<double> limits = numbers_of(host.facts, "net.ipv4.tcp_mem");
  const auto* used = find_counter(host.facts, "SockstatTcpMem");
  if (limits.size() != 3 || used == nullptr) return false;
  if (static_cast<double>(used->value) < limits[1] || limits[1] <= 0) return true;
  HostFinding finding{
      .severity = Severity::fault,
      .claim = fmt::format("TCP uses {} pages of memory; from {:.0f} on it shrinks all windows",
                           format_count(used->value), limits[1]),
      .value = std::to_string(used->value),
      .expected = fmt::format("below {:.0f}", limits[0]),
      .why = "under pressure the kernel stops growing windows and prunes queues",
      .cost = "every connection of this host",
      .evidence = {counted(host.facts, "SockstatTcpMem"), shown(host.facts, "net.ipv4.tcp_mem")}};
  finding.steps.push_back(sysctl_step(
      host.facts, "net.ipv4.tcp_mem",
      fmt::format("{:.0f} {:.0f} {:.0f}", 2 * limits[0], 2 * limits[1], 2 * limits[2])));
  found.push_back(std::move(finding));
  return true;
}

bool look_at_limits(const Host& host, std::vector<HostFinding>& found) {
  const std::vector<double> limits = numbers_of(host.facts, "net.ipv4.tcp_mem");
  if (limits.size() != 3) return false;
  constexpr double kPages = 4.0 * 1024 * 1024;  // 16 GiB of 4-KiB pages
  if (limits[0] != limits[2] || limits[0] < kPages) return true;
  found.push_back(
      {.severity = Severity::note,
       .claim =
           fmt::format("tcp_mem allows TCP {} and has no zone of pressure: was it meant in bytes?",
                       format_bytes(limits[2] * 4096)),
       .value = value_of(host.facts, "net.ipv4.tcp_mem"),
       .expected = "three rising numbers of pages, as the kernel sets them at boot",
       .why = "the unit is pages: with this the kernel never saves memory before it runs out",
       .cost = "none until memory is short",
       .evidence = {shown(host.facts, "net.ipv4.tcp_mem")}});
  return true;
}

constexpr std::array kRules{
    HostRule{"receive-queue-pruned", Platform::linux, "nstat -az",
             "RcvPruned, OfoPruned, TCPRcvQDrop and TCPBacklogDrop together are 100 or more and "
             "0.01 % of the segments; fault from 1 % or one a second on",
             look_at_drops},
    HostRule{"tcp-memory-pressure", Platform::linux, "sysctl -a, /proc/net/sockstat",
             "the pages that TCP uses reach the second number of net.ipv4.tcp_mem", look_at_memory},
    HostRule{"tcp-mem-in-bytes", Platform::linux, "sysctl -a",
             "net.ipv4.tcp_mem holds the same number three times, 4194304 pages or more",
             look_at_limits},
};

}  // namespace

extern const HostFault rcvbuf_pruned;
const HostFault rcvbuf_pruned{"rcvbuf-pruned", kRules};

}  // namespace slowpath::detect::host

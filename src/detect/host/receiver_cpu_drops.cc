// SPDX-License-Identifier: Apache-2.0
// receiver-cpu-drops: the host loses packets before TCP sees them: the NIC's ring overruns, or the
// kernel's backlog.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kMissed[] = {"rx_missed_errors", "rx_fifo_errors", "rx_no_buffer_count"};
constexpr std::string_view kPackets[] = {"rx_packets"};
// A burst at boot overruns any ring; one loss in 100 000 holds CUBIC to 100 Mbit/s at 60 ms.
constexpr CounterRule kRing{
    .measure = {.events = kMissed,
                .of = kPackets,
                .least_count = 1000,
                .least_share = 1e-5,
                .proven_share = 1e-3,
                .proven_per_s = 1},
    .claim = "packets were lost because the receive ring was full",
    .why =
        "the processor does not fetch them as fast as they come, or not often enough for so "
        "small a ring",
    .cost = "each one is a lost packet, and cuts its sender's window"};

bool look_at_rings(const Host& host, std::vector<HostFinding>& found) {
  const std::size_t before = found.size();
  const bool is_judged = judge_statistics(host, kRing, found);
  for (std::size_t i = before; i < found.size(); ++i) {
    const InterfaceFacts* interface = find_interface(host.facts, found[i].interface);
    if (interface == nullptr || !interface->rings.rx || !interface->rings.rx_max) continue;
    if (*interface->rings.rx >= *interface->rings.rx_max) continue;
    found[i].evidence.push_back(seen_on(
        *interface,
        fmt::format("receive ring {} of {}", *interface->rings.rx, *interface->rings.rx_max)));
    if (platform_of(host.facts) != Platform::linux) continue;
    const auto set = [&](std::uint32_t size) {
      return fmt::format("ethtool -G {} rx {}", interface->name, size);
    };
    found[i].steps.push_back({Platform::linux, set(*interface->rings.rx_max),
                              set(*interface->rings.rx), "ethtool(8), -G"});
  }
  return is_judged;
}

constexpr std::string_view kDropped[] = {"SoftnetDropped"};
constexpr std::string_view kProcessed[] = {"SoftnetProcessed"};
constexpr CounterRule kBacklog{
    .measure = {.events = kDropped,
                .of = kProcessed,
                .least_count = 1000,
                .least_share = 1e-5,
                .proven_share = 1e-3,
                .proven_per_s = 1},
    .claim = "packets were lost because a CPU's backlog was full",
    .why = "packets steered to a CPU (RPS, veth, tunnels) wait in a queue of limited length",
    .cost = "each one is a lost packet, and cuts its sender's window"};

bool look_at_backlog(const Host& host, std::vector<HostFinding>& found) {
  const std::size_t before = found.size();
  const bool is_judged = judge_counters(host, kBacklog, found);
  const std::string key = "net.core.netdev_max_backlog";
  constexpr std::int64_t kLongest = 1'000'000;  // a longer queue would cost more than it saves
  const auto backlog = number_of(host.facts, key);
  if (found.size() > before && backlog && *backlog > 0 && *backlog < kLongest) {
    found.back().evidence.push_back(shown(host.facts, key));
    found.back().steps.push_back(sysctl_step(host.facts, key, std::to_string(4 * *backlog)));
  }
  return is_judged;
}

constexpr std::string_view kSqueezed[] = {"SoftnetTimeSqueeze"};
constexpr CounterRule kSqueeze{
    .measure = {.events = kSqueezed,
                .of = kProcessed,
                .least_count = 1000,
                .least_share = 1e-3,
                .proven_per_s = 1000},
    .claim = "the kernel stopped fetching packets although more were waiting",
    .why =
        "its budget for one round (netdev_budget, netdev_budget_usecs) was used up; that is "
        "delay, and overruns follow if it goes on",
    .cost = "latency; loss only where rings overrun as well",
    .most = Severity::note};

bool look_at_squeeze(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kSqueeze, found);
}

constexpr std::array kRules{
    HostRule{"receive-ring-overruns", std::nullopt,
             "ip -s link, ethtool -S -g, esxcli network nic stats get",
             "rx_missed_errors, rx_fifo_errors and rx_no_buffer_count are 1000 or more and 0.001 % "
             "of the packets; fault from 0.1 % or one a second on",
             look_at_rings},
    HostRule{"backlog-overruns", Platform::linux, "/proc/net/softnet_stat",
             "the drops are 1000 or more and 0.001 % of the packets; fault from 0.1 % or one a "
             "second on",
             look_at_backlog},
    HostRule{"softirq-budget-short", Platform::linux, "/proc/net/softnet_stat",
             "time_squeeze is 1000 or more and 0.1 % of the packets (a note)", look_at_squeeze},
};

}  // namespace

extern const HostFault receiver_cpu_drops;
const HostFault receiver_cpu_drops{"receiver-cpu-drops", kRules};

}  // namespace slowpath::detect::host

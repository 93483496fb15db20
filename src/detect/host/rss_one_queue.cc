// SPDX-License-Identifier: Apache-2.0
// rss-one-queue: all that arrives is handled by one core although there are more.
#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kWhy =
    "one core must take every packet of every connection, however many cores there are";
constexpr std::string_view kCost =
    "about 1 million packets a second in all, or less: 10 Gbit/s at MTU 1500 is 0.8 million";

std::uint32_t queues_of(const ChannelFacts& channels) {
  return std::max(channels.combined.value_or(0), channels.rx.value_or(0));
}
std::uint32_t possible(const ChannelFacts& channels) {
  return std::max(channels.combined_max.value_or(0), channels.rx_max.value_or(0));
}

bool look_at_channels(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    const std::uint32_t now = queues_of(interface.channels);
    const std::uint32_t most = possible(interface.channels);
    if (!is_nic(interface) || now == 0 || most == 0 || host.facts.cpus.empty()) continue;
    is_judged = true;
    if (now > 1 || most < 2 || host.facts.cpus.size() < 2 || !is_in_use(interface)) continue;
    const auto wanted =
        std::min<std::size_t>({most, host.facts.cpus.size(), 16});  // more seldom help
    const bool is_combined = interface.channels.combined.value_or(0) > 0;
    const auto set = [&](std::size_t queues) {
      return fmt::format("ethtool -L {} {} {}", interface.name, is_combined ? "combined" : "rx",
                         queues);
    };
    found.push_back({.interface = interface.name,
                     .claim = fmt::format("{} uses one receive queue of {}, on a host of {} CPUs",
                                          interface.name, most, host.facts.cpus.size()),
                     .value = "1",
                     .expected = std::to_string(wanted),
                     .why = std::string(kWhy),
                     .cost = std::string(kCost),
                     .evidence = {seen_on(interface, fmt::format("channels 1 of {}", most))},
                     .steps = {{Platform::linux, set(wanted), set(now), "ethtool(8), -L"}}});
  }
  return is_judged;
}

bool look_at_table(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    const std::vector<std::uint32_t>& table = interface.rss.indirection;
    const std::uint32_t queues = queues_of(interface.channels);
    if (!is_nic(interface) || table.empty() || queues == 0) continue;
    is_judged = true;
    const bool is_one =
        std::ranges::all_of(table, [&](std::uint32_t queue) { return queue == table.front(); });
    if (!is_one || queues < 2 || !is_in_use(interface)) continue;
    found.push_back(
        {.interface = interface.name,
         .claim = fmt::format("{} sends every flow to queue {} of its {}", interface.name,
                              table.front(), queues),
         .value = fmt::format("all {} buckets to queue {}", table.size(), table.front()),
         .expected = "spread over all queues",
         .why = std::string(kWhy),
         .cost = std::string(kCost),
         .evidence = {seen_on(interface, "indirection table has one queue")}});
    if (platform_of(host.facts) == Platform::linux) {
      found.back().steps.push_back(
          {Platform::linux, fmt::format("ethtool -X {} default", interface.name),
           fmt::format("ethtool -X {} start {} equal 1", interface.name, table.front()),
           "ethtool(8), -X"});
    }
  }
  return is_judged;
}

/// Over an interval only: since boot a queue may have been configured otherwise.
bool look_at_interrupts(const Host& host, std::vector<HostFinding>& found) {
  constexpr double kLeastPerS = 5000, kShare = 0.9;
  constexpr std::size_t kFlows = 8;  // the catalogue's minimum: fewer fall on one queue by chance
  bool is_judged = false;
  const auto flows = static_cast<std::size_t>(
      std::ranges::count(host.facts.sockets, "established", &SocketFacts::state));
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    const std::vector<double>& rates = interface.queue_interrupt_rates;
    if (rates.size() < 2) continue;
    is_judged = true;
    const double all = std::accumulate(rates.begin(), rates.end(), 0.0);
    const double most = *std::ranges::max_element(rates);
    if (all < kLeastPerS || most < kShare * all || flows < kFlows) continue;
    found.push_back(
        {.severity = Severity::fault,
         .interface = interface.name,
         .claim = fmt::format("{} of {} interrupts a second of {} come from one of {} queues",
                              format_percent(most / all), whole(all), interface.name, rates.size()),
         .value = format_percent(most / all),
         .expected = "spread over all queues",
         .why = std::string(kWhy),
         .cost = std::string(kCost),
         .evidence = {
             {EvidenceKind::counter,
              fmt::format("{}: {:.0f} of {:.0f} interrupts a second", interface.name, most, all),
              "/proc/interrupts",
              {{"queue_share", most / all}}}}});
  }
  return is_judged;
}

HostFinding windows_finding(std::string claim, HostEvidence evidence, HostStep step) {
  return {.claim = std::move(claim),
          .value = "disabled",
          .expected = "enabled",
          .why = std::string(kWhy),
          .cost = std::string(kCost),
          .evidence = {std::move(evidence)},
          .steps = {std::move(step)}};
}

bool look_at_windows(const Host& host, std::vector<HostFinding>& found) {
  const std::string netsh = "netsh.tcp.global.receive-side-scaling-state";
  const std::string cmdlet = "Get-NetOffloadGlobalSetting.ReceiveSideScaling";
  if (!is_read(host.facts, netsh) && !is_read(host.facts, cmdlet)) return false;
  const bool by_netsh = says(host.facts, netsh, "disabled");
  if (!by_netsh && !says(host.facts, cmdlet, "Disabled")) return true;
  found.push_back(windows_finding(
      "receive side scaling is switched off for all adapters",
      shown(host.facts, by_netsh ? netsh : cmdlet),
      {Platform::windows, "netsh int tcp set global rss=enabled",
       "netsh int tcp set global rss=disabled", "Microsoft Learn: netsh interface tcp"}));
  return true;
}

bool look_at_adapters(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    const auto hashing = interface.features.find("rx-hashing");
    if (hashing == interface.features.end()) continue;
    is_judged = true;
    constexpr std::int64_t kFast = 10'000'000'000;  // below that one core is enough
    if (hashing->second.on || !is_in_use(interface) || interface.speed_bps.value_or(0) < kFast)
      continue;
    found.push_back(windows_finding(
        fmt::format("{}: receive side scaling is off in the adapter", interface.name),
        seen_on(interface, "Receive Side Scaling disabled"),
        {Platform::windows, fmt::format("Enable-NetAdapterRss -Name '{}'", interface.name),
         fmt::format("Disable-NetAdapterRss -Name '{}'", interface.name),
         "Microsoft Learn: Enable-NetAdapterRss"}));
    found.back().interface = interface.name;
    found.back().severity = Severity::note;  // older vmxnet3 drivers come so
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"one-channel", Platform::linux, "ethtool -l, /proc/stat",
             "a NIC in use has one receive queue, could have more, and there are two CPUs or more",
             look_at_channels},
    HostRule{"one-queue-in-table", std::nullopt, "ethtool -x -l or Get-NetAdapterRss",
             "all buckets of the indirection table hold one queue of several", look_at_table},
    HostRule{"one-queue-busy", Platform::linux, "/proc/interrupts twice (--interval)",
             "one of several queues makes 90 % of 5000 interrupts a second or more, with eight "
             "connections open",
             look_at_interrupts},
    HostRule{"rss-off", Platform::windows,
             "netsh int tcp show global or Get-NetOffloadGlobalSetting",
             "Receive-Side Scaling State is disabled", look_at_windows},
    HostRule{"rss-off-in-adapter", Platform::windows,
             "Get-NetAdapterRss or Get-NetAdapterAdvancedProperty, Get-NetAdapter",
             "RSS of an adapter of 10 Gbit/s or more is off (a note)", look_at_adapters},
};

}  // namespace

extern const HostFault rss_one_queue;
const HostFault rss_one_queue{"rss-one-queue", kRules};

}  // namespace slowpath::detect::host

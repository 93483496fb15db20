// SPDX-License-Identifier: Apache-2.0
// sender-cpu-limited: a core that has nothing left, and machines in a cloud without an interface of
// the NIC's own.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

bool look_at_cores(const Host& host, std::vector<HostFinding>& found) {
  constexpr double kIdle = 0.03, kKernel = 0.5;
  constexpr double kLeast_s = 1;
  if (!host.facts.interval_s || *host.facts.interval_s < kLeast_s || host.facts.cpus.empty())
    return false;
  for (const CpuFacts& cpu : host.facts.cpus) {
    const double kernel = cpu.system_s + cpu.softirq_s;
    const double all = kernel + cpu.user_s + cpu.idle_s + cpu.steal_s;
    if (all <= 0 || cpu.idle_s > kIdle * all || kernel < kKernel * all) continue;
    const double softirq = cpu.softirq_s / all;
    found.push_back(
        {.claim = fmt::format("CPU {} has nothing left: {} in the kernel, {} of it for packets",
                              cpu.number, format_percent(kernel / all), format_percent(softirq)),
         .value = format_percent(1 - cpu.idle_s / all),
         .expected = "below 97 %",
         .why = "one connection is served by one core at a time, so that this core is its ceiling",
         .cost = "the rate of what this core serves",
         .evidence = {{EvidenceKind::counter,
                       fmt::format("CPU {}: user {}, system {}, softirq {}, idle {}", cpu.number,
                                   format_duration(cpu.user_s), format_duration(cpu.system_s),
                                   format_duration(cpu.softirq_s), format_duration(cpu.idle_s)),
                       "/proc/stat",
                       {{"kernel_share", kernel / all}}}}});
  }
  return true;
}

/// The driver of a card's virtual function, as clouds hand them out beside the synthetic NIC.
bool is_virtual_function(const InterfaceFacts& interface) {
  for (const std::string_view driver :
       {"mlx5_core", "mlx4_en", "mlx4_core", "mana", "ixgbevf", "iavf", "i40evf"}) {
    if (interface.driver == driver) return true;
  }
  // Windows tells the card's name.
  return interface.alias.contains("Mellanox") || interface.alias.contains("ConnectX") ||
         interface.alias.contains("MANA") || interface.alias.contains("Virtual Function");
}

/// Hyper-V's own NIC, as Linux and Windows call it.
bool is_synthetic(const InterfaceFacts& interface) {
  return interface.driver == "hv_netvsc" ||
         interface.alias.starts_with("Microsoft Hyper-V Network Adapter");
}

bool look_at_acceleration(const Host& host, std::vector<HostFinding>& found) {
  const auto& interfaces = host.facts.interfaces;
  const auto told = std::ranges::find_if(interfaces, [](const InterfaceFacts& each) {
    return !each.driver.empty() || !each.alias.empty();
  });
  if (told == interfaces.end()) return false;
  const auto synthetic = std::ranges::find_if(
      interfaces, [](const InterfaceFacts& each) { return is_synthetic(each) && is_in_use(each); });
  if (synthetic == interfaces.end() || std::ranges::any_of(interfaces, is_virtual_function))
    return true;
  HostFinding finding{
      .severity = Severity::note,
      .interface = synthetic->name,
      .claim = fmt::format("{} goes through the hypervisor's switch: no accelerated (SR-IOV) "
                           "interface is there",
                           synthetic->name),
      .value = "Hyper-V's synthetic NIC alone",
      .expected = "with a virtual function (mlx4, mlx5 or mana) beside it",
      .why = "every packet costs the hypervisor's processor, and its delay varies with the load",
      .cost = "higher and less even latency, and a lower packet rate",
      .evidence = {seen_on(*synthetic, "Hyper-V's NIC, and no virtual function beside it")}};
  finding.steps.push_back(
      {Platform::cloud,
       "Switch accelerated networking on for the machine's interface, if its size offers it",
       "switch it off again", "Microsoft Learn: Accelerated Networking overview", true});
  found.push_back(std::move(finding));
  return true;
}

constexpr std::array kRules{
    HostRule{"core-full", Platform::linux, "/proc/stat twice (--interval)",
             "a CPU is idle for less than 3 % of an interval of 1 s or more, and half of its time "
             "goes to the kernel",
             look_at_cores},
    HostRule{"no-accelerated-interface", std::nullopt, "ethtool -i or Get-NetAdapter",
             "a NIC in use is Hyper-V's synthetic one, and none is a virtual function (a note)",
             look_at_acceleration},
};

}  // namespace

extern const HostFault sender_cpu_limited;
const HostFault sender_cpu_limited{"sender-cpu-limited", kRules};

}  // namespace slowpath::detect::host

// SPDX-License-Identifier: Apache-2.0
// offloads-disabled: somebody switched offloads off, often as a cure for something else, and every
// segment now costs the processor what the NIC did.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kWhy =
    "the processor then handles every segment of one MTU by itself, and one core is the ceiling";

/// Packets a second at full rate: with offload up to 44 times fewer go through the stack.
std::string cost_of(const InterfaceFacts& interface) {
  constexpr double kFrameBytes = 1538;  // on the wire at MTU 1500 (IEEE 802.3)
  constexpr double kLargest = 64.0 * 1024;
  if (!interface.speed_bps || *interface.speed_bps <= 0)
    return "up to 44 times as many packets through the stack at MTU 1500";
  const double frames = static_cast<double>(*interface.speed_bps) / 8 / kFrameBytes;
  return fmt::format("{} packets a second through the stack at {}, where {} would do",
                     whole(frames), format_rate(static_cast<double>(*interface.speed_bps)),
                     whole(frames * 1460 / kLargest));
}

/// A core with nothing left, busy in the kernel: the ceiling is reached. Only over an interval.
std::optional<HostEvidence> full_core(const MachineFacts& facts) {
  if (!facts.interval_s) return std::nullopt;
  for (const CpuFacts& cpu : facts.cpus) {
    const double kernel = cpu.system_s + cpu.softirq_s;
    const double all = kernel + cpu.user_s + cpu.idle_s + cpu.steal_s;
    if (all <= 0 || cpu.idle_s > 0.05 * all || kernel < 0.7 * all) continue;
    return HostEvidence{EvidenceKind::counter,
                        fmt::format("CPU {} is busy, {} of it in the kernel", cpu.number,
                                    format_percent(kernel / all)),
                        "/proc/stat",
                        {{"kernel_share", kernel / all}}};
  }
  return std::nullopt;
}

void add(const Host& host, const InterfaceFacts& interface, std::string_view word,
         std::vector<HostFinding>& found) {
  HostFinding finding{.interface = interface.name,
                      .claim = fmt::format("{}: {} is switched off", interface.name, word),
                      .value = "off",
                      .expected = "on",
                      .why = std::string(kWhy),
                      .cost = cost_of(interface),
                      .evidence = {seen_on(interface, fmt::format("{} off, not fixed", word))},
                      .steps = {feature_step(interface, word, true)}};
  if (auto core = full_core(host.facts)) {
    finding.severity = Severity::fault;
    finding.evidence.push_back(std::move(*core));
  }
  found.push_back(std::move(finding));
}

/// Drivers that leave them off by themselves: of hardware that is not trusted with it.
bool is_off_by_default(const InterfaceFacts& interface) {
  constexpr std::string_view kDrivers[] = {"r8169", "r8168",  "r8125",       "r8101",
                                           "r8152", "8139cp", "ax88179_178a"};
  return std::ranges::find(kDrivers, std::string_view(interface.driver)) != std::end(kDrivers);
}

/// A NIC has one of these ways, or several; without any it can neither gather nor segment.
bool is_checksum_off(const InterfaceFacts& interface) {
  bool is_off = false;
  for (const char* way : {"tx-checksum-ip-generic", "tx-checksum-ipv4"}) {
    if (is_on(interface, way)) return false;
    is_off = is_off || is_switched_off(interface, way);
  }
  return is_off;
}

bool look_at_linux(const Host& host, std::vector<HostFinding>& found) {
  // Where LRO or GRO off is the cure for forwarding, one switch less is right.
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    if (!is_nic(interface) || interface.features.empty()) continue;
    is_judged = true;
    if (!is_in_use(interface)) continue;
    const bool can_gather = !interface.features.contains("tx-scatter-gather") ||
                            is_on(interface, "tx-scatter-gather") ||
                            is_switched_off(interface, "tx-scatter-gather");
    if (is_switched_off(interface, "tx-tcp-segmentation") && can_gather &&
        !is_off_by_default(interface))
      add(host, interface, "tso", found);
    if (is_switched_off(interface, "tx-generic-segmentation") && !is_off_by_default(interface))
      add(host, interface, "gso", found);
    if (is_switched_off(interface, "rx-gro")) add(host, interface, "gro", found);
    if (is_checksum_off(interface) && !is_off_by_default(interface))
      add(host, interface, "tx", found);
  }
  return is_judged;
}

HostFinding windows_finding(std::string claim, HostEvidence evidence, HostStep step) {
  return {.claim = std::move(claim),
          .value = "disabled",
          .expected = "enabled",
          .why = std::string(kWhy),
          .cost = "up to 44 times as many packets through the stack at MTU 1500",
          .evidence = {std::move(evidence)},
          .steps = {std::move(step)}};
}

constexpr std::string_view kNetshRss = "netsh.tcp.global.receive-side-scaling-state";
constexpr std::string_view kNetshTuning = "netsh.tcp.global.receive-window-auto-tuning-level";

bool look_at_task_offload(const Host& host, std::vector<HostFinding>& found) {
  const std::string netsh = "netsh.ip.global.task-offload";
  const std::string cmdlet = "Get-NetOffloadGlobalSetting.TaskOffload";
  if (!is_read(host.facts, netsh) && !is_read(host.facts, cmdlet)) return false;
  const bool is_off = says(host.facts, netsh, "disabled") || says(host.facts, cmdlet, "Disabled");
  if (!is_off) return true;
  found.push_back(windows_finding(
      "all task offloads (checksums, large sends) are switched off",
      shown(host.facts, says(host.facts, netsh, "disabled") ? netsh : cmdlet),
      {Platform::windows, "netsh int ip set global taskoffload=enabled",
       "netsh int ip set global taskoffload=disabled", "Microsoft Learn: netsh interface ip"}));
  if (says(host.facts, kNetshRss, "disabled") && says(host.facts, kNetshTuning, "disabled")) {
    found.back().why +=
        ". With scaling and auto-tuning off as well this is a whole list of advice taken at once: "
        "turn them back one at a time, and measure, to learn which one mattered";
    found.back().evidence.push_back(shown(host.facts, kNetshRss));
    found.back().evidence.push_back(shown(host.facts, kNetshTuning));
  }
  return true;
}

bool look_at_windows_lso(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    if (!interface.features.contains("tx-tcp-segmentation")) continue;
    is_judged = true;
    if (is_on(interface, "tx-tcp-segmentation") || !is_in_use(interface)) continue;
    found.push_back(windows_finding(
        fmt::format("{}: large send offload (IPv4) is switched off", interface.name),
        seen_on(interface, "Large Send Offload V2 (IPv4) disabled"),
        {Platform::windows, fmt::format("Enable-NetAdapterLso -Name '{}' -IPv4", interface.name),
         fmt::format("Disable-NetAdapterLso -Name '{}' -IPv4", interface.name),
         "Microsoft Learn: Enable-NetAdapterLso"}));
    found.back().interface = interface.name;
  }
  return is_judged;
}

bool look_at_windows_checksums(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    if (!interface.features.contains("tx-checksum-ipv4")) continue;
    is_judged = true;
    if (is_on(interface, "tx-checksum-ipv4") || !is_in_use(interface)) continue;
    found.push_back(windows_finding(
        fmt::format("{}: TCP checksum offload (IPv4) is switched off for sending", interface.name),
        seen_on(interface, "TCP Checksum Offload (IPv4) does not send"),
        {Platform::windows,
         fmt::format("Enable-NetAdapterChecksumOffload -Name '{}' -TcpIPv4", interface.name),
         fmt::format("Disable-NetAdapterChecksumOffload -Name '{}' -TcpIPv4", interface.name),
         "Microsoft Learn: Enable-NetAdapterChecksumOffload"}));
    found.back().interface = interface.name;
    found.back().cost = "the processor sums every byte, and large sends need the offload too";
  }
  return is_judged;
}

bool look_at_solaris(const Host& host, std::vector<HostFinding>& found) {
  const std::string key = "ndd.ip.ip_lso_outbound";
  if (!is_read(host.facts, key)) return false;
  if (!says(host.facts, key, "0")) return true;
  found.push_back({.claim = "large sends are switched off for all links",
                   .value = "0",
                   .expected = "1, with a driver that cuts them",
                   .why = std::string(kWhy),
                   .cost = "up to 44 times as many packets through the stack at MTU 1500",
                   .evidence = {shown(host.facts, key)},
                   .steps = {{Platform::solaris, "ndd -set /dev/ip ip_lso_outbound 1",
                              "ndd -set /dev/ip ip_lso_outbound 0",
                              "Oracle Solaris Tunable Parameters Reference", true}}});
  // It is also the right cure where the driver is broken: S1's own.
  found.back().severity = Severity::note;
  return true;
}

bool look_at_esxi(const Host& host, std::vector<HostFinding>& found) {
  const std::string option = "/Net/UseHwTSO";
  const std::string key = "esx." + option;
  if (!is_read(host.facts, key)) return false;
  if (!says(host.facts, key, "0")) return true;
  const auto set = [&](int value) {
    return fmt::format("esxcli system settings advanced set -o {} -i {}", option, value);
  };
  found.push_back({.claim = "TSO is switched off for all physical NICs",
                   .value = "0",
                   .expected = "1",
                   .why = std::string(kWhy),
                   .cost = "the hypervisor cuts every large send of every machine in software",
                   .evidence = {shown(host.facts, key)},
                   .steps = {{Platform::esxi, set(1), set(0), "VMware KB 2055140"}}});
  return true;
}

constexpr std::array kRules{
    HostRule{
        "offload-switched-off", Platform::linux, "ethtool -k",
        "tso, gso, gro or tx of a NIC in use is off, the driver would allow it and nothing else "
        "forbids it; fault where a core is full meanwhile (--interval)",
        look_at_linux},
    HostRule{"task-offload-off", Platform::windows,
             "netsh int ip show global or Get-NetOffloadGlobalSetting", "Task Offload is disabled",
             look_at_task_offload},
    HostRule{"large-send-off-windows", Platform::windows,
             "Get-NetAdapterLso or Get-NetAdapterAdvancedProperty",
             "Large Send Offload V2 (IPv4) of an adapter in use is disabled", look_at_windows_lso},
    HostRule{"checksum-offload-off-windows", Platform::windows,
             "Get-NetAdapterChecksumOffload or Get-NetAdapterAdvancedProperty",
             "TCP Checksum Offload (IPv4) of an adapter in use does not cover sending",
             look_at_windows_checksums},
    HostRule{"large-send-off-solaris", Platform::solaris, "ndd -get /dev/ip ip_lso_outbound",
             "ip_lso_outbound is 0 (a note: it is the cure for a driver that cannot cut)",
             look_at_solaris},
    HostRule{"large-send-off-esxi", Platform::esxi, "esxcli system settings advanced list",
             "/Net/UseHwTSO is 0", look_at_esxi},
};

}  // namespace

extern const HostFault offloads_disabled;
const HostFault offloads_disabled{"offloads-disabled", kRules};

}  // namespace slowpath::detect::host

// SPDX-License-Identifier: Apache-2.0
// The commands to run on a host so that their output tells what this room can read. None of them
// changes anything; what needs a privilege prints its complaint and the rest goes on.
#include <array>
#include <span>
#include <string>

#include "machine/text.h"

namespace slowpath::machine {
namespace {

using Commands = std::span<const std::string_view>;

constexpr auto kLinux = std::to_array<std::string_view>(
    {"uname -a",
     "cat /etc/os-release",
     "systemd-detect-virt --vm",
     "cat /sys/devices/system/clocksource/clocksource0/current_clocksource",
     "sysctl -a",
     "ip -d -s -s link",
     "ip addr",
     "ip route show table all",
     "ip route show cache",
     "tc -s qdisc",
     "cat /proc/net/snmp",
     "cat /proc/net/netstat",
     "cat /proc/net/snmp6",
     "cat /proc/net/sockstat6",
     "cat /proc/net/xfrm_stat",
     "ss -atinm",
     "cat /proc/stat",
     "cat /proc/net/softnet_stat",
     "cat /proc/net/sockstat",
     "cat /proc/net/stat/nf_conntrack",
     "cat /proc/interrupts",
     "iptables-save",
     "ip6tables-save",
     "nft list ruleset"});

// For each interface of /sys/class/net.
constexpr auto kLinuxInterface = std::to_array<std::string_view>(
    {"ethtool", "ethtool -i", "ethtool -k", "ethtool -g", "ethtool -l", "ethtool -c", "ethtool -a",
     "ethtool -x", "ethtool -S"});

constexpr auto kWindows = std::to_array<std::string_view>(
    {"cmd /c ver",
     "systeminfo",
     "netsh int tcp show global",
     "netsh int tcp show heuristics",
     "netsh int tcp show supplemental",
     "netsh int ip show global",
     "netsh int ipv4 show interfaces",
     "netsh int ipv4 show subinterfaces",
     "netsh int ipv6 show subinterfaces",
     "netsh int ip show offload",
     "netsh int ipv4 show dynamicport tcp",
     "netstat -s",
     "Get-NetTCPSetting | Format-List *",
     "Get-NetOffloadGlobalSetting | Format-List",
     "Get-NetAdapter | Format-List Name,InterfaceDescription,ifIndex,Status,LinkSpeed,FullDuplex,"
     "MtuSize,DriverFileName,DriverVersionString,DriverProvider,DriverDate",
     "Get-NetAdapterAdvancedProperty | Format-List Name,DisplayName,DisplayValue,RegistryKeyword,"
     "RegistryValue",
     "Get-NetAdapterRss | Format-List",
     "Get-NetAdapterLso | Format-List",
     "Get-NetAdapterChecksumOffload | Format-List",
     "Get-NetAdapterRsc | Format-List",
     "Get-NetAdapterSriov | Format-List"});

constexpr auto kSolaris = std::to_array<std::string_view>(
    {"uname -a", "cat /etc/release", "dladm show-link", "dladm show-phys", "dladm show-linkprop",
     "ipadm show-prop", "ipadm show-ifprop", "ndd -get /dev/ip ip_lso_outbound",
     "ndd -get /dev/ip ip_path_mtu_discovery", "ndd -get /dev/tcp tcp_max_buf",
     "ndd -get /dev/tcp tcp_recv_hiwat", "ndd -get /dev/tcp tcp_xmit_hiwat",
     "ndd -get /dev/tcp tcp_wscale_always", "ndd -get /dev/tcp tcp_time_wait_interval",
     "netstat -s", "ls -l /kernel/drv", "ls -l /kernel/drv/amd64", "modinfo", "pkg list"});

constexpr auto kEsxi = std::to_array<std::string_view>(
    {"uname -a", "esxcli system version get", "esxcli network nic list",
     "esxcli network ip interface list", "esxcli network vswitch standard list",
     "esxcli system settings advanced list"});

// For each NIC of the list.
constexpr auto kEsxiNic = std::to_array<std::string_view>(
    {"esxcli network nic get -n", "esxcli network nic stats get -n"});

/// `run` says the command, then obeys it; standard error goes along, so that a refusal is seen.
constexpr std::string_view kShellHead =
    "#!/bin/sh\n"
    "# Reads what this host is set to, for slowpath inspect --from FILE. Changes nothing.\n"
    "# An ordinary user may run it; a privileged one sees a little more.\n"
    "PATH=$PATH:/usr/sbin:/sbin\n"
    "LC_ALL=C\n"
    "export PATH LC_ALL\n"
    "run() {\n"
    "  echo \"### slowpath: $*\"\n"
    "  \"$@\" 2>&1\n"
    "}\n";

void append_shell(std::string& script, Commands commands) {
  for (const std::string_view command : commands) {
    script.append("run ").append(command).append("\n");
  }
}

void append_loop(std::string& script, std::string_view head, Commands commands) {
  script.append(head);
  for (const std::string_view command : commands) {
    script.append("  run ").append(command).append(" \"$nic\"\n");
  }
  script.append("done\n");
}

std::string windows_script() {
  std::string script(
      "# Reads what this host is set to, for slowpath inspect --from FILE. Changes nothing.\n"
      "# In PowerShell: .\\collect.ps1 > host.txt. No administrator is needed for most of it.\n");
  // Format-Table would cut what does not fit into the window.
  script.append("$ErrorActionPreference = 'Continue'\n");
  for (const std::string_view command : kWindows) {
    const bool is_cmdlet = command.starts_with("Get-");
    script.append("Write-Output '### slowpath: ").append(command).append("'\n");
    script.append(command).append(is_cmdlet ? " | Out-String -Width 300\n" : "\n");
  }
  return script;
}

}  // namespace

std::string collect_script(Platform platform) {
  std::string script(kShellHead);
  switch (platform) {
    case Platform::linux:
      append_shell(script, kLinux);
      append_loop(script,
                  "for path in /sys/class/net/*; do\n"
                  "  nic=${path##*/}\n"
                  "  run cat \"$path/uevent\"\n",
                  kLinuxInterface);
      return script;
    case Platform::solaris:
      append_shell(script, kSolaris);
      return script;
    case Platform::esxi:
      append_shell(script, kEsxi);
      append_loop(script, "for nic in $(esxcli network nic list | awk 'NR > 2 { print $1 }'); do\n",
                  kEsxiNic);
      return script;
    case Platform::windows:
      return windows_script();
    case Platform::cloud:
    case Platform::any:
      return {};
  }
  return {};
}

}  // namespace slowpath::machine

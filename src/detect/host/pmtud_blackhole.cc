// SPDX-License-Identifier: Apache-2.0
// pmtud-blackhole: settings on which path MTU discovery hangs, and the kernel's own discovery of a
// black hole.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kProbing = "net.ipv4.tcp_mtu_probing";

bool look_at_discovery(const Host& host, std::vector<HostFinding>& found) {
  const std::string success = "TcpExtTCPMTUPSuccess";
  if (!is_read(host.facts, kProbing) || !is_counted(host.facts, success)) return false;
  // With 1 the kernel probes only after timeouts that look like a black hole.
  const std::uint64_t count = count_of(host.facts, success);
  if (!says(host.facts, kProbing, "1") || count == 0) return true;
  found.push_back(
      {.severity = Severity::note,
       .claim = fmt::format("the kernel found the MTU of a path by probing, {} times",
                            format_count(count)),
       .value = std::to_string(count),
       .expected = "none",
       .why = "it probes only after several timeouts in a row, as where full-size segments vanish "
              "without a word; an outage looks the same",
       .cost = "several retransmission timeouts before each discovery",
       .evidence = {counted(host.facts, success), shown(host.facts, kProbing)}});
  return true;
}

bool look_at_probing(const Host& host, std::vector<HostFinding>& found) {
  if (!is_read(host.facts, kProbing) || host.facts.routes.empty()) return false;
  if (!says(host.facts, kProbing, "0")) return true;
  for (const RouteFacts& route : host.facts.routes) {
    if (route.destination.version != 0 && route.prefix_len != 0) continue;
    if (route.is_exception || !route.type.empty()) continue;
    const InterfaceFacts* interface = find_interface(host.facts, route.interface);
    constexpr std::uint32_t kEthernet = 1500;
    if (interface == nullptr || interface->mtu_bytes.value_or(0) <= kEthernet ||
        route.mtu_bytes.value_or(interface->mtu_bytes.value_or(0)) <= kEthernet)
      continue;
    found.push_back(
        {.severity = Severity::note,
         .interface = interface->name,
         .claim =
             fmt::format("the default route goes out with an MTU of {}, and TCP does not probe",
                         *interface->mtu_bytes),
         .value = "0",
         .expected = "1",
         .why = "behind the first link of 1500 all depends on ICMP; where a firewall eats it, full "
                "segments vanish. With 1 TCP finds out by itself",
         .cost = "none as long as ICMP arrives",
         .evidence = {shown(host.facts, kProbing),
                      seen_on(*interface, fmt::format("mtu {}", *interface->mtu_bytes))},
         .steps = {sysctl_step(host.facts, kProbing, "1")}});
    break;
  }
  return true;
}

bool look_at_switch(const Host& host, std::vector<HostFinding>& found) {
  const std::string key = "net.ipv4.ip_no_pmtu_disc";
  const auto mode = number_of(host.facts, key);
  if (!mode) return false;
  // 3 only accepts hardened ICMP (ip-sysctl.rst); 1 and 2 give discovery up.
  if (*mode != 1 && *mode != 2) return true;
  found.push_back({.claim = "path MTU discovery is switched off",
                   .value = std::to_string(*mode),
                   .expected = "0",
                   .why =
                       "packets go without DF, and are cut into fragments on the way, which many "
                       "firewalls and clouds drop",
                   .cost = "with 1, an MTU of 576 after any ICMP; with 2, 552 from the start",
                   .evidence = {shown(host.facts, key)},
                   .steps = {sysctl_step(host.facts, key, "0")}});
  return true;
}

bool look_at_solaris(const Host& host, std::vector<HostFinding>& found) {
  const std::string key = "ndd.ip.ip_path_mtu_discovery";
  if (!is_read(host.facts, key)) return false;
  if (!says(host.facts, key, "0")) return true;
  found.push_back({.claim = "path MTU discovery is switched off",
                   .value = "0",
                   .expected = "1",
                   .why =
                       "packets go without DF, and are cut into fragments on the way, which many "
                       "firewalls and clouds drop",
                   .cost = "fragments that are lost cost their whole segment",
                   .evidence = {shown(host.facts, key)},
                   .steps = {{Platform::solaris, "ndd -set /dev/ip ip_path_mtu_discovery 1",
                              "ndd -set /dev/ip ip_path_mtu_discovery 0",
                              "Oracle Solaris Tunable Parameters Reference"}}});
  return true;
}

constexpr std::array kRules{
    HostRule{"black-hole-found", Platform::linux, "sysctl -a, nstat -az",
             "net.ipv4.tcp_mtu_probing is 1 and TCPMTUPSuccess is not 0 (a note)",
             look_at_discovery},
    HostRule{"jumbo-without-probing", Platform::linux, "sysctl -a, ip route, ip -d link",
             "the default route's MTU is above 1500 and tcp_mtu_probing is 0 (a note)",
             look_at_probing},
    HostRule{"path-mtu-discovery-off", Platform::linux, "sysctl -a",
             "net.ipv4.ip_no_pmtu_disc is 1 or 2", look_at_switch},
    HostRule{"path-mtu-discovery-off-solaris", Platform::solaris,
             "ndd -get /dev/ip ip_path_mtu_discovery", "ip_path_mtu_discovery is 0",
             look_at_solaris},
};

}  // namespace

extern const HostFault pmtud_blackhole;
const HostFault pmtud_blackhole{"pmtud-blackhole", kRules};

}  // namespace slowpath::detect::host

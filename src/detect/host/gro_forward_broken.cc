// SPDX-License-Identifier: Apache-2.0
// gro-forward-broken: merged segments go to a path that cannot cut them: a program behind a tun
// device, or a kernel that lost the segment size.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

const InterfaceFacts* merging_nic(const MachineFacts& facts) {
  const auto found = std::ranges::find_if(facts.interfaces, [](const InterfaceFacts& each) {
    return is_nic(each) && is_on(each, "rx-gro");
  });
  return found == facts.interfaces.end() ? nullptr : &*found;
}

bool look_at_kernel(const Host& host, std::vector<HostFinding>& found) {
  const InterfaceFacts* nic = merging_nic(host.facts);
  if (host.facts.kernel.empty() || host.facts.interfaces.empty()) return false;
  if (nic == nullptr || !forwards(host.facts) || !host.facts.kernel.starts_with("3.2.0-67"))
    return true;
  found.push_back(
      {.interface = nic->name,
       .claim = fmt::format("kernel {} forwards merged segments broken", host.facts.kernel),
       .value = host.facts.kernel,
       .expected = "3.2.0-68 or later",
       .why = "this release lost the size to which merged segments are to be cut",
       .cost = "bursts through this host are lost; single segments pass",
       .evidence = {{EvidenceKind::setting, "kernel " + host.facts.kernel, "uname -a"},
                    seen_on(*nic, "generic-receive-offload: on")},
       .steps = {feature_step(*nic, "gro", false)}});
  return true;
}

constexpr std::string_view kDropped[] = {"tx_dropped"};
constexpr std::string_view kPackets[] = {"tx_packets"};

bool look_at_user_space(const Host& host, std::vector<HostFinding>& found) {
  const InterfaceFacts* nic = merging_nic(host.facts);
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    const bool is_program = interface.kind == "tun" || interface.kind == "tap" ||
                            interface.kind == "gtp" || interface.driver == "tun";
    if (!is_program || !is_in_use(interface)) continue;
    // A full queue in front of a slow program drops a little; merged segments are lost in bulk.
    const Toll toll =
        toll_of(host.facts, interface,
                {.events = kDropped, .of = kPackets, .least_count = 100, .least_share = 0.01});
    is_judged = is_judged || toll.read;
    if (!toll.severity || nic == nullptr || !forwards(host.facts)) continue;
    HostFinding finding{
        .interface = interface.name,
        .claim = fmt::format("{} loses what is handed to its program ({}), and {} merges what "
                             "arrives",
                             interface.name, toll.text, nic->name),
        .value = toll.text,
        .expected = "almost none",
        .why =
            "a program that takes packets of one MTU cannot take merged ones; a slow program "
            "with a full queue looks the same",
        .cost = "each one is lost, and cuts its sender's congestion window",
        .evidence = toll.evidence,
        .steps = {feature_step(*nic, "gro", false)}};
    finding.evidence.push_back(seen_on(*nic, "generic-receive-offload: on"));
    found.push_back(std::move(finding));
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"gro-kernel-regression", Platform::linux, "uname -a, ethtool -k, sysctl -a",
             "the kernel is 3.2.0-67, the host forwards and a NIC has GRO on", look_at_kernel},
    HostRule{
        "gro-into-user-space", Platform::linux, "ip -d -s link, ethtool -k, sysctl -a",
        "the host forwards, a NIC has GRO on, and a tun, tap or gtp device dropped 100 packets "
        "and 1 % of them",
        look_at_user_space},
};

}  // namespace

extern const HostFault gro_forward_broken;
const HostFault gro_forward_broken{"gro-forward-broken", kRules};

}  // namespace slowpath::detect::host

// SPDX-License-Identifier: Apache-2.0
// ecn-blackhole: ECN is asked for, and a refusal is not taken back.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

bool look(const Host& host, std::vector<HostFinding>& found) {
  const std::string ecn = "net.ipv4.tcp_ecn", fallback = "net.ipv4.tcp_ecn_fallback";
  if (!is_read(host.facts, ecn) || !is_read(host.facts, fallback)) return false;
  if (!says(host.facts, ecn, "1") || !says(host.facts, fallback, "0")) return true;
  found.push_back(
      {.claim = "ECN is asked for in every SYN, without trying again without it",
       .value = "tcp_ecn 1, tcp_ecn_fallback 0",
       .expected = "tcp_ecn_fallback 1",
       .why = "some firewalls drop a SYN that asks for ECN; the fallback sends a plain one "
              "(RFC 3168 section 6.1.1.1)",
       .cost = "behind such a firewall no connection opens",
       .evidence = {shown(host.facts, ecn), shown(host.facts, fallback)},
       .steps = {sysctl_step(host.facts, fallback, "1")}});
  return true;
}

constexpr std::array kRules{
    HostRule{"ecn-without-fallback", Platform::linux, "sysctl -a",
             "net.ipv4.tcp_ecn is 1 and tcp_ecn_fallback is 0", look},
};

}  // namespace

extern const HostFault ecn_blackhole;
const HostFault ecn_blackhole{"ecn-blackhole", kRules};

}  // namespace slowpath::detect::host

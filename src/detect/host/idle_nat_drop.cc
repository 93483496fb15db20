// SPDX-License-Identifier: Apache-2.0
// idle-nat-drop: this gateway forgets quiet connections before their ends ask whether they live.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kTimeout = "net.netfilter.nf_conntrack_tcp_timeout_established";

bool look(const Host& host, std::vector<HostFinding>& found) {
  const auto timeout = number_of(host.facts, kTimeout);
  if (!timeout) return false;
  constexpr std::int64_t kKeepalive_s =
      7200;  // RFC 9293 section 3.8.4; RFC 5382 asks for 2 h 4 min
  if (!forwards(host.facts) || *timeout > kKeepalive_s) return true;
  found.push_back(
      {.claim = fmt::format("connections through this host are forgotten after {} of silence",
                            format_duration(static_cast<double>(*timeout))),
       .value = std::to_string(*timeout),
       .expected = "more than 7440 (RFC 5382 section 5)",
       .why = "both ends keep a connection for two hours before they ask; what comes later belongs "
              "to nothing here, and is dropped or reset",
       .cost = "idle connections hang or break",
       .evidence = {shown(host.facts, kTimeout)},
       .steps = {sysctl_step(host.facts, kTimeout, "432000")}});
  return true;
}

constexpr std::array kRules{
    HostRule{"idle-connections-forgotten", Platform::linux, "sysctl -a",
             "the host forwards, and nf_conntrack_tcp_timeout_established is 7200 or less", look},
};

}  // namespace

extern const HostFault idle_nat_drop;
const HostFault idle_nat_drop{"idle-nat-drop", kRules};

}  // namespace slowpath::detect::host

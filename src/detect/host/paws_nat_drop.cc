// SPDX-License-Identifier: Apache-2.0
// paws-nat-drop: TIME_WAIT is recycled by timestamps, which hosts behind one NAT do not share.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

bool look(const Host& host, std::vector<HostFinding>& found) {
  const std::string key = "net.ipv4.tcp_tw_recycle", refused = "TcpExtPAWSPassive";
  if (!is_read(host.facts, key)) {
    // Kernels since 4.12 have no such setting: a list without it has answered.
    return is_read(host.facts, "net.ipv4.tcp_tw_reuse");
  }
  const std::size_t before = found.size();
  judge_setting(host,
                {.key = key,
                 .bad = "1",
                 .expected = "0",
                 .claim = "TIME_WAIT is recycled by timestamps",
                 .why = "hosts behind one NAT have unordered timestamps, and the SYNs of all but "
                        "one are dropped",
                 .cost = "such clients wait for seconds, or never connect"},
                found);
  if (found.size() > before && count_of(host.facts, refused) > 0) {
    found.back().severity = Severity::fault;
    found.back().evidence.push_back(counted(host.facts, refused));
  }
  return true;
}

constexpr std::array kRules{
    HostRule{"time-wait-recycled", Platform::linux, "sysctl -a, nstat -az",
             "net.ipv4.tcp_tw_recycle is 1; fault where PAWSPassive is not 0", look},
};

}  // namespace

extern const HostFault paws_nat_drop;
const HostFault paws_nat_drop{"paws-nat-drop", kRules};

}  // namespace slowpath::detect::host

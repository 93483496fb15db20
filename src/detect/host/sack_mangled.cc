// SPDX-License-Identifier: Apache-2.0
// sack-mangled: acknowledged ranges that this host never sent.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kDiscarded[] = {"TcpExtTCPSACKDiscard"};
constexpr std::string_view kReceived[] = {"TcpInSegs"};
constexpr CounterRule kRule{
    .measure = {.events = kDiscarded, .of = kReceived, .least_count = 100, .least_share = 1e-4},
    .claim = "selective acknowledgements named data that was never sent",
    .why = "a firewall that rewrites sequence numbers forgets those inside the option",
    .cost = "losses are not seen, and each waits for a timeout",
    .most = Severity::suspect};

bool look(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kRule, found);
}

constexpr std::array kRules{
    HostRule{"sack-of-unsent-data", Platform::linux, "nstat -az",
             "TCPSACKDiscard is 100 or more and 0.01 % of the segments", look},
};

}  // namespace

extern const HostFault sack_mangled;
const HostFault sack_mangled{"sack-mangled", kRules};

}  // namespace slowpath::detect::host

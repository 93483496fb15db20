// SPDX-License-Identifier: Apache-2.0
// timewait-syn-drop: SYNs refused because the old connection is still in TIME_WAIT.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kRefused[] = {"TcpExtTCPACKSkippedTimeWait", "TcpExtPAWSTimewait"};
constexpr std::string_view kOpened[] = {"TcpPassiveOpens"};
constexpr CounterRule kRule{
    // Late segments of connections that are over count as well as SYNs: since boot it is worth
    // knowing, now it is a suspect.
    .measure = {.events = kRefused,
                .of = kOpened,
                .least_count = 100,
                .least_share = 0.01,
                .many = Severity::note,
                .proven_per_s = 1},
    .claim = "segments came for connections that are in TIME_WAIT",
    .why =
        "clients, or the NAT before them, use a port again before the old connection is "
        "forgotten",
    .cost = "a SYN timeout, 1 s or more, for each such connection",
    .most = Severity::suspect};

bool look(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kRule, found);
}

constexpr std::array kRules{
    HostRule{"time-wait-met", Platform::linux, "nstat -az",
             "TCPACKSkippedTimeWait and PAWSTimewait are 100 or more and 1 % of the connections "
             "accepted (a note); suspect from one a second and 1 % on over an interval",
             look},
};

}  // namespace

extern const HostFault timewait_syn_drop;
const HostFault timewait_syn_drop{"timewait-syn-drop", kRules};

}  // namespace slowpath::detect::host

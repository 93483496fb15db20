// SPDX-License-Identifier: Apache-2.0
// reordering: what this host's own senders saw overtaken.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kOvertaken[] = {"TcpExtTCPSACKReorder", "TcpExtTCPTSReorder",
                                           "TcpExtTCPRenoReorder"};
constexpr std::string_view kSent[] = {"TcpOutSegs"};
constexpr CounterRule kRule{
    .measure = {.events = kOvertaken,
                .of = kSent,
                .least_count = 1000,
                .least_share = 1e-3,
                .proven_per_s = std::numeric_limits<double>::infinity()},
    .claim = "segments were seen to overtake each other",
    .why = "links in a bundle, or several queues, that one connection is spread over",
    .cost = "what is overtaken looks lost for a moment; kernels since 4.18 mostly bear it (RACK)",
    .most = Severity::note};

bool look(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kRule, found);
}

constexpr std::array kRules{
    HostRule{"segments-overtaken", Platform::linux, "nstat -az",
             "TCPSACKReorder, TCPTSReorder and TCPRenoReorder are 1000 or more and 0.1 % of the "
             "segments (a note)",
             look},
};

}  // namespace

extern const HostFault reordering;
const HostFault reordering{"reordering", kRules};

}  // namespace slowpath::detect::host

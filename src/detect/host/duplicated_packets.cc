// SPDX-License-Identifier: Apache-2.0
// duplicated-packets: segments that came twice, which this host told by DSACK.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kTwice[] = {"TcpExtTCPDSACKOldSent", "TcpExtTCPDSACKOfoSent"};
constexpr std::string_view kReceived[] = {"TcpInSegs"};
constexpr CounterRule kRule{
    .measure = {.events = kTwice, .of = kReceived, .least_count = 1000, .least_share = 0.01},
    .claim = "segments came although they were there already",
    .why = "peers send again what had arrived, or something on the path makes copies",
    .cost = "that share of the path is used twice",
    .most = Severity::suspect};

bool look(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kRule, found);
}

constexpr std::array kRules{
    HostRule{"segments-twice", Platform::linux, "nstat -az",
             "TCPDSACKOldSent and TCPDSACKOfoSent are 1000 or more and 1 % of the segments", look},
};

}  // namespace

extern const HostFault duplicated_packets;
const HostFault duplicated_packets{"duplicated-packets", kRules};

}  // namespace slowpath::detect::host

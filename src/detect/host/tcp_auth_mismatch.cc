// SPDX-License-Identifier: Apache-2.0
// tcp-auth-mismatch: segments whose signature is missing, unexpected or wrong.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kRefused[] = {"TcpExtTCPMD5NotFound",   "TcpExtTCPMD5Unexpected",
                                         "TcpExtTCPMD5Failure",    "TcpExtTCPAOBad",
                                         "TcpExtTCPAOKeyNotFound", "TcpExtTCPAORequired"};
constexpr CounterRule kRule{
    .measure = {.events = kRefused, .of = {}, .least_count = 10, .proven_per_s = 0.1},
    .claim = "segments were dropped for their TCP-MD5 or TCP-AO signature",
    .why = "the keys of the two ends differ, or one end has none (RFC 2385, RFC 5925)",
    .cost = "such a session (BGP, LDP) never opens",
    .most = Severity::suspect};

bool look(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kRule, found);
}

constexpr std::array kRules{
    HostRule{"signatures-refused", Platform::linux, "nstat -az",
             "the counters of TCP-MD5 and TCP-AO that tell of refused segments are 10 or more",
             look},
};

}  // namespace

extern const HostFault tcp_auth_mismatch;
const HostFault tcp_auth_mismatch{"tcp-auth-mismatch", kRules};

}  // namespace slowpath::detect::host

// SPDX-License-Identifier: Apache-2.0
// tfo-blackhole: the kernel itself found that Fast Open is dropped on the way.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kFound[] = {"TcpExtTCPFastOpenBlackhole"};
constexpr CounterRule kRule{
    .measure = {.events = kFound, .of = {}, .least_count = 1},
    .claim = "the kernel met firewalls that drop TCP Fast Open",
    .why = "data or an option in the SYN is thrown away (RFC 7413 section 7.1)",
    .cost = "one SYN timeout, 1 s, each time; then it stops asking for an hour",
    .most = Severity::suspect};

bool look(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kRule, found);
}

constexpr std::array kRules{
    HostRule{"fast-open-dropped", Platform::linux, "nstat -az", "TCPFastOpenBlackhole is not 0",
             look},
};

}  // namespace

extern const HostFault tfo_blackhole;
const HostFault tfo_blackhole{"tfo-blackhole", kRules};

}  // namespace slowpath::detect::host

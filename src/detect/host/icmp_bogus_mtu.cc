// SPDX-License-Identifier: Apache-2.0
// icmp-bogus-mtu: ICMP messages that do not fit any data in flight.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kForeign[] = {"TcpExtOutOfWindowIcmps"};
constexpr std::string_view kMessages[] = {"IcmpInMsgs"};
// Late messages about data that went meanwhile are normal; half of all are not.
constexpr CounterRule kRule{
    .measure = {.events = kForeign, .of = kMessages, .least_count = 100, .least_share = 0.5},
    .claim = "ICMP errors came about data that is not in flight",
    .why = "somebody guesses or replays them; a kernel that believed one would shrink its MTU",
    .cost = "none as long as they are refused",
    .most = Severity::note};

bool look(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kRule, found);
}

constexpr std::array kRules{
    HostRule{"icmp-out-of-window", Platform::linux, "nstat -az",
             "OutOfWindowIcmps is 100 or more and half of the ICMP messages (a note)", look},
};

}  // namespace

extern const HostFault icmp_bogus_mtu;
const HostFault icmp_bogus_mtu{"icmp-bogus-mtu", kRules};

}  // namespace slowpath::detect::host

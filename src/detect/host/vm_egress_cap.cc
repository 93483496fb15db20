// SPDX-License-Identifier: Apache-2.0
// vm-egress-cap: the cloud's own count of what it held back because of the machine's size.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

// Amazon ENA driver: "the number of packets queued or dropped because ... exceeded the maximum".
constexpr std::string_view kExceeded[] = {"bw_in_allowance_exceeded", "bw_out_allowance_exceeded",
                                          "pps_allowance_exceeded", "conntrack_allowance_exceeded",
                                          "linklocal_allowance_exceeded"};
constexpr std::string_view kPackets[] = {"rx_packets", "tx_packets"};
constexpr CounterRule kRule{.measure = {.events = kExceeded,
                                        .of = kPackets,
                                        .least_count = 1000,
                                        .least_share = 1e-5,
                                        .proven_share = 1e-3,
                                        .proven_per_s = 1},
                            .claim = "packets were held back or dropped by the machine's allowance",
                            .why =
                                "the provider meters this size of machine; no setting of the "
                                "guest changes that",
                            .cost = "the rate is the allowance's, and bursts are lost"};

bool look(const Host& host, std::vector<HostFinding>& found) {
  return judge_statistics(host, kRule, found);
}

constexpr std::array kRules{
    HostRule{"allowance-exceeded", Platform::linux, "ethtool -S (ENA)",
             "the allowance_exceeded counters are 1000 or more and 0.001 % of the packets; fault "
             "from 0.1 % or one a second on",
             look},
};

}  // namespace

extern const HostFault vm_egress_cap;
const HostFault vm_egress_cap{"vm-egress-cap", kRules};

}  // namespace slowpath::detect::host

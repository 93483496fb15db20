// SPDX-License-Identifier: Apache-2.0
// bufferbloat: a transmit queue that takes long to drain at the link's rate, without a discipline
// that keeps it short.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

bool look(const Host& host, std::vector<HostFinding>& found) {
  constexpr double kFrameBits = 1538 * 8;  // at MTU 1500 on the wire
  constexpr double kLong_s = 0.2;          // twice what a call on the phone bears (ITU-T G.114)
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    if (!is_nic(interface) || interface.qdisc.empty() || !interface.speed_bps ||
        !interface.tx_queue_len || *interface.speed_bps <= 0)
      continue;
    is_judged = true;
    const bool is_plain = interface.qdisc == "pfifo_fast" || interface.qdisc == "pfifo";
    const double drain_s =
        *interface.tx_queue_len * kFrameBits / static_cast<double>(*interface.speed_bps);
    if (!is_plain || drain_s < kLong_s || !is_in_use(interface)) continue;
    found.push_back(
        {.interface = interface.name,
         .claim = fmt::format("{} queues {} packets, {} at {}", interface.name,
                              format_count(*interface.tx_queue_len), format_duration(drain_s),
                              format_rate(static_cast<double>(*interface.speed_bps))),
         .value = fmt::format("{}, txqueuelen {}", interface.qdisc, *interface.tx_queue_len),
         .expected = "fq_codel, or a queue of 100 ms at most",
         .why = "a bulk transfer fills the queue, and everything else waits behind it",
         .cost = fmt::format("up to {} more round trip under load", format_duration(drain_s)),
         .evidence = {seen_on(interface, fmt::format("qdisc {}, txqueuelen {}", interface.qdisc,
                                                     *interface.tx_queue_len))},
         .steps = {{Platform::linux,
                    fmt::format("tc qdisc replace dev {} root fq_codel", interface.name),
                    fmt::format("tc qdisc replace dev {} root {}", interface.name, interface.qdisc),
                    "tc-fq_codel(8)"}}});
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"queue-long", Platform::linux, "ip -d link, ethtool, tc -s qdisc",
             "a NIC in use has pfifo_fast or pfifo, and its queue takes 200 ms or more to drain",
             look},
};

}  // namespace

extern const HostFault bufferbloat;
const HostFault bufferbloat{"bufferbloat", kRules};

}  // namespace slowpath::detect::host

// SPDX-License-Identifier: Apache-2.0
// policer: this host itself drops what arrives above a rate, by a filter on ingress.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr double kLeast = 100, kLeastShare = 1e-4;

bool look(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    const auto counter = interface.qdisc_statistics.find("ingress_drops");
    const auto packets = interface.statistics.find("rx_packets");
    if (counter == interface.qdisc_statistics.end() || packets == interface.statistics.end())
      continue;
    is_judged = true;
    const auto drops = static_cast<double>(counter->second),
               arrived = static_cast<double>(packets->second);
    if (drops < kLeast || drops < kLeastShare * arrived) continue;
    found.push_back(
        {.interface = interface.name,
         .claim = fmt::format("a filter of this host dropped {} of the {} packets that came to {}",
                              whole(drops), whole(arrived), interface.name),
         .value = whole(drops),
         .expected = "none, unless a limit is meant",
         .why = "a policer drops what is above its rate without making it wait; a rule that drops "
                "on purpose counts here as well",
         .cost = "the rate is the limit's or less, with losses above it",
         .evidence = {seen_on(interface, fmt::format("ingress drops = {}", whole(drops)),
                              EvidenceKind::counter)},
         .steps = {{Platform::linux,
                    fmt::format("tc filter show dev {} ingress: find the police or drop action, "
                                "and raise its rate with tc filter replace",
                                interface.name),
                    "tc filter replace with the rate noted before", "tc-police(8)"}}});
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"policed-here", Platform::linux, "tc -s qdisc, ip -s link",
             "the ingress filters of an interface dropped 100 packets and 0.01 % of those that "
             "came",
             look},
};

}  // namespace

extern const HostFault policer;
const HostFault policer{"policer", kRules};

}  // namespace slowpath::detect::host

// SPDX-License-Identifier: Apache-2.0
// policer: this host itself drops what arrives above a rate, by a filter on ingress.
#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

// Since boot any filter may have dropped on purpose, as a firewall of bpf or flower does.
constexpr double kLeast = 100, kLeastShare = 1e-4;
constexpr double kLeastNow = 10, kLeastShareNow = 1e-3;

/// What came to one interface, and what its filters dropped of it.
struct Dropped {
  double drops = 0, arrived = 0;
  bool is_now = false;  // over the interval, else since boot

  [[nodiscard]] bool is_much() const {
    return drops >= (is_now ? kLeastNow : kLeast) &&
           drops >= (is_now ? kLeastShareNow : kLeastShare) * arrived;
  }
};

/// Nothing where it was not told.
std::optional<Dropped> dropped_on(const MachineFacts& facts, const InterfaceFacts& interface) {
  const auto drops = interface.qdisc_statistics.find("ingress_drops");
  const auto packets = interface.statistics.find("rx_packets");
  if (drops == interface.qdisc_statistics.end() || packets == interface.statistics.end())
    return std::nullopt;
  if (facts.interval_s) {
    const Dropped now{value_at(interface.qdisc_rates, "ingress_drops") * *facts.interval_s,
                      value_at(interface.statistic_rates, "rx_packets") * *facts.interval_s, true};
    if (now.is_much()) return now;
  }
  return Dropped{static_cast<double>(drops->second), static_cast<double>(packets->second)};
}

bool look(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    if (!is_nic(interface)) continue;
    const std::optional<Dropped> seen = dropped_on(host.facts, interface);
    if (!seen) continue;
    is_judged = true;
    if (!seen->is_much()) continue;
    found.push_back(
        {.severity = seen->is_now ? Severity::suspect : Severity::note,
         .interface = interface.name,
         .claim =
             fmt::format("a filter of this host dropped {} of the {} packets that came to {}{}",
                         whole(seen->drops), whole(seen->arrived), interface.name,
                         seen->is_now ? " while it was looked at" : ""),
         .value = whole(seen->drops),
         .expected = "none, unless a limit is meant",
         .why = "a policer drops what is above its rate without making it wait; a rule that drops "
                "on purpose counts here as well",
         .cost = "the rate is the limit's or less, with losses above it",
         .evidence = {seen_on(interface, fmt::format("ingress drops = {}", whole(seen->drops)),
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
             "the ingress filters of a NIC dropped 10 packets and 0.1 % of those that came within "
             "the interval; 100 and 0.01 % since boot (a note)",
             look},
};

}  // namespace

extern const HostFault policer;
const HostFault policer{"policer", kRules};

}  // namespace slowpath::detect::host

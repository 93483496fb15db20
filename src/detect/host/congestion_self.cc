// SPDX-License-Identifier: Apache-2.0
// congestion-self: the host's own queue in front of a NIC overflows.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

// Below that an AQM says no more than that the link was full for a moment.
constexpr double kLeast = 1000, kLeastShare = 0.01, kLeastPerSecond = 10;

bool is_many(double drops, double packets, double drops_per_s, double packets_per_s) {
  // What a queue drops is counted apart from what it sent.
  const bool is_now =
      drops_per_s >= kLeastPerSecond && drops_per_s >= kLeastShare * (packets_per_s + drops_per_s);
  return is_now || (drops >= kLeast && drops >= kLeastShare * (packets + drops));
}

bool look(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    if (!is_nic(interface) || !interface.qdisc_statistics.contains("drops") ||
        !interface.qdisc_statistics.contains("packets"))
      continue;
    is_judged = true;
    const double drops = static_cast<double>(value_at(interface.qdisc_statistics, "drops")),
                 packets = static_cast<double>(value_at(interface.qdisc_statistics, "packets")),
                 per_s = value_at(interface.qdisc_rates, "drops");
    if (!is_many(drops, packets, per_s, value_at(interface.qdisc_rates, "packets"))) continue;
    std::string value = fmt::format("{} of {} ({})", whole(drops), whole(drops + packets),
                                    format_percent(drops / (drops + packets)));
    if (host.facts.interval_s) value += fmt::format(", {:.1f} a second now", per_s);
    found.push_back(
        {.severity = Severity::note,  // a full link is no mistake
         .interface = interface.name,
         .claim = fmt::format("the queue of {} dropped packets of this host's own: {}",
                              interface.name, value),
         .value = value,
         .expected = "below 1 %",
         .why = "more is sent than the link, or a limit set here, takes; a queue that says so by "
                "dropping is right, and TCP slows down for it",
         .cost = "no more than the link's rate, shared by all who send; each drop cuts a window",
         .evidence = {seen_on(interface,
                              fmt::format("{} drops = {}", interface.qdisc, whole(drops)),
                              EvidenceKind::counter)},
         .steps = {{Platform::any,
                    fmt::format("Compare the rate with the link's: if {} is full, only a faster "
                                "link or less traffic helps",
                                interface.name),
                    std::string(kNothingToUndo), "RFC 6349; tc(8)"}}});
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"own-queue-drops", Platform::linux, "tc -s qdisc",
             "the root queue of a NIC dropped 1000 packets and 1 %, or 10 a second and 1 % over an "
             "interval (a note)",
             look},
};

}  // namespace

extern const HostFault congestion_self;
const HostFault congestion_self{"congestion-self", kRules};

}  // namespace slowpath::detect::host

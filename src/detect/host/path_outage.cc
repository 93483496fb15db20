// SPDX-License-Identifier: Apache-2.0
// path-outage: a NIC whose link goes and comes back. Each time everything on it is lost for as long
// as negotiation and the switch's spanning tree take.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"
#include "facts/cpu_time.h"

namespace slowpath::detect::host {
namespace {

constexpr double kDay_s = 86400;
// A cable that is moved and a switch that is started anew make a few changes in years; a link that
// goes again and again is nobody's work. When that was a count since boot does not say.
constexpr double kLeast = 20;

/// How often one link went or came.
struct Flaps {
  double changes = 0;
  std::optional<double> now;  // over the interval, where there was one
  // Since boot, where the host has run for more than a day. CPU times, which tell that, stand still
  // while it sleeps.
  std::optional<double> per_day;
};

/// Changes of the carrier: the kernel's count, or the drivers' of lost links.
double changes_of(const std::map<std::string, std::uint64_t>& statistics) {
  const auto value = [&](const char* key) {
    return static_cast<double>(value_at(statistics, key));
  };
  // mlx5 and bnxt count links that were lost: each has come back as well.
  return std::max(
      {value("carrier_changes"), 2 * value("link_down_events_phy"), 2 * value("link_down_events")});
}

/// Whose link goes and comes with the air and with sleep: the kernel says so; where it was not
/// asked, systemd and the drivers name them so.
bool is_wireless(const InterfaceFacts& interface) {
  return interface.properties.contains("wireless") || interface.name.starts_with("wl") ||
         interface.name.starts_with("ww") || interface.name.starts_with("ath") ||
         interface.name.starts_with("Wi-Fi");
}

bool is_told(const InterfaceFacts& interface) {
  return interface.statistics.contains("carrier_changes") ||
         interface.statistics.contains("link_down_events_phy") ||
         interface.statistics.contains("link_down_events");
}

double uptime_s(const MachineFacts& facts) {
  double longest_s = 0;
  if (facts.interval_s) return longest_s;  // then CPU times are those of the interval
  for (const CpuFacts& cpu : facts.cpus) longest_s = std::max(longest_s, total_s(cpu));
  return longest_s;
}

Flaps flaps_of(const MachineFacts& facts, const InterfaceFacts& interface) {
  Flaps flaps{.changes = changes_of(interface.statistics), .now = {}, .per_day = {}};
  if (facts.interval_s) {
    flaps.now = value_at(interface.statistic_rates, "carrier_changes") * *facts.interval_s;
  }
  if (const double since_s = uptime_s(facts); since_s > kDay_s)
    flaps.per_day = flaps.changes * kDay_s / since_s;
  return flaps;
}

std::optional<Severity> severity_of(const Flaps& flaps) {
  // Gone and back, twice, while somebody looked on: once may be a hand at the plug.
  if (flaps.now >= 3.5) return Severity::fault;
  if (flaps.now >= 0.5) return Severity::suspect;
  if (flaps.changes < kLeast) return std::nullopt;
  return Severity::note;
}

std::string claim_of(const std::string& name, const Flaps& flaps) {
  if (flaps.now >= 0.5)
    return fmt::format("the link of {} went or came {:.0f} times while it was looked at", name,
                       *flaps.now);
  std::string claim = fmt::format("the link of {} went or came {} times since the host was started",
                                  name, whole(flaps.changes));
  if (flaps.per_day) claim += fmt::format(", {} in each day that it ran", whole(*flaps.per_day));
  return claim;
}

bool look(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    // At this moment the link may be gone: carrier is not asked for.
    if (!is_nic(interface) || is_wireless(interface) || !is_told(interface) ||
        interface.up == false)
      continue;
    is_judged = true;
    const Flaps flaps = flaps_of(host.facts, interface);
    const std::optional<Severity> severity = severity_of(flaps);
    if (!severity) continue;
    found.push_back(
        {.severity = *severity,
         .interface = interface.name,
         .claim = claim_of(interface.name, flaps),
         .value = whole(flaps.changes),
         .expected = "a few since the host was started",
         .why = "while a link is gone everything sent over it is lost, and after that a switch may "
                "wait for its spanning tree",
         .cost = "silences of seconds; connections go on after their retransmission timeout",
         .evidence = {seen_on(interface, fmt::format("carrier changes = {}", whole(flaps.changes)),
                              EvidenceKind::counter)},
         .steps = {{Platform::any,
                    fmt::format("Replace cable, plug or port of {}, one at a time, and look at the "
                                "switch's log of that port",
                                interface.name),
                    "put the old part back", "IEEE 802.3 clause 28; the switch's manual"}}});
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"link-flaps", Platform::linux, "ip -s -s link, ethtool -S, or read live",
             "the link of a NIC, not of a wireless one, went and came twice or more within the "
             "interval (a suspect: once); 20 changes or more since boot (a note)",
             look},
};

}  // namespace

extern const HostFault path_outage;
const HostFault path_outage{"path-outage", kRules};

}  // namespace slowpath::detect::host

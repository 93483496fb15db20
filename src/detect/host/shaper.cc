// SPDX-License-Identifier: Apache-2.0
// shaper: this host itself holds traffic back: a rate limit that is at work, or a test's network
// emulation that was left behind.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

HostStep remove_step(const InterfaceFacts& interface) {
  return {Platform::linux, fmt::format("tc qdisc del dev {} root", interface.name),
          fmt::format("tc qdisc add dev {} root {} ..., with what `tc qdisc show dev {}` said "
                      "before",
                      interface.name, interface.qdisc, interface.name),
          "tc(8)"};
}

bool look_at_shapers(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    if (interface.qdisc.empty()) continue;
    is_judged = true;
    const bool is_shaper = interface.qdisc == "tbf" || interface.qdisc == "htb" ||
                           interface.qdisc == "hfsc" || interface.qdisc == "cbq";
    const auto over = interface.qdisc_statistics.find("overlimits");
    if (!is_shaper || over == interface.qdisc_statistics.end() || over->second == 0) continue;
    found.push_back(
        {.interface = interface.name,
         .claim = fmt::format("{} is shaped by {} on this host, {} times so far", interface.name,
                              interface.qdisc, format_count(over->second)),
         .value = interface.qdisc,
         .expected = "no limit below what the path carries, unless it is meant",
         .why = "packets wait here until the limit lets them go",
         .cost = "the rate is the limit's",
         .evidence = {seen_on(
             interface,
             fmt::format("{} overlimits = {}", interface.qdisc, format_count(over->second)),
             EvidenceKind::counter)},
         .steps = {remove_step(interface)}});
  }
  return is_judged;
}

bool look_at_emulation(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    if (interface.qdisc.empty()) continue;
    is_judged = true;
    if (interface.qdisc != "netem") continue;
    found.push_back(
        {.interface = interface.name,
         .claim = fmt::format("{} delays or drops on purpose: netem is its queue", interface.name),
         .value = "netem",
         .expected = "fq_codel or fq",
         .why = "network emulation is for tests; left behind it makes every transfer slow",
         .cost = "whatever delay, loss and rate it was given: tc qdisc show tells",
         .evidence = {seen_on(interface, "qdisc netem")},
         .steps = {remove_step(interface)}});
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"shaped-here", Platform::linux, "tc -s qdisc",
             "the root queue is tbf, htb, hfsc or cbq, and its overlimits are not 0",
             look_at_shapers},
    HostRule{"emulation-left-behind", Platform::linux, "tc -s qdisc",
             "the root queue of an interface is netem", look_at_emulation},
};

}  // namespace

extern const HostFault shaper;
const HostFault shaper{"shaper", kRules};

}  // namespace slowpath::detect::host

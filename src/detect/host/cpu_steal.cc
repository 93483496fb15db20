// SPDX-License-Identifier: Apache-2.0
// cpu-steal: the hypervisor runs somebody else while this machine wants to run.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"
#include "facts/cpu_time.h"

namespace slowpath::detect::host {
namespace {

bool look(const Host& host, std::vector<HostFinding>& found) {
  constexpr double kSuspect = 0.02, kFault = 0.05;  // VMware calls 5 % ready time a contention
  constexpr double kLeast_s = 1;
  double steal = 0, all = 0;
  for (const CpuFacts& cpu : host.facts.cpus) {
    steal += cpu.steal_s;
    all += total_s(cpu);
  }
  if (host.facts.cpus.empty() || all < kLeast_s) return false;
  const double share = steal / all;
  if (share < kSuspect) return true;
  const bool is_now = host.facts.interval_s.has_value();
  found.push_back(
      {.severity = is_now && share >= kFault ? Severity::fault : Severity::suspect,
       .claim = fmt::format("the hypervisor withheld {} of the CPU time {}", format_percent(share),
                            is_now ? "just now" : "since boot"),
       .value = format_percent(share),
       .expected = "below 2 %",
       .why = "while the machine waits nothing is sent, and no ACK is answered",
       .cost = "pauses of milliseconds, and bursts behind them",
       .evidence = {{EvidenceKind::counter,
                     fmt::format("steal {} of {}", format_duration(steal), format_duration(all)),
                     "/proc/stat",
                     {{"steal_s", steal}, {"all_s", all}}}}});
  return true;
}

constexpr std::array kRules{
    HostRule{"cpu-stolen", Platform::linux, "/proc/stat",
             "steal is 2 % of the CPU time or more; fault from 5 % on over an interval", look},
};

}  // namespace

extern const HostFault cpu_steal;
const HostFault cpu_steal{"cpu-steal", kRules};

}  // namespace slowpath::detect::host

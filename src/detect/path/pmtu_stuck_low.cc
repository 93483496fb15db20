// SPDX-License-Identifier: Apache-2.0
// pmtu-stuck-low by test: the kernel believes in a path MTU that the path exceeds. A router's old
// or forged message, or a route that locks it.
#include <fmt/format.h>

#include "detect/path/rules.h"

namespace slowpath::detect::path {

void pmtu_stuck_low(const PathTestFacts& test, Findings& findings) {
  if (!test.mtu || !test.mtu->kernel_pmtu_bytes) return;
  const std::uint32_t believed = *test.mtu->kernel_pmtu_bytes;
  const SizeSweep* sweep = best_sweep(*test.mtu, Direction::to_server);
  if (sweep == nullptr || sweep->largest_passed_bytes <= believed) return;
  const double share = static_cast<double>(believed) / sweep->largest_passed_bytes;
  // Headers cost: with a quarter less in each packet the rate and the processor feel it.
  constexpr double kMatters = 0.75;
  Finding finding = found(
      "pmtu-stuck-low", share < kMatters ? Severity::fault : Severity::note, 0.9,
      fmt::format(
          "this host's kernel keeps to packets of {} bytes towards {}, and the path carries {}",
          believed, to_string(test.peer), sweep->largest_passed_bytes));
  finding.direction = Direction::to_server;
  finding.evidence.push_back(tested(
      fmt::format("IP_MTU of a socket to {}: {}; {} of {} packets of {} bytes with DF arrived ({})",
                  to_string(test.peer), believed,
                  result_of(*sweep, sweep->largest_passed_bytes).passed,
                  result_of(*sweep, sweep->largest_passed_bytes).sent, sweep->largest_passed_bytes,
                  name_of(sweep->kind)),
      {{"kernel_pmtu_bytes", believed}, {"largest_passed_bytes", sweep->largest_passed_bytes}}));
  finding.refuted_by = "a packet of the larger size being refused on the path of the transfer";
  findings.push_back(std::move(finding));
}

}  // namespace slowpath::detect::path

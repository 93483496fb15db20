// SPDX-License-Identifier: Apache-2.0
// icmp-bogus-mtu by test: a router refuses packets and names an MTU that cannot be meant: none, one
// below what every link carries, or one that the refused packet keeps to. And, less sure, one far
// below what passes: packets may take different paths.
#include <fmt/format.h>

#include "detect/arithmetic/packet_size.h"
#include "detect/path/rules.h"

namespace slowpath::detect::path {
namespace {

constexpr std::string_view kFault = "icmp-bogus-mtu";

std::string_view why_impossible(const MtuReport& report) {
  const auto least = arithmetic::min_mtu(report.from.version == 6 ? arithmetic::IpVersion::v6
                                                                  : arithmetic::IpVersion::v4);
  if (report.mtu_bytes == 0) return "names no MTU";
  if (report.mtu_bytes < least) return "is below what every link carries";
  if (report.mtu_bytes >= report.smallest_refused_bytes)
    return "is kept by the very packet it refuses";
  return {};
}

std::string place_of(const MtuReport& report) {
  return report.hop ? fmt::format("{} (hop {})", to_string(report.from), *report.hop)
                    : to_string(report.from);
}

}  // namespace

void icmp_bogus_mtu(const PathTestFacts& test, Findings& findings) {
  if (!test.mtu) return;
  for (const SizeSweep& sweep : test.mtu->sweeps) {
    if (!sweep.unable.empty()) continue;
    for (const MtuReport& report : sweep.reports) {
      const std::string_view why = why_impossible(report);
      const bool is_understated = why.empty() && sweep.largest_passed_bytes > report.mtu_bytes;
      if (why.empty() && !is_understated) continue;
      Finding finding = found(
          kFault, why.empty() ? Severity::suspect : Severity::fault, why.empty() ? 0.6 : 0.9,
          why.empty() ? fmt::format("{} reports an MTU of {}, yet packets of {} bytes pass",
                                    place_of(report), report.mtu_bytes, sweep.largest_passed_bytes)
                      : fmt::format("{} refuses packets {} and reports an MTU of {}, which {}",
                                    place_of(report), way_of(test, sweep.direction),
                                    report.mtu_bytes, why));
      finding.direction = sweep.direction;
      finding.evidence.push_back(tested(
          fmt::format(
              "{} messages about packets of {} to {} bytes; the largest that passes has {} bytes",
              report.count, report.smallest_refused_bytes, report.largest_refused_bytes,
              sweep.largest_passed_bytes),
          {{"reported_mtu_bytes", report.mtu_bytes},
           {"smallest_refused_bytes", report.smallest_refused_bytes},
           {"largest_passed_bytes", sweep.largest_passed_bytes}}));
      finding.refuted_by = "a link on the path with this MTU";
      findings.push_back(std::move(finding));
      return;  // The sweeps meet the same router.
    }
  }
}

}  // namespace slowpath::detect::path

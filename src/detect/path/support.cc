// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "detect/path/rules.h"

namespace slowpath::detect::path {
namespace {

int weight_of(SizeProbeKind kind) {
  switch (kind) {
    case SizeProbeKind::icmp_echo:
      return 0;
    case SizeProbeKind::udp:
      return 1;
    case SizeProbeKind::udp_peer:
      return 2;
  }
  return 0;
}

}  // namespace

const SizeSweep* best_sweep(const PathMtuTest& mtu, Direction direction) {
  const SizeSweep* best = nullptr;
  for (const SizeSweep& sweep : mtu.sweeps) {
    if (!sweep.unable.empty() || sweep.direction != direction || sweep.largest_passed_bytes == 0) {
      continue;
    }
    if (best == nullptr || weight_of(sweep.kind) > weight_of(best->kind)) best = &sweep;
  }
  return best;
}

std::string way_of(const PathTestFacts& test, Direction direction) {
  const std::string peer = to_string(test.peer);
  return direction == Direction::to_server ? "from this host to " + peer
                                           : "from " + peer + " to this host";
}

Finding found(std::string_view fault, Severity severity, double confidence, std::string claim) {
  Finding finding;
  finding.fault = fault;
  finding.severity = severity;
  finding.confidence = confidence;
  finding.claim = std::move(claim);
  return finding;
}

Evidence tested(std::string text, Figures values) {
  return {.kind = EvidenceKind::test,
          .text = std::move(text),
          .frames = {},
          .values = std::move(values)};
}

SizeResult result_of(const SizeSweep& sweep, std::uint32_t ip_bytes) {
  const auto found = std::ranges::find(sweep.sizes, ip_bytes, &SizeResult::ip_bytes);
  if (found != sweep.sizes.end()) return *found;
  return {.ip_bytes = ip_bytes, .sent = 0, .passed = 0, .reported = 0};
}

std::string_view name_of(SizeProbeKind kind) {
  switch (kind) {
    case SizeProbeKind::icmp_echo:
      return "ICMP echo";
    case SizeProbeKind::udp:
      return "UDP to a closed port";
    case SizeProbeKind::udp_peer:
      return "UDP to slowpath serve";
  }
  return "";
}

}  // namespace slowpath::detect::path

// SPDX-License-Identifier: Apache-2.0
// pmtud-blackhole and jumbo-mismatch by test: packets with DF above a size vanish and nobody says
// so. Proved by several packets at each side of the edge while small ones beside them pass. Large
// ICMP alone may be a firewall's rule about ping, so echo by itself makes a suspect. Not judged: an
// edge that a router reports (that is how it should be).
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/path/rules.h"

namespace slowpath::detect::path {
namespace {

constexpr std::uint32_t kEnoughFailures = 3;
// Ethernet's 1500, and what a VLAN tag or a baby giant may add.
constexpr std::uint32_t kNoJumbo = 1600;

struct Edge {
  const SizeSweep* sweep = nullptr;
  std::uint32_t passes = 0, fails = 0;
  SizeResult at_pass, at_fail;
  bool is_exact = false;
};

/// A silent edge of one sweep.
std::optional<Edge> silent_edge(const SizeSweep* sweep) {
  if (sweep == nullptr || sweep->smallest_failed_bytes == 0) return std::nullopt;
  Edge edge{.sweep = sweep,
            .passes = sweep->largest_passed_bytes,
            .fails = sweep->smallest_failed_bytes,
            .at_pass = result_of(*sweep, sweep->largest_passed_bytes),
            .at_fail = result_of(*sweep, sweep->smallest_failed_bytes),
            .is_exact = sweep->finished};
  if (edge.at_fail.sent < kEnoughFailures || edge.at_fail.reported > 0) return std::nullopt;
  // A router that limits its messages is silent about most; one that spoke at all was heard.
  if (!sweep->reports.empty()) return std::nullopt;
  return edge;
}

/// Everything between here and there is one link.
bool is_on_link(const PathMtuTest& mtu) { return mtu.hops.size() == 1 && mtu.hops[0].is_target; }

bool is_jumbo(const PathMtuTest& mtu, const Edge& edge) {
  return mtu.interface_mtu_bytes > kNoJumbo && edge.passes <= kNoJumbo && is_on_link(mtu);
}

std::string edge_words(const Edge& edge) {
  return fmt::format(
      "{}: {} of {} packets of {} bytes arrived, {} of {} of {} bytes, beside {} of {} small ones",
      name_of(edge.sweep->kind), edge.at_pass.passed, edge.at_pass.sent, edge.passes,
      edge.at_fail.passed, edge.at_fail.sent, edge.fails, edge.sweep->control_passed,
      edge.sweep->control_sent);
}

/// Between which hops large packets vanish, where the walk shows it.
std::string where(const PathMtuTest& mtu) {
  const PathHop* last_good = nullptr;
  for (const PathHop& hop : mtu.hops) {
    if (!hop.large_answered) continue;
    if (*hop.large_answered) {
      last_good = &hop;
    } else if (last_good != nullptr) {
      return fmt::format("large packets still reach hop {} ({}) and no longer hop {} ({})",
                         last_good->ttl, to_string(*last_good->address), hop.ttl,
                         to_string(*hop.address));
    }
  }
  return {};
}

/// The same to be tried by hand, at the end that sends.
std::string ping_words(const PathTestFacts& test, Direction direction, const Edge& edge) {
  const std::uint32_t headers = test.peer.version == 6 ? 48 : 28;
  const std::uint32_t payload = edge.passes > headers ? edge.passes - headers : 0;
  const bool there = direction == Direction::to_server;
  return fmt::format(
      "{}ping -M do -s {} {} is {} bytes with {} of headers and passes, -s {} does not",
      there ? std::string() : "on " + to_string(test.peer) + ": ", payload,
      to_string(there ? test.peer : test.local), edge.passes, headers, edge.fails - headers);
}

void report_edge(const PathTestFacts& test, Direction direction, const Edge& edge, bool is_proved,
                 Findings& findings) {
  const PathMtuTest& mtu = *test.mtu;
  const bool jumbo = is_jumbo(mtu, edge);
  const std::string way = way_of(test, direction);
  Finding finding = found(
      jumbo ? "jumbo-mismatch" : "pmtud-blackhole", is_proved ? Severity::fault : Severity::suspect,
      !is_proved                                    ? 0.6
      : edge.sweep->kind == SizeProbeKind::udp_peer ? 0.95
                                                    : 0.88,
      jumbo ? fmt::format("{} packets above {} bytes vanish although both ends are on one link and "
                          "this interface's MTU "
                          "is {}: something between does not carry jumbo frames",
                          way, edge.passes, mtu.interface_mtu_bytes)
            : fmt::format("{} packets above {} bytes vanish and no router reports it", way,
                          edge.passes));
  finding.direction = direction;
  finding.evidence.push_back(
      tested(edge_words(edge), {{"largest_passed_bytes", edge.passes},
                                {"smallest_failed_bytes", edge.fails},
                                {"sent_at_failing_size", edge.at_fail.sent}}));
  finding.evidence.push_back(tested(ping_words(test, direction, edge)));
  if (std::string place = where(mtu); !place.empty() && direction == Direction::to_server) {
    finding.evidence.push_back(tested(std::move(place)));
  }
  finding.refuted_by = fmt::format("one packet of {} bytes with DF arriving", edge.fails);
  if (!is_proved && !test.with_peer) {
    finding.next_capture = fmt::format(
        "slowpath serve    (on {}; then test again: UDP tells a path from a rule "
        "about ping, and the way there from the way back)",
        to_string(test.peer));
  }
  findings.push_back(std::move(finding));
}

const SizeSweep* sweep_by(const PathMtuTest& mtu, SizeProbeKind kind) {
  const auto sweep = std::ranges::find_if(mtu.sweeps, [&](const SizeSweep& item) {
    return item.kind == kind && item.unable.empty() && item.largest_passed_bytes > 0;
  });
  return sweep == mtu.sweeps.end() ? nullptr : &*sweep;
}

/// Without a far end that tells. Echo goes both ways, UDP only there.
void judge_alone(const PathTestFacts& test, Findings& findings) {
  const SizeSweep* echo = sweep_by(*test.mtu, SizeProbeKind::icmp_echo);
  const SizeSweep* udp = sweep_by(*test.mtu, SizeProbeKind::udp);
  if (const auto there = silent_edge(udp)) {
    report_edge(test, Direction::to_server, *there, true, findings);
    return;
  }
  const auto both = silent_edge(echo);
  if (!both) return;
  const bool passes_there = udp != nullptr && udp->largest_passed_bytes > both->passes;
  report_edge(test, passes_there ? Direction::to_client : Direction::to_server, *both, false,
              findings);
  if (passes_there) {
    findings.back().evidence.push_back(
        tested(fmt::format("on the way there {} bytes pass (UDP), so it is the replies that vanish",
                           udp->largest_passed_bytes)));
  }
}

}  // namespace

void pmtud_blackhole(const PathTestFacts& test, Findings& findings) {
  if (!test.mtu) return;
  bool is_told = false;
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    const SizeSweep* sweep = best_sweep(*test.mtu, direction);
    if (sweep == nullptr || sweep->kind != SizeProbeKind::udp_peer) continue;
    is_told = true;
    if (const auto edge = silent_edge(sweep)) report_edge(test, direction, *edge, true, findings);
  }
  if (!is_told) judge_alone(test, findings);
}

}  // namespace slowpath::detect::path

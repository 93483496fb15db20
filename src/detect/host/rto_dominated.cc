// SPDX-License-Identifier: Apache-2.0
// rto-dominated: most of what this host sends again waits for a timeout.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kAgain[] = {"TcpRetransSegs"};
constexpr std::string_view kSent[] = {"TcpOutSegs"};

bool look(const Host& host, std::vector<HostFinding>& found) {
  constexpr std::string_view kTimeouts = "TcpExtTCPTimeouts", kSyns = "TcpExtTCPSynRetrans";
  constexpr double kLeast = 1000, kLeastShare = 0.02;
  // Of healthy losses fast retransmission repairs nearly all.
  constexpr double kByTimeout = 0.5;
  const Toll again = toll_of(host.facts, {.events = kAgain, .of = kSent});
  if (!again.read || !is_counted(host.facts, kTimeouts)) return false;
  // A scanned server answers SYNs that nobody meant.
  const double segments = again.events - static_cast<double>(count_of(host.facts, kSyns));
  const auto timeouts = static_cast<double>(count_of(host.facts, kTimeouts));
  if (segments < kLeast || segments < kLeastShare * again.of || timeouts < kByTimeout * segments)
    return true;
  HostFinding finding{
      .severity = Severity::note,  // which connection, and why, a counter does not tell
      .claim = fmt::format("{} of the segments go again, half of them or more by timeout",
                           format_percent(segments / again.of)),
      .value = again.text,
      .expected = "below 1 %, few of them by timeout",
      .why =
          "nobody said what was lost: everything of a burst was lost, or whole sizes of packets, "
          "or the peer has gone",
      .cost = fmt::format("{} silences of 200 ms or more",
                          format_count(count_of(host.facts, kTimeouts))),
      .evidence = again.evidence};
  finding.evidence.push_back(counted(host.facts, kTimeouts));
  finding.steps.push_back({Platform::any,
                           "Capture a transfer at this host and ask slowpath diagnose: counters do "
                           "not tell which connection, nor why",
                           std::string(kNothingToUndo), "slowpath(1)"});
  found.push_back(std::move(finding));
  return true;
}

constexpr std::array kRules{
    HostRule{
        "timeouts-many", Platform::linux, "nstat -az",
        "1000 segments and 2 % of all were sent again, SYNs aside, and TCPTimeouts is half of them "
        "or more (a note)",
        look},
};

}  // namespace

extern const HostFault rto_dominated;
const HostFault rto_dominated{"rto-dominated", kRules};

}  // namespace slowpath::detect::host

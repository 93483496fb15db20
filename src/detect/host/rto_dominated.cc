// SPDX-License-Identifier: Apache-2.0
// rto-dominated: most of what this host sends again waits for a timeout; or a connection that is
// open now sends much of its data again.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kAgain[] = {"TcpRetransSegs"};
constexpr std::string_view kSent[] = {"TcpOutSegs"};

bool look_at_counters(const Host& host, std::vector<HostFinding>& found) {
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

/// How much of what a connection sent it had to send again.
struct Again {
  const SocketFacts* socket = nullptr;
  double share = 0;
};

// What slow start loses once is far below this share of a MiB; a connection to a peer that has gone
// sends little again.
constexpr double kLeastSent = 1 << 20, kLeastAgain = 0.1;
constexpr std::uint32_t kLeastTimes = 20, kLeastTimeouts = 3;

Again again_of(const SocketFacts& socket) {
  const auto sent = static_cast<double>(*socket.bytes_sent);
  const bool is_much = sent >= kLeastSent && socket.retransmits_total >= kLeastTimes;
  // Without timeouts fast retransmission keeps up with the losses: another fault.
  if (!is_much || socket.timeouts_total.value_or(kLeastTimeouts) < kLeastTimeouts) return {};
  return {&socket, static_cast<double>(*socket.bytes_retransmitted) / sent};
}

HostFinding finding_of(const Again& worst, std::size_t count) {
  const SocketFacts& socket = *worst.socket;
  const std::string peer = to_string(socket.remote);
  std::string value = fmt::format("{} of {} bytes", format_count(*socket.bytes_retransmitted),
                                  format_count(*socket.bytes_sent));
  if (socket.timeouts_total) value += fmt::format(", {} timeouts", *socket.timeouts_total);
  HostFinding finding{
      // ss does not tell timeouts; then the losses may be repaired fast.
      .severity = socket.timeouts_total ? Severity::suspect : Severity::note,
      .claim = fmt::format(
          "the connection to {} sent {} of its bytes again{}", peer, format_percent(worst.share),
          socket.timeouts_total ? fmt::format(" and waited for {} timeouts", *socket.timeouts_total)
                                : ""),
      .value = value,
      .expected = "below 1 %, few of them by timeout",
      .why = "its packets are lost; whether by size, by rate or by chance, only packets tell",
      .cost = "silences of 200 ms or more, and a window that begins anew after each",
      .evidence = {{.kind = EvidenceKind::counter,
                    .text = fmt::format("{}: sent again {}", peer, value),
                    .origin = socket.origin.where}},
      .steps = {{Platform::any,
                 fmt::format("Capture that connection at this host and ask slowpath diagnose: "
                             "tcpdump -w slow.pcap host {}",
                             to_string(socket.remote.address)),
                 std::string(kNothingToUndo), "slowpath(1)"}}};
  if (count > 1) finding.claim += fmt::format("; {} connections do so", count);
  return finding;
}

bool look_at_sockets(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  std::size_t count = 0;
  Again worst;
  for (const SocketFacts& socket : host.facts.sockets) {
    if (socket.state != "established" || !socket.bytes_sent || !socket.bytes_retransmitted ||
        !socket.retransmits_total)
      continue;
    is_judged = true;
    const Again again = again_of(socket);
    if (again.share < kLeastAgain) continue;
    ++count;
    if (again.share > worst.share) worst = again;
  }
  if (worst.socket != nullptr) found.push_back(finding_of(worst, count));
  return is_judged;
}

constexpr std::array kRules{
    HostRule{
        "timeouts-many", Platform::linux, "nstat -az",
        "1000 segments and 2 % of all were sent again, SYNs aside, and TCPTimeouts is half of them "
        "or more (a note)",
        look_at_counters},
    HostRule{"socket-sends-again", Platform::linux, "ss -tinm, or read live",
             "an established connection sent 1 MiB or more, 10 % of it again in 20 segments or "
             "more, after 3 timeouts or more (a note where timeouts are not told, as by ss)",
             look_at_sockets},
};

}  // namespace

extern const HostFault rto_dominated;
const HostFault rto_dominated{"rto-dominated", kRules};

}  // namespace slowpath::detect::host

// SPDX-License-Identifier: Apache-2.0
// idle-nat-drop: a NAT, firewall or load balancer forgot a connection that was idle.
// The user sees sessions that hang or break after a pause, always the same length. Recognised by
// data that worked before a silence of a minute or more and finds no answer after it, to the end,
// or a RST at once that is not the peer's (RFC 5382 section 5 asks for 2 h 4 min). A shorter
// silence is enough where another connection of the same hosts is answered meanwhile: then peer and
// path are up, and only this four-tuple is unknown to somebody. Look-alikes: a peer that crashed or
// restarted (RST with its own time to live), a path that comes back (path-outage), other
// connections between the same hosts that stop at the same moment.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/connections_by.h"
#include "detect/hops.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "idle-nat-drop";
// The catalogue's minimum. Shorter timeouts exist, but so do shorter silences of other kinds.
constexpr double kIdleSeconds = 60;  // unless the peer answers elsewhere
// As peer-gone: five transmissions prove that nobody answers, three are worth a word.
constexpr std::uint32_t kSends = 5;
constexpr std::uint32_t kSendsToMention = 3;
// Routes change by a hop or two.
constexpr int kHops = 2;

std::optional<Hosts> any_hosts(const ConnectionFacts& connection) { return hosts_of(connection); }

const ConnectionFacts* peer_alive_elsewhere(ConnectionsBy<Hosts>& by_hosts,
                                            const ConnectionFacts& connection, Time since) {
  return by_hosts.first(hosts_of(connection), [&](const ConnectionFacts& other) {
    return other.id != connection.id &&
           std::ranges::any_of(other.directions,
                               [&](const DirectionFacts& d) { return d.last_ack > since; });
  });
}

/// The longest silence of this connection that did it no harm.
const QuietFacts* longest_survived(const ConnectionFacts& connection) {
  const QuietFacts* longest = nullptr;
  for (const QuietFacts& quiet : connection.beside.quiets) {
    if (quiet.answered && (longest == nullptr || quiet.seconds > longest->seconds))
      longest = &quiet;
  }
  return longest;
}

/// The RST came as far as the peer's other packets: it is the peer's own, or of a box beside it.
bool is_peers_own(const ConnectionFacts& connection, const QuietFacts& quiet) {
  for (const ResetFacts& reset : connection.resets) {
    if (reset.frame != quiet.reset || reset.sender_ttl_max == 0) continue;
    const int least = std::min(hops_of(reset.sender_ttl_min), hops_of(reset.sender_ttl_max));
    const int most = std::max(hops_of(reset.sender_ttl_min), hops_of(reset.sender_ttl_max));
    const int hops = hops_of(reset.ttl);
    return hops + kHops >= least && hops <= most + kHops;
  }
  return true;
}

/// The longer the silence, the more likely a timer forgot; a peer that answers elsewhere settles
/// the rest.
double confidence_of(double idle_s, bool peer_is_up) {
  if (!peer_is_up) return 0.8;
  return 0.85 + 0.1 * how_far(idle_s, QuietFacts::kQuietSeconds, kIdleSeconds);
}

bool worked_before(const ConnectionFacts& connection) {
  return connection.handshake.completed ||
         connection.directions[0].acked_bytes + connection.directions[1].acked_bytes > 0;
}

std::optional<std::string> why_not(const ConnectionFacts& connection, const QuietFacts& quiet) {
  if (!worked_before(connection)) return "nothing was answered before the silence either";
  if (quiet.after_fin) return "one end had closed before the silence: it owes no answer";
  const QuietFacts* survived = longest_survived(connection);
  if (survived != nullptr && survived->seconds >= quiet.seconds) {
    return fmt::format("a silence of {} did it no harm, this one lasted {}",
                       format_duration(survived->seconds), format_duration(quiet.seconds));
  }
  if (quiet.reset) {
    if (quiet.seconds >= kIdleSeconds || !is_peers_own(connection, quiet)) return std::nullopt;
    return fmt::format("the peer's own reset after {} of silence", format_duration(quiet.seconds));
  }
  if (quiet.sends < kSendsToMention) {
    return fmt::format("{} after {} of silence without an answer; {} are needed",
                       counted(quiet.sends, "packet"), format_duration(quiet.seconds), kSends);
  }
  return std::nullopt;
}

void add_evidence(ConnectionsBy<Hosts>& by_hosts, const ConnectionFacts& connection,
                  const QuietFacts& quiet, Finding& finding) {
  finding.evidence.push_back(shown_by(fmt::format("{} of silence", format_duration(quiet.seconds)),
                                      {quiet.before, quiet.after}, {{"idle_s", quiet.seconds}}));
  if (quiet.reset) {
    finding.evidence.push_back(shown_by("the first packet after it is answered with a RST",
                                        {quiet.reset},
                                        {{"reset_ttl", static_cast<double>(quiet.reset_ttl)}}));
  } else {
    finding.evidence.push_back(
        shown_by(fmt::format("{} after it found no answer in {}", counted(quiet.sends, "packet"),
                             format_duration(quiet.unanswered_s)),
                 {quiet.after}, {{"sends", static_cast<double>(quiet.sends)}}));
  }
  if (const QuietFacts* survived = longest_survived(connection)) {
    finding.evidence.push_back(
        shown_by(fmt::format("a silence of {} did no harm", format_duration(survived->seconds)),
                 {survived->after}));
  }
  const Time woke = quiet.begin + from_seconds(quiet.seconds);
  if (const ConnectionFacts* other = peer_alive_elsewhere(by_hosts, connection, woke)) {
    finding.evidence.push_back(
        {EvidenceKind::counter,
         fmt::format("the same hosts went on talking on port {} meanwhile: peer and path were up",
                     other->client.port),
         {},
         {{"connection", static_cast<double>(other->id)}}});
  }
}

void report(ConnectionsBy<Hosts>& by_hosts, const ConnectionFacts& connection,
            const QuietFacts& quiet, Findings& findings) {
  const bool own_reset = quiet.reset && is_peers_own(connection, quiet);
  const Time woke = quiet.begin + from_seconds(quiet.seconds);
  const bool peer_is_up = peer_alive_elsewhere(by_hosts, connection, woke) != nullptr;
  const bool complete = (quiet.seconds >= kIdleSeconds || peer_is_up) && !own_reset &&
                        (quiet.reset || quiet.sends >= kSends);
  Finding finding = about(kId, connection);
  finding.direction = quiet.speaker;
  finding.severity = complete ? Severity::fault : Severity::suspect;
  finding.confidence = !complete ? 0.55 : confidence_of(quiet.seconds, peer_is_up);
  finding.seconds_lost = std::min(quiet.unanswered_s, duration_s(connection));
  finding.claim = fmt::format("after {} of silence {}: something on the way forgot the connection",
                              format_duration(quiet.seconds),
                              quiet.reset ? "the connection is reset at once"
                                          : fmt::format("{} packets find no answer", quiet.sends));
  add_evidence(by_hosts, connection, quiet, finding);
  finding.refuted_by = own_reset ? "the peer's own log of a restart or of an idle timeout"
                                 : "a silence of the same length after which the peer answers";
  finding.after_fix = {std::nullopt,
                       "the connection then lives on; keep-alives below the timeout do the same"};
  finding.wireshark_filter =
      stream_filter(connection, fmt::format("tcp.time_delta > {:.0f}", quiet.seconds / 2));
  if (!complete)
    finding.next_capture = "at the other end: " + capture_command(connection, "other_end.pcap");
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  ConnectionsBy<Hosts> by_hosts(facts, any_hosts);
  for (const ConnectionFacts& connection : facts.connections) {
    for (const QuietFacts& quiet : connection.beside.quiets) {
      if (quiet.answered) continue;
      if (auto why = why_not(connection, quiet)) {
        silent(findings, kId, connection, std::move(*why));
        continue;
      }
      report(by_hosts, connection, quiet, findings);
      break;
    }
  }
}

}  // namespace

extern const Detector idle_nat_drop;
const Detector idle_nat_drop{.id = kId,
                             .scope = Scope::connection,
                             .needs = "what happened before and after the silence",
                             .inspect = inspect};

}  // namespace slowpath::detect::detectors

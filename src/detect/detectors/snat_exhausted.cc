// SPDX-License-Identifier: Apache-2.0
// snat-exhausted: a NAT gateway has no source port left for one destination.
// The user sees new connections to one service hang under churn, while everything else works.
// Recognised, before the NAT, by SYNs to one server endpoint that vanish while earlier connections
// to it stand and other destinations answer. Only the far side of the NAT proves it. Look-alikes: a
// server that is down or full (SYNs arrive there), a full connection table (conntrack-full: other
// destinations fail too), a port used again too soon (timewait-syn-drop).
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/connect_attempts.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "snat-exhausted";
// So many fail, while so many others to the same endpoint stand: one that fails is a lost SYN.
constexpr std::size_t kFailed = 3;
constexpr std::size_t kOpen = 8;

struct Picture {
  std::size_t open = 0;          // connections to the endpoint that stood when the first SYN failed
  std::size_t elsewhere_ok = 0;  // attempts to other endpoints while SYNs failed, that worked
  std::size_t elsewhere_bad = 0;
};

Picture look(const std::vector<Attempt>& attempts, const AttemptGroup& group,
             const std::vector<const Attempt*>& failed) {
  Picture picture;
  const Time begin = failed.front()->at;
  const Time end = failed.back()->at + from_seconds(failed.back()->waited_s);
  for (const Attempt& attempt : group.attempts) picture.open += was_open_at(attempt, begin) ? 1 : 0;
  // The rest decides nothing then, and costs a walk over all attempts.
  if (failed.size() < kFailed || picture.open < kOpen) return picture;
  for (const Attempt& attempt : attempts) {
    const ConnectionFacts& connection = *attempt.connection;
    if (connection.client.address != group.client || connection.server == group.server) continue;
    if (attempt.at < begin || attempt.at > end) continue;
    picture.elsewhere_ok += attempt.outcome == AttemptOutcome::set_up ? 1 : 0;
    picture.elsewhere_bad += attempt.failed() ? 1 : 0;
  }
  return picture;
}

/// Their SYNs passed one capture point and none behind it, while others of the same traffic did.
void prove(const Case& facts, const std::vector<const Attempt*>& failed, Finding& finding) {
  const ComparisonFacts& compared = facts.comparisons;
  if (compared.connections_shared == 0) return;
  Exemplars syns;
  for (const Attempt* attempt : failed) {
    const auto alone = std::ranges::find(compared.unpaired, std::optional(attempt->connection->id),
                                         &UnpairedConnection::connection);
    if (alone != compared.unpaired.end() && alone->only_syns) note(syns, alone->first_frame);
  }
  if (syns.count < kFailed || syns.count < failed.size()) return;
  finding.severity = Severity::fault;
  finding.confidence = 0.93;
  finding.evidence.push_back(shown_by(
      "none of these SYNs comes out behind the NAT, where the other connections do", syns));
}

void report(const Case& facts, const AttemptGroup& group, const std::vector<const Attempt*>& failed,
            const Picture& picture, Findings& findings) {
  Finding finding;
  finding.fault = kId;
  finding.connections = ids_of(failed);
  finding.direction = Direction::to_server;
  finding.severity = Severity::suspect;
  finding.confidence = picture.elsewhere_ok > 0 ? 0.7 : 0.55;
  finding.seconds_lost = waited_together_s(failed);
  finding.claim = fmt::format(
      "{} new connections from {} to {} find no answer while {} older ones stand: a NAT on the way "
      "may be out of ports",
      failed.size(), to_string(group.client), to_string(group.server), picture.open);
  finding.evidence.push_back(shown_by("their SYNs", syns_of(failed),
                                      {{"failed", static_cast<double>(failed.size())},
                                       {"open", static_cast<double>(picture.open)}}));
  if (picture.elsewhere_ok > 0) {
    finding.evidence.push_back(
        {EvidenceKind::counter,
         fmt::format("{} attempts to other destinations worked meanwhile", picture.elsewhere_ok),
         {},
         {{"elsewhere", static_cast<double>(picture.elsewhere_ok)}}});
  }
  finding.refuted_by =
      "the same SYNs behind the NAT, or a new connection to another destination hanging too";
  prove(facts, failed, finding);
  finding.after_fix = {std::nullopt, "the handshakes then take one round trip"};
  finding.wireshark_filter = fmt::format("tcp.flags.syn == 1 && tcp.port == {}", group.server.port);
  if (finding.severity != Severity::fault)
    finding.next_capture =
        "behind the NAT: " + capture_command(*failed.front()->connection, "behind_nat.pcap");
  findings.list.push_back(std::move(finding));
}

void inspect_group(const Case& facts, const std::vector<Attempt>& attempts,
                   const ServersSeen& servers_seen, const AttemptGroup& group, Findings& findings) {
  const std::vector<const Attempt*> failed = group.failed_first_uses();
  if (failed.empty()) return;
  const ConnectionFacts& first = *failed.front()->connection;
  const Picture picture = look(attempts, group, failed);
  if (failed.size() < kFailed || picture.open < kOpen) {
    return silent(findings, kId, first,
                  fmt::format("{} failed while {} others stood; {} and {} are needed",
                              failed.size(), picture.open, kFailed, kOpen));
  }
  if (servers_seen.is_captured_at(group.server)) {
    return silent(findings, kId, first,
                  "the SYNs were captured at the server: they passed every NAT");
  }
  if (picture.elsewhere_bad > 0) {
    return silent(
        findings, kId, first,
        fmt::format("{} attempts to other destinations failed as well", picture.elsewhere_bad));
  }
  report(facts, group, failed, picture, findings);
}

void inspect(const Case& facts, Findings& findings) {
  const std::vector<Attempt> attempts = attempts_of(facts);
  const ServersSeen servers_seen(attempts);
  for (const AttemptGroup& group : group_attempts(attempts))
    inspect_group(facts, attempts, servers_seen, group, findings);
}

}  // namespace

extern const Detector snat_exhausted;
const Detector snat_exhausted{
    .id = kId,
    .scope = Scope::capture,
    .needs = "many connections of one client to one endpoint, before the NAT",
    .inspect = inspect};

}  // namespace slowpath::detect::detectors

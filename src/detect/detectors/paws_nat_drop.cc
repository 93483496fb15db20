// SPDX-License-Identifier: Apache-2.0
// paws-nat-drop: a server drops SYNs whose timestamp is below the newest one it has from the same
// address; behind a NAT that address is many hosts with clocks of their own.
// The user sees that some machines behind one NAT cannot connect. Recognised where SYNs carry the
// NAT's address: all that find no answer have an older timestamp than the last connection from that
// address, all that are answered have not (RFC 7323 appendix B; tcp_tw_recycle, removed in Linux
// 4.12). Look-alikes: a four-tuple used again (timewait-syn-drop), SYNs lost at random.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/connect_attempts.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "paws-nat-drop";
// tcp_tw_recycle remembered a peer's timestamp for TCP_PAWS_MSL, 60 s.
constexpr double kRememberedSeconds = 60;
constexpr std::size_t kDropped = 3;
constexpr std::size_t kAnswered = 3;

struct Verdict {
  std::vector<const Attempt*> older_dropped;
  std::size_t older_answered = 0, newer_dropped = 0, newer_answered = 0;
  Exemplars newest_before;  // connections that carried the newer timestamps
};

/// The newest timestamp that the server had from this address when `attempt` came, with its frame.
struct Known {
  std::uint32_t stamp = 0;
  FrameRef frame;
};
std::optional<Known> known_stamp(const AttemptGroup& group, const Attempt& attempt) {
  std::optional<Known> newest;
  for (const Attempt& earlier : group.attempts) {
    const ConnectionFacts& connection = *earlier.connection;
    if (earlier.at >= attempt.at) break;
    if (!connection.handshake.completed || !connection.handshake.syn->options.has_timestamps)
      continue;
    const Time heard = std::min(connection.last, attempt.at);
    if (seconds_between(heard, attempt.at) > kRememberedSeconds) continue;
    const bool over = connection.last <= attempt.at;
    const std::uint32_t stamp = over ? std::max(connection.beside.marks[0].newest_stamp,
                                                connection.handshake.syn->options.ts_value)
                                     : connection.handshake.syn->options.ts_value;
    if (newest && static_cast<std::int32_t>(stamp - newest->stamp) <= 0) continue;
    newest = Known{stamp, connection.handshake.syn->frame};
  }
  return newest;
}

Verdict judge(const AttemptGroup& group) {
  Verdict verdict;
  for (const Attempt& attempt : group.attempts) {
    const HandshakeFacts& handshake = attempt.connection->handshake;
    if (!handshake.syn || !handshake.syn->options.has_timestamps || attempt.connection->reuses)
      continue;
    const auto known = known_stamp(group, attempt);
    const bool older =
        known && static_cast<std::int32_t>(known->stamp - handshake.syn->options.ts_value) > 1;
    if (attempt.outcome == AttemptOutcome::unanswered) {
      if (older) {
        verdict.older_dropped.push_back(&attempt);
        note(verdict.newest_before, known->frame);
      } else {
        ++verdict.newer_dropped;
      }
    } else if (attempt.outcome == AttemptOutcome::set_up) {
      ++(older ? verdict.older_answered : verdict.newer_answered);
    }
  }
  return verdict;
}

void inspect_group(const AttemptGroup& group, Findings& findings) {
  const Verdict verdict = judge(group);
  if (verdict.older_dropped.empty()) return;
  const ConnectionFacts& first = *verdict.older_dropped.front()->connection;
  if (verdict.older_answered > 0 || verdict.newer_dropped > 0) {
    return silent(
        findings, kId, first,
        fmt::format("timestamps do not decide: {} older ones were answered, {} newer ones dropped",
                    verdict.older_answered, verdict.newer_dropped));
  }
  if (verdict.older_dropped.size() < kDropped || verdict.newer_answered < kAnswered) {
    return silent(
        findings, kId, first,
        fmt::format("{} older SYNs dropped and {} newer ones answered; {} of each are needed",
                    verdict.older_dropped.size(), verdict.newer_answered, kDropped));
  }
  Finding finding;
  finding.fault = kId;
  finding.connections = ids_of(verdict.older_dropped);
  finding.direction = Direction::to_server;
  finding.severity = Severity::fault;
  finding.confidence =
      0.8 + 0.15 * how_far(static_cast<double>(verdict.older_dropped.size()), kDropped, 8);
  finding.seconds_lost = waited_together_s(verdict.older_dropped);
  finding.claim = fmt::format(
      "{} drops every SYN from {} whose timestamp is older than the last one it saw from there: {} "
      "dropped, {} newer ones answered",
      to_string(group.server), to_string(group.client), verdict.older_dropped.size(),
      verdict.newer_answered);
  finding.evidence.push_back(
      shown_by("SYNs with older timestamps, none answered", syns_of(verdict.older_dropped),
               {{"dropped", static_cast<double>(verdict.older_dropped.size())}}));
  finding.evidence.push_back(shown_by("newer timestamps from the same address",
                                      verdict.newest_before,
                                      {{"answered", static_cast<double>(verdict.newer_answered)}}));
  finding.refuted_by = "a SYN with an older timestamp from this address being answered";
  finding.after_fix = {std::nullopt, "the handshakes then take one round trip"};
  finding.wireshark_filter = "tcp.flags.syn == 1 && " + source_filter(group.client);
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  for (const AttemptGroup& group : group_attempts(attempts_of(facts)))
    inspect_group(group, findings);
}

}  // namespace

extern const Detector paws_nat_drop;
const Detector paws_nat_drop{
    .id = kId,
    .scope = Scope::capture,
    .needs = "SYNs of several connections from one address, with timestamps",
    .inspect = inspect};

}  // namespace slowpath::detect::detectors

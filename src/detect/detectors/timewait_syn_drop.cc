// SPDX-License-Identifier: Apache-2.0
// timewait-syn-drop: a four-tuple is used again while the other end, or a stateful box, still holds
// the old connection, and its SYN is dropped.
// The user sees single connections that hang for seconds under churn, or behind a NAT. Recognised
// by unanswered SYNs, or SYNs answered with a bare ACK of the old connection (RFC 5961 section 4),
// on a four-tuple that closed less than four minutes before (2 MSL, RFC 9293 section 3.4.2; RFC
// 6191, 1337). Look-alikes: a reuse that is answered at once is normal, SYNs lost to any port
// (syn-blocked), a server that is full (accept-queue-overflow: other ports fail too).
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/connect_attempts.h"
#include "detect/policy.h"
#include "detect/synthesis_steps.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "timewait-syn-drop";
constexpr double kTimeWaitSeconds = 240;
// One lost SYN is chance.
constexpr std::uint32_t kUnanswered = 2;

bool had_stood(const ConnectionFacts& earlier) {
  return earlier.handshake.completed || earlier.handshake.syn_ack_count > 0 ||
         earlier.directions[0].acked_bytes + earlier.directions[1].acked_bytes > 0;
}

/// Another port of the same client met the same silence while this one waited.
bool other_ports_fail(const std::vector<Attempt>& attempts, const Attempt& attempt) {
  const Time end = attempt.at + from_seconds(attempt.waited_s);
  return std::ranges::any_of(attempts, [&](const Attempt& other) {
    return other.connection != attempt.connection && other.failed() && !other.connection->reuses &&
           other.connection->server.address == attempt.connection->server.address &&
           other.at <= end && other.at + from_seconds(other.waited_s) >= attempt.at;
  });
}

void report(const std::vector<Attempt>& attempts, const Attempt& attempt,
            const ConnectionFacts& earlier, Findings& findings) {
  const ConnectionFacts& connection = *attempt.connection;
  const Exemplars& challenges = connection.syn_copies.challenge_acks;
  const bool shared = other_ports_fail(attempts, attempt);
  Finding finding = about(kId, connection);
  finding.direction = Direction::to_server;
  finding.seconds_lost = std::min(attempt.waited_s, duration_s(connection));
  const bool costs = attempt.outcome == AttemptOutcome::unanswered ||
                     is_material(attempt.waited_s, active_s(connection));
  finding.severity = shared ? Severity::suspect : costs ? Severity::fault : Severity::note;
  finding.confidence = shared ? 0.55
                              : 0.8 + 0.05 * how_far(attempt.unanswered_syns, 2, 5) +
                                    (challenges.count > 0 ? 0.1 : 0.0);
  finding.claim =
      fmt::format("{} used port {} again {} after it had closed, and {} SYNs to {} were dropped",
                  to_string(connection.client.address), connection.client.port,
                  format_duration(connection.since_reused_s), attempt.unanswered_syns,
                  to_string(connection.server));
  finding.evidence.push_back(shown_by("the same four-tuple closed here", {earlier.last_frame},
                                      {{"since_closed_s", connection.since_reused_s}}));
  finding.evidence.push_back(
      shown_by("SYNs of its next use", connection.handshake.syn_frames,
               {{"unanswered", static_cast<double>(attempt.unanswered_syns)}}));
  if (challenges.count > 0) {
    finding.evidence.push_back(shown_by(
        "a bare ACK answers the SYN: the server still holds the old connection", challenges));
  }
  if (earlier.beside.first_fin == Direction::to_client) {
    finding.evidence.push_back({EvidenceKind::frames,
                                "the server closed first, so TIME_WAIT is on its side",
                                {earlier.last_frame},
                                {}});
  }
  finding.refuted_by = "SYNs from a fresh port being dropped in the same way";
  finding.after_fix = {std::nullopt, "the handshake then takes one round trip"};
  finding.wireshark_filter =
      fmt::format("tcp.port == {} && tcp.flags.syn == 1", connection.client.port);
  if (shared) finding.next_capture = capture_command(connection, "server.pcap");
  findings.list.push_back(std::move(finding));
}

void inspect_attempt(const Case& facts, const std::vector<Attempt>& attempts,
                     const Attempt& attempt, Findings& findings) {
  const ConnectionFacts& connection = *attempt.connection;
  const ConnectionFacts* earlier = find_connection(facts, *connection.reuses);
  if (earlier == nullptr || !had_stood(*earlier)) {
    return silent(findings, kId, connection, "the four-tuple's earlier use was never set up");
  }
  if (!attempt.failed()) {
    return silent(findings, kId, connection,
                  fmt::format("used again after {}, and answered: normal",
                              format_duration(connection.since_reused_s)));
  }
  if (connection.since_reused_s > kTimeWaitSeconds) {
    return silent(findings, kId, connection,
                  fmt::format("used again after {}: no TIME_WAIT lasts so long",
                              format_duration(connection.since_reused_s)));
  }
  const bool challenged = connection.syn_copies.challenge_acks.count > 0;
  if (attempt.unanswered_syns < kUnanswered && !challenged) {
    return silent(
        findings, kId, connection,
        fmt::format("{} SYN unanswered; {} are needed", attempt.unanswered_syns, kUnanswered));
  }
  report(attempts, attempt, *earlier, findings);
}

void inspect(const Case& facts, Findings& findings) {
  const std::vector<Attempt> attempts = attempts_of(facts);
  for (const Attempt& attempt : attempts) {
    if (attempt.connection->reuses) inspect_attempt(facts, attempts, attempt, findings);
  }
}

}  // namespace

extern const Detector timewait_syn_drop;
const Detector timewait_syn_drop{.id = kId,
                                 .scope = Scope::connection,
                                 .needs = "the four-tuple's earlier use in the same capture",
                                 .inspect = inspect};

}  // namespace slowpath::detect::detectors

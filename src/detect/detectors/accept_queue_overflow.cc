// SPDX-License-Identifier: Apache-2.0
// accept-queue-overflow: the listener does not accept fast enough.
// The user sees connect times of 1, 3 or 7 s under load. Recognised by SYN-ACKs that are sent again
// although the client's ACK and first data passed: the kernel had no room for the connection and
// threw the ACK away (Linux tcp_v4_syn_recv_sock, ListenOverflows). At the server itself by SYNs
// that arrive and are ignored while others are answered. Its counters prove it. Look-alikes: one
// lost ACK, a path that loses SYNs, a firewall that sees one direction (asymmetric-firewall: it
// never recovers).
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/connect_attempts.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "accept-queue-overflow";
// SYN-ACKs after the ACK: one may have crossed a lost ACK, if the client sent no data.
constexpr std::uint64_t kRepeats = 2;
// Ignored SYNs at the server, and connections of the same port that were set up.
constexpr std::size_t kIgnored = 3;
constexpr std::size_t kSetUp = 2;
constexpr std::string_view kCommand =
    "on the server: nstat -az TcpExtListenOverflows TcpExtListenDrops; ss -lnt";

double repeating_s(const ConnectionFacts& connection) {
  const std::vector<SynFacts>& copies = connection.syn_copies.syn_acks;
  if (copies.size() < 2) return 0;
  return seconds_between(copies.front().time, copies.back().time);
}

void finish(Finding& finding, const ConnectionFacts& connection) {
  finding.severity = Severity::suspect;
  finding.direction = Direction::to_server;
  finding.refuted_by = "ListenOverflows and ListenDrops of the server staying the same";
  finding.after_fix = {std::nullopt, "the handshake then takes one round trip"};
  finding.wireshark_filter = stream_filter(connection, "tcp.flags.syn == 1");
  finding.next_capture = std::string(kCommand);
}

void inspect_repeats(const ConnectionFacts& connection, Findings& findings) {
  const Exemplars& repeats = connection.syn_copies.syn_acks_after_ack;
  if (repeats.count == 0) return;
  const DirectionFacts& sent = connection[Direction::to_server];
  const bool data_ignored = sent.resent_packets > 0;
  if (repeats.count < kRepeats && !data_ignored) {
    return silent(findings, kId, connection, "one SYN-ACK was repeated, as after a lost ACK");
  }
  if (sent.data_packets > 0 && sent.acked_bytes == 0) {
    return silent(findings, kId, connection,
                  "nothing was ever acknowledged: the queue does not stay full for ever");
  }
  const double seconds = std::min(repeating_s(connection), duration_s(connection));
  if (!is_material(seconds, active_s(connection))) {
    return silent(findings, kId, connection,
                  fmt::format("SYN-ACKs were repeated for {} only", format_duration(seconds)));
  }
  Finding finding = about(kId, connection);
  finding.seconds_lost = seconds;
  finding.confidence = data_ignored ? 0.7 : 0.6;
  finding.claim =
      fmt::format("{} sent its SYN-ACK {} more times although the client had answered it",
                  to_string(connection.server), repeats.count);
  finding.evidence.push_back(shown_by("SYN-ACKs after the client's ACK had passed", repeats,
                                      {{"repeats", static_cast<double>(repeats.count)}}));
  if (data_ignored) {
    finding.evidence.push_back(
        {EvidenceKind::counter,
         fmt::format("the client's data had to be sent again ({} packets), though "
                     "each repeats the ACK",
                     sent.resent_packets),
         {},
         {{"resent", static_cast<double>(sent.resent_packets)}}});
  }
  finish(finding, connection);
  findings.list.push_back(std::move(finding));
}

void inspect_ignored(const ServersSeen& servers_seen, const AttemptGroup& group,
                     Findings& findings) {
  const std::vector<const Attempt*> failed = group.failed_first_uses();
  if (failed.empty()) return;
  const ConnectionFacts& first = *failed.front()->connection;
  if (!servers_seen.is_captured_at(group.server)) {
    return silent(findings, kId, first, "whether the SYNs reach the server does not show here");
  }
  const auto open =
      static_cast<std::size_t>(std::ranges::count_if(group.attempts, [&](const Attempt& attempt) {
        return was_open_at(attempt, failed.front()->at);
      }));
  if (failed.size() < kIgnored || open < kSetUp) {
    return silent(
        findings, kId, first,
        fmt::format(
            "{} SYNs ignored at the server while {} connections stood; {} and {} are needed",
            failed.size(), open, kIgnored, kSetUp));
  }
  Finding finding;
  finding.fault = kId;
  finding.connections = ids_of(failed);
  finding.seconds_lost = waited_together_s(failed);
  finding.confidence = 0.65;
  finding.claim =
      fmt::format("SYNs of {} connections arrive at {} and are ignored, while {} others stand",
                  failed.size(), to_string(group.server), open);
  finding.evidence.push_back(shown_by(
      "SYNs at the server that it did not answer", syns_of(failed),
      {{"ignored", static_cast<double>(failed.size())}, {"open", static_cast<double>(open)}}));
  finish(finding, first);
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  for (const ConnectionFacts& connection : facts.connections) inspect_repeats(connection, findings);
  const std::vector<Attempt> attempts = attempts_of(facts);
  const ServersSeen servers_seen(attempts);
  for (const AttemptGroup& group : group_attempts(attempts))
    inspect_ignored(servers_seen, group, findings);
}

}  // namespace

extern const Detector accept_queue_overflow;
const Detector accept_queue_overflow{.id = kId,
                                     .scope = Scope::connection,
                                     .needs = "the handshakes, at best at the server",
                                     .inspect = inspect};

}  // namespace slowpath::detect::detectors

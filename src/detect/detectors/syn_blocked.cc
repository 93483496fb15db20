// SPDX-License-Identifier: Apache-2.0
// syn-blocked: a connection cannot be set up: filtered, or the port is closed.
// The user sees "connection timed out" after a minute, "connection refused" at once, or a wait of
// seconds before everything works. Recognised by SYNs that are repeated after 1, 3, 7, 15 s (RFC
// 6298 section 5) without an answer, or by a RST or ICMP error that answers one. Look-alikes: a
// capture that ends too early or sees one direction only, a RST that a third party forged (the real
// SYN-ACK follows it).
// Where others transfer data, attempts between hosts that say nothing else are the noise of the
// network (scans, old addresses): a note.
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/connections_by.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "syn-blocked";
// The schedule 1, 3 s shows from three copies on.
constexpr std::uint32_t kCopies = 3;
// Linux and the RFC wait 1 s before the second SYN. Closer copies are another program's attempt.
constexpr double kFirstWaitSeconds = 0.7;

/// Servers to which connections were set up: such a port is open and not filtered.
std::optional<Endpoint> working_port(const ConnectionFacts& connection) {
  return connection.handshake.completed ? std::optional(connection.server) : std::nullopt;
}
using WorkingPorts = ConnectionsBy<Endpoint>;

/// Hosts that sent or were sent data, sorted.
std::vector<IpAddress> hosts_with_data(const Case& facts) {
  std::vector<IpAddress> hosts;
  for (const ConnectionFacts& connection : facts.connections) {
    if (connection.directions[0].bytes + connection.directions[1].bytes == 0) continue;
    hosts.push_back(connection.client.address);
    hosts.push_back(connection.server.address);
  }
  std::ranges::sort(hosts);
  const auto repeated = std::ranges::unique(hosts);
  hosts.erase(repeated.begin(), repeated.end());
  return hosts;
}

/// Others transfer data, and neither end of this attempt takes part in it.
bool is_among_strangers(const std::vector<IpAddress>& with_data,
                        const ConnectionFacts& connection) {
  return !with_data.empty() && !std::ranges::binary_search(with_data, connection.client.address) &&
         !std::ranges::binary_search(with_data, connection.server.address);
}

const IcmpFacts* prohibition(const ConnectionFacts& connection) {
  for (const IcmpFacts& icmp : connection.icmp) {
    if (icmp.about != Direction::to_server) continue;
    const bool unreachable = (icmp.version == 4 && icmp.type == 3 && icmp.code != 4) ||
                             (icmp.version == 6 && icmp.type == 1);
    if (unreachable) return &icmp;
  }
  return nullptr;
}

/// The first copies are a second or more apart: a retransmission schedule.
bool follows_schedule(const HandshakeFacts& handshake) {
  const auto& times = handshake.syn_times;
  return times.size() >= 2 && seconds_between(times[0], times[1]) >= kFirstWaitSeconds;
}

bool auth_differs(const HandshakeFacts& handshake) {
  if (!handshake.syn) return false;
  const TcpOptions& syn = handshake.syn->options;
  if (!handshake.syn_ack) return syn.has_md5 || syn.has_ao;
  const TcpOptions& answer = handshake.syn_ack->options;
  return syn.has_md5 != answer.has_md5 || syn.has_ao != answer.has_ao;
}

struct Claim {
  Severity severity = Severity::fault;
  double seconds = 0;
  std::string text;
  Evidence evidence;
  double confidence = 0.9;
};

Finding base_finding(const ConnectionFacts& connection, Claim claim) {
  Finding finding;
  finding.fault = kId;
  finding.connections = {connection.id};
  finding.direction = Direction::to_server;
  finding.severity = claim.severity;
  finding.confidence = claim.confidence;
  finding.seconds_lost = std::clamp(claim.seconds, 0.0, duration_s(connection));
  finding.claim = std::move(claim.text);
  finding.evidence.push_back(std::move(claim.evidence));
  finding.refuted_by = "a capture at the server in which these SYNs are answered";
  finding.after_fix = {std::nullopt, "the handshake then takes one round trip"};
  finding.wireshark_filter = stream_filter(connection, "tcp.flags.syn == 1");
  finding.next_capture = capture_command(connection, "server.pcap");
  return finding;
}

void add_facts_of_peer(WorkingPorts& working, const ConnectionFacts& connection, Finding& finding) {
  const HandshakeFacts& handshake = connection.handshake;
  if (auth_differs(handshake)) {
    finding.evidence.push_back(
        shown_by("the SYN carries an authentication option (MD5 or AO) and no answer with the same "
                 "came: the "
                 "ends do not agree on the key",
                 handshake.syn_frames));
  }
  if (working.first(connection.server) != nullptr) {
    finding.evidence.push_back({EvidenceKind::counter,
                                "other connections to the same port were set up: it is open",
                                {},
                                {}});
  }
}

void inspect_refused(WorkingPorts& working, const ConnectionFacts& connection, Findings& findings) {
  const HandshakeFacts& handshake = connection.handshake;
  const IcmpFacts* icmp = prohibition(connection);
  if (handshake.syn_ack_count > 0) {
    return silent(findings, kId, connection,
                  "a SYN-ACK came beside the refusal: it did not come from the server's port");
  }
  const bool works = working.first(connection.server) != nullptr;
  Claim claim;
  claim.severity = works ? Severity::note : Severity::fault;
  claim.seconds = handshake.duration_s;
  claim.text = fmt::format("{} refused the connection from {}: {}", to_string(connection.server),
                           to_string(connection.client),
                           icmp != nullptr ? "ICMP unreachable" : "RST in answer to the SYN");
  claim.evidence =
      shown_by("the refusal answers the SYN", {icmp != nullptr ? icmp->frame : handshake.refusal});
  Finding finding = base_finding(connection, std::move(claim));
  add_facts_of_peer(working, connection, finding);
  findings.list.push_back(std::move(finding));
}

void inspect_unanswered(WorkingPorts& working, const ConnectionFacts& connection, bool by_strangers,
                        Findings& findings) {
  const HandshakeFacts& handshake = connection.handshake;
  if (handshake.syn_count < kCopies || !follows_schedule(handshake)) {
    return silent(findings, kId, connection,
                  fmt::format("{} without an answer; {} on their schedule are needed",
                              counted(handshake.syn_count, "SYN"), kCopies));
  }
  Claim claim;
  const bool answered = handshake.syn_ack_count > 0;
  claim.severity = answered && !auth_differs(handshake) ? Severity::suspect : Severity::fault;
  if (by_strangers) claim.severity = Severity::note;
  claim.seconds = handshake.duration_s;
  claim.confidence = 0.8 + 0.15 * how_far(handshake.syn_count, kCopies, 6);
  claim.text =
      fmt::format("{} from {} to {} in {} {}", counted(handshake.syn_count, "SYN"),
                  to_string(connection.client), to_string(connection.server),
                  format_duration(handshake.duration_s),
                  answered ? "were answered, and no answer was accepted" : "found no answer");
  claim.evidence = shown_by(
      fmt::format("{} copies of the SYN on the retransmission schedule", handshake.syn_count),
      handshake.syn_frames,
      {{"syn_count", static_cast<double>(handshake.syn_count)},
       {"syn_ack_count", static_cast<double>(handshake.syn_ack_count)}});
  Finding finding = base_finding(connection, std::move(claim));
  if (by_strangers) {
    finding.evidence.push_back(
        {EvidenceKind::counter, "neither host takes part in any transfer of this capture", {}, {}});
  }
  add_facts_of_peer(working, connection, finding);
  findings.list.push_back(std::move(finding));
}

// SYN-ACKs that leave and are not accepted: lost behind the capture point, most likely.
constexpr double kUnaccepted = 0.6;

Evidence waited_for(const HandshakeFacts& handshake, double waited) {
  return shown_by("the copies of the SYN", handshake.syn_frames,
                  {{"syn_count", static_cast<double>(handshake.syn_count)}, {"waited_s", waited}});
}

/// Each SYN was answered, and the next came all the same.
void report_answers_lost(const ConnectionFacts& connection, double waited, Findings& findings) {
  const HandshakeFacts& handshake = connection.handshake;
  Claim claim;
  claim.severity = is_material(waited, active_s(connection)) ? Severity::suspect : Severity::note;
  claim.seconds = waited;
  claim.confidence = kUnaccepted;
  claim.text = fmt::format(
      "{} answered each of {} SYNs, and only the last answer was accepted: {} of waiting",
      to_string(connection.server), handshake.syn_count, format_duration(waited));
  claim.evidence = waited_for(handshake, waited);
  Finding finding = base_finding(connection, std::move(claim));
  finding.evidence.push_back(
      shown_by(counted(handshake.syn_ack_count, "answer"), handshake.syn_ack_frames,
               {{"syn_ack_count", static_cast<double>(handshake.syn_ack_count)}}));
  finding.direction = Direction::to_client;
  finding.refuted_by = "a capture at the client in which the first answer arrives";
  finding.next_capture = capture_command(connection, "client.pcap");
  findings.list.push_back(std::move(finding));
}

/// SYNs were lost until one passed, or their answers: what it cost is the wait.
void inspect_late(const ConnectionFacts& connection, Findings& findings) {
  const HandshakeFacts& handshake = connection.handshake;
  if (!handshake.syn || handshake.syn_times.empty()) return;
  const double waited = handshake.duration_s - handshake.server_leg_s - handshake.client_leg_s;
  if (handshake.syn_count < kCopies || !follows_schedule(handshake)) {
    return silent(findings, kId, connection,
                  fmt::format("{} until the connection stood; {} unanswered are needed",
                              counted(handshake.syn_count, "SYN"), kCopies));
  }
  if (handshake.syn_ack_count >= handshake.syn_count) {
    return report_answers_lost(connection, waited, findings);
  }
  Claim claim;
  claim.severity = is_material(waited, active_s(connection)) ? Severity::fault : Severity::note;
  claim.seconds = waited;
  claim.confidence = 0.8 + 0.1 * how_far(handshake.syn_count, kCopies, 6);
  claim.text =
      fmt::format("{} SYNs were needed before {} answered: {} of waiting", handshake.syn_count,
                  to_string(connection.server), format_duration(waited));
  claim.evidence = waited_for(handshake, waited);
  Finding finding = base_finding(connection, std::move(claim));
  finding.evidence.push_back(shown_by("the first answer", handshake.syn_ack_frames));
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  const std::vector<IpAddress> with_data = hosts_with_data(facts);
  WorkingPorts working(facts, working_port);
  for (const ConnectionFacts& connection : facts.connections) {
    const HandshakeFacts& handshake = connection.handshake;
    if (handshake.syn_count == 0) continue;
    if (handshake.completed) {
      if (handshake.syn_count > 1) inspect_late(connection, findings);
    } else if (handshake.refused || prohibition(connection) != nullptr) {
      inspect_refused(working, connection, findings);
    } else {
      inspect_unanswered(working, connection, is_among_strangers(with_data, connection), findings);
    }
  }
}

}  // namespace

extern const Detector syn_blocked;
const Detector syn_blocked{.id = kId,
                           .scope = Scope::connection,
                           .needs = "the SYNs, and a capture that goes on for their schedule",
                           .inspect = inspect};

}  // namespace slowpath::detect::detectors

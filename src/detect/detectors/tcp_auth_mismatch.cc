// SPDX-License-Identifier: Apache-2.0
// tcp-auth-mismatch: TCP-MD5 or TCP-AO keys do not match, or only one side uses them.
// The user sees a BGP or LDP session that never comes up. Recognised by SYNs with option 19 or 29
// whose answers lack it, or that find no answer while the same host answers segments without it
// (RFC 2385 section 4.2, RFC 5925 section 7.3: silently discarded). Look-alikes: a host that
// answers nobody (syn-blocked), a session that works.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/connections_by.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "tcp-auth-mismatch";
// The catalogue's minimum: three unanswered segments that carry the option.
constexpr std::uint32_t kUnanswered = 3;
// A SYN-ACK that was not accepted is sent again.
constexpr std::uint32_t kCopies = 2;

bool is_authenticated(const TcpOptions& options) { return options.has_md5 || options.has_ao; }

bool is_one_sided(const HandshakeFacts& handshake) {
  return handshake.syn && handshake.syn_ack &&
         is_authenticated(handshake.syn->options) != is_authenticated(handshake.syn_ack->options);
}

/// The server's host answered without the option: somebody who does not carry it, or a SYN that
/// does.
std::optional<IpAddress> plain_and_answered(const ConnectionFacts& other) {
  const HandshakeFacts& handshake = other.handshake;
  if (!handshake.syn) return std::nullopt;
  const bool plain = !is_authenticated(handshake.syn->options);
  const bool answers =
      is_one_sided(handshake) || (plain && (handshake.completed || handshake.refused));
  return answers ? std::optional(other.server.address) : std::nullopt;
}

/// A session with the option to the same server worked: the key changed, or the peer is down.
std::optional<Endpoint> worked_with_it(const ConnectionFacts& other) {
  const HandshakeFacts& handshake = other.handshake;
  const bool worked =
      handshake.completed && handshake.syn && is_authenticated(handshake.syn->options);
  return worked ? std::optional(other.server) : std::nullopt;
}

/// What others show of the servers that are asked about.
struct Others {
  ConnectionsBy<IpAddress> plain;
  ConnectionsBy<Endpoint> worked;
};

Finding describe(const ConnectionFacts& connection, std::string claim, bool complete) {
  const HandshakeFacts& handshake = connection.handshake;
  Finding finding = about(kId, connection);
  finding.direction = Direction::to_server;
  finding.severity = complete ? Severity::fault : Severity::suspect;
  finding.confidence = complete ? 0.85 + 0.1 * how_far(handshake.syn_count, 2, 6) : 0.6;
  finding.seconds_lost = std::min(handshake.duration_s, duration_s(connection));
  finding.claim = std::move(claim);
  finding.evidence.push_back(
      shown_by(handshake.syn && is_authenticated(handshake.syn->options)
                   ? "SYNs that carry an authentication option (19 is MD5, 29 is AO)"
                   : "SYNs without an authentication option",
               handshake.syn_frames, {{"syns", static_cast<double>(handshake.syn_count)}}));
  finding.refuted_by = "the same keys on both sides, and the session still not coming up";
  finding.after_fix = {std::nullopt, "the session then comes up; it has no rate to speak of"};
  finding.wireshark_filter = stream_filter(connection, "tcp.flags.syn == 1");
  if (!complete) finding.next_capture = capture_command(connection, "peer.pcap");
  return finding;
}

void inspect_one_sided(const ConnectionFacts& connection, Findings& findings) {
  const HandshakeFacts& handshake = connection.handshake;
  const bool works =
      connection.directions[0].acked_bytes + connection.directions[1].acked_bytes > 0;
  if (works || (handshake.syn_count < kCopies && handshake.syn_ack_count < kCopies)) {
    return silent(findings, kId, connection,
                  works ? "only one SYN carries the option, and the session works"
                        : "only one SYN carries the option, and nobody repeated it");
  }
  const bool client = is_authenticated(handshake.syn->options);
  Finding finding =
      describe(connection,
               fmt::format("{} signs its segments, {} does not: the handshake never completes",
                           to_string(client ? connection.client : connection.server),
                           to_string(client ? connection.server : connection.client)),
               true);
  finding.evidence.push_back(
      shown_by(client ? "its answers come without the option" : "the answers carry it",
               handshake.syn_ack_frames));
  findings.list.push_back(std::move(finding));
}

void inspect_unanswered(Others& others, const ConnectionFacts& connection, Findings& findings) {
  const HandshakeFacts& handshake = connection.handshake;
  if (handshake.refused) {
    return silent(findings, kId, connection,
                  "the SYN with the option was refused by a RST, not ignored");
  }
  if (handshake.syn_count < kUnanswered) {
    return silent(findings, kId, connection,
                  fmt::format("{} SYNs with the option without an answer; {} are needed",
                              handshake.syn_count, kUnanswered));
  }
  const ConnectionFacts* plain = others.plain.first(connection.server.address);
  const ConnectionFacts* earlier = others.worked.first(connection.server);
  Finding finding = describe(
      connection,
      fmt::format("{} SYNs of {} with an authentication option found no answer from {}",
                  handshake.syn_count, to_string(connection.client), to_string(connection.server)),
      plain != nullptr);
  if (plain != nullptr) {
    finding.evidence.push_back(
        shown_by("the same host answers without the option", {plain->first_frame}));
  }
  if (earlier != nullptr) {
    finding.evidence.push_back(
        shown_by("a session with the option worked in the same capture: a key was changed, or the "
                 "peer's session is down",
                 {earlier->first_frame}));
  }
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  Others others{{facts, plain_and_answered}, {facts, worked_with_it}};
  for (const ConnectionFacts& connection : facts.connections) {
    const HandshakeFacts& handshake = connection.handshake;
    if (!handshake.syn) continue;
    const bool client = is_authenticated(handshake.syn->options);
    if (is_one_sided(handshake)) {
      inspect_one_sided(connection, findings);
    } else if (client && !handshake.syn_ack && !handshake.completed) {
      inspect_unanswered(others, connection, findings);
    }
  }
}

}  // namespace

extern const Detector tcp_auth_mismatch;
const Detector tcp_auth_mismatch{
    .id = kId, .scope = Scope::connection, .needs = "the SYNs", .inspect = inspect};

}  // namespace slowpath::detect::detectors

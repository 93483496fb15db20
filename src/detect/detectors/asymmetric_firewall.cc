// SPDX-License-Identifier: Apache-2.0
// asymmetric-firewall: a stateful firewall sees one direction only, and drops what it cannot place.
// The user sees connections that open and then hang from the first byte. Recognised by a complete
// handshake after which nothing of the client is ever acknowledged, whatever its length, while the
// server goes on repeating its SYN-ACK. Captures on both paths prove it. Look-alikes: packets too
// large for the path (pmtud-blackhole: small ones pass), a listener that does not accept
// (accept-queue-overflow: it recovers, and other connections work).
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/comparison_evidence.h"
#include "detect/connections_by.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "asymmetric-firewall";
// As peer-gone's suspicion.
constexpr std::uint32_t kSends = 3;
// Every path carries so much: RFC 791 section 3.1 asks hosts for 576.
constexpr std::uint32_t kSmallIpLen = 576;
// SYN-ACKs after the ACK: the ACK of the first one vanished, and then the one that answered the
// second. One may be a loss.
constexpr std::uint64_t kRepeats = 2;

/// Hosts of a connection that got data through, so the boxes between them agree.
std::optional<Hosts> talking_hosts(const ConnectionFacts& connection) {
  return connection[Direction::to_server].acked_bytes > 0 ? std::optional(hosts_of(connection))
                                                          : std::nullopt;
}

const Stall* silence_of(const DirectionFacts& data) {
  for (const Stall& stall : data.stalls) {
    if (!stall.ended && stall.unanswered_sends >= kSends) return &stall;
  }
  return nullptr;
}

/// The client's ACKs, small as they are, do not reach the server either.
bool acks_vanish(const ConnectionFacts& connection) {
  return connection.syn_copies.syn_acks_after_ack.count >= kRepeats;
}

/// The stretch where the client's packets of every size end, though its SYN passed or the other
/// direction does.
std::optional<Stretch> find_one_way(const Case& facts, const ConnectionFacts& connection) {
  const Transfer transfer{facts, connection, Direction::to_server};
  if (!speaks_for_all(transfer)) return std::nullopt;
  for (const Stretch& stretch : stretches_of(transfer)) {
    const BetweenFacts& between = *stretch.between;
    // Of any size: short data, or ACKs that end there as well.
    const std::uint64_t acks = between.bare_packets - between.syn_packets;
    const bool no_ack_came = acks > 0 && acks == between.bare_lost - between.syn_lost;
    const bool none_came = between.losses.packets >= kSends &&
                           between.losses.packets == between.upstream_packets &&
                           (between.losses.smallest_lost_ip_len <= kSmallIpLen || no_ack_came);
    if (between.nothing_came || none_came) return stretch;
  }
  return std::nullopt;
}

Finding describe_proved(const Case& facts, const ConnectionFacts& connection,
                        const Stretch& stretch, const Stall& silence) {
  const BetweenFacts& between = *stretch.between;
  Finding finding = about(kId, connection);
  finding.direction = Direction::to_server;
  finding.severity = Severity::fault;
  finding.confidence = confidence_of(0.93, {facts, connection, Direction::to_server});
  finding.seconds_lost = std::min(silence.seconds, duration_s(connection));
  finding.claim = fmt::format(
      "the handshake of {} with {} works, and none of the client's {} data packets passes from {} "
      "to "
      "{}, whatever its size",
      to_string(connection.client), to_string(connection.server), between.upstream_packets,
      stretch.upstream(), stretch.downstream());
  add_proof(finding, stretch,
            "packets that never came, the smallest of " +
                std::to_string(between.losses.smallest_lost_ip_len) + " bytes",
            between.losses.frames, {{"lost_packets", static_cast<double>(between.losses.packets)}});
  finding.refuted_by = fmt::format("one of them at {}", stretch.downstream());
  finding.after_fix = {std::nullopt, "cannot be told: no byte was ever acknowledged"};
  finding.wireshark_filter = stream_filter(connection);
  return finding;
}

Finding describe_suspicion(const ConnectionFacts& connection, const Stall& silence) {
  const Exemplars& repeats = connection.syn_copies.syn_acks_after_ack;
  Finding finding = about(kId, connection);
  finding.direction = Direction::to_server;
  finding.severity = Severity::suspect;
  finding.confidence = repeats.count > 0 ? 0.65 : 0.55;
  finding.seconds_lost = std::min(silence.seconds, duration_s(connection));
  finding.claim = fmt::format(
      "the handshake of {} with {} works, and then nothing of the client arrives: {}{} "
      "transmissions of data, the smallest of {} bytes",
      to_string(connection.client), to_string(connection.server),
      acks_vanish(connection) ? "neither ACKs nor " : "", silence.unanswered_sends,
      silence.smallest_unanswered_ip_len);
  finding.evidence.push_back(
      shown_by("sent in vain", {silence.before, silence.after},
               {{"sends", static_cast<double>(silence.unanswered_sends)},
                {"smallest_ip_len", static_cast<double>(silence.smallest_unanswered_ip_len)}}));
  if (repeats.count > 0) {
    finding.evidence.push_back(shown_by(
        "the server repeats its SYN-ACK: the client's ACK did not reach it either", repeats));
  }
  finding.refuted_by = "the client's packets at the server";
  finding.after_fix = {std::nullopt, "cannot be told: no byte was ever acknowledged"};
  finding.wireshark_filter = stream_filter(connection);
  finding.next_capture =
      "on the server, and on each firewall: " + capture_command(connection, "server.pcap");
  return finding;
}

void inspect_connection(const Case& facts, ConnectionsBy<Hosts>& talking,
                        const ConnectionFacts& connection, Findings& findings) {
  const DirectionFacts& sent = connection[Direction::to_server];
  if (!connection.handshake.syn_ack || !connection.handshake.completed) return;
  if (sent.data_packets == 0 || sent.acked_bytes > 0 ||
      connection[Direction::to_client].data_packets > 0)
    return;
  const Stall* silence = silence_of(sent);
  if (silence == nullptr) {
    return silent(
        findings, kId, connection,
        fmt::format("nothing was acknowledged yet; {} transmissions in vain are needed", kSends));
  }
  if (const auto stretch = find_one_way(facts, connection)) {
    findings.list.push_back(describe_proved(facts, connection, *stretch, *silence));
    return;
  }
  if (silence->smallest_unanswered_ip_len > kSmallIpLen && !acks_vanish(connection)) {
    return silent(
        findings, kId, connection,
        fmt::format("only packets of {} bytes and more were tried: their length may be the cause",
                    silence->smallest_unanswered_ip_len));
  }
  if (talking.first(hosts_of(connection)) != nullptr) {
    return silent(findings, kId, connection, "another connection of the same hosts works");
  }
  findings.list.push_back(describe_suspicion(connection, *silence));
}

void inspect(const Case& facts, Findings& findings) {
  ConnectionsBy<Hosts> talking(facts, talking_hosts);
  for (const ConnectionFacts& connection : facts.connections)
    inspect_connection(facts, talking, connection, findings);
}

}  // namespace

extern const Detector asymmetric_firewall;
const Detector asymmetric_firewall{.id = kId,
                                   .scope = Scope::connection,
                                   .needs = "the handshake and the client's first data",
                                   .inspect = inspect};

}  // namespace slowpath::detect::detectors

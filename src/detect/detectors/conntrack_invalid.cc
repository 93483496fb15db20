// SPDX-License-Identifier: Apache-2.0
// conntrack-invalid: a NAT calls a late but legal segment INVALID, passes it on untranslated, and
// the host that gets it answers with a RST.
// The user sees long downloads from containers die with "connection reset by peer". Recognised on
// the inner side of the NAT: a packet from an address that the host never spoke to, for a port that
// is busy with another connection, answered with a RST. The box's counter proves it. Look-alikes: a
// RST that a third party makes (rst-injected), scans (no busy port).
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "conntrack-invalid";
// More packets than this are a conversation.
constexpr std::uint64_t kFewPackets = 16;

/// The end that sent the first RST.
std::optional<Endpoint> resetter(const ConnectionFacts& connection) {
  if (connection.resets.empty()) return std::nullopt;
  return connection.resets.front().direction == Direction::to_server ? connection.client
                                                                     : connection.server;
}

bool is_stray(const ConnectionFacts& connection) {
  const HandshakeFacts& handshake = connection.handshake;
  return handshake.syn_count == 0 && handshake.syn_ack_count == 0 && connection.reset_count > 0 &&
         connection.directions[0].packets + connection.directions[1].packets <= kFewPackets;
}

/// The connection that the same port was busy with.
const ConnectionFacts* busy_with(const Case& facts, const ConnectionFacts& stray,
                                 const Endpoint& host) {
  const auto found = std::ranges::find_if(facts.connections, [&](const ConnectionFacts& other) {
    return other.id != stray.id && (other.client == host || other.server == host) &&
           other.handshake.completed && other.first < stray.first && stray.first <= other.last;
  });
  return found == facts.connections.end() ? nullptr : &*found;
}

void report(const ConnectionFacts& stray, const ConnectionFacts& busy, const Endpoint& host,
            Findings& findings) {
  const Endpoint& other = stray.client == host ? stray.server : stray.client;
  const Endpoint& peer = busy.client == host ? busy.server : busy.client;
  const bool died = busy.close == CloseKind::reset || busy.close == CloseKind::open;
  Finding finding;
  finding.fault = kId;
  finding.connections = {std::min(stray.id, busy.id), std::max(stray.id, busy.id)};
  finding.severity = Severity::suspect;
  finding.confidence = died ? 0.7 : 0.6;
  finding.seconds_lost = died ? std::max(0.0, seconds_between(stray.first, busy.last)) : 0;
  finding.claim = fmt::format(
      "{} reset a packet from {}, which it never spoke to, while the same port talked to {}: a "
      "packet "
      "that the NAT did not translate",
      to_string(host), to_string(other), to_string(peer));
  finding.evidence.push_back(shown_by("the untranslated packet and the RST that answers it",
                                      {stray.first_frame, stray.resets.front().frame}));
  finding.evidence.push_back(
      shown_by("the connection that the port was busy with", {busy.first_frame, busy.last_frame}));
  finding.refuted_by = "a SYN between the two, or nf_conntrack's 'invalid' counter standing still";
  finding.after_fix = {std::nullopt, "the connection then lives on"};
  finding.wireshark_filter = fmt::format("tcp.stream eq {} || tcp.stream eq {}", stray.id, busy.id);
  finding.next_capture =
      "on the NAT: conntrack -S | grep -o 'invalid=[0-9]*'; sysctl "
      "net.netfilter.nf_conntrack_tcp_be_liberal";
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  for (const ConnectionFacts& stray : facts.connections) {
    if (!is_stray(stray)) continue;
    const auto host = resetter(stray);
    const ConnectionFacts* busy = host ? busy_with(facts, stray, *host) : nullptr;
    if (busy == nullptr) {
      silent(
          findings, kId, stray,
          "a reset of something that began before the capture: its port was not in use otherwise");
      continue;
    }
    if (busy->server == *host) {
      // A server's port serves everybody; only its client's side tells one conversation from
      // another.
      silent(findings, kId, stray, "the port is a server's, which many clients use");
      continue;
    }
    report(stray, *busy, *host, findings);
  }
}

}  // namespace

extern const Detector conntrack_invalid;
const Detector conntrack_invalid{.id = kId,
                                 .scope = Scope::connection,
                                 .needs = "a capture on the host's side of the NAT",
                                 .inspect = inspect};

}  // namespace slowpath::detect::detectors

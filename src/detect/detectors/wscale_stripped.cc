// SPDX-License-Identifier: Apache-2.0
// wscale-stripped: a middlebox removes the window-scale option. What the user sees is what
// wscale-absent shows: 64 KiB a round trip, to every host behind the box. Proof takes the same SYN
// at both ends. One capture can only suspect it: a SYN that came from afar without the option,
// though with timestamps and SACK (RFC 7323 hosts offer both or none by default), has probably lost
// it.
#include <fmt/format.h>

#include "base/format.h"
#include "detect/comparison_evidence.h"
#include "detect/policy.h"
#include "detect/window_limit.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "wscale-stripped";

// Stacks start from 64, 128 or 255: a TTL that equals one of them has crossed no router.
bool came_from_afar(const SynFacts& syn) {
  return syn.ttl != 64 && syn.ttl != 128 && syn.ttl != 255 && syn.ttl != 0;
}

bool looks_stripped(const SynFacts& syn) {
  const TcpOptions& options = syn.options;
  return options.lacks_window_scale() && options.has_timestamps && options.sack_permitted;
}

struct Stripped {
  const SynFacts* syn = nullptr;
  const Endpoint* host = nullptr;
  bool remote = false;
};

Stripped find_stripped(const Transfer& transfer) {
  const ConnectionFacts& connection = transfer.connection;
  const HandshakeFacts& handshake = connection.handshake;
  if (!handshake.syn || !handshake.syn_ack) return {};
  const bool client = handshake.syn->options.lacks_window_scale();
  const SynFacts& syn = client ? *handshake.syn : *handshake.syn_ack;
  if (!looks_stripped(syn)) return {};
  const Direction sent = client ? Direction::to_server : Direction::to_client;
  const bool remote = connection[sent].vantage == Vantage::receiver || came_from_afar(syn);
  return {&syn, client ? &connection.client : &connection.server, remote};
}

Finding describe(const Transfer& transfer, const WindowLimit& limit, const Stripped& stripped) {
  Finding finding = about(kFault, transfer);
  finding.severity = Severity::suspect;
  finding.seconds_lost = limit.seconds;
  finding.confidence = confidence_of(0.6, transfer);
  finding.claim = fmt::format(
      "the window-scale option of {} may have been taken out on the way: it arrives with "
      "timestamps "
      "and SACK but without scaling",
      to_string(*stripped.host));
  finding.evidence.push_back(shown_by(
      fmt::format("option 3 is missing here, options 4 and 8 are there, TTL {}", stripped.syn->ttl),
      {stripped.syn->frame}));
  add_window_evidence(transfer, limit, finding);
  finding.refuted_by = "the same packet without the option where it was sent";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.flags.syn == 1");
  finding.next_capture = fmt::format("on {}: {}", to_string(stripped.host->address),
                                     capture_command(transfer.connection, "origin.pcap"));
  return finding;
}

// The same SYN at two points, with the option and without it.
std::optional<RewriteProof> find_proof(const Transfer& transfer) {
  if (!speaks_for_all(transfer) || !carries_most(transfer)) return std::nullopt;
  const auto proof = find_rewrite(transfer, Rewritten::window_scale);
  return proof && proof->rewrite->from >= 0 && proof->rewrite->to < 0 ? proof : std::nullopt;
}

Finding describe_proved(const Transfer& transfer, const WindowLimit& limit,
                        const RewriteProof& proof) {
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = limit.limits ? limit.seconds : 0;
  finding.severity = severity_of(true, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(0.97, transfer);
  finding.claim = fmt::format(
      "the window-scale option is taken out of the SYN between {} and {}: windows stay within 64 "
      "KiB",
      proof.where.upstream(), proof.where.downstream());
  add_proof(finding, proof.where,
            fmt::format("the option is there, a scale of {}", proof.rewrite->from),
            "the same SYN has none", proof.rewrite->frames);
  if (limit.limits) add_window_evidence(transfer, limit, finding);
  finding.refuted_by = "another SYN of these hosts that keeps the option";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.flags.syn == 1");
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    if (const auto proof = find_proof(transfer)) {
      findings.list.push_back(describe_proved(transfer, judge_window(transfer), *proof));
      continue;
    }
    if (transfer.data().window.knowledge != ScaleKnowledge::not_in_use) continue;
    const Stripped stripped = find_stripped(transfer);
    if (stripped.syn == nullptr) continue;
    if (!stripped.remote) {
      silent(findings, kFault, transfer,
             "the SYN without the option was recorded where it was sent");
      continue;
    }
    const WindowLimit limit = judge_window(transfer);
    if (!limit.limits) {
      silent(findings, kFault, transfer, limit.why_not);
      continue;
    }
    findings.list.push_back(describe(transfer, limit, stripped));
  }
}

}  // namespace

extern const Detector wscale_stripped;
const Detector wscale_stripped{.id = kFault,
                               .scope = Scope::direction,
                               .needs = "both SYNs; for proof, at both ends",
                               .inspect = inspect};

}  // namespace slowpath::detect::detectors

// SPDX-License-Identifier: Apache-2.0
// sack-stripped: a middlebox takes SACK-permitted out of a SYN, or the blocks out of ACKs.
// The user sees throughput collapse at a little loss: several losses in one window are repaired one
// a round trip (RFC 6582), or by timeout. Proof takes the same SYN on both sides of the box, which
// one capture has only where it was taken at both. Otherwise it is suspected: a SYN that came from
// afar without the option, though with timestamps and window scale (RFC 2018, 7323: stacks offer
// all by default), has probably lost it. Look-alikes: SACK switched off at its host.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/comparison_evidence.h"
#include "detect/hops.h"
#include "detect/loss_time.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "sack-stripped";
// One loss in a window is repaired as fast without SACK.
constexpr std::uint64_t kLosses = 5;

bool looks_stripped(const SynFacts& syn) {
  const TcpOptions& options = syn.options;
  return options.lacks_sack() && options.has_timestamps && options.has_window_scale;
}

/// Both copies of a SYN, one with the option and one without.
const AlteredSyn* proof_of(const ConnectionFacts& connection) {
  for (const AlteredSyn& altered : connection.syn_copies.altered) {
    if (altered.first.options.sack_permitted != altered.second.options.sack_permitted)
      return &altered;
  }
  return nullptr;
}

const SynFacts* stripped_syn(const ConnectionFacts& connection) {
  const HandshakeFacts& handshake = connection.handshake;
  if (!handshake.syn || !handshake.syn_ack) return nullptr;
  const bool client = looks_stripped(*handshake.syn);
  const SynFacts& syn = client ? *handshake.syn : *handshake.syn_ack;
  // A server that was not offered SACK does not answer with it.
  if (!client && (!handshake.syn->options.sack_permitted || !looks_stripped(syn))) return nullptr;
  const Direction sent = client ? Direction::to_server : Direction::to_client;
  const bool remote = connection[sent].vantage == Vantage::receiver ||
                      (syn.ttl != 0 && !crossed_no_router(syn.ttl));
  return remote ? &syn : nullptr;
}

/// Taken out between two compared points.
std::optional<RewriteProof> compared_proof(const Transfer& transfer) {
  if (!speaks_for_all(transfer) || !carries_most(transfer)) return std::nullopt;
  const auto proof = find_rewrite(transfer, Rewritten::sack_permitted);
  return proof && proof->rewrite->to < 0 ? proof : std::nullopt;
}

Finding describe_proved(const Transfer& transfer, const RewriteProof& proof) {
  const DirectionFacts& data = transfer.data();
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = loss_s(data);
  finding.severity = severity_of(true, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(0.97, transfer);
  finding.claim = fmt::format(
      "SACK is taken out of the SYN between {} and {}: {} losses in {} flights were repaired "
      "without it",
      proof.where.upstream(), proof.where.downstream(), data.lost_packets, data.loss_episodes);
  add_proof(finding, proof.where, "the SYN permits SACK", "the same SYN does not",
            proof.rewrite->frames, {{"lost", static_cast<double>(data.lost_packets)}});
  finding.refuted_by = "another SYN of these hosts that keeps the option";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.flags.syn == 1");
  return finding;
}

Finding describe(const Transfer& transfer, const SynFacts& syn, const AlteredSyn* proof) {
  const DirectionFacts& data = transfer.data();
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = loss_s(data);
  finding.severity = severity_of(proof != nullptr, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(proof != nullptr ? 0.95 : 0.6, transfer);
  finding.claim = fmt::format(
      "SACK {} taken out on the way: {} of {} losses in {} flights were repaired without it",
      proof != nullptr ? "was" : "may have been", data.lost_packets, data.lost_packets,
      data.loss_episodes);
  if (proof != nullptr) {
    finding.evidence.push_back(shown_by("the same SYN with the option and without, at two taps",
                                        {proof->first.frame, proof->second.frame}));
  } else {
    finding.evidence.push_back(shown_by(
        fmt::format("option 4 is missing here, options 3 and 8 are there, TTL {}", syn.ttl),
        {syn.frame}));
  }
  finding.evidence.push_back(
      shown_by(fmt::format("{} and {} of recovery", counted(data.timeouts, "timeout"),
                           format_duration(finding.seconds_lost)),
               data.timeout_frames,
               {{"lost", static_cast<double>(data.lost_packets)},
                {"duplicate_acks", static_cast<double>(data.duplicate_acks)}}));
  finding.refuted_by = "the same packet without the option where it was sent (tcp_sack = 0)";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.flags.syn == 1");
  if (proof == nullptr) {
    finding.next_capture =
        "where that SYN was sent: " + capture_command(transfer.connection, "origin.pcap");
  }
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const ConnectionFacts& connection = transfer.connection;
    if (const auto proof = compared_proof(transfer)) {
      findings.list.push_back(describe_proved(transfer, *proof));
      continue;
    }
    const AlteredSyn* proof = proof_of(connection);
    const SynFacts* syn = proof != nullptr ? &proof->second : stripped_syn(connection);
    if (syn == nullptr) continue;
    const DirectionFacts& data = transfer.data();
    if (data.lost_packets < kLosses || !is_material(loss_s(data), transfer)) {
      silent(findings, kFault, transfer,
             fmt::format("SACK is missing, and {} losses cost {}: no matter", data.lost_packets,
                         format_duration(loss_s(data))));
      continue;
    }
    findings.list.push_back(describe(transfer, *syn, proof));
  }
}

}  // namespace

extern const Detector sack_stripped;
const Detector sack_stripped{.id = kFault,
                             .scope = Scope::direction,
                             .needs = "both SYNs; for proof, at both sides of the box",
                             .inspect = inspect};

}  // namespace slowpath::detect::detectors

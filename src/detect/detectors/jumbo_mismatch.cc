// SPDX-License-Identifier: Apache-2.0
// jumbo-mismatch: one device on the segment does not carry jumbo frames.
// The user sees small answers and no transfers between two hosts of one network. Recognised by an
// agreed MSS beyond Ethernet's, an edge in delivery below it, no ICMP, and a peer on the same link:
// its packets arrive with the time to live they were sent with. Look-alikes: the same edge behind a
// router (pmtud-blackhole), frames that the NIC should have cut (lso-not-segmented).
#include <fmt/format.h>

#include "base/format.h"
#include "detect/hops.h"
#include "detect/loss_time.h"
#include "detect/policy.h"
#include "detect/size_edge.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "jumbo-mismatch";
// Ethernet's 1500, and what a VLAN tag or a baby giant may add: larger needs jumbo frames.
constexpr std::uint32_t kNoJumbo = 1600;

/// The receiver's packets crossed no router.
bool receiver_is_on_link(const Transfer& transfer) {
  const auto way = static_cast<std::size_t>(opposite(transfer.direction));
  return crossed_no_router(transfer.connection.ttl_min[way]) &&
         crossed_no_router(transfer.connection.ttl_max[way]);
}

Finding describe(const Transfer& transfer, const SizeEdge& edge) {
  const bool complete = peer_was_alive(transfer) && transfer.data().vantage != Vantage::unknown;
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = seconds_of_edge(transfer, edge);
  finding.severity = severity_of(complete, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(
      (complete ? 0.85 : 0.6) + 0.1 * how_far(static_cast<double>(edge.sent), 3, 10), transfer);
  finding.claim = fmt::format(
      "jumbo frames of {} bytes to {}, on the same link, vanish; packets of {} bytes pass: a "
      "switch or "
      "port between them does not carry them",
      edge.fails, to_string(transfer.receiver().address), edge.passes);
  add_edge_evidence(transfer, edge, finding);
  const HandshakeFacts& handshake = transfer.connection.handshake;
  finding.evidence.push_back(
      shown_by(fmt::format("both ends offered jumbo segments (MSS {} and {})",
                           handshake.syn->options.mss, handshake.syn_ack->options.mss),
               {handshake.syn->frame, handshake.syn_ack->frame}));
  finding.evidence.push_back(
      {EvidenceKind::frames, "the receiver's packets crossed no router, and no ICMP came", {}, {}});
  finding.refuted_by =
      fmt::format("a packet of {} bytes with DF being answered (ping -M do)", edge.fails);
  finding.wireshark_filter =
      stream_filter(transfer.connection, fmt::format("ip.len >= {}", edge.fails));
  if (!complete) {
    finding.next_capture = fmt::format("on {}: ping -M do -s {} {}, then with -s 1472",
                                       to_string(transfer.sender().address), edge.fails - 28,
                                       to_string(transfer.receiver().address));
  }
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    if (!transfer.connection.handshake.syn || !transfer.connection.handshake.syn_ack) continue;
    if (full_ip_len(transfer) <= kNoJumbo) continue;
    const SizeEdge edge = find_size_edge(transfer);
    if (edge.sent == 0) continue;
    if (edge.passes > kNoJumbo || edge.fails <= kNoJumbo) {
      silent(findings, kFault, transfer,
             fmt::format(
                 "the edge lies between {} and {} bytes, not between Ethernet's size and jumbo",
                 edge.passes, edge.fails));
    } else if (auto why = why_no_edge(transfer, edge)) {
      silent(findings, kFault, transfer, std::move(*why));
    } else if (!receiver_is_on_link(transfer)) {
      silent(findings, kFault, transfer,
             "the receiver is behind a router: a black hole of the path");
    } else {
      findings.list.push_back(describe(transfer, edge));
    }
  }
}

}  // namespace

extern const Detector jumbo_mismatch;
const Detector jumbo_mismatch{.id = kFault,
                              .scope = Scope::direction,
                              .needs = "the handshake, and data packets of several sizes",
                              .inspect = inspect};

}  // namespace slowpath::detect::detectors

// SPDX-License-Identifier: Apache-2.0
// gro-forward-broken: a host that forwards merges what it receives (GRO) and hands the result to a
// path that cannot cut it again: a tunnel, a user-space stack, an eBPF program. What the user sees:
// transfers through it crawl, one segment a timeout, those that end on it are fast. Seen between
// the ends: merged frames of several segments that are never acknowledged, while the same bytes
// pass one segment a frame. A sender whose NIC never cuts looks the same from here, so one capture
// makes it a suspect at most; captures on both sides of the forwarder prove it.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/comparison_evidence.h"
#include "detect/loss_time.h"
#include "detect/policy.h"
#include "detect/superframe_edge.h"
#include "facts/packet_too_big.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "gro-forward-broken";

constexpr std::uint64_t kMerged = 3;
// One in twenty may pass: merged by the capture itself.
constexpr std::uint64_t kSentPerDelivered = 20;

bool icmp_explains(const Transfer& transfer) {
  for (const IcmpFacts& icmp : transfer.connection.icmp) {
    if (is_packet_too_big(icmp) && icmp.about == transfer.direction) return true;
  }
  return false;
}

Finding describe(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const SuperframeFacts& merged = data.superframes;
  Finding finding = about(kFault, transfer);
  finding.severity = Severity::suspect;
  finding.seconds_lost = std::max(merged.timeout_s, loss_s(data));
  finding.confidence = confidence_of(0.65, transfer);
  finding.claim = fmt::format(
      "merged frames of several segments end here: {} of {} were never acknowledged, and the same "
      "bytes pass one segment a frame",
      merged.lost_whole, merged.sent);
  finding.evidence.push_back(
      shown_by(fmt::format("{} frames of up to {} bytes of payload lost whole", merged.lost_whole,
                           merged.max_payload),
               merged.lost_frames,
               {{"merged_frames", static_cast<double>(merged.sent)},
                {"merged_delivered", static_cast<double>(merged.delivered)}}));
  finding.evidence.push_back(
      shown_by(fmt::format("{} of them passed when sent again one segment a frame",
                           merged.lost_then_pieces_delivered),
               merged.piece_frames));
  finding.refuted_by = "the same bytes leaving this host in segments";
  finding.wireshark_filter =
      stream_filter(transfer.connection, fmt::format("frame.len > {}", full_ip_len(transfer) + 14));
  finding.next_capture = fmt::format(
      "on both devices of the forwarder: {}; then again after ethtool -K INGRESS gro off",
      capture_command(transfer.connection, "forwarder.pcap"));
  return finding;
}

/// Where frames are lost that were merged between the points before it: they came in segments.
struct MergedLoss {
  Stretch merged, lost;
};

std::optional<MergedLoss> find_merged_loss(const Transfer& transfer) {
  if (!speaks_for_all(transfer)) return std::nullopt;
  const std::vector<Stretch> stretches = stretches_of(transfer);
  for (std::size_t i = 1; i < stretches.size(); ++i) {
    const BetweenLosses& losses = stretches[i].between->losses;
    const bool dies = losses.large_lost >= kMerged && losses.large_then_pieces > 0 &&
                      losses.large_passed * kSentPerDelivered <= losses.large_lost;
    if (!dies || stretches[i].between->icmp.refused_between > 0) continue;
    for (std::size_t before = 0; before < i; ++before) {
      if (stretches[before].between->cuts.merged >= losses.large_lost / 2)
        return MergedLoss{stretches[before], stretches[i]};
    }
  }
  return std::nullopt;
}

Finding describe_proved(const Transfer& transfer, const MergedLoss& found) {
  const DirectionFacts& data = transfer.data();
  const BetweenLosses& losses = found.lost.between->losses;
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = std::max(data.superframes.timeout_s, loss_s(data));
  finding.severity = severity_of(true, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(0.95, transfer);
  finding.claim = fmt::format(
      "segments are merged before {} and the merged frames never reach {}: {} of {} are lost, {} "
      "of "
      "{} single segments",
      found.lost.upstream(), found.lost.downstream(), losses.large_lost,
      losses.large_lost + losses.large_passed, losses.single_lost,
      losses.single_lost + losses.single_passed);
  add_proof(finding, found.merged, "segments of one each", "merged frames made of them",
            found.merged.between->cuts.merged_frames);
  add_proof(finding, found.lost, "merged frames that never came", losses.large_frames,
            {{"merged_lost", static_cast<double>(losses.large_lost)},
             {"single_lost", static_cast<double>(losses.single_lost)}});
  add_proof(finding, found.lost, "their bytes came one segment a frame", losses.piece_frames);
  finding.refuted_by =
      fmt::format("merged frames that are cut again before {}", found.lost.downstream());
  finding.wireshark_filter =
      stream_filter(transfer.connection, fmt::format("frame.len > {}", full_ip_len(transfer) + 14));
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    if (const auto found = find_merged_loss(transfer)) {
      findings.list.push_back(describe_proved(transfer, *found));
      continue;
    }
    const DirectionFacts& data = transfer.data();
    const SuperframeFacts& merged = data.superframes;
    if (merged.lost_whole < kMerged) continue;
    if (!merged_after_sending(transfer)) {
      silent(findings, kFault, transfer, "at the sender nothing has been merged yet");
      continue;
    }
    const bool pieces_pass = merged.lost_then_pieces_delivered > 0;
    if (merged.delivered * kSentPerDelivered > merged.sent || !pieces_pass) {
      silent(findings, kFault, transfer,
             fmt::format("{} of {} merged frames arrived, and {} of the lost ones passed in pieces",
                         merged.delivered, merged.sent, merged.lost_then_pieces_delivered));
      continue;
    }
    if (icmp_explains(transfer)) {
      silent(findings, kFault, transfer, "an ICMP error says that such a frame was refused");
      continue;
    }
    if (!is_material(std::max(merged.timeout_s, loss_s(data)), transfer)) continue;
    findings.list.push_back(describe(transfer));
  }
}

}  // namespace

extern const Detector gro_forward_broken;
const Detector gro_forward_broken{
    .id = kFault,
    .scope = Scope::direction,
    .needs = "merged frames between the ends; for proof, captures on both sides",
    .inspect = inspect};

}  // namespace slowpath::detect::detectors

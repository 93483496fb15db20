// SPDX-License-Identifier: Apache-2.0
// lso-not-segmented: the stack hands large frames to a (virtual) NIC that is to cut them into
// segments (LSO/TSO), and it does not; they vanish. What the user sees: requests are quick, bulk
// data crawls at a few hundred kB a second, one flight per retransmission timeout. Recognised at
// the sender: frames of several segments are never acknowledged at first sending, while the same
// bytes pass when they are sent again one segment a frame. Healthy TSO shows the same large frames
// and their acknowledgements a round trip later. A black hole takes single segments as well. Where
// only the largest are lost, an edge in their delivery by size shows it: a full queue or a policer
// takes small frames too. At the receiver no such frame is seen, but that single segments are never
// lost: a suspect. Frames that a gateway refuses with ICMP are icmp-fragneeded-coalesced's.
#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/loss_chance.h"
#include "detect/loss_pattern.h"
#include "detect/loss_time.h"
#include "detect/policy.h"
#include "detect/superframe_edge.h"
#include "detect/tap.h"
#include "facts/packet_too_big.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "lso-not-segmented";

// The catalogue's minimum evidence.
constexpr std::uint64_t kSuperframes = 3;
// One in twenty may pass: a merge at the capture point of what had been cut already.
constexpr std::uint64_t kSentPerDelivered = 20;
// Of ends of flights that only a timer repaired, and of losses beyond those kept, it is not known
// how many were lost together: the others speak for all where they are most.
constexpr double kToldByRuns = 0.7;

// A gateway that refuses such a frame says so: then they do leave the NIC, uncut.
const IcmpFacts* refusal_of_uncut(const Transfer& transfer) {
  for (const IcmpFacts& icmp : transfer.connection.icmp) {
    if (!is_packet_too_big(icmp) || icmp.about != transfer.direction || !icmp.sequence_in_flight)
      continue;
    const bool segments_fit = icmp.next_hop_mtu >= full_ip_len(transfer) && icmp.next_hop_mtu > 0;
    if (segments_fit && icmp.quoted_ip_len > icmp.next_hop_mtu) return &icmp;
  }
  return nullptr;
}

double seconds_of(const DirectionFacts& data, const SuperframeEdge& edge) {
  const SuperframeFacts& super = data.superframes;
  if (edge.delivered_below > 0) return loss_s(data) + kept_small_s(data);
  // Frames lost whole are counted in segments among the losses, so their own share of it is at
  // least this; with more than half of the losses the time is theirs.
  const bool rules = super.lost_whole * 2 >= data.lost_packets;
  return std::max(super.timeout_s, rules ? loss_s(data) : loss_s_of(data, super.lost_whole));
}

std::string claim_of(const Transfer& transfer, const SuperframeEdge& edge) {
  const SuperframeFacts& super = transfer.data().superframes;
  if (edge.delivered_below > 0) {
    return fmt::format(
        "frames of {} segments and more that {} hands to its NIC are never cut: {} of {} were lost "
        "whole, while {} smaller ones were cut and arrived",
        edge.segments, name_sender(transfer), edge.lost, edge.lost + edge.delivered,
        edge.delivered_below);
  }
  return fmt::format(
      "frames of several segments that {} hands to its NIC are never cut: {} of {} were lost "
      "whole, and the same bytes pass one segment a frame",
      name_sender(transfer), super.lost_whole, super.sent);
}

Finding describe(const Transfer& transfer, const SuperframeEdge& edge, bool complete) {
  const DirectionFacts& data = transfer.data();
  const SuperframeFacts& super = data.superframes;
  const double seconds = seconds_of(data, edge);
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = seconds;
  finding.severity = severity_of(complete, seconds, transfer);
  finding.confidence = confidence_of(
      complete ? 0.9 + 0.09 * how_far(static_cast<double>(super.sent), 3, 12) : 0.6, transfer);
  const std::uint32_t full = full_ip_len(transfer);
  finding.claim = claim_of(transfer, edge);
  const std::uint64_t large = edge.delivered_below > 0 ? edge.lost + edge.delivered : super.sent;
  const std::uint64_t arrived = edge.delivered_below > 0 ? edge.delivered : super.delivered;
  const std::string which = edge.delivered_below > 0
                                ? fmt::format("of {} segments and more", edge.segments)
                                : fmt::format("above {} bytes", full);
  finding.evidence.push_back(
      shown_by(fmt::format("{} of the {} frames {} arrived at first sending",
                           arrived == 0 ? "none" : fmt::format("{}", arrived), large, which),
               super.lost_frames,
               {{"superframes", static_cast<double>(super.sent)},
                {"superframes_delivered", static_cast<double>(super.delivered)},
                {"superframe_max_payload_bytes", super.max_payload}}));
  finding.evidence.push_back(
      shown_by(fmt::format("{} of them passed when sent again one segment a frame",
                           super.lost_then_pieces_delivered),
               super.piece_frames,
               {{"resent_in_pieces", static_cast<double>(super.lost_then_pieces_delivered)}}));
  if (data.largest_delivered_frame) {
    finding.evidence.push_back(shown_by(
        fmt::format("packets up to {} bytes were acknowledged", data.largest_delivered_ip_len),
        {data.largest_delivered_frame}));
  }
  if (super.stall_frames.count > 0) {
    finding.evidence.push_back(
        shown_by(fmt::format("{} of silence followed them, each ended by a retransmission timeout",
                             format_duration(super.timeout_s)),
                 super.stall_frames, {{"timeout_s", super.timeout_s}}));
  }
  finding.refuted_by = "a large frame that is acknowledged within a round trip";
  finding.wireshark_filter =
      stream_filter(transfer.connection, fmt::format("frame.len > {}", full + 14));
  if (!complete) {
    finding.next_capture = fmt::format("on {}: {}", to_string(transfer.sender().address),
                                       capture_command(transfer.connection, "sender.pcap"));
  }
  return finding;
}

std::optional<std::string> why_not(const Transfer& transfer, const SuperframeEdge& edge) {
  const DirectionFacts& data = transfer.data();
  const SuperframeFacts& super = data.superframes;
  if (super.sent < kSuperframes || super.lost_then_pieces_delivered == 0) {
    return fmt::format(
        "{} frames of several segments, {} passed later in pieces; {} and 1 are "
        "needed",
        super.sent, super.lost_then_pieces_delivered, kSuperframes);
  }
  if (const IcmpFacts* icmp = refusal_of_uncut(transfer)) {
    return fmt::format(
        "{} says that it got such a frame whole, with {} bytes (frame {}), and "
        "refused it",
        to_string(icmp->from), icmp->quoted_ip_len, icmp->frame.number());
  }
  const bool all_are_lost = super.delivered * kSentPerDelivered <= super.sent;
  if (!all_are_lost && !only_large_are_lost(data, edge) && !only_large_were_lost_once(data, edge)) {
    return fmt::format("{} of {} frames of several segments arrived at first sending: they are cut",
                       super.delivered, super.sent);
  }
  return std::nullopt;
}

/// Behind the place of loss no large frame is seen, but what one leaves: always several segments at
/// once are missing, never one alone, and they come one by one. A queue that overflows would do so
/// as well, and a gateway that merges and cannot cut again.
bool several_die_at_once(const Transfer& transfer, const LossRuns& runs) {
  const DirectionFacts& data = transfer.data();
  const bool most = runs.segments() >= kToldByRuns * static_cast<double>(data.lost_packets);
  return is_behind_losses(data) && most && large_frames_may_die(data, runs) &&
         !queue_builds(queue_of(data)) && is_material(loss_s(data), transfer) &&
         other_cause_of_loss(transfer).empty();
}

Finding describe_seen_behind(const Transfer& transfer, const LossRuns& runs) {
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = loss_s(transfer.data());
  finding.severity = Severity::suspect;
  finding.confidence = confidence_of(0.6, transfer);
  finding.claim = fmt::format(
      "large frames may die, in the NIC of {} or where somebody merged them: segments are lost {} "
      "times, {:.1f} at a time and never one alone, and pass when sent again",
      name_sender(transfer), runs.count, runs.mean_segments);
  finding.evidence.push_back(shown_by(
      fmt::format("{:.0f} segments were missing in {} runs, none of them a single one",
                  runs.segments(), runs.count),
      loss_pattern(transfer.data()).resends,
      {{"loss_runs", static_cast<double>(runs.count)}, {"run_segments", runs.mean_segments}}));
  finding.refuted_by = "a capture at the sender in which frames of several segments arrive";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.retransmission");
  finding.next_capture = fmt::format("on {}: {}", to_string(transfer.sender().address),
                                     capture_command(transfer.connection, "sender.pcap"));
  return finding;
}

void inspect_behind(const Transfer& transfer, Findings& findings) {
  if (transfer.data().lost_packets == 0) return;
  const LossRuns runs = loss_runs(transfer.data());
  if (several_die_at_once(transfer, runs)) {
    findings.list.push_back(describe_seen_behind(transfer, runs));
    return;
  }
  silent(findings, kFault, transfer,
         "no frame of several segments was captured, and losses do not always take several");
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const SuperframeFacts& super = transfer.data().superframes;
    if (super.sent == 0) inspect_behind(transfer, findings);
    if (super.sent == 0 || super.lost_whole == 0) continue;
    SuperframeEdge edge = find_edge(super);
    if (auto why = why_not(transfer, edge)) {
      silent(findings, kFault, transfer, std::move(*why));
      continue;
    }
    // All are lost: the few that passed are chance, whatever their size.
    if (super.delivered * kSentPerDelivered <= super.sent) edge.delivered_below = 0;
    const bool again_and_again =
        edge.delivered_below == 0 || only_large_are_lost(transfer.data(), edge);
    // Away from the sender a large frame is one that somebody merged on the way.
    const bool complete = again_and_again && !merged_after_sending(transfer);
    findings.list.push_back(describe(transfer, edge, complete));
  }
}

}  // namespace

extern const Detector lso_not_segmented;
const Detector lso_not_segmented{
    .id = kFault,
    .scope = Scope::direction,
    .needs = "a capture at the sender; at the receiver it is a suspect",
    .inspect = inspect};

}  // namespace slowpath::detect::detectors

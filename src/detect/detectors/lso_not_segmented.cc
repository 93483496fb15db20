// SPDX-License-Identifier: Apache-2.0
// lso-not-segmented: the stack hands large frames to a (virtual) NIC that is to cut them into
// segments (LSO/TSO), and it does not; they vanish. What the user sees: requests are quick, bulk
// data crawls at a few hundred kB a second, one flight per retransmission timeout. Recognised at
// the sender: frames of several segments are never acknowledged at first sending, while the same
// bytes pass when they are sent again one segment a frame. Healthy TSO shows the same large frames
// and their acknowledgements a round trip later. A black hole takes single segments as well.
#include <fmt/format.h>

#include "base/format.h"
#include "detect/loss_time.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "lso-not-segmented";

// The catalogue's minimum evidence.
constexpr std::uint64_t kSuperframes = 3;
// One in twenty may pass: a merge at the capture point of what had been cut already.
constexpr std::uint64_t kSentPerDelivered = 20;

double seconds_of(const DirectionFacts& data) {
  const SuperframeFacts& super = data.superframes;
  // Frames lost whole are counted in segments among the losses, so their own share of it is at
  // least this; with more than half of the losses the time is theirs.
  const bool rules = super.lost_whole * 2 >= data.lost_packets;
  return std::max(super.timeout_s, rules ? loss_s(data) : loss_s_of(data, super.lost_whole));
}

Finding describe(const Transfer& transfer, bool complete) {
  const DirectionFacts& data = transfer.data();
  const SuperframeFacts& super = data.superframes;
  const double seconds = seconds_of(data);
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = seconds;
  finding.severity = severity_of(complete, seconds, transfer);
  finding.confidence = confidence_of(
      complete ? 0.9 + 0.09 * how_far(static_cast<double>(super.sent), 3, 12) : 0.6, transfer);
  const std::uint32_t full = full_ip_len(transfer);
  finding.claim = fmt::format(
      "frames of several segments that {} hands to its NIC are never cut: {} of {} were lost "
      "whole, "
      "and the same bytes pass one segment a frame",
      name_sender(transfer), super.lost_whole, super.sent);
  finding.evidence.push_back(
      shown_by(fmt::format("{} of the {} frames above {} bytes arrived at first sending",
                           super.delivered == 0 ? "none" : fmt::format("{}", super.delivered),
                           super.sent, full),
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
  finding.after_fix = after_fix(transfer, seconds);
  finding.wireshark_filter =
      stream_filter(transfer.connection, fmt::format("frame.len > {}", full + 14));
  if (!complete) {
    finding.next_capture = fmt::format("on {}: {}", to_string(transfer.sender().address),
                                       capture_command(transfer.connection, "sender.pcap"));
  }
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const SuperframeFacts& super = transfer.data().superframes;
    if (super.sent == 0 || super.lost_whole == 0) continue;
    if (super.delivered * kSentPerDelivered > super.sent) {
      silent(
          findings, kFault, transfer,
          fmt::format("{} of {} frames of several segments arrived at first sending: they are cut",
                      super.delivered, super.sent));
      continue;
    }
    if (super.sent < kSuperframes || super.lost_then_pieces_delivered == 0) {
      silent(findings, kFault, transfer,
             fmt::format("{} frames of several segments, {} passed later in pieces; {} and 1 are "
                         "needed",
                         super.sent, super.lost_then_pieces_delivered, kSuperframes));
      continue;
    }
    // Away from the sender a large frame is one that somebody merged on the way.
    const Vantage vantage = transfer.data().vantage;
    findings.list.push_back(
        describe(transfer, vantage == Vantage::sender || vantage == Vantage::both));
  }
}

}  // namespace

extern const Detector lso_not_segmented;
const Detector lso_not_segmented{.id = kFault,
                                 .scope = Scope::direction,
                                 .needs = "a capture at the sender",
                                 .inspect = inspect};

}  // namespace slowpath::detect::detectors

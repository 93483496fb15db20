// SPDX-License-Identifier: Apache-2.0
// reordering: packets overtake each other on the path.
// The user sees duplicate ACKs and, where the sender takes them for loss, needless resends and a
// halved rate. Recognised by an order of arrival that is not the order of sending, or by SACKed
// holes that fill without a resend (RFC 4737, 8985). Look-alikes: resends (newer IP ID, later), a
// capture on several queues without sorting. Most reordering costs nothing: it becomes a fault only
// when needless resends follow and the time they cost matters.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/arithmetic/loss_model.h"
#include "detect/loss_pattern.h"
#include "detect/loss_time.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "reordering";
// Fewer packets prove no habit of the path.
constexpr std::uint64_t kPackets = 3;
// Needless resends that show that the sender takes it for loss.
constexpr std::uint64_t kNeedless = 3;
// So many keep the congestion window small, if the rate is what that many losses leave: a window
// that is opened again when a resend proves needless (RFC 3708) makes it a few times more.
constexpr std::uint64_t kManyNeedless = 20;
constexpr double kUndoFactor = 4, kSlowerFactor = 3;

/// Windows that resends kept small, as far as the rate is what losses in their place would leave.
double kept_small_by_resends_s(const DirectionFacts& data) {
  if (data.spurious.packets < kManyNeedless || data.segment_size == 0) return 0;
  const double share =
      std::min(1.0, static_cast<double>(data.resent_packets) / segments_sent(data));
  const double left_bps =
      arithmetic::cubic_rate_bps(data.segment_size, data.rtt.total.median_s, share);
  const bool fits =
      data.goodput_bps <= kUndoFactor * left_bps && data.goodput_bps * kSlowerFactor >= left_bps;
  return fits ? kept_small_s(data) : 0;
}

/// The time that recovery from losses that were none has cost.
double seconds_lost_to(const DirectionFacts& data) {
  const auto needless = static_cast<double>(data.spurious.packets);
  const auto resent = static_cast<double>(std::max(data.resent_packets, data.spurious.packets));
  if (data.spurious.packets < kNeedless) return 0;
  const double held_s = data.time[TimeOwner::loss_recovery] + kept_small_by_resends_s(data);
  return held_s * needless / resent + data.spurious.seconds;
}

std::string how_seen(const ReorderFacts& reorder) {
  std::string seen;
  if (reorder.packets > 0) {
    seen = fmt::format(
        "{} {}, late by {} (median) and by {} at most", counted(reorder.packets, "packet"),
        reorder.by_sack ? "first reported missing by SACK and then acknowledged "
                          "without a resend"
                        : "that came out of order",
        format_duration(reorder.median_late_s), counted(reorder.max_distance_segments, "segment"));
  }
  if (reorder.taken_for_lost == 0) return seen;
  return fmt::format("{}{}{} sent again because SACK told of later ones, and both copies came",
                     seen, seen.empty() ? "" : "; ", counted(reorder.taken_for_lost, "packet"));
}

std::string claim_of(const Transfer& transfer) {
  const ReorderFacts& reorder = transfer.data().reorder;
  std::string claim = fmt::format("{} packets from {} arrived after later ones", reorder.late(),
                                  to_string(transfer.sender()));
  // How late those were that had been sent again before they came does not show.
  if (reorder.taken_for_lost > 0) return claim;
  return fmt::format("{}, {} late at most", claim, format_duration(reorder.max_late_s));
}

void report(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const ReorderFacts& reorder = data.reorder;
  Finding finding = about(kId, transfer);
  finding.seconds_lost = std::min(seconds_lost_to(data), duration_s(transfer.connection));
  finding.severity = severity_of(true, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(
      0.75 + 0.2 * how_far(static_cast<double>(data.reorder.late()), kPackets, 50), transfer);
  finding.claim = claim_of(transfer);
  finding.evidence.push_back(
      shown_by(how_seen(reorder), reorder.frames,
               {{"reordered_packets", static_cast<double>(reorder.packets)},
                {"taken_for_lost_packets", static_cast<double>(reorder.taken_for_lost)},
                {"late_median_us", reorder.median_late_s * 1e6},
                {"late_max_us", reorder.max_late_s * 1e6},
                {"late_max_segments", static_cast<double>(reorder.max_distance_segments)}}));
  finding.evidence.push_back(shown_by(
      fmt::format("{} followed", counted(data.spurious.packets, "needless resend")),
      data.spurious.frames, {{"spurious_packets", static_cast<double>(data.spurious.packets)}}));
  finding.refuted_by = "two captures in which the order is the same on both sides of the path";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.out_of_order");
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  if (data.reorder.late() == 0) return;
  if (data.reorder.late() < kPackets) {
    return silent(findings, kId, transfer,
                  fmt::format("{}; {} are needed", counted(data.reorder.late(), "reordered packet"),
                              kPackets));
  }
  report(transfer, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) inspect_transfer(transfer, findings);
}

}  // namespace

extern const Detector reordering;
const Detector reordering{.id = kId,
                          .scope = Scope::direction,
                          .needs = "a capture at the receiver, or SACK",
                          .inspect = inspect};

}  // namespace slowpath::detect::detectors

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
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "reordering";
// Fewer packets prove no habit of the path.
constexpr std::uint64_t kPackets = 3;
// Needless resends that show that the sender takes it for loss, as a share of all resends.
constexpr std::uint64_t kNeedless = 3;
constexpr double kNeedlessShare = 0.5;

/// The time that recovery from losses that were none has cost.
double seconds_lost_to(const DirectionFacts& data) {
  const auto needless = static_cast<double>(data.spurious.packets);
  const auto resent = static_cast<double>(std::max(data.resent_packets, data.spurious.packets));
  if (data.spurious.packets < kNeedless || needless < kNeedlessShare * resent) return 0;
  return data.time[TimeOwner::loss_recovery] * needless / resent + data.spurious.seconds;
}

void report(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const ReorderFacts& reorder = data.reorder;
  Finding finding = about(kId, transfer);
  finding.seconds_lost = std::min(seconds_lost_to(data), duration_s(transfer.connection));
  finding.severity = severity_of(true, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(
      0.75 + 0.2 * how_far(static_cast<double>(reorder.packets), kPackets, 50), transfer);
  finding.claim =
      fmt::format("{} packets from {} arrived after later ones, {} late at most", reorder.packets,
                  to_string(transfer.sender()), format_duration(reorder.max_late_s));
  finding.evidence.push_back(shown_by(
      fmt::format("{} packets {}, late by {} (median), overtaken by up to {}", reorder.packets,
                  reorder.by_sack ? "were first reported missing by SACK and then acknowledged "
                                    "without a resend"
                                  : "came out of order",
                  format_duration(reorder.median_late_s), reorder.max_distance_packets),
      reorder.frames,
      {{"reordered_packets", static_cast<double>(reorder.packets)},
       {"late_median_us", reorder.median_late_s * 1e6},
       {"late_max_us", reorder.max_late_s * 1e6}}));
  finding.evidence.push_back(shown_by(
      fmt::format("{} needless resends followed", data.spurious.packets), data.spurious.frames,
      {{"spurious_packets", static_cast<double>(data.spurious.packets)}}));
  finding.refuted_by = "two captures in which the order is the same on both sides of the path";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.out_of_order");
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  if (data.reorder.packets == 0) return;
  if (data.reorder.packets < kPackets) {
    return silent(
        findings, kId, transfer,
        fmt::format("{} reordered packets; {} are needed", data.reorder.packets, kPackets));
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

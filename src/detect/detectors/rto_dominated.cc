// SPDX-License-Identifier: Apache-2.0
// rto-dominated: most of the time is spent waiting for retransmission timeouts.
// The user sees a transfer that stands still, moves a little, and stands still again. Recognised by
// the silences that a resend without duplicate ACKs or SACK ends (RFC 6298). This is the general
// form: a more special cause, where the packets show one, replaces it. Look-alikes: application
// pauses and closed windows, in which nothing is outstanding or the receiver answers.
#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/checksum_toll.h"
#include "detect/loss_pattern.h"
#include "detect/policy.h"
#include "detect/tap.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "rto-dominated";
// The catalogue: of the duration.
constexpr double kShare = 0.30;

/// Most of the silence lies at the end, and nothing answered any more.
bool never_ended(const DirectionFacts& data) {
  if (data.stalls.empty()) return false;
  const Stall& last = data.stalls.back();
  return !last.ended && last.seconds * 2 > data.timeout_s;
}

void report(const Transfer& transfer, double share, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  // Refused for their sums they would be a NIC's fault, which no timer mends.
  const bool refused = unfinished_may_be_refused(data);
  const bool complete = data.acks_seen && shows_originals(data) && !refused;
  Finding finding = about(kId, transfer);
  finding.severity = severity_of(complete, data.timeout_s, transfer);
  finding.confidence =
      confidence_of(complete ? 0.8 + 0.15 * how_far(share, kShare, 0.8) : 0.6, transfer);
  finding.seconds_lost = data.timeout_s;
  finding.claim =
      fmt::format("{} of {} ({}) are silence before {} of {}", format_duration(data.timeout_s),
                  format_duration(active_s(transfer.connection)), format_percent(share),
                  counted(data.timeouts, "retransmission timeout"), to_string(transfer.sender()));
  finding.evidence.push_back(
      shown_by(fmt::format("{} ended a silence without duplicate ACKs or SACK that could "
                           "have asked for them",
                           counted(data.timeouts, "resend")),
               data.timeout_frames,
               {{"timeouts", static_cast<double>(data.timeouts)}, {"timeout_s", data.timeout_s}}));
  if (data.lost_resends > 0) {
    finding.evidence.push_back(
        shown_by(fmt::format("{} lost as well", counted(data.lost_resends, "resend")), {},
                 {{"lost_resends", static_cast<double>(data.lost_resends)}}));
  }
  if (refused) finding.evidence.push_back(shown_by(other_cause_of_loss(transfer), {}, {}));
  finding.refuted_by = "answers of the receiver during the silences";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.rto");
  if (!complete) {
    finding.next_capture =
        refused ? refusal_check(transfer) : capture_command(transfer.connection, "sender.pcap");
  }
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  if (data.timeouts == 0) return;
  if (data.acked_bytes == 0 && data.acks_seen) {
    return silent(findings, kId, transfer,
                  fmt::format("{}, and no byte was ever acknowledged: this never worked, "
                              "and timeouts are not why",
                              counted(data.timeouts, "timeout")));
  }
  const double whole = active_s(transfer.connection);
  const double share = whole > 0 ? data.timeout_s / whole : 0;
  if (share <= kShare || !is_material(data.timeout_s, transfer)) {
    return silent(findings, kId, transfer,
                  fmt::format("{} took {} of the time; more than {} are needed",
                              counted(data.timeouts, "timeout"), format_percent(share),
                              format_percent(kShare)));
  }
  if (data.spurious.timeouts * 2 > data.timeouts) {
    return silent(
        findings, kId, transfer,
        fmt::format("{} of {} timeouts were needless", data.spurious.timeouts, data.timeouts));
  }
  if (data.window.zero_s * 2 > data.timeout_s) {
    return silent(findings, kId, transfer, "the window was closed: these are probes of it");
  }
  if (never_ended(data)) {
    return silent(findings, kId, transfer, "the silence never ended: no timeout has repaired it");
  }
  if (losses_are_random(data, loss_pattern(data)) && other_cause_of_loss(transfer).empty()) {
    return silent(findings, kId, transfer,
                  "the timeouts are the price of losses that lie at random");
  }
  report(transfer, share, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) inspect_transfer(transfer, findings);
}

}  // namespace

extern const Detector rto_dominated;
const Detector rto_dominated{.id = kId,
                             .scope = Scope::direction,
                             .needs = "a capture at the sender, or before the loss, with the ACKs",
                             .inspect = inspect};

}  // namespace slowpath::detect::detectors

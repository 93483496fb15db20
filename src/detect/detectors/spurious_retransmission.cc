// SPDX-License-Identifier: Apache-2.0
// spurious-retransmission: data is sent again although it had arrived.
// The user sees pauses and a halved rate on a path that loses nothing. Recognised by the receiver's
// DSACK (RFC 2883), by an ACK that echoes a time stamp older than the resend (Eifel, RFC 3522), or
// by an ACK that had passed before the resend. Such resends clear the forward path: nothing was
// lost. Look-alikes: lost ACKs (no ACK was seen before), reordering (its own fault when fast
// resends are needless), tail probes that cost nothing.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

// As many packets out of order as reordering asks for.
constexpr std::uint64_t kLate = 3;
constexpr std::string_view kId = "spurious-retransmission";
// One proof may be a duplicate made on the path.
constexpr std::uint64_t kProofs = 2;
// Most of what was sent again was needless, or loss is the story.
constexpr double kShareOfResends = 0.5;

std::uint64_t proofs_of(const SpuriousFacts& spurious) {
  return spurious.by_dsack + spurious.by_eifel + spurious.by_acked_before;
}

/// What they took; while the application had nothing to send, nothing waited for them.
double lost_s(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const double busy_s = duration_s(transfer.connection) - data.time[TimeOwner::application];
  return std::min(data.spurious.seconds, std::max(0.0, busy_s));
}

void report(const Transfer& transfer, bool complete, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const SpuriousFacts& spurious = data.spurious;
  Finding finding = about(kId, transfer);
  finding.seconds_lost = lost_s(transfer);
  finding.severity = severity_of(complete, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(
      0.75 + 0.2 * how_far(static_cast<double>(proofs_of(spurious)), kProofs, 10), transfer);
  finding.claim = fmt::format("{} resends of {} were needless: the bytes had arrived",
                              spurious.packets, to_string(transfer.sender()));
  finding.evidence.push_back(
      shown_by(fmt::format("{}, {} of them after a timeout",
                           counted(spurious.packets, "needless resend"), spurious.timeouts),
               spurious.frames,
               {{"spurious_packets", static_cast<double>(spurious.packets)},
                {"spurious_timeouts", static_cast<double>(spurious.timeouts)}}));
  finding.evidence.push_back(shown_by(
      fmt::format("proved by {} DSACKs, {} echoed time stamps older than the resend, {} ACKs seen "
                  "before it: the forward path did not lose these bytes",
                  spurious.by_dsack, spurious.by_eifel, spurious.by_acked_before),
      spurious.proof,
      {{"by_dsack", static_cast<double>(spurious.by_dsack)},
       {"by_eifel", static_cast<double>(spurious.by_eifel)},
       {"by_acked_before", static_cast<double>(spurious.by_acked_before)}}));
  finding.refuted_by = "a capture at the receiver in which these bytes arrive only once";
  finding.wireshark_filter = stream_filter(
      transfer.connection, "(tcp.analysis.spurious_retransmission || tcp.options.sack.dsack)");
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const SpuriousFacts& spurious = data.spurious;
  if (spurious.packets == 0) return;
  if (proofs_of(spurious) < kProofs) {
    return silent(findings, kId, transfer,
                  fmt::format("{}; {} proofs are needed",
                              counted(spurious.packets, "needless resend"), kProofs));
  }
  const double resent = static_cast<double>(std::max(data.resent_packets, spurious.packets));
  if (static_cast<double>(spurious.packets) < kShareOfResends * resent) {
    return silent(findings, kId, transfer,
                  fmt::format("{} of {} resends were needless: most were not", spurious.packets,
                              data.resent_packets));
  }
  if (data.reorder.late() >= kLate && spurious.timeouts * 2 < spurious.packets) {
    return silent(findings, kId, transfer,
                  "packets that overtook each other made the needless resends");
  }
  report(transfer, data.acks_seen, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) inspect_transfer(transfer, findings);
}

}  // namespace

extern const Detector spurious_retransmission;
const Detector spurious_retransmission{.id = kId,
                                       .scope = Scope::direction,
                                       .needs = "ACKs, with DSACK or time stamps",
                                       .inspect = inspect};

}  // namespace slowpath::detect::detectors

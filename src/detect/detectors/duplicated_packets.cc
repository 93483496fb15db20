// SPDX-License-Identifier: Apache-2.0
// duplicated-packets: the network delivers copies that nobody sent.
// The user sees resends that no loss explains. Recognised at the receiver by the same bytes with
// the same IP ID twice, at the sender by DSACK for data that was never sent again (RFC 2883).
// Look-alikes: a capture that records each packet at several taps (left out before), needless
// resends (a new IP ID). Copies cost bandwidth only: a fault when they fill a bottleneck.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "duplicated-packets";
// Fewer copies prove no habit of the path.
constexpr std::uint64_t kCopies = 3;

void report(const Transfer& transfer, std::uint64_t copies, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const DuplicateFacts& duplicates = data.duplicates;
  const auto sent = static_cast<double>(std::max<std::uint64_t>(1, data.data_packets));
  const double share = std::min(1.0, static_cast<double>(copies) / sent);
  Finding finding = about(kId, transfer);
  // The time in which a full bottleneck carried copies instead of data.
  finding.seconds_lost = data.time[TimeOwner::bottleneck] * share / (1 + share);
  finding.severity = severity_of(true, finding.seconds_lost, transfer);
  finding.confidence =
      confidence_of(0.7 + 0.2 * how_far(static_cast<double>(copies), kCopies, 50), transfer);
  finding.claim = fmt::format("the path delivered {} packets of {} twice ({})", copies,
                              to_string(transfer.sender()), format_percent(share));
  if (duplicates.packets > 0) {
    finding.evidence.push_back(shown_by(
        fmt::format("{} packets came twice with the same IP ID and bytes", duplicates.packets),
        duplicates.frames, {{"copies", static_cast<double>(duplicates.packets)}}));
  }
  if (duplicates.dsack_without_resend > 0) {
    finding.evidence.push_back(
        shown_by(fmt::format("the receiver reports {} copies (DSACK) of data that was sent once",
                             duplicates.dsack_without_resend),
                 duplicates.dsack_frames,
                 {{"dsack_without_resend", static_cast<double>(duplicates.dsack_without_resend)}}));
  }
  finding.refuted_by = "copies with another time to live or at the same instant: the capture's own";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.options.sack.dsack");
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const DuplicateFacts& duplicates = transfer.data().duplicates;
  const std::uint64_t copies = std::max(duplicates.packets, duplicates.dsack_without_resend);
  if (copies == 0) return;
  if (copies < kCopies) {
    return silent(findings, kId, transfer,
                  fmt::format("{} copies; {} are needed", copies, kCopies));
  }
  if (transfer.connection.tap_copies > 0) {
    return silent(findings, kId, transfer,
                  fmt::format("the capture itself recorded {} packets at several taps",
                              transfer.connection.tap_copies));
  }
  report(transfer, copies, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) inspect_transfer(transfer, findings);
}

}  // namespace

extern const Detector duplicated_packets;
const Detector duplicated_packets{.id = kId,
                                  .scope = Scope::direction,
                                  .needs = "a capture at the receiver, or DSACK",
                                  .inspect = inspect};

}  // namespace slowpath::detect::detectors

// SPDX-License-Identifier: Apache-2.0
// ecn-blackhole: a box drops SYNs that ask for ECN, or marks every packet as congested.
// The user sees connections that take a second longer to open, to some servers only. Recognised by
// pairs of SYNs: with ECE and CWR unanswered, without them answered (RFC 3168 section 6.1.1.1). Or
// by CE on every packet that arrives. Look-alikes: a SYN lost by chance, a path that loses plain
// SYNs too (syn-blocked), bits that are cleared on the way, which costs nothing.
#include <fmt/format.h>

#include "base/format.h"
#include "detect/syn_fallback.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "ecn-blackhole";
// A queue that is full marks what passes it, not every packet from the first to the last.
constexpr double kAlwaysShare = 0.99;
constexpr std::uint64_t kPackets = 100;

bool asks_for_ecn(const SynFacts& syn) { return syn.ecn_setup; }

void inspect_marks(const Transfer& transfer, Findings& findings) {
  const auto& ecn =
      transfer.connection.beside.marks[static_cast<std::size_t>(transfer.direction)].ecn;
  const std::uint64_t capable = ecn[1] + ecn[2] + ecn[3];
  if (ecn[3] == 0 || capable < kPackets) return;
  const double share = static_cast<double>(ecn[3]) / static_cast<double>(capable);
  if (share < kAlwaysShare) {
    return silent(findings, kId, transfer,
                  fmt::format("{} of {} packets carry CE: a queue marks, as it should",
                              format_count(ecn[3]), format_count(capable)));
  }
  Finding finding = about(kId, transfer);
  finding.severity = Severity::suspect;
  finding.seconds_lost = transfer.data().time[TimeOwner::congestion_window];
  finding.confidence = confidence_of(0.6, transfer);
  finding.claim =
      fmt::format("{} of {} packets of {} arrive marked as congested: no queue marks all",
                  format_count(ecn[3]), format_count(capable), name_sender(transfer));
  finding.evidence.push_back(
      {EvidenceKind::counter,
       "data packets by ECN field",
       {},
       {{"ect", static_cast<double>(ecn[1] + ecn[2])}, {"ce", static_cast<double>(ecn[3])}}});
  finding.refuted_by = "packets that leave their sender with CE already, or arrive without it";
  finding.after_fix = {std::nullopt, "the rate that the path really has does not show"};
  finding.wireshark_filter = stream_filter(transfer.connection, "ip.dsfield.ecn == 3");
  finding.next_capture = fmt::format("on {}: {}", to_string(transfer.sender().address),
                                     capture_command(transfer.connection, "sender.pcap"));
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  for (const SynFallback& fallback : find_fallbacks(facts, asks_for_ecn)) {
    if (std::string why = fallback.contradiction(); !why.empty()) {
      silent(findings, kId, std::move(why));
      continue;
    }
    findings.list.push_back(describe_fallback(facts, kId, "asks for ECN", fallback));
  }
  for (const Transfer& transfer : transfers_with_data(facts)) inspect_marks(transfer, findings);
}

}  // namespace

extern const Detector ecn_blackhole;
const Detector ecn_blackhole{.id = kId,
                             .scope = Scope::connection,
                             .needs = "the SYNs, or the ECN bits of 100 packets",
                             .inspect = inspect};

}  // namespace slowpath::detect::detectors

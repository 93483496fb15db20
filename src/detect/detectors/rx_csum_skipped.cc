// SPDX-License-Identifier: Apache-2.0
// rx-csum-skipped: the receiver takes segments whose checksum is wrong, because its NIC, or a
// virtual link before it, calls every checksum good. What the user sees: transfers are fast and
// files are wrong. One capture shows damaged segments that are acknowledged and never sent again;
// whether the bytes were really delivered so, or only the capture has them wrong, the hash at the
// receiver tells. So it is at most a suspect. Thrown-away segments are csum-bad-on-arrival.
#include <fmt/format.h>

#include "base/format.h"
#include "detect/checksum_toll.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "rx-csum-skipped";

constexpr std::uint64_t kAcknowledged = 3;
// More than that is no damage but offload or an edited file.
constexpr double kMostBad = 0.10;
// Damage makes errors of all kinds; few kinds are a device's or an editor's work.
constexpr std::uint64_t kDistinctErrors = 3;

Finding describe(const Transfer& transfer) {
  const ChecksumFacts& sums = transfer.data().checksums;
  Finding finding = about(kFault, transfer);
  finding.severity = Severity::suspect;
  finding.confidence = confidence_of(0.65, transfer);
  finding.claim = fmt::format(
      "{} of {} segments arrive with a wrong checksum, and {} acknowledges them as if they were "
      "good",
      sums.bad_but_acknowledged, format_count(sums.good + sums.bad), name_receiver(transfer));
  finding.evidence.push_back(
      shown_by(fmt::format("{} bad checksums with {} different errors, never sent again",
                           sums.bad_but_acknowledged, sums.error_distinct),
               sums.bad_acknowledged_frames,
               {{"bad_but_acknowledged", static_cast<double>(sums.bad_but_acknowledged)},
                {"good_checksums", static_cast<double>(sums.good)}}));
  finding.refuted_by = "the same hash of the data at both ends";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.checksum.status == \"Bad\"");
  finding.next_capture = fmt::format(
      "compare sha256sum of the data on both hosts; then on {}: nstat -az TcpInCsumErrors, and "
      "again after ethtool -K DEV rx off",
      to_string(transfer.receiver().address));
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const DirectionFacts& data = transfer.data();
    const ChecksumFacts& sums = data.checksums;
    if (sums.bad_but_acknowledged == 0) continue;
    if (!can_judge_checksums(transfer)) {
      silent(findings, kFault, transfer,
             "checksums recorded at the sender or in an edited file decide nothing");
      continue;
    }
    const double bad = static_cast<double>(sums.bad);
    const bool is_damage = bad <= kMostBad * static_cast<double>(sums.good + sums.bad) &&
                           sums.error_distinct >= kDistinctErrors;
    if (sums.bad_but_acknowledged < kAcknowledged || !is_damage) {
      silent(findings, kFault, transfer,
             fmt::format("{} bad checksums were acknowledged, {} of {} are bad, with {} different "
                         "errors: {} are needed, of at most a tenth, with {}",
                         sums.bad_but_acknowledged, sums.bad, sums.good + sums.bad,
                         sums.error_distinct, kAcknowledged, kDistinctErrors));
      continue;
    }
    findings.list.push_back(describe(transfer));
  }
}

}  // namespace

extern const Detector rx_csum_skipped;
const Detector rx_csum_skipped{.id = kFault,
                               .scope = Scope::direction,
                               .needs = "a capture that is not the sender's own, whole packets",
                               .inspect = inspect};

}  // namespace slowpath::detect::detectors

// SPDX-License-Identifier: Apache-2.0
// csum-bad-on-arrival: bits are damaged on the way and TCP throws the segments away (RFC 9293
// section 3.1). What the user sees: a slow transfer that looks like random loss. Recognised away
// from the sender by bad TCP checksums whose bytes arrive whole when they are sent again. Wrong
// sums at the sender, in frames merged on arrival, or in edited files are normal and not counted; a
// bad sum that was acknowledged all the same was damaged in the file.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/checksum_toll.h"
#include "detect/forensics.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "csum-bad-on-arrival";

// The catalogue's minimum evidence: three bad frames with good twins.
constexpr std::uint64_t kBadFrames = 3;

Finding describe(const Transfer& transfer, const ChecksumToll& toll) {
  const DirectionFacts& data = transfer.data();
  const ChecksumFacts& sums = data.checksums;
  const bool vantage_known = data.vantage != Vantage::unknown;
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = loss_s_of(data, std::max(sums.bad_needed_resend, sums.good_twins.count));
  // Damage is a fault by itself: of 65 536 damaged segments one passes the checksum.
  finding.severity = vantage_known ? Severity::fault : Severity::suspect;
  finding.confidence = confidence_of(
      0.85 + 0.1 * how_far(static_cast<double>(sums.good_twins.count), 3, 10), transfer);
  finding.claim = fmt::format("{} of {} segments from {} arrive damaged and are thrown away",
                              toll.bad, format_count(toll.verified), name_sender(transfer));
  finding.evidence.push_back(
      shown_by(fmt::format("{} bad TCP checksums ({}), payloads of {} to {} bytes", toll.bad,
                           format_percent(toll.bad_share), sums.bad_len_min, sums.bad_len_max),
               sums.bad_frames,
               {{"bad_checksums", static_cast<double>(toll.bad)},
                {"good_checksums", static_cast<double>(sums.good)}}));
  finding.evidence.push_back(
      shown_by(fmt::format("{} of these ranges came again and were good", sums.good_twins.count),
               sums.good_twins, {{"good_twins", static_cast<double>(sums.good_twins.count)}}));
  if (auto changed =
          what_changed(data.payload.damages, data, arithmetic::ChecksumWitness::failed)) {
    finding.evidence.push_back(std::move(*changed));
  }
  finding.refuted_by = "the same packets with a bad checksum where they were sent";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.checksum.status == \"Bad\"");
  finding.next_capture =
      fmt::format("hop by hop towards {}: {}", to_string(transfer.sender().address),
                  capture_command(transfer.connection, "upstream.pcap"));
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const ChecksumFacts& sums = transfer.data().checksums;
    if (sums.bad == 0) continue;
    if (!can_judge_checksums(transfer)) {
      silent(findings, kFault, transfer,
             fmt::format("{} bad checksums, but they were recorded before the NIC or the file was "
                         "edited",
                         sums.bad));
      continue;
    }
    const ChecksumToll toll = toll_of(sums);
    if (toll.bad < kBadFrames || sums.good_twins.count < kBadFrames) {
      silent(
          findings, kFault, transfer,
          fmt::format("{} bad checksums that were not acknowledged, {} with a good copy later; {} "
                      "of each are needed",
                      toll.bad, sums.good_twins.count, kBadFrames));
      continue;
    }
    findings.list.push_back(describe(transfer, toll));
  }
}

}  // namespace

extern const Detector csum_bad_on_arrival;
const Detector csum_bad_on_arrival{.id = kFault,
                                   .scope = Scope::direction,
                                   .needs = "a capture away from the sender, whole packets",
                                   .inspect = inspect};

}  // namespace slowpath::detect::detectors

// SPDX-License-Identifier: Apache-2.0
// payload-altered-csum-good: bytes change on their way and every checksum verifies, because they
// changed before it was computed or whoever changed them computed it anew. What the user sees: a
// wrong hash, and no counter that moves. One capture shows it only where the same bytes came twice
// with good checksums and differ; that proves that something differs (retrans-differs), and makes
// this a suspect: a second capture, nearer the sender, says where. Damage that checksums catch is
// csum-bad-on-arrival's.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/comparison_evidence.h"
#include "detect/forensics.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "payload-altered-csum-good";

// Nearly all checksums must have been verified before a difference is more than damage.
constexpr std::uint64_t kVerifiedPerUnverified = 20;

bool checksums_clear_damage(const DirectionFacts& data) {
  const ChecksumFacts& sums = data.checksums;
  return sums.good > 0 && sums.unverifiable * kVerifiedPerUnverified <= sums.good &&
         sums.bad < data.payload.differing_packets;
}

Finding describe(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const PayloadDifference& first = data.payload.differences.front();
  Finding finding = about(kFault, transfer);
  finding.severity = Severity::suspect;
  finding.confidence = confidence_of(0.6, transfer);
  finding.claim = fmt::format(
      "{} from {} came twice with good checksums and different bytes: one copy was altered "
      "before its checksum was made",
      counted(data.payload.differing_packets, "range"), name_sender(transfer));
  finding.evidence.push_back(shown_by(first));
  if (auto changed =
          what_changed(data.payload.differences, data, arithmetic::ChecksumWitness::passed)) {
    finding.evidence.push_back(std::move(*changed));
  }
  finding.evidence.push_back(shown_by(
      fmt::format("{} checksums of this direction are good", format_count(data.checksums.good)), {},
      {{"good_checksums", static_cast<double>(data.checksums.good)}}));
  finding.refuted_by = "the same two different copies in a capture inside the sender";
  finding.after_fix = {std::nullopt, "this costs data, not time"};
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.retransmission");
  finding.next_capture = fmt::format(
      "on {} and hop by hop towards it, whole packets: tcpdump -ni DEV -s 0 -w whole.pcap 'host {} "
      "and host {}'",
      to_string(transfer.sender().address), to_string(transfer.connection.client.address),
      to_string(transfer.connection.server.address));
  return finding;
}

// A difference that no checksum shows where it arrived: the sum is right, or was yet to be made.
const ChangedRange* first_silent(const BetweenFacts& between) {
  for (const ChangedRange& range : between.contents.ranges) {
    const bool silent_there = range.downstream_checksum == ChecksumSeen::good ||
                              range.downstream_checksum == ChecksumSeen::unfinished;
    if (silent_there && range.upstream_checksum != ChecksumSeen::bad) return &range;
  }
  return nullptr;
}

Finding describe_proved(const Transfer& transfer, const Stretch& stretch,
                        const ChangedRange& first) {
  const BetweenContents& contents = stretch.between->contents;
  Finding finding = about(kFault, transfer);
  finding.severity = Severity::fault;
  finding.confidence = confidence_of(0.97, transfer);
  finding.claim = fmt::format(
      "bytes change between {} and {}, and no checksum shows it: {} ranges, {} bytes of {} "
      "compared",
      stretch.upstream(), stretch.downstream(), contents.changed_good,
      format_count(contents.changed_bytes),
      format_count(contents.identical_bytes + contents.changed_bytes));
  add_proof(finding, stretch,
            fmt::format("byte {} of the stream is 0x{:02x}", first.begin + first.first_difference,
                        std::to_integer<int>(
                            first.expected.at(first.first_difference - first.excerpt_offset))),
            fmt::format(
                "it is 0x{:02x}, and no checksum is wrong; {} of {} bytes of that range differ",
                std::to_integer<int>(first.seen.at(first.first_difference - first.excerpt_offset)),
                first.differing, first.compared),
            contents.changed_good_frames,
            {{"changed_ranges", static_cast<double>(contents.changed_good)},
             {"changed_bytes", static_cast<double>(contents.changed_bytes)},
             {"identical_bytes", static_cast<double>(contents.identical_bytes)}});
  if (auto changed = what_changed(contents.ranges, stretch.between->segment_size,
                                  arithmetic::ChecksumWitness::passed)) {
    finding.evidence.push_back(std::move(*changed));
  }
  finding.refuted_by = "equal bytes at both points";
  finding.after_fix = {std::nullopt, "this costs data, not time"};
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.len > 0");
  return finding;
}

// The first stretch on which bytes change; true if there was one.
bool prove(const Transfer& transfer, Findings& findings) {
  if (!speaks_for_all(transfer)) return false;
  for (const Stretch& stretch : stretches_of(transfer)) {
    const ChangedRange* const first = first_silent(*stretch.between);
    if (first == nullptr) continue;
    findings.list.push_back(describe_proved(transfer, stretch, *first));
    return true;
  }
  return false;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    if (prove(transfer, findings)) continue;
    const DirectionFacts& data = transfer.data();
    if (data.payload.differences.empty()) continue;
    const bool away = data.vantage == Vantage::receiver || data.vantage == Vantage::midpath;
    if (!away || contents_were_rewritten(transfer) || !checksums_clear_damage(data)) {
      silent(findings, kFault, transfer,
             fmt::format("{} copies differ, but at the sender, in an edited file, or where {} bad "
                         "and {} unverified checksums may explain it",
                         data.payload.differing_packets, data.checksums.bad,
                         data.checksums.unverifiable));
      continue;
    }
    findings.list.push_back(describe(transfer));
  }
}

}  // namespace

extern const Detector payload_altered_csum_good;
const Detector payload_altered_csum_good{.id = kFault,
                                         .scope = Scope::direction,
                                         .needs =
                                             "both copies with their payload; for proof, two "
                                             "captures",
                                         .inspect = inspect};

}  // namespace slowpath::detect::detectors

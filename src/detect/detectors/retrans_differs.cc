// SPDX-License-Identifier: Apache-2.0
// retrans-differs: the original and a resend of the same bytes are not the same. What the user
// sees: files that are corrupted now and then. Recognised by comparing every byte that was captured
// twice. Other packet boundaries are normal, as is the garbage byte of a keep-alive (RFC 9293
// section 3.8.4); a copy whose checksum is bad was damaged and is csum-bad-on-arrival's.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/forensics.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "retrans-differs";

// A lone byte may be a keep-alive's or a probe's filling.
constexpr std::uint32_t kLeastCompared = 2;
// Nearly all checksums must have been verified before a difference is more than damage.
constexpr std::uint64_t kVerifiedPerUnverified = 20;

bool is_bad(const ChecksumFacts& sums, FrameRef frame) {
  const auto end =
      sums.bad_frames.first.begin() + static_cast<std::ptrdiff_t>(sums.bad_frames.kept());
  return std::find(sums.bad_frames.first.begin(), end, frame) != end;
}

std::vector<const PayloadDifference*> real_differences(const DirectionFacts& data) {
  std::vector<const PayloadDifference*> real;
  for (const PayloadDifference& difference : data.payload.differences) {
    if (difference.compared < kLeastCompared) continue;
    if (is_bad(data.checksums, difference.original) || is_bad(data.checksums, difference.resend)) {
      continue;
    }
    real.push_back(&difference);
  }
  return real;
}

// A copy that was damaged on the way differs, too, and its checksum says so where it can be
// verified. Leaving the sender, both copies were whole.
bool damage_is_excluded(const DirectionFacts& data) {
  if (data.vantage == Vantage::sender) return true;
  return data.checksums.good > 0 &&
         data.checksums.unverifiable * kVerifiedPerUnverified <= data.checksums.good;
}

Finding describe(const Transfer& transfer,
                 const std::vector<const PayloadDifference*>& differences) {
  const DirectionFacts& data = transfer.data();
  const PayloadDifference& first = *differences.front();
  Finding finding = about(kFault, transfer);
  // Data was altered: it matters whatever the time.
  const bool proved = damage_is_excluded(data);
  finding.severity = proved ? Severity::fault : Severity::suspect;
  finding.confidence =
      confidence_of(0.85 + 0.1 * how_far(static_cast<double>(differences.size()), 1, 4), transfer);
  finding.claim = fmt::format(
      "{} from {} with other bytes than the originals: which copy comes first decides what is "
      "received",
      counted(data.payload.differing_packets, "resend"), name_sender(transfer));
  finding.evidence.push_back(shown_by(first));
  const auto witness =
      proved ? arithmetic::ChecksumWitness::passed : arithmetic::ChecksumWitness::unknown;
  if (auto changed = what_changed(data.payload.differences, data, witness)) {
    finding.evidence.push_back(std::move(*changed));
  }
  Exemplars resends;
  for (const PayloadDifference* difference : differences) note(resends, difference->resend);
  finding.evidence.push_back(shown_by(
      fmt::format("{} were compared in all",
                  format_bytes(static_cast<double>(data.payload.compared_bytes))),
      resends, {{"differing_packets", static_cast<double>(data.payload.differing_packets)}}));
  finding.refuted_by = "equal bytes in both copies in a capture at the sender";
  if (!proved) {
    finding.evidence.push_back(shown_by(
        fmt::format("{} checksums could not be verified: the first copies may have been damaged on "
                    "the way and thrown away, which would be csum-bad-on-arrival",
                    format_count(data.checksums.unverifiable)),
        {}));
    finding.next_capture = fmt::format(
        "with whole packets: tcpdump -ni DEV -s 0 -w whole.pcap 'host {} and host {} and port {}'",
        to_string(transfer.connection.client.address),
        to_string(transfer.connection.server.address), transfer.connection.server.port);
  }
  finding.after_fix = {std::nullopt, "this costs data, not time"};
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.retransmission");
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const DirectionFacts& data = transfer.data();
    if (data.payload.differing_packets == 0) continue;
    if (contents_were_rewritten(transfer)) {
      silent(findings, kFault, transfer, "the file was edited or anonymised");
      continue;
    }
    const auto differences = real_differences(data);
    // Only so many bad frames are kept by number; the rest may stand behind the differences.
    if (differences.empty() || data.checksums.bad >= data.payload.differing_packets) {
      silent(findings, kFault, transfer,
             fmt::format("{} copies differ, and {} frames have a bad checksum that explains it",
                         data.payload.differing_packets, data.checksums.bad));
      continue;
    }
    findings.list.push_back(describe(transfer, differences));
  }
}

}  // namespace

extern const Detector retrans_differs;
const Detector retrans_differs{.id = kFault,
                               .scope = Scope::direction,
                               .needs = "both copies with their payload",
                               .inspect = inspect};

}  // namespace slowpath::detect::detectors

// SPDX-License-Identifier: Apache-2.0
// lso-wrong-csum-seed: a NIC cuts large sends as it should and then sums the wrong length into the
// pseudo-header of every segment (RFC 9293 section 3.1): the large send's, or none. What the user
// sees: requests are quick, bulk data crawls, because the receiver throws all segments of a burst
// away and takes only what is sent again alone. Recognised away from the sender by the error of the
// checksums: it names a payload to which the segments, one behind the other, add up exactly. Damage
// on the way makes no such errors; unfinished offload leaves a partial sum on lone segments too.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/checksum_toll.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "lso-wrong-csum-seed";

// A super-frame's length fits by chance once in 65 536; three of them are none.
constexpr std::uint64_t kSuperframes = 3;
// Without any length the errors are each their own segment's: as rare by chance.
constexpr std::uint64_t kFramesWithoutLength = 6;
// At least half of what is bad must be bad so, or the wrong length is not what is broken.
constexpr double kExplainedShare = 0.5;

struct Seeds {
  std::uint64_t frames = 0;
  bool of_superframes = false;  // else: no length at all
};

std::optional<Seeds> seeds_of(const ChecksumFacts& sums) {
  const auto explains = [&](std::uint64_t frames) {
    return static_cast<double>(frames) >= kExplainedShare * static_cast<double>(sums.bad);
  };
  if (sums.seeded_superframes >= kSuperframes && explains(sums.seeded_frames)) {
    return Seeds{sums.seeded_frames, true};
  }
  if (sums.no_length_frames >= kFramesWithoutLength && explains(sums.no_length_frames)) {
    return Seeds{sums.no_length_frames, false};
  }
  return std::nullopt;
}

std::string evidence_text(const ChecksumFacts& sums, const Seeds& seeds) {
  if (!seeds.of_superframes) {
    return fmt::format(
        "the error of {} of the {} bad checksums is the segment's own length: the "
        "stack's sum without a length was sent as it was",
        seeds.frames, sums.bad);
  }
  return fmt::format(
      "the errors of {} of the {} bad checksums name {} large sends of up to {} "
      "bytes, to which the segments add up exactly",
      seeds.frames, sums.bad, sums.seeded_superframes, sums.seeded_max_payload);
}

Finding describe(const Transfer& transfer, const Seeds& seeds) {
  const DirectionFacts& data = transfer.data();
  const ChecksumFacts& sums = data.checksums;
  const bool vantage_known = data.vantage != Vantage::unknown;
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = std::max(loss_s_of(data, toll_of(sums).bad), data.timeout_s);
  finding.severity = severity_of(vantage_known, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(
      0.9 + 0.09 * how_far(static_cast<double>(sums.seeded_superframes), 3, 10), transfer);
  finding.claim = fmt::format(
      "the NIC of {} cuts large sends and puts {} into the segments' checksums: {} of {} segments "
      "arrive with a bad one",
      name_sender(transfer), seeds.of_superframes ? "the large send's length" : "no length",
      toll_of(sums).bad, format_count(toll_of(sums).verified));
  finding.evidence.push_back(
      shown_by(evidence_text(sums, seeds), seeds.of_superframes ? sums.seeded : sums.bad_frames,
               {{"bad_checksums", static_cast<double>(sums.bad)},
                {"bad_by_length", static_cast<double>(seeds.frames)},
                {"large_sends", static_cast<double>(sums.seeded_superframes)}}));
  if (sums.good > 0) {
    finding.evidence.push_back(
        shown_by(fmt::format("{} checksums are good, {} of them of the same bytes sent again",
                             format_count(sums.good), sums.good_twins.count),
                 sums.good_twins, {{"good_checksums", static_cast<double>(sums.good)}}));
  }
  finding.refuted_by = "segments of a burst leaving the sender's NIC with good checksums";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.checksum.status == \"Bad\"");
  if (!vantage_known) finding.next_capture = first_hop_capture(transfer);
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const ChecksumFacts& sums = transfer.data().checksums;
    if (sums.bad == 0) continue;
    if (!can_judge_checksums(transfer)) {
      silent(findings, kFault, transfer,
             "checksums recorded at the sender or in an edited file decide nothing");
      continue;
    }
    const auto seeds = seeds_of(sums);
    if (!seeds) {
      silent(findings, kFault, transfer,
             fmt::format("{} bad checksums; the errors of {} name a large send, those of {} lack a "
                         "length: half of all, and {} large sends, are needed",
                         sums.bad, sums.seeded_frames, sums.no_length_frames, kSuperframes));
      continue;
    }
    findings.list.push_back(describe(transfer, *seeds));
  }
}

}  // namespace

extern const Detector lso_wrong_csum_seed;
const Detector lso_wrong_csum_seed{.id = kFault,
                                   .scope = Scope::direction,
                                   .needs = "a capture outside the sender, whole packets",
                                   .inspect = inspect};

}  // namespace slowpath::detect::detectors

// SPDX-License-Identifier: Apache-2.0
// Bytes that arrived otherwise than they were sent. They came through TCP, so a checksum that
// should have seen it did not, or was right because the change came before it was made.
#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/corruption_pattern.h"
#include "detect/throughput/rules.h"

namespace slowpath::detect::throughput {
namespace {

arithmetic::CorruptionPattern pattern_of(const IntegrityFacts& integrity) {
  std::vector<arithmetic::CorruptionInput> inputs;
  for (const ContentDifference& each : integrity.differences) {
    arithmetic::CorruptionInput input{
        .expected = each.expected, .seen = each.seen, .offset = each.offset};
    input.found_at = each.found_at;
    input.differs_until = each.length > each.seen.size() ? each.offset + each.length : 0;
    inputs.push_back(input);
  }
  return arithmetic::corruption_pattern(inputs, arithmetic::ChecksumWitness::passed);
}

std::string first_place(const ContentDifference& difference) {
  std::string text = fmt::format("the first stretch begins at byte {} and is {} bytes long",
                                 format_count(difference.offset), format_count(difference.length));
  if (difference.found_at)
    text += fmt::format("; its bytes belong to byte {}", format_count(*difference.found_at));
  return text;
}

}  // namespace

void contents(const Look& look, std::vector<Finding>& findings) {
  const IntegrityFacts& integrity = look.flow.integrity;
  if (integrity.places == 0) return;
  Finding finding =
      found(look, "payload-altered-csum-good", Severity::fault, 0.95,
            fmt::format("{} {} of {} bytes arrived otherwise than they were sent, in {} places",
                        way_of(look), format_count(integrity.differing_bytes),
                        format_count(integrity.checked_bytes), format_count(integrity.places)));
  if (!integrity.differences.empty()) {
    const arithmetic::CorruptionPattern pattern = pattern_of(integrity);
    Evidence changed =
        tested(pattern.sentence, {{"places", static_cast<double>(integrity.places)}});
    changed.pattern = arithmetic::to_string(pattern.kind);
    finding.evidence.push_back(std::move(changed));
    if (!pattern.points_at.empty())
      finding.evidence.push_back(
          tested(fmt::format("such changes are made by {}", pattern.points_at)));
    finding.evidence.push_back(
        tested(first_place(integrity.differences.front()),
               {{"offset", static_cast<double>(integrity.differences.front().offset)}}));
  }
  if (integrity.displaced_by != 0)
    finding.evidence.push_back(
        tested(fmt::format("at the end of a stream its bytes stood {} bytes from where they belong",
                           integrity.displaced_by),
               {{"displaced_bytes", static_cast<double>(integrity.displaced_by)}}));
  finding.refuted_by = "a repetition without differences over at least as many bytes";
  finding.next_capture =
      "at both ends: tcpdump -s 0 -w END.pcap    (then slowpath compare: which side changed it)";
  findings.push_back(std::move(finding));
}

}  // namespace slowpath::detect::throughput

// SPDX-License-Identifier: Apache-2.0
#include "detect/forensics.h"

#include <algorithm>

#include <fmt/format.h>

namespace slowpath::detect {
namespace {

using arithmetic::Alignment;
using arithmetic::corruption_pattern;
using arithmetic::CorruptionInput;
using arithmetic::CorruptionKind;
using arithmetic::CorruptionPattern;

/// One copy of the stretch: its excerpt, and the frame it came in.
struct Copy {
  Bytes bytes;
  std::uint64_t frame_begin = 0;  // in the stream
  std::uint32_t payload = 0;
  std::optional<std::uint64_t> found_at;
};

/// Where the frame's segments begin, its end included. A frame of one segment has two ends only.
std::vector<std::uint64_t> segments_of(const Copy& copy, std::uint32_t segment_size) {
  std::vector<std::uint64_t> begins;
  const std::uint64_t end = copy.frame_begin + copy.payload;
  const std::uint64_t step =
      segment_size > 0 ? segment_size : std::max<std::uint32_t>(copy.payload, 1);
  for (std::uint64_t at = copy.frame_begin; at < end; at += step) begins.push_back(at);
  begins.push_back(end);
  return begins;
}

/// One difference laid out for the comparison. What the input's spans refer to lives here.
class Layout {
 public:
  Layout(const PayloadDifference& difference, std::uint32_t segment_size)
      : difference_(difference),
        original_{difference.original_bytes, difference.offset - difference.at_original,
                  difference.original_payload, difference.original_found_at},
        resend_{difference.resend_bytes, difference.offset - difference.at_resend,
                difference.resend_payload, difference.resend_found_at},
        original_segments_(segments_of(original_, segment_size)),
        resend_segments_(segments_of(resend_, segment_size)) {
    for (const Copy* copy : {&original_, &resend_}) {
      if (segment_size > 0 && copy->payload > segment_size && superframe_.empty()) {
        superframe_ = {copy->frame_begin, copy->frame_begin + copy->payload};
      }
    }
  }

  [[nodiscard]] CorruptionInput input(bool original_is_wrong) const {
    const Copy& wrong = original_is_wrong ? original_ : resend_;
    const Copy& right = original_is_wrong ? resend_ : original_;
    CorruptionInput input;
    input.expected = right.bytes;
    input.seen = wrong.bytes;
    input.offset = difference_.offset + difference_.excerpt_at;
    input.segments = original_is_wrong ? original_segments_ : resend_segments_;
    input.superframes = superframe_;
    input.found_at = wrong.found_at;
    const std::uint64_t end = difference_.offset + difference_.last_difference + 1;
    if (end > input.offset + wrong.bytes.size()) {
      input.differs_until = end;
      input.sum_is_same = difference_.sums_equal;
    }
    return input;
  }

  /// The copy with the bad checksum; else the one that what happened to it is plain in.
  [[nodiscard]] bool original_is_wrong() const {
    if (difference_.original_bad != difference_.resend_bad) return difference_.original_bad;
    return plainness(true) > plainness(false);
  }

 private:
  [[nodiscard]] int plainness(bool original_is_wrong) const {
    switch (corruption_pattern(input(original_is_wrong)).kind) {
      case CorruptionKind::zeros:
      case CorruptionKind::fill:
      case CorruptionKind::stale:
        return 2;
      case CorruptionKind::none:
      case CorruptionKind::unknown:
        return 0;
      case CorruptionKind::bit_flips:
      case CorruptionKind::shifted:
      case CorruptionKind::swapped:
      case CorruptionKind::text_edited:
      case CorruptionKind::sum_kept:
        return 1;
    }
    std::unreachable();
  }

  const PayloadDifference& difference_;
  Copy original_, resend_;
  std::vector<std::uint64_t> original_segments_, resend_segments_, superframe_;
};

double bytes_of(Alignment alignment, std::uint32_t segment_size) {
  switch (alignment) {
    case Alignment::none:
    case Alignment::segment_end:
      return 0;
    case Alignment::cache_line:
      return 64;
    case Alignment::page:
      return 4096;
    case Alignment::segment:
      return segment_size;
  }
  std::unreachable();
}

Figures values_of(const CorruptionPattern& pattern, std::uint32_t segment_size) {
  Figures values{{"differing_bytes", static_cast<double>(pattern.differing)},
                 {"places", static_cast<double>(pattern.places)},
                 {"longest_bytes", static_cast<double>(pattern.longest)},
                 {"checksum_verifies", pattern.checksum_verifies() ? 1.0 : 0.0}};
  const auto add = [&](std::string_view name, double value) {
    if (value != 0) values.add(name, value);
  };
  add("flipped_bits", static_cast<double>(pattern.flipped_bits));
  if (pattern.lane.width_bytes > 0) {
    values.add("lane_width_bytes", pattern.lane.width_bytes);
    values.add("lane_byte", pattern.lane.byte);
    if (pattern.lane.bit) values.add("lane_bit", *pattern.lane.bit);
  }
  add("alignment_bytes", bytes_of(pattern.alignment, segment_size));
  add("distance_bytes", static_cast<double>(pattern.distance));
  add("shift_bytes", static_cast<double>(pattern.shift));
  if (pattern.in_segment) {
    values.add("segment_offset_bytes", static_cast<double>(*pattern.in_segment));
  }
  if (pattern.in_superframe) {
    values.add("superframe_offset_bytes", static_cast<double>(*pattern.in_superframe));
  }
  return values;
}

std::optional<Evidence> evidence_of(const CorruptionPattern& pattern, const Exemplars& frames,
                                    std::uint32_t segment_size) {
  if (pattern.kind == CorruptionKind::none) return std::nullopt;
  std::string text =
      fmt::format("what changed: {}; this points at {}", pattern.sentence, pattern.points_at);
  if (!pattern.source.empty()) text += fmt::format(" ({})", pattern.source);
  Evidence evidence = shown_by(std::move(text), frames, values_of(pattern, segment_size));
  evidence.pattern = to_string(pattern.kind);
  return evidence;
}

}  // namespace

std::optional<CorruptionPattern> pattern_of(const std::vector<PayloadDifference>& differences,
                                            const DirectionFacts& data,
                                            arithmetic::ChecksumWitness witness) {
  std::vector<Layout> layouts;
  layouts.reserve(differences.size());  // inputs refer to them
  std::vector<CorruptionInput> inputs;
  for (const PayloadDifference& difference : differences) {
    if (difference.original_bytes.empty()) continue;
    const Layout& layout = layouts.emplace_back(difference, data.segment_size);
    inputs.push_back(layout.input(layout.original_is_wrong()));
  }
  if (inputs.empty()) return std::nullopt;
  return corruption_pattern(inputs, witness);
}

std::optional<Evidence> what_changed(const std::vector<PayloadDifference>& differences,
                                     const DirectionFacts& data,
                                     arithmetic::ChecksumWitness witness) {
  const auto pattern = pattern_of(differences, data, witness);
  if (!pattern) return std::nullopt;
  Exemplars frames;
  for (const PayloadDifference& difference : differences) {
    if (difference.original_bytes.empty()) continue;
    note(frames, difference.original);
    note(frames, difference.resend);
  }
  return evidence_of(*pattern, frames, data.segment_size);
}

std::optional<Evidence> what_changed(const std::vector<ChangedRange>& ranges,
                                     std::uint32_t segment_size,
                                     arithmetic::ChecksumWitness witness) {
  std::vector<std::vector<std::uint64_t>> segments;  // inputs refer to them
  std::vector<CorruptionInput> inputs;
  segments.reserve(2 * ranges.size());
  Exemplars frames;
  for (const ChangedRange& range : ranges) {
    if (range.begin < range.upstream_offset) continue;  // before the stream's first byte
    const auto begin = static_cast<std::uint64_t>(range.begin);
    const Copy came{range.seen, begin - range.downstream_offset, range.downstream_len, {}};
    const Copy sent{range.expected, begin - range.upstream_offset, range.upstream_len, {}};
    if (came.frame_begin > begin) continue;
    CorruptionInput& input = inputs.emplace_back();
    input.expected = sent.bytes;
    input.seen = came.bytes;
    input.offset = begin + range.excerpt_offset;
    input.segments = segments.emplace_back(segments_of(came, segment_size));
    if (segment_size > 0 && sent.payload > segment_size) {
      input.superframes = segments.emplace_back(
          std::vector<std::uint64_t>{sent.frame_begin, sent.frame_begin + sent.payload});
    }
    const std::uint64_t end = begin + range.last_difference + 1;
    if (end > input.offset + came.bytes.size()) input.differs_until = end;
    note(frames, range.frames.downstream);
  }
  if (inputs.empty()) return std::nullopt;
  return evidence_of(corruption_pattern(inputs, witness), frames, segment_size);
}

}  // namespace slowpath::detect

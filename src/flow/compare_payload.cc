// SPDX-License-Identifier: Apache-2.0
// Bytes that came twice: whether both copies are the same, and if not, what is needed to say what
// changed. Judges nothing: which copy is right is not known here.
#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "flow/direction_analysis.h"
#include "wire/checksum.h"

namespace slowpath::flow {
namespace {

constexpr std::size_t kKeptDifferences = 16;
// Of these with the bytes themselves: enough to tell a pattern from one accident.
constexpr std::size_t kKeptExcerpts = 8;
// Equal bytes in front of the first difference, to see how text goes on and where words begin.
constexpr std::size_t kContext = 16;
// What is looked for elsewhere in the stream, and in how much of it at most.
constexpr std::size_t kNeedle = 32, kShortestNeedle = 16;
constexpr std::size_t kSearchedBytes = std::size_t{1} << 20;
// Fewer different byte values than this stand everywhere: zeros, fills, rulers.
constexpr std::size_t kFewestValues = 6;

bool is_distinctive(Bytes bytes) {
  std::array<bool, 256> seen{};
  std::size_t values = 0;
  for (const std::byte byte : bytes) {
    bool& known = seen[std::to_integer<std::size_t>(byte)];
    values += !known;
    known = true;
  }
  return values >= kFewestValues;
}

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

/// The compared stretch of both, as captured.
struct DirectionAnalysis::Copies {
  std::int64_t begin;  // in the stream
  std::uint64_t in_original, in_resend;
  Bytes original, resend;  // equally long
};

void DirectionAnalysis::compare_payload(const Segment& original, const Sending& s,
                                        const BytesAt& bytes_at) {
  const std::int64_t begin = std::max(original.begin, s.begin), end = std::min(original.end, s.end);
  const auto wanted = static_cast<std::uint64_t>(end - begin);
  if (wanted <= 1) return;  // keep-alives and probes may carry anything
  Copies copies{begin,
                static_cast<std::uint64_t>(begin - original.begin),
                static_cast<std::uint64_t>(begin - offset_of(s.record.sequence)),
                {},
                {}};
  const std::uint64_t have_original =
      original.captured_len > copies.in_original ? original.captured_len - copies.in_original : 0;
  const std::uint64_t have_resend =
      s.record.captured_len > copies.in_resend ? s.record.captured_len - copies.in_resend : 0;
  const auto len = static_cast<std::size_t>(std::min({wanted, have_original, have_resend}));
  const bool resend_bad = s.record.checksum == wire::ChecksumState::bad;
  const bool comparable = len > 0 && !(original.first_bad && resend_bad) && bytes_at;
  if (comparable) {
    copies.original =
        bytes_at(original.first_frame.input(), original.payload_at + copies.in_original, len);
    copies.resend = bytes_at(s.record.frame.input(), s.record.payload_at + copies.in_resend, len);
  }
  const bool at_hand = comparable && copies.original.size() == len && copies.resend.size() == len;
  const bool equal = at_hand && std::memcmp(copies.original.data(), copies.resend.data(), len) == 0;
  if (original.first_bad || resend_bad) {  // what TCP throws away alters nothing
    facts_.payload.not_comparable_bytes += wanted;
    if (at_hand && !equal) note_damage(original, s, copies, bytes_at);
    return;
  }
  if (!at_hand) {
    facts_.payload.not_comparable_bytes += wanted;
    return;
  }
  facts_.payload.compared_bytes += len;
  facts_.payload.not_comparable_bytes += wanted - len;
  if (!equal) note_difference(original, s, copies, bytes_at);
}

void DirectionAnalysis::note_damage(const Segment& original, const Sending& s, const Copies& copies,
                                    const BytesAt& bytes_at) {
  const bool resend_bad = s.record.checksum == wire::ChecksumState::bad;
  const bool resend_good = s.record.checksum == wire::ChecksumState::good;
  const bool original_good = !original.first_bad && !original.first_partial && !original.superframe;
  if (!(original.first_bad && resend_good) && !(resend_bad && original_good)) return;
  std::vector<PayloadDifference>& kept = facts_.payload.damages;
  if (!kept.empty() && kept.back().original == original.first_frame)
    return;  // sent again once more
  ++facts_.payload.damaged_packets;
  if (kept.size() >= kKeptDifferences) return;
  kept.push_back(describe_difference(original, s, copies, kept.size() < kKeptExcerpts, bytes_at));
}

void DirectionAnalysis::note_difference(const Segment& original, const Sending& s,
                                        const Copies& copies, const BytesAt& bytes_at) {
  ++facts_.payload.differing_packets;
  // The tap saw it, and the receiver asked for it again while it took what came behind: TCP threw
  // it away.
  const bool refused =
      !original.sacked && original.end > una_ && (duplicate_acks_here_ > 0 || sacked_bytes_ > 0);
  if (refused) {
    ++facts_.payload.differing_refused;
    note(facts_.payload.refused_frames, original.first_frame);
    note(facts_.payload.refused_twins, s.record.frame);
  }
  std::vector<PayloadDifference>& kept = facts_.payload.differences;
  if (kept.size() >= kKeptDifferences) return;
  kept.push_back(describe_difference(original, s, copies, kept.size() < kKeptExcerpts, bytes_at));
  kept.back().original_refused = refused;
}

PayloadDifference DirectionAnalysis::describe_difference(const Segment& original, const Sending& s,
                                                         const Copies& copies, bool with_excerpt,
                                                         const BytesAt& bytes_at) {
  const Bytes a = copies.original, b = copies.resend;
  PayloadDifference difference;
  difference.original = original.first_frame;
  difference.resend = s.record.frame;
  difference.offset = static_cast<std::uint64_t>(std::max<std::int64_t>(copies.begin, 0));
  difference.compared = static_cast<std::uint32_t>(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    if (difference.differing++ == 0) difference.first_difference = static_cast<std::uint32_t>(i);
    difference.last_difference = static_cast<std::uint32_t>(i);
  }
  difference.sums_equal = wire::ones_equal(wire::ones_sum(a), wire::ones_sum(b));
  difference.original_bad = original.first_bad;
  difference.resend_bad = s.record.checksum == wire::ChecksumState::bad;
  difference.at_original =
      original.payload_skipped + static_cast<std::uint32_t>(copies.in_original);
  difference.at_resend = static_cast<std::uint32_t>(copies.in_resend);
  difference.original_payload = original.payload_len;
  difference.resend_payload = s.record.payload_len;
  if (with_excerpt) take_excerpt(difference, copies, bytes_at);
  return difference;
}

void DirectionAnalysis::take_excerpt(PayloadDifference& difference, const Copies& copies,
                                     const BytesAt& bytes_at) {
  const Bytes a = copies.original, b = copies.resend;
  const std::size_t first = difference.first_difference,
                    end = std::size_t{difference.last_difference} + 1;
  const std::size_t from = first - std::min(first, kContext);
  const std::size_t len =
      std::min({PayloadDifference::kExcerptBytes, a.size() - from, end - from + kContext});
  difference.excerpt_at = static_cast<std::uint32_t>(from);
  const Bytes of_original = a.subspan(from, len), of_resend = b.subspan(from, len);
  difference.original_bytes.assign(of_original.begin(), of_original.end());
  difference.resend_bytes.assign(of_resend.begin(), of_resend.end());
  const std::int64_t own = copies.begin + static_cast<std::int64_t>(first);
  const std::size_t needle = std::min(kNeedle, end - first);
  difference.original_found_at = find_elsewhere(a.subspan(first, needle), own, bytes_at);
  difference.resend_found_at = find_elsewhere(b.subspan(first, needle), own, bytes_at);
}

// In the frames whose place in the stream is still known: those in flight first, then the newest
// that were acknowledged.
std::optional<std::uint64_t> DirectionAnalysis::find_elsewhere(Bytes bytes, std::int64_t own,
                                                               const BytesAt& bytes_at) {
  if (bytes.size() < kShortestNeedle || !is_distinctive(bytes)) return std::nullopt;
  std::size_t searched = 0;
  for (const std::span<Segment> segments : {ledger_.all(), ledger_.recent()}) {
    for (const Segment& segment : segments) {
      if (segment.copies == 0 || segment.captured_len < bytes.size()) continue;
      const auto len =
          std::min<std::size_t>(segment.captured_len, static_cast<std::size_t>(segment.len()));
      if ((searched += len) > kSearchedBytes) return std::nullopt;
      const Bytes content = bytes_at(segment.first_frame.input(), segment.payload_at, len);
      const std::size_t at = as_text(content).find(as_text(bytes));
      if (at == std::string_view::npos) continue;
      const std::int64_t found = segment.begin + static_cast<std::int64_t>(at);
      if (found != own && found >= 0) return static_cast<std::uint64_t>(found);
    }
  }
  return std::nullopt;
}

}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
// Whether the bytes that came are the bytes that were sent, and what their checksums say.
#include <algorithm>
#include <utility>
#include <vector>

#include "flow/comparison/reading.h"

namespace slowpath::flow::comparison {
namespace {

ChecksumSeen seen(wire::ChecksumState state) {
  switch (state) {
    case wire::ChecksumState::good:
      return ChecksumSeen::good;
    case wire::ChecksumState::partial:
    case wire::ChecksumState::partial_no_length:
    case wire::ChecksumState::zero:
      return ChecksumSeen::unfinished;
    case wire::ChecksumState::bad:
      return ChecksumSeen::bad;
    case wire::ChecksumState::not_checked:
    case wire::ChecksumState::unverifiable:
      return ChecksumSeen::unknown;
  }
  return ChecksumSeen::unknown;
}

/// The stretch of a piece that both captures hold.
struct Overlap {
  std::int64_t begin = 0, end = 0;
  std::uint32_t up_offset = 0, down_offset = 0;  // of `begin`, in each payload
  [[nodiscard]] std::size_t len() const {
    return static_cast<std::size_t>(std::max<std::int64_t>(0, end - begin));
  }
};

class ContentReader {
 public:
  ContentReader(const Reading& reading, const BytesAt& bytes_at, BetweenContents& contents)
      : reading_(reading), bytes_at_(bytes_at), contents_(contents) {}

  void read() {
    std::uint32_t last = UINT32_MAX;
    for (const Piece& piece : reading_.match.pieces) {
      const bool is_equal = compare(piece);
      if (piece.down != last) judge_checksums(piece, is_equal);
      last = piece.down;
    }
  }

 private:
  [[nodiscard]] Overlap overlap_of(const Piece& piece) const {
    const Copy& up = reading_.up(piece.up);
    const Copy& down = reading_.down(piece.down);
    const std::int64_t down_begin = reading_.ways.begin_of(down);
    Overlap overlap;
    overlap.begin = piece.begin;
    overlap.end = std::min({piece.end, up.begin + up.captured_len, down_begin + down.captured_len});
    overlap.up_offset = static_cast<std::uint32_t>(piece.begin - up.begin);
    overlap.down_offset = static_cast<std::uint32_t>(piece.begin - down_begin);
    return overlap;
  }

  /// Whether all that both captures hold of it is equal; false where they hold nothing.
  bool compare(const Piece& piece) {
    const Copy& up = reading_.up(piece.up);
    const Copy& down = reading_.down(piece.down);
    const Overlap overlap = overlap_of(piece);
    const auto len = static_cast<std::uint64_t>(piece.end - piece.begin);
    contents_.not_compared_bytes += len - overlap.len();
    if (overlap.len() == 0) return false;
    const bool is_same_cut = up.len == down.len && up.captured_len == down.captured_len &&
                             overlap.up_offset == 0 && overlap.down_offset == 0;
    if (is_same_cut && up.hash == down.hash) {
      contents_.identical_bytes += overlap.len();
      return true;
    }
    const Bytes sent = bytes_of(up, overlap.up_offset, overlap.len());
    // The first may be of a source that moves when the second is read.
    const std::vector<std::byte> sent_bytes(sent.begin(), sent.end());
    const Bytes came = bytes_of(down, overlap.down_offset, overlap.len());
    if (sent_bytes.size() != overlap.len() || came.size() != overlap.len()) {
      contents_.not_compared_bytes += overlap.len();
      return false;
    }
    if (std::ranges::equal(sent_bytes, came)) {
      contents_.identical_bytes += overlap.len();
      return true;
    }
    note_change(piece, overlap, sent_bytes, came);
    return false;
  }

  [[nodiscard]] Bytes bytes_of(const Copy& copy, std::uint32_t offset, std::size_t len) const {
    if (!bytes_at_) return {};
    return bytes_at_(copy.frame.input(), copy.payload_at + offset, len);
  }

  void note_change(const Piece& piece, const Overlap& overlap, Bytes sent, Bytes came) {
    const Copy& up = reading_.up(piece.up);
    const Copy& down = reading_.down(piece.down);
    ChangedRange range;
    range.frames = reading_.frames(piece);
    range.time = up.time;
    range.begin = overlap.begin - reading_.origin();
    range.compared = static_cast<std::uint32_t>(overlap.len());
    for (std::uint32_t i = 0; i < range.compared; ++i) {
      if (sent[i] == came[i]) continue;
      if (range.differing++ == 0) range.first_difference = i;
      range.last_difference = i;
    }
    contents_.identical_bytes += range.compared - range.differing;
    contents_.changed_bytes += range.differing;
    range.upstream_offset = overlap.up_offset;
    range.upstream_len = up.len;
    range.downstream_offset = overlap.down_offset;
    range.downstream_len = down.len;
    range.upstream_checksum = seen(up.checksum);
    range.downstream_checksum = seen(down.checksum);
    const bool is_bad = range.downstream_checksum == ChecksumSeen::bad;
    ++(is_bad ? contents_.changed_bad : contents_.changed_good);
    note(is_bad ? contents_.changed_bad_frames : contents_.changed_good_frames, range.frames);
    if (contents_.ranges.size() >= BetweenContents::kKept) return;
    const std::uint32_t side = ChangedRange::kExcerptSide;
    range.excerpt_offset = range.first_difference - std::min(range.first_difference, side);
    const std::size_t excerpt_len =
        std::min<std::size_t>(range.compared, range.first_difference + side) - range.excerpt_offset;
    const Bytes expected = sent.subspan(range.excerpt_offset, excerpt_len);
    const Bytes got = came.subspan(range.excerpt_offset, excerpt_len);
    range.expected.assign(expected.begin(), expected.end());
    range.seen.assign(got.begin(), got.end());
    contents_.ranges.push_back(std::move(range));
  }

  /// Whether the same bytes were sent on upstream once more after this copy.
  [[nodiscard]] bool was_sent_again(std::uint32_t copy) {
    const std::vector<Copy>& up = reading_.ways.up->data;
    if (sendings_.empty()) {
      for (std::uint32_t i = 0; i < up.size(); ++i) sendings_.emplace_back(up[i].begin, i);
      std::ranges::sort(sendings_);
    }
    const auto later = std::ranges::lower_bound(sendings_, std::pair(up[copy].begin, copy + 1));
    return later != sendings_.end() && later->first == up[copy].begin;
  }

  void judge_checksums(const Piece& piece, bool is_equal) {
    const Copy& up = reading_.up(piece.up);
    const Copy& down = reading_.down(piece.down);
    const ChecksumSeen before = seen(up.checksum);
    const ChecksumSeen after = seen(down.checksum);
    if (before == ChecksumSeen::bad) ++contents_.upstream_bad;
    if (after == ChecksumSeen::good || after == ChecksumSeen::bad) ++contents_.downstream_verified;
    // On virtual links unfinished sums are normal all the way, unless the receiver wants such
    // packets once more.
    if (before == ChecksumSeen::unfinished && after == ChecksumSeen::unfinished &&
        was_sent_again(piece.up)) {
      ++contents_.still_unfinished;
      note(contents_.unfinished_frames, reading_.frames(piece));
    }
    if (after != ChecksumSeen::bad) return;
    ++contents_.downstream_bad;
    if (before == ChecksumSeen::bad) return;
    ++contents_.became_bad;
    // With other bytes the sum would be wrong however it was finished.
    if (before == ChecksumSeen::unfinished && is_equal) ++contents_.unfinished_became_bad;
    note(contents_.became_bad_frames, reading_.frames(piece));
  }

  const Reading& reading_;
  const BytesAt& bytes_at_;
  BetweenContents& contents_;
  std::vector<std::pair<std::int64_t, std::uint32_t>> sendings_;  // begins of copies upstream
};

}  // namespace

void read_contents(const Reading& reading, const BytesAt& bytes_at, BetweenFacts& facts) {
  ContentReader(reading, bytes_at, facts.contents).read();
}

}  // namespace slowpath::flow::comparison

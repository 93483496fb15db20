// SPDX-License-Identifier: Apache-2.0
// Frames that came as several, and frames made of several.
#include <vector>

#include "flow/comparison/reading.h"

namespace slowpath::flow::comparison {

void read_cuts(const Reading& reading, BetweenFacts& facts) {
  BetweenCuts& cuts = facts.cuts;
  std::vector<std::uint32_t> pieces_of(reading.ways.up->data.size());
  std::vector<std::uint32_t> made_of(reading.ways.down->data.size());
  for (const Piece& piece : reading.match.pieces) {
    ++pieces_of[piece.up];
    ++made_of[piece.down];
  }
  for (const Piece& piece : reading.match.pieces) {
    const Copy& sent = reading.up(piece.up);
    const Copy& came = reading.down(piece.down);
    const bool is_same = reading.ways.begin_of(came) == sent.begin && came.len == sent.len;
    if (is_same) {
      ++cuts.same;
      continue;
    }
    if (pieces_of[piece.up] > 1 && piece.begin == sent.begin) {
      ++cuts.split;
      cuts.split_into += pieces_of[piece.up];
      note(cuts.split_frames, reading.frames(piece));
    }
    if (made_of[piece.down] > 1 && piece.begin == reading.ways.begin_of(came)) {
      ++cuts.merged;
      cuts.merged_from += made_of[piece.down];
      note(cuts.merged_frames, reading.frames(piece));
    }
  }
}

}  // namespace slowpath::flow::comparison

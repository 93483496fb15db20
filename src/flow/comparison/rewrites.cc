// SPDX-License-Identifier: Apache-2.0
// Header fields and options that differ between a packet's two recordings.
#include <array>

#include "flow/comparison/reading.h"

namespace slowpath::flow::comparison {
namespace {

constexpr std::int64_t kAbsent = -1;

class RewriteCounter {
 public:
  void compare(Rewritten what, std::int64_t from, std::int64_t to, FramePair frames) {
    Rewrite& rewrite = counts_[static_cast<std::size_t>(what)];
    ++rewrite.compared;
    if (from == to) return;
    if (rewrite.changed++ == 0) {
      rewrite.from = from;
      rewrite.to = to;
    }
    note(rewrite.frames, frames);
  }

  void finish(BetweenFacts& facts) {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i].changed == 0) continue;
      counts_[i].what = static_cast<Rewritten>(i);
      facts.rewrites.push_back(counts_[i]);
    }
  }

 private:
  std::array<Rewrite, kRewrittenCount> counts_{};
};

void compare_syns(const TcpOptions& sent, const TcpOptions& came, FramePair frames,
                  RewriteCounter& counter) {
  // What one of the captures did not keep cannot be compared.
  if (sent.cut || came.cut) return;
  const auto option = [](bool present, std::int64_t value) { return present ? value : kAbsent; };
  counter.compare(Rewritten::mss, option(sent.has_mss, sent.mss), option(came.has_mss, came.mss),
                  frames);
  counter.compare(Rewritten::window_scale, option(sent.has_window_scale, sent.window_scale),
                  option(came.has_window_scale, came.window_scale), frames);
  counter.compare(Rewritten::sack_permitted, option(sent.sack_permitted, 1),
                  option(came.sack_permitted, 1), frames);
  counter.compare(Rewritten::fast_open, option(sent.has_fast_open, 1),
                  option(came.has_fast_open, 1), frames);
  counter.compare(Rewritten::multipath, option(sent.has_mptcp, 1), option(came.has_mptcp, 1),
                  frames);
}

/// Fields that neither cutting nor merging changes.
void compare_headers(const Copy& sent, const Copy& came, FramePair frames,
                     RewriteCounter& counter) {
  counter.compare(Rewritten::ttl, sent.ttl, came.ttl, frames);
  counter.compare(Rewritten::ecn, sent.ecn, came.ecn, frames);
  counter.compare(Rewritten::dont_fragment, sent.dont_fragment ? 1 : 0, came.dont_fragment ? 1 : 0,
                  frames);
  counter.compare(Rewritten::window, sent.window, came.window, frames);
  counter.compare(Rewritten::timestamps, sent.has_timestamps ? 1 : kAbsent,
                  came.has_timestamps ? 1 : kAbsent, frames);
  if (sent.has_timestamps && came.has_timestamps) {
    counter.compare(Rewritten::timestamp_value, sent.ts_value, came.ts_value, frames);
  }
  if (sent.is_syn()) {
    const auto marks = [](const Copy& copy) { return copy.flags & (wire::kEce | wire::kCwr); };
    counter.compare(Rewritten::ecn_setup, marks(sent), marks(came), frames);
  }
}

void compare_sack(const Copy& sent, const Copy& came, FramePair frames, RewriteCounter& counter) {
  if (!sent.has_sack || !came.has_sack || (sent.flags & came.flags & wire::kAck) == 0) return;
  counter.compare(Rewritten::sack_blocks, came.ack - sent.ack, came.sack_begin - sent.sack_begin,
                  frames);
}

const TcpOptions* options_of(const WayLog& way, std::uint32_t bare) {
  for (const SynSeen& syn : way.syns) {
    if (syn.copy == bare) return &syn.options;
  }
  return nullptr;
}

}  // namespace

void read_rewrites(const Reading& reading, BetweenFacts& facts) {
  RewriteCounter counter;
  for (const auto& [sent, came] : reading.bare.pairs) {
    const Copy& up = reading.ways.up->bare[sent];
    const Copy& down = reading.ways.down->bare[came];
    const FramePair frames{up.frame, down.frame};
    compare_headers(up, down, frames, counter);
    compare_sack(up, down, frames, counter);
    counter.compare(Rewritten::ip_id, up.ip_id, down.ip_id, frames);
    const TcpOptions* const sent_options = options_of(*reading.ways.up, sent);
    const TcpOptions* const came_options = options_of(*reading.ways.down, came);
    if (sent_options != nullptr && came_options != nullptr)
      compare_syns(*sent_options, *came_options, frames, counter);
  }
  for (const Piece& piece : reading.match.pieces) {
    const Copy& up = reading.up(piece.up);
    const Copy& down = reading.down(piece.down);
    if (piece.begin != up.begin || reading.ways.begin_of(down) != up.begin) continue;
    // A merged frame is made of several, whose windows and marks may differ.
    if (down.len > up.len) continue;
    compare_headers(up, down, reading.frames(piece), counter);
    if (down.len == up.len)
      counter.compare(Rewritten::ip_id, up.ip_id, down.ip_id, reading.frames(piece));
  }
  counter.finish(facts);
  facts.sequence_shift = static_cast<std::int32_t>(reading.ways.shift);
}

}  // namespace slowpath::flow::comparison

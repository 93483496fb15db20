// SPDX-License-Identifier: Apache-2.0
#include "flow/comparison/stream_match.h"

#include <algorithm>
#include <numeric>
#include <optional>

namespace slowpath::flow::comparison {
namespace {

/// Gives bytes of the downstream copies to the upstream copies that carried them, in the order
/// downstream.
class StreamMatcher {
 public:
  StreamMatcher(const WayPair& ways, const ClockDifference& clock, double tolerance_s)
      : ways_(ways),
        up_(ways.up->data),
        clock_(clock),
        tolerance_s_(tolerance_s),
        order_(up_.size()) {
    match_.covered.resize(up_.size());
    std::iota(order_.begin(), order_.end(), 0U);
    std::ranges::sort(order_, [&](std::uint32_t a, std::uint32_t b) {
      return up_[a].begin != up_[b].begin ? up_[a].begin < up_[b].begin : up_[a].time < up_[b].time;
    });
    for (const Copy& copy : up_) longest_ = std::max(longest_, copy.len);
  }

  StreamMatch run() && {
    const std::vector<Copy>& down = ways_.down->data;
    for (std::size_t i = 0; i < down.size(); ++i) place(down[i], static_cast<std::uint32_t>(i));
    return std::move(match_);
  }

 private:
  struct Choice {
    std::uint32_t up = 0;
    int score = 0;
    bool taken = false;
    Time time{};
  };

  void place(const Copy& copy, std::uint32_t number) {
    const std::int64_t begin = ways_.begin_of(copy);
    const std::int64_t end = begin + copy.len;
    bool is_unsourced = false;
    for (std::int64_t at = begin; at < end;) {
      const std::optional<Choice> choice = choose(copy, at);
      if (!choice) {
        is_unsourced = true;
        at = next_begin(at, end);
        continue;
      }
      const Piece piece{choice->up, number, at, std::min(end, up_[choice->up].end())};
      at = piece.end;
      (choice->taken ? match_.repeats : match_.pieces).push_back(piece);
      if (!choice->taken) cover(piece);
    }
    if (is_unsourced) match_.unsourced.push_back(number);
  }

  /// Upstream copies that begin at or before `at` and may reach beyond it.
  [[nodiscard]] std::span<const std::uint32_t> near(std::int64_t at) const {
    const auto begins = [&](std::uint32_t i) { return up_[i].begin; };
    const auto low = std::ranges::lower_bound(order_, at - longest_, {}, begins);
    const auto high = std::ranges::upper_bound(order_, at, {}, begins);
    return {low, high};
  }

  [[nodiscard]] std::int64_t next_begin(std::int64_t at, std::int64_t end) const {
    const auto next =
        std::ranges::upper_bound(order_, at, {}, [&](std::uint32_t i) { return up_[i].begin; });
    return next == order_.end() ? end : std::min(end, up_[*next].begin);
  }

  /// What says that it is this very copy: the timestamp of its sending, its identification, and
  /// that nothing else claims it. Of equals the one sent last.
  [[nodiscard]] std::optional<Choice> choose(const Copy& copy, std::int64_t at) const {
    constexpr int kSameStamp = 8, kSameId = 4, kFree = 2;
    std::optional<Choice> best;
    for (const std::uint32_t i : near(at)) {
      const Copy& sent = up_[i];
      if (sent.end() <= at) continue;
      if (to_seconds(copy.time - sent.time) - clock_(sent.time) < -tolerance_s_) continue;
      Choice choice{i, 0, is_covered(i, at), sent.time};
      if (sent.has_timestamps && copy.has_timestamps && sent.ts_value == copy.ts_value)
        choice.score += kSameStamp;
      if (sent.ip_id != 0 && sent.ip_id == copy.ip_id && sent.begin == ways_.begin_of(copy))
        choice.score += kSameId;
      if (!choice.taken) choice.score += kFree;
      if (!best || choice.score > best->score ||
          (choice.score == best->score && choice.time > best->time)) {
        best = choice;
      }
    }
    return best;
  }

  [[nodiscard]] bool is_covered(std::uint32_t i, std::int64_t at) const {
    if (match_.covered[i] == 0) return false;
    if (match_.covered[i] == up_[i].len) return true;
    const auto found = parts_.find(i);
    return found != parts_.end() && std::ranges::any_of(found->second, [at](const auto& part) {
             return part.first <= at && at < part.second;
           });
  }

  void cover(const Piece& piece) {
    std::uint32_t& covered = match_.covered[piece.up];
    covered =
        std::min(up_[piece.up].len, covered + static_cast<std::uint32_t>(piece.end - piece.begin));
    if (covered == up_[piece.up].len) {
      parts_.erase(piece.up);
      return;
    }
    auto& parts = parts_[piece.up];
    // Segments of a large frame mostly come in order.
    if (!parts.empty() && parts.back().second == piece.begin) {
      parts.back().second = piece.end;
    } else {
      parts.emplace_back(piece.begin, piece.end);
    }
  }

  const WayPair& ways_;
  const std::vector<Copy>& up_;
  const ClockDifference& clock_;
  double tolerance_s_;
  std::uint32_t longest_ = 0;
  std::vector<std::uint32_t> order_;
  // Of copies of which a part came.
  std::unordered_map<std::uint32_t, std::vector<std::pair<std::int64_t, std::int64_t>>> parts_;
  StreamMatch match_;
};

/// What names a packet without payload, whatever boxes do to addresses, windows and options.
struct BareKey {
  std::int64_t begin = 0;
  std::uint32_t ack = 0, stamp = 0;
  std::uint8_t flags = 0;
  friend auto operator<=>(const BareKey&, const BareKey&) = default;
};

bool stamps_serve(const WayPair& ways) { return ways.up->stamped > 0 && ways.down->stamped > 0; }

BareKey key_of(const Copy& copy, std::int64_t to_upstream, std::uint32_t ack_shift,
               bool with_stamp) {
  constexpr std::uint8_t kTelling = wire::kSyn | wire::kFin | wire::kRst | wire::kAck;
  BareKey key;
  key.flags = copy.flags & kTelling;
  key.begin = copy.begin + to_upstream;
  if ((copy.flags & wire::kAck) != 0) key.ack = copy.ack.value - ack_shift;
  if (with_stamp && !copy.is_syn() && copy.has_timestamps) key.stamp = copy.ts_value;
  return key;
}

using Keyed = std::pair<BareKey, std::uint32_t>;

std::vector<Keyed> keyed(const std::vector<Copy>& copies, std::int64_t to_upstream,
                         std::uint32_t ack_shift, bool with_stamp) {
  std::vector<Keyed> list;
  list.reserve(copies.size());
  for (std::size_t i = 0; i < copies.size(); ++i) {
    list.emplace_back(key_of(copies[i], to_upstream, ack_shift, with_stamp),
                      static_cast<std::uint32_t>(i));
  }
  std::ranges::sort(list);
  return list;
}

/// Calls `both` with each key's stretch in both sorted lists.
template <typename Key, typename Both>
void for_common(const std::vector<std::pair<Key, std::uint32_t>>& up,
                const std::vector<std::pair<Key, std::uint32_t>>& down, Both both) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < up.size() && j < down.size()) {
    if (up[i].first < down[j].first) {
      ++i;
    } else if (down[j].first < up[i].first) {
      ++j;
    } else {
      std::size_t i_end = i;
      std::size_t j_end = j;
      while (i_end < up.size() && up[i_end].first == up[i].first) ++i_end;
      while (j_end < down.size() && down[j_end].first == down[j].first) ++j_end;
      both(std::span(up).subspan(i, i_end - i), std::span(down).subspan(j, j_end - j));
      i = i_end;
      j = j_end;
    }
  }
}

}  // namespace

WayPair pair_ways(const WayLog& up, const WayLog& down, std::uint32_t shift,
                  std::uint32_t ack_shift) {
  WayPair ways{&up, &down, 0, shift, ack_shift};
  if (up.first_sequence && down.first_sequence) {
    // Both lines begin one wrap above their first number (PointLog), so they differ by where they
    // began.
    const SeqNum down_first = *down.first_sequence + (0U - shift);
    const std::int64_t up_at = up.first_sequence->value;
    ways.to_upstream = up_at + (down_first - *up.first_sequence) - down.first_sequence->value;
  }
  return ways;
}

StreamMatch match_streams(const WayPair& ways, const ClockDifference& clock, double tolerance_s) {
  return StreamMatcher(ways, clock, tolerance_s).run();
}

BareMatch match_bare(const WayPair& ways, const ClockDifference& clock, double tolerance_s) {
  const bool with_stamp = stamps_serve(ways);
  const std::vector<Copy>& up = ways.up->bare;
  const std::vector<Copy>& down = ways.down->bare;
  const auto up_keys = keyed(up, 0, 0, with_stamp);
  const auto down_keys = keyed(down, ways.to_upstream, ways.ack_shift, with_stamp);
  BareMatch match;
  std::vector<bool> found(up.size());
  for_common(up_keys, down_keys, [&](auto sent, auto came) {
    std::size_t next = 0;
    for (const auto& [key, j] : came) {
      // In order of sending: packets that nothing tells apart are taken to keep their order. One
      // that was sent so long before that later ones fit as well was lost, if its identification
      // says so.
      std::optional<std::size_t> choice;
      for (std::size_t k = next; k < sent.size(); ++k) {
        const Copy& candidate = up[sent[k].second];
        if (to_seconds(down[j].time - candidate.time) - clock(candidate.time) < -tolerance_s) break;
        const bool same_id = candidate.ip_id != 0 && candidate.ip_id == down[j].ip_id;
        if (!choice || same_id) choice = k;
        if (same_id) break;
      }
      if (!choice) continue;
      next = *choice + 1;
      found[sent[*choice].second] = true;
      match.pairs.emplace_back(sent[*choice].second, j);
    }
  });
  for (std::size_t i = 0; i < up.size(); ++i) {
    if (!found[i]) match.missing.push_back(static_cast<std::uint32_t>(i));
  }
  std::ranges::sort(match.pairs);
  match.comparable = match.pairs.size() >= match.missing.size() && !match.pairs.empty();
  return match;
}

CertainPairs certain_pairs(const WayPair& ways) {
  CertainPairs certain;
  const bool with_stamp = stamps_serve(ways);
  const auto add_lone = [](std::vector<std::pair<std::uint32_t, std::uint32_t>>& list) {
    return [&list](auto sent, auto came) {
      if (sent.size() == 1 && came.size() == 1) list.emplace_back(sent[0].second, came[0].second);
    };
  };
  for_common(keyed(ways.up->bare, 0, 0, with_stamp),
             keyed(ways.down->bare, ways.to_upstream, ways.ack_shift, with_stamp),
             add_lone(certain.bare));
  using Begun = std::pair<std::int64_t, std::uint32_t>;
  const auto begins = [](const std::vector<Copy>& copies, std::int64_t to_upstream) {
    std::vector<Begun> list;
    list.reserve(copies.size());
    for (std::size_t i = 0; i < copies.size(); ++i) {
      list.emplace_back(copies[i].begin + to_upstream, static_cast<std::uint32_t>(i));
    }
    std::ranges::sort(list);
    return list;
  };
  for_common(begins(ways.up->data, 0), begins(ways.down->data, ways.to_upstream),
             add_lone(certain.data));
  std::erase_if(certain.data, [&](const auto& pair) {
    const Copy& sent = ways.up->data[pair.first];
    const Copy& came = ways.down->data[pair.second];
    return sent.has_timestamps && came.has_timestamps && sent.ts_value != came.ts_value;
  });
  return certain;
}

}  // namespace slowpath::flow::comparison

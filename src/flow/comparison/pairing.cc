// SPDX-License-Identifier: Apache-2.0
#include "flow/comparison/pairing.h"

#include <algorithm>
#include <map>
#include <span>
#include <tuple>
#include <unordered_map>

namespace slowpath::flow::comparison {
namespace {

/// What two logs may have in common, the weaker kinds last. Server-side and client-side keys are
/// kept apart by `way`.
enum class KeyKind : std::uint8_t { addresses, sequence, timestamp, content };

struct Key {
  KeyKind kind = KeyKind::addresses;
  std::uint8_t way = 0;
  std::uint64_t value = 0;
  friend auto operator<=>(const Key&, const Key&) = default;
};

std::uint64_t hash_of(const Endpoint& endpoint) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325u;  // FNV-1a
  for (const std::uint8_t byte : endpoint.address.bytes)
    hash = (hash ^ byte) * 0x0000'0100'0000'01b3u;
  return (hash ^ endpoint.port) * 0x0000'0100'0000'01b3u;
}

/// How much one key in common says. A pair of addresses is used again sooner or later; contents may
/// repeat in every connection.
int weight_of(KeyKind kind) {
  switch (kind) {
    case KeyKind::addresses:
      return 3;
    case KeyKind::sequence:
      return 6;
    case KeyKind::timestamp:
      return 5;
    case KeyKind::content:
      return 2;
  }
  return 0;
}

std::vector<Key> keys_of(const ConnectionLog& log) {
  std::vector<Key> keys{{KeyKind::addresses, 0, hash_of(log.client) * 3 + hash_of(log.server)}};
  for (std::uint8_t way = 0; way < 2; ++way) {
    const WayLog& packets = log.ways[way];
    if (packets.initial_sequence)
      keys.push_back({KeyKind::sequence, way, packets.initial_sequence->value});
    if (!packets.syns.empty() && packets.syns.front().options.has_timestamps &&
        packets.syns.front().options.ts_value != 0) {
      keys.push_back({KeyKind::timestamp, way, packets.syns.front().options.ts_value});
    }
    for (const Fingerprint& print : packets.fingerprints)
      keys.push_back({KeyKind::content, way, print.hash});
  }
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  return keys;
}

/// A SYN with another sequence number and other timestamps is another connection, whatever its
/// addresses.
bool contradicts(const ConnectionLog& a, const ConnectionLog& b) {
  for (std::size_t way = 0; way < 2; ++way) {
    const WayLog& x = a.ways[way];
    const WayLog& y = b.ways[way];
    if (!x.initial_sequence || !y.initial_sequence || x.initial_sequence == y.initial_sequence)
      continue;
    const bool stamped = !x.syns.empty() && !y.syns.empty() &&
                         x.syns.front().options.has_timestamps &&
                         y.syns.front().options.has_timestamps;
    if (stamped && x.syns.front().options.ts_value != y.syns.front().options.ts_value) return true;
  }
  return false;
}

struct Candidate {
  std::size_t joined = 0;
  const ConnectionLog* log = nullptr;
  std::size_t number = 0;
  int score = 0;
  KeyKind best = KeyKind::content;
};

PairedBy paired_by(KeyKind kind) {
  switch (kind) {
    case KeyKind::addresses:
      return PairedBy::addresses;
    case KeyKind::sequence:
      return PairedBy::sequence_numbers;
    case KeyKind::timestamp:
      return PairedBy::timestamps;
    case KeyKind::content:
      return PairedBy::contents;
  }
  return PairedBy::contents;
}

/// Joins the connections of one more point to those of the points before it.
class Joiner {
 public:
  Joiner(std::vector<Joined>& joined, std::size_t points) : joined_(joined), points_(points) {}

  void add_point(std::size_t point, const std::deque<ConnectionLog>& connections) {
    std::vector<Candidate> candidates = candidates_for(connections);
    // The best first; of equals the pair that comes first in both files.
    std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
      return std::tuple(-a.score, a.number, a.joined) < std::tuple(-b.score, b.number, b.joined);
    });
    std::vector<bool> is_taken(connections.size());
    for (const Candidate& candidate : candidates) {
      Joined& one = joined_[candidate.joined];
      if (is_taken[candidate.number] || one.logs[point] != nullptr) continue;
      is_taken[candidate.number] = true;
      one.logs[point] = candidate.log;
      one.paired_by = std::max(one.paired_by, paired_by(candidate.best));
    }
    for (std::size_t i = 0; i < connections.size(); ++i) {
      if (is_taken[i]) continue;
      Joined& one = joined_.emplace_back();
      one.logs.resize(points_);
      one.logs[point] = &connections[i];
    }
    index(point);
  }

 private:
  std::vector<Candidate> candidates_for(const std::deque<ConnectionLog>& connections) {
    constexpr std::size_t kMostSharers = 64;  // a key that more have in common tells nobody apart
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < connections.size(); ++i) {
      std::map<std::size_t, Candidate> found;
      for (const Key& key : keys_of(connections[i])) {
        const auto sharers = by_key_.find(key);
        if (sharers == by_key_.end() || sharers->second.size() > kMostSharers) continue;
        for (const std::size_t joined : sharers->second) {
          Candidate& candidate = found[joined];
          candidate.score += weight_of(key.kind);
          candidate.best = std::min(candidate.best, key.kind);
        }
      }
      for (auto& [joined, candidate] : found) {
        if (candidate.score < kLeastScore || !fits(joined_[joined], connections[i])) continue;
        candidate.joined = joined;
        candidate.log = &connections[i];
        candidate.number = i;
        candidates.push_back(candidate);
      }
    }
    return candidates;
  }

  /// Whether the streams can be the same: their ranges meet.
  static bool fits(const Joined& joined, const ConnectionLog& log) {
    const auto* const known =
        *std::ranges::find_if(joined.logs, [](const auto* it) { return it != nullptr; });
    if (contradicts(*known, log)) return false;
    for (std::size_t way = 0; way < 2; ++way) {
      if (sequence_shift(known->ways[way], log.ways[way])) return true;
    }
    return false;
  }

  void index(std::size_t point) {
    for (std::size_t i = 0; i < joined_.size(); ++i) {
      if (joined_[i].logs[point] == nullptr) continue;
      for (const Key& key : keys_of(*joined_[i].logs[point])) {
        std::vector<std::size_t>& sharers = by_key_[key];
        if (sharers.empty() || sharers.back() != i) sharers.push_back(i);
      }
    }
  }

  static constexpr int kLeastScore = 3;
  std::vector<Joined>& joined_;
  std::size_t points_;
  std::map<Key, std::vector<std::size_t>> by_key_;
};

std::optional<std::uint32_t> shift_by_contents(const WayLog& from, const WayLog& to) {
  std::map<std::uint32_t, int> votes;
  for (const Fingerprint& a : from.fingerprints) {
    for (const Fingerprint& b : to.fingerprints) {
      if (a.hash == b.hash) ++votes[b.sequence - a.sequence];
    }
  }
  const auto most =
      std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
  if (most == votes.end()) return std::nullopt;
  return most->first;
}

/// The stretch of sequence numbers that a log covers, from its first one: [least, most].
std::pair<std::int64_t, std::int64_t> stretch_of(const WayLog& way) {
  std::int64_t least = INT64_MAX;
  std::int64_t most = INT64_MIN;
  for (const auto* copies : {&way.data, &way.bare}) {
    for (const Copy& copy : *copies) {
      least = std::min(least, copy.begin);
      most = std::max(most, copy.end());
    }
  }
  return {least, most};
}

bool overlap_unshifted(const WayLog& from, const WayLog& to) {
  if (from.packets() == 0 || to.packets() == 0) return false;
  const auto [from_least, from_most] = stretch_of(from);
  const auto [to_least, to_most] = stretch_of(to);
  const std::int32_t apart =
      SeqNum{static_cast<std::uint32_t>(to_least)} - SeqNum{static_cast<std::uint32_t>(from_least)};
  return apart <= from_most - from_least && -apart <= to_most - to_least;
}

}  // namespace

std::optional<std::uint32_t> sequence_shift(const WayLog& from, const WayLog& to) {
  if (from.initial_sequence && to.initial_sequence)
    return to.initial_sequence->value - from.initial_sequence->value;
  const std::optional<std::uint32_t> by_contents = shift_by_contents(from, to);
  if (by_contents) return by_contents;
  if (overlap_unshifted(from, to)) return 0;
  return std::nullopt;
}

std::vector<Joined> join_connections(const std::deque<PointLog>& points) {
  std::vector<Joined> joined;
  Joiner joiner(joined, points.size());
  for (std::size_t i = 0; i < points.size(); ++i) joiner.add_point(i, points[i].connections());
  return joined;
}

}  // namespace slowpath::flow::comparison

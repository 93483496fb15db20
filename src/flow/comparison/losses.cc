// SPDX-License-Identifier: Apache-2.0
// Which copies did not come, and whether the capture missed them or the path lost them.
#include <algorithm>
#include <map>

#include "flow/comparison/reading.h"

namespace slowpath::flow::comparison {
namespace {

/// Positions of the stream that were recorded, as ranges that do not touch.
class Ranges {
 public:
  void add(std::int64_t begin, std::int64_t end) {
    auto at = ranges_.upper_bound(begin);
    if (at != ranges_.begin() && std::prev(at)->second >= begin) {
      --at;
      begin = at->first;
      end = std::max(end, at->second);
      at = ranges_.erase(at);
    }
    while (at != ranges_.end() && at->first <= end) {
      end = std::max(end, at->second);
      at = ranges_.erase(at);
    }
    ranges_[begin] = end;
  }
  [[nodiscard]] bool touches(std::int64_t begin, std::int64_t end) const {
    const auto after = ranges_.lower_bound(end);
    return after != ranges_.begin() && std::prev(after)->second > begin;
  }

 private:
  std::map<std::int64_t, std::int64_t> ranges_;
};

/// The highest position that the receiver acknowledged, in upstream's numbers, as seen downstream.
std::int64_t acknowledged(const Reading& reading) {
  std::int64_t most = INT64_MIN;
  const WayPair& ways = reading.ways;
  if (!ways.down->first_sequence) return most;
  constexpr std::int64_t kWrap = std::int64_t{1} << 32;
  std::int64_t near = kWrap + ways.down->first_sequence->value;
  const auto take = [&](const Copy& reply) {
    if ((reply.flags & wire::kAck) == 0) return;
    const std::int64_t position = near + (reply.ack - SeqNum{static_cast<std::uint32_t>(near)});
    near = std::max(near, position);
    most = std::max(most, position + ways.to_upstream);
  };
  for (const Copy& reply : reading.down_replies.bare) take(reply);
  near = kWrap + ways.down->first_sequence->value;
  for (const Copy& reply : reading.down_replies.data) take(reply);
  return most;
}

/// What the handshake and the segments say about the largest single segment.
std::uint32_t segment_size(const Reading& reading) {
  const std::uint16_t mss = std::max(reading.ways.up->peer_mss, reading.ways.down->peer_mss);
  constexpr std::uint32_t kTimestamps = 12;  // RFC 7323 appendix A
  if (mss == 0) return 0;
  const bool stamped = reading.ways.up->stamped > 0;
  return stamped && mss > kTimestamps ? mss - kTimestamps : mss;
}

class LossReader {
 public:
  LossReader(const Reading& reading, BetweenFacts& facts)
      : reading_(reading),
        facts_(facts),
        losses_(facts.losses),
        acknowledged_(acknowledged(reading)) {
    for (const Copy& copy : reading.ways.down->data) {
      const std::int64_t begin = reading.ways.begin_of(copy);
      recorded_.add(begin, begin + copy.len);
    }
  }

  void read() {
    const std::vector<Copy>& up = reading_.ways.up->data;
    const double slack_s = slack();
    for (std::uint32_t i = 0; i < up.size(); ++i) {
      const Copy& copy = up[i];
      const bool resend = sent_.touches(copy.begin, copy.end());
      sent_.add(copy.begin, copy.end());
      const bool came = reading_.match.covered[i] == copy.len;
      if (!came && !reading_.is_covered_downstream(copy.time, slack_s)) continue;
      ++facts_.upstream_packets;
      facts_.upstream_bytes += copy.len;
      if (reading_.match.covered[i] > 0) note_passed(copy, came);
      if (came) {
        in_episode_ = false;
      } else if (is_keep_alive(copy, resend)) {
        continue;
      } else if (!recorded_.touches(copy.begin, copy.end()) && copy.end() <= acknowledged_) {
        ++facts_.unrecorded_packets;
        note(facts_.unrecorded, copy.frame);
      } else {
        note_lost(copy, copy.len - reading_.match.covered[i], resend);
      }
    }
    find_pieces();
  }

 private:
  /// In flight at the end is not lost: as late as packets came, and twice the least time.
  [[nodiscard]] double slack() const {
    constexpr double kMost = 2;
    return std::min(kMost, facts_.delay.max_s + 2 * std::max(0.0, facts_.delay.least_s));
  }

  static bool is_keep_alive(const Copy& copy, bool resend) { return resend && copy.len <= 1; }

  [[nodiscard]] bool is_large(const Copy& copy) const {
    return facts_.segment_size > 0 && copy.len > facts_.segment_size;
  }

  void note_passed(const Copy& copy, bool whole) {
    if (is_large(copy)) {
      ++losses_.large_passed;
      losses_.large_partly += whole ? 0 : 1;
    } else {
      losses_.single_passed += whole ? 1 : 0;
    }
    losses_.largest_passed_ip_len = std::max(losses_.largest_passed_ip_len, copy.ip_len);
  }

  void note_lost(const Copy& copy, std::uint32_t lost, bool resend) {
    ++losses_.packets;
    losses_.bytes += lost;
    losses_.resends += resend ? 1 : 0;
    losses_.episodes += in_episode_ ? 0 : 1;
    in_episode_ = true;
    note(losses_.frames, copy.frame);
    const bool large_and_whole = is_large(copy) && lost == copy.len;
    if (large_and_whole) {
      note(losses_.large_frames, copy.frame);
      ++losses_.large_lost;
    } else if (!is_large(copy)) {
      ++losses_.single_lost;
    }
    if (losses_.smallest_lost_ip_len == 0 || copy.ip_len < losses_.smallest_lost_ip_len)
      losses_.smallest_lost_ip_len = copy.ip_len;
    losses_.largest_lost_ip_len = std::max(losses_.largest_lost_ip_len, copy.ip_len);
    if (losses_.copies.size() < BetweenLosses::kKept) {
      losses_.copies.push_back({copy.frame, copy.time, copy.begin - reading_.origin(), copy.len,
                                lost, copy.ip_len, resend});
    }
    if (large_and_whole) large_lost_.add(copy.begin, copy.end());
  }

  /// Bytes that a large frame lost and smaller ones carried past.
  void find_pieces() {
    std::uint32_t last = UINT32_MAX;
    for (const Piece& piece : reading_.match.pieces) {
      if (piece.up == last) continue;
      last = piece.up;
      const Copy& copy = reading_.up(piece.up);
      if (is_large(copy) || !large_lost_.touches(copy.begin, copy.end())) continue;
      losses_.large_then_pieces += copy.len;
      note(losses_.piece_frames, copy.frame);
    }
  }

  const Reading& reading_;
  BetweenFacts& facts_;
  BetweenLosses& losses_;
  Ranges recorded_, sent_, large_lost_;
  std::int64_t acknowledged_;
  bool in_episode_ = false;
};

void read_unsourced(const Reading& reading, BetweenFacts& facts) {
  for (const std::uint32_t i : reading.match.unsourced) {
    const Copy& copy = reading.down(i);
    if (!reading.is_covered_upstream(copy.time)) continue;
    ++facts.unsourced_packets;
    note(facts.unsourced, copy.frame);
  }
  std::uint32_t last = UINT32_MAX;
  for (const Piece& piece : reading.match.repeats) {
    if (piece.down == last) continue;
    last = piece.down;
    ++facts.duplicated_packets;
    note(facts.duplicated, reading.frames(piece));
  }
}

void read_bare(const Reading& reading, BetweenFacts& facts) {
  facts.bare_comparable = reading.bare.comparable;
  facts.bare_packets = reading.bare.pairs.size();
  for (const auto& [sent, came] : reading.bare.pairs) {
    if (reading.ways.up->bare[sent].is_syn()) ++facts.syn_packets;
  }
  constexpr double kSlack = 0.5;
  const double slack_s =
      std::min(kSlack, facts.delay.max_s + 2 * std::max(0.0, facts.delay.least_s));
  for (const std::uint32_t i : reading.bare.missing) {
    const Copy& copy = reading.ways.up->bare[i];
    if (!reading.is_covered_downstream(copy.time, slack_s)) continue;
    ++facts.bare_packets;
    if (copy.is_syn()) {
      ++facts.syn_packets;
      ++facts.syn_lost;
    }
    ++facts.bare_lost;
    note(facts.bare_lost_frames, copy.frame);
  }
}

}  // namespace

bool Reading::is_covered_downstream(Time time, double slack_s) const {
  const Time there = time + from_seconds(clock(time));
  return there >= down_point.first && there + from_seconds(slack_s) <= down_point.last;
}

bool Reading::is_covered_upstream(Time time_downstream) const {
  // The difference hardly moves within its own size, but that may be hours.
  const Time near = time_downstream - from_seconds(clock(time_downstream));
  const Time there = time_downstream - from_seconds(clock(near));
  return there >= up_point.first && there <= up_point.last;
}

std::int64_t Reading::origin() const {
  constexpr std::int64_t kWrap = std::int64_t{1} << 32;
  if (!ways.up->first_sequence) return 0;
  const std::int64_t first = kWrap + ways.up->first_sequence->value;
  if (!ways.up->initial_sequence) return first;
  return first + (*ways.up->initial_sequence - *ways.up->first_sequence) + 1;
}

void read_losses(const Reading& reading, BetweenFacts& facts) {
  facts.segment_size = segment_size(reading);
  LossReader(reading, facts).read();
  for (const Copy& copy : reading.ways.down->data) {
    ++facts.downstream_packets;
    facts.downstream_bytes += copy.len;
  }
  read_unsourced(reading, facts);
  read_bare(reading, facts);
  constexpr std::uint64_t kEnough = 3;
  const bool something_down = !reading.ways.down->data.empty() || !reading.ways.down->bare.empty();
  facts.nothing_came = !something_down && facts.upstream_packets + facts.bare_packets >= kEnough &&
                       reading.up_replies.packets() > 0 && reading.down_replies.packets() > 0;
}

}  // namespace slowpath::flow::comparison

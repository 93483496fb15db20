// SPDX-License-Identifier: Apache-2.0
#include "flow/connection_watch.h"

#include <algorithm>

namespace slowpath::flow {
namespace {

// Signed distance between two timestamps (RFC 7323 section 5.2 compares them so).
std::int32_t ahead_of(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b); }

// Timestamps tick between 1 µs and 1 s. What the capture missed may have been stamped this many
// ticks, or the span of all that was seen, beyond what it did see.
constexpr std::int32_t kStampSlack = 1000;

void read_tunnel(const Record& record, TunnelFacts& tunnel) {
  if (record.tunnel_depth == 0) return;
  tunnel.overhead_bytes =
      tunnel.depth == 0 ? record.tunnel_overhead
                        : std::min<std::uint32_t>(tunnel.overhead_bytes, record.tunnel_overhead);
  tunnel.depth = std::max<std::uint8_t>(tunnel.depth, record.tunnel_depth);
}

}  // namespace

void ConnectionWatch::add(const Record& record, const HandshakeFacts& handshake) {
  read_tunnel(record, facts_.tunnel);
  read_marks(record, facts_.marks[index(record.direction)]);
  read_silence(record);
  read_stamps(record, handshake);
  if (record.has(wire::kFin) && !facts_.first_fin) facts_.first_fin = record.direction;
  Side& own = sides_[index(record.direction)];
  const SeqNum end = record.sequence + record.payload_len;
  if (!own.have_sent || end > own.sent_end) own.sent_end = end;
  own.have_sent = true;
  if (record.payload_len > 0 && (!own.have_data || end > own.data_end)) {
    own.data_end = end;
    own.have_data = true;
  }
  Side& other = sides_[1 - index(record.direction)];
  if (record.has(wire::kAck) && !record.has(wire::kRst) &&
      (!other.have_acked || record.acknowledgment > other.acked)) {
    other.acked = record.acknowledgment;
    other.have_acked = true;
  }
  newest_ = std::max(newest_, record.time);
  newest_frame_ = record.frame;
  have_packet_ = true;
}

void ConnectionWatch::read_marks(const Record& record, MarkFacts& marks) {
  if (record.payload_len > 0) ++marks.ecn[record.ecn];
  if (record.has(wire::kEce) && !record.has(wire::kSyn)) ++marks.ece;
  if (record.has(wire::kRst)) return;
  ++(record.authenticated ? marks.authenticated : marks.plain);
}

void ConnectionWatch::read_stamps(const Record& record, const HandshakeFacts& handshake) {
  const std::size_t way = index(record.direction);
  Side& own = sides_[way];
  const Side& other = sides_[1 - way];
  MarkFacts& marks = facts_.marks[way];
  const std::uint32_t stamp = record.ts_value;
  const bool agreed = handshake.syn && handshake.syn_ack && handshake.syn->options.has_timestamps &&
                      handshake.syn_ack->options.has_timestamps;
  if (agreed && facts_.marks[0].stamped + facts_.marks[1].stamped == 0) {
    adopt(handshake.syn->options.ts_value, 0);
    adopt(handshake.syn_ack->options.ts_value, 1);
  }
  if (record.has_timestamps) take_back_leap(stamp, way);
  const bool counts = agreed && !record.has(wire::kSyn) && !record.has(wire::kRst);
  const bool keep_alive =
      own.have_sent && record.sequence < own.sent_end && record.payload_len <= 1;
  if (counts && record.has_timestamps) {
    ++marks.stamped;
    const std::uint32_t echo = record.ts_echo;
    if (other.have_stamp && echo != 0) {
      const std::uint32_t newest = facts_.marks[1 - way].newest_stamp;
      const std::int32_t slack = kStampSlack + std::max(0, ahead_of(newest, other.oldest_stamp));
      if (ahead_of(echo, newest) > slack || ahead_of(other.oldest_stamp, echo) > slack)
        note(marks.foreign_echo, record.frame);
    }
    const bool new_data = record.payload_len > 0 && record.sequence >= own.sent_end;
    if (new_data && ahead_of(marks.newest_stamp, stamp) > kStampSlack)
      note(marks.stamp_back, record.frame);
  } else if (counts && !keep_alive && !record.options_cut) {
    note(marks.unstamped, record.frame);
  }
  if (record.has_timestamps && !record.has(wire::kRst)) adopt(stamp, way);
}

void ConnectionWatch::adopt(std::uint32_t stamp, std::size_t way) {
  Side& side = sides_[way];
  std::uint32_t& newest = facts_.marks[way].newest_stamp;
  if (!side.have_stamp) side.oldest_stamp = newest = stamp;
  side.have_stamp = true;
  if (ahead_of(stamp, newest) <= 0) return;
  side.leapt = ahead_of(stamp, newest) > kStampSlack;
  if (side.leapt) side.before_leap = newest;
  newest = stamp;
}

// One stamp far ahead of what came before it and of what comes next was damaged, and the next did
// not jump back.
void ConnectionWatch::take_back_leap(std::uint32_t stamp, std::size_t way) {
  Side& side = sides_[way];
  std::uint32_t& newest = facts_.marks[way].newest_stamp;
  const bool is_behind = side.leapt && ahead_of(newest, stamp) > kStampSlack;
  if (is_behind && ahead_of(side.before_leap, stamp) <= kStampSlack) newest = side.before_leap;
  side.leapt = false;
}

void ConnectionWatch::read_silence(const Record& record) {
  if (quiet_open_) {
    quiet_.unanswered_s = std::max(0.0, to_seconds(record.time - quiet_ended_));
    if (record.direction == quiet_.speaker) {
      quiet_.sends += record.has(wire::kRst) ? 0U : 1U;
    } else if (record.has(wire::kRst)) {
      quiet_.reset = record.frame;
      quiet_.reset_ttl = record.ttl;
      close_quiet();
    } else {
      quiet_.answered = true;
      close_quiet();
    }
  }
  if (!have_packet_ || record.has(wire::kSyn)) return;
  const double silence_s = to_seconds(record.time - newest_);
  // A silence in which an answer is awaited is that silence's end, not another.
  if (silence_s < QuietFacts::kQuietSeconds || quiet_open_ || record.has(wire::kRst)) return;
  // Waiting for an answer that is due is no idleness.
  if (!is_settled()) return;
  const Side& own = sides_[index(record.direction)];
  const bool keep_alive = own.have_sent && record.sequence < own.sent_end;
  if (record.payload_len == 0 && !record.has(wire::kFin) && !keep_alive)
    return;  // a bare ACK is not answered
  quiet_ = {};
  quiet_.begin = newest_;
  quiet_.seconds = silence_s;
  quiet_.before = newest_frame_;
  quiet_.after = record.frame;
  quiet_.speaker = record.direction;
  quiet_.keep_alive = keep_alive && record.payload_len <= 1;
  quiet_.after_fin = facts_.first_fin.has_value();
  quiet_.sends = 1;
  quiet_ended_ = record.time;
  quiet_open_ = true;
}

bool ConnectionWatch::is_settled() const {
  return std::ranges::all_of(sides_, [](const Side& side) {
    return !side.have_data || (side.have_acked && side.acked >= side.data_end);
  });
}

void ConnectionWatch::close_quiet() {
  quiet_open_ = false;
  if (facts_.quiets.size() < QuietFacts::kKept) return facts_.quiets.push_back(quiet_);
  // One that found no answer is worth more than any that did.
  const auto worth = [](const QuietFacts& q) { return std::pair(!q.answered, q.seconds); };
  auto least = std::min_element(
      facts_.quiets.begin(), facts_.quiets.end(),
      [&](const QuietFacts& a, const QuietFacts& b) { return worth(a) < worth(b); });
  if (worth(*least) < worth(quiet_)) *least = quiet_;
}

void ConnectionWatch::swap_ends() {
  std::swap(sides_[0], sides_[1]);
  std::swap(facts_.marks[0], facts_.marks[1]);
  quiet_.speaker = opposite(quiet_.speaker);
  for (QuietFacts& quiet : facts_.quiets) quiet.speaker = opposite(quiet.speaker);
  if (facts_.first_fin) facts_.first_fin = opposite(*facts_.first_fin);
}

BesideFacts ConnectionWatch::finish() {
  if (quiet_open_) close_quiet();
  std::stable_sort(facts_.quiets.begin(), facts_.quiets.end(),
                   [](const QuietFacts& a, const QuietFacts& b) { return a.begin < b.begin; });
  return std::move(facts_);
}

}  // namespace slowpath::flow

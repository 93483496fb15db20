// SPDX-License-Identifier: Apache-2.0
// Reads records once a chapter of them is there: puts them in order, removes copies, and shows each
// to both directions when its sender and its receiver saw it.
#include <algorithm>

#include "facts/clock_error.h"
#include "flow/clock.h"
#include "flow/connection.h"

namespace slowpath::flow {
namespace {

// Hosts react this much faster at times than in the handshake.
constexpr Duration kReactionMargin = std::chrono::milliseconds(1);
// Records of the chapter before, to recognise copies of its last packets; of several taps with a
// path between them, a flight's.
constexpr std::size_t kKeptForCopies = 64, kKeptForTaps = 4096;
// Fewer packets than this, with no handshake trouble, tell nothing: totals only.
constexpr std::uint64_t kLightPackets = 3;

/// Of `read` records those before this one are done with.
std::size_t kept_from(std::size_t read, bool several_taps) {
  const std::size_t kept = several_taps ? kKeptForTaps : kKeptForCopies;
  return read > kept ? read - kept : 0;
}

// The shortest leg seen, less a margin: the sender's answer to an ACK must not seem to come before
// it. Of a hundredth of the other leg it is nothing: ACKs that come in one go carry one timestamp,
// and its echo seems to answer the first of them.
Duration reply_leg(const Witness& witness, Direction data) {
  const Duration shortest = witness.sender_leg(data);
  if (shortest < witness.sender_leg(opposite(data)) / 100) return Duration{0};
  return shortest - std::min<Duration>(shortest / 10, kReactionMargin);
}

}  // namespace

Connection::Analysis::Analysis(const Witness& seen, const HandshakeFacts& handshake, Time begin)
    : witness(seen),
      directions{DirectionAnalysis(Direction::to_server, seen, handshake, begin),
                 DirectionAnalysis(Direction::to_client, seen, handshake, begin)},
      reply_leg{slowpath::flow::reply_leg(seen, Direction::to_server),
                slowpath::flow::reply_leg(seen, Direction::to_client)} {}

void Connection::read_if_full(const BytesAt& bytes_at) {
  if (records_.size() - (analysis_ ? analysis_->read : 0) < *chapter_) return;
  note_new();
  read_chapter(false, bytes_at);
}

// Puts records of several receive queues back into time order; a SYN-ACK recorded before its SYN as
// well.
void Connection::put_in_order(std::size_t from) {
  std::uint64_t back = 0;
  for (std::size_t i = from + 1; i < records_.size(); ++i)
    back += records_[i].time < records_[i - 1].time;
  if (back == 0) return;
  if (lag_.by == Duration{0}) facts_.reordered_by_capture += back;
  std::stable_sort(records_.begin() + static_cast<std::ptrdiff_t>(from), records_.end(),
                   [](const Record& a, const Record& b) { return a.time < b.time; });
}

// What the first chapter's clock was set forward, it stays ahead.
void Connection::set_clock_right() {
  const ClockJumps jumps = remove_clock_jumps(records_);
  facts_.clock_jumps = jumps.count;
  clock_ahead_ = jumps.forward;
  newest_ -= jumps.forward;
  facts_.last = std::max(facts_.first, facts_.last - jumps.forward);
}

// What the first chapter shows of two clocks, the others are spared.
void Connection::bring_ways_together() {
  lag_ = lag_of_ways(records_);
  if (lag_.by == Duration{0}) return;
  for (Record& record : records_) {
    if (record.direction == lag_.way) record.time -= lag_.by;
  }
  put_in_order(0);
  facts_.first = std::min(facts_.first, records_.front().time);
  facts_.clock_lag_s = to_seconds(lag_.by);
}

void Connection::read_chapter(bool last, const BytesAt& bytes_at) {
  const std::size_t from = analysis_ ? analysis_->read : 0;
  put_in_order(from);
  if (!analysis_) {
    set_clock_right();
    bring_ways_together();
  }
  mark_copies(std::span(records_).subspan(kept_from(from, several_taps_)), several_taps_);
  if (!analysis_) {
    analysis_ = std::make_unique<Analysis>(examine(records_, handshake_.facts(), facts_.icmp),
                                           handshake_.facts(), facts_.first);
    facts_.clock_skew_s = to_seconds(analysis_->witness.clock_skew);
    // Beside so short a round trip it is not known well enough.
    if (kTicksThatTell * facts_.clock_lag_s > round_trip_s())
      facts_.clock_skew_s = std::max(facts_.clock_skew_s, facts_.clock_lag_s);
    facts_.clock_tick_s = to_seconds(analysis_->witness.clock_tick);
    for (DirectionAnalysis& direction : analysis_->directions) direction.set_labels(labels_.get());
  }
  if (last) {
    for (DirectionAnalysis& direction : analysis_->directions) direction.set_end(facts_.last);
  }
  analysis_->round_trip_s = round_trip_s();
  for (std::size_t i = from; i < records_.size(); ++i) read_record(i, bytes_at);
  analysis_->read = records_.size();
  if (last) {
    const Time forever = facts_.last + std::chrono::hours(1000);
    deliver_replies(Direction::to_server, forever, records_.size());
    deliver_replies(Direction::to_client, forever, records_.size());
    release_labels(records_.size());
  } else {
    deliver_early();
    drop_read_records();
  }
}

// The client's packet completes the handshake; the server hears of that one leg later, as of every
// reply. Nobody is told ahead of the packets: there may be none as late as that.
void Connection::tell_established(Time now) {
  if (analysis_->established_told[0] && analysis_->established_told[1]) return;
  if (!handshake_.facts().completed) return;
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    bool& told = analysis_->established_told[index(direction)];
    const Duration leg =
        direction == Direction::to_client ? analysis_->reply_leg[index(direction)] : Duration{0};
    const Time at = handshake_.completed_at() + leg;
    if (told || now < at) continue;
    told = true;
    analysis_->directions[index(direction)].on_established(at);
  }
}

void Connection::read_record(std::size_t i, const BytesAt& bytes_at) {
  const Record& record = records_[i];
  if (record.tap_copy) {
    ++facts_.tap_copies;
    return;
  }
  Analysis& analysis = *analysis_;
  deliver_replies(Direction::to_server, record.time, i + 1);
  deliver_replies(Direction::to_client, record.time, i + 1);
  tell_established(record.time);
  const std::size_t way = index(record.direction);
  if (record.icmp_index != kNone) {
    analysis.directions[way].on_icmp(facts_.icmp[record.icmp_index], record.icmp_index,
                                     record.sequence, record.time);
    return;
  }
  analysis.directions[way].on_send(record, bytes_at);
  if (record.network_copy) return;
  const DirectionAnalysis& own = analysis.directions[way];
  analysis.conversation.add(
      record, {analysis.round_trip_s, to_seconds(analysis.witness.sender_leg(record.direction)),
               analysis.witness.message_below[way], own.newest_owner() == TimeOwner::application,
               own.at_window_edge()});
}

double Connection::round_trip_s() const {
  const HandshakeFacts& handshake = handshake_.facts();
  if (handshake.legs_known) return handshake.client_leg_s + handshake.server_leg_s;
  const auto& leg = analysis_->witness.leg;
  return to_seconds(leg[0].value_or(Duration{0}) + leg[1].value_or(Duration{0}));
}

// Replies reach the sender of `data` one leg later than they pass the tap.
void Connection::deliver_replies(Direction data, Time until, std::size_t limit) {
  Analysis& analysis = *analysis_;
  std::size_t& cursor = analysis.reply_cursor[index(data)];
  const Duration leg = analysis.reply_leg[index(data)];
  while (cursor < limit) {
    const Record& record = records_[cursor];
    const Time seen = record.time + leg;
    if (seen > until) return;
    ++cursor;
    deliver_reply(data, record, seen);
  }
}

void Connection::deliver_reply(Direction data, const Record& record, Time now) {
  if (record.direction == data || record.tap_copy || record.network_copy ||
      record.icmp_index != kNone)
    return;
  const SackList* sack = record.sack_index == kNone ? nullptr : &sacks_[record.sack_index];
  analysis_->directions[index(data)].on_reply(record, sack, now);
}

void Connection::deliver_early() {
  if (records_.size() <= kMaxWaiting) return;
  const std::size_t limit = records_.size() - kMaxWaiting;
  for (Direction data : {Direction::to_server, Direction::to_client}) {
    std::size_t& cursor = analysis_->reply_cursor[index(data)];
    for (; cursor < limit; ++cursor) deliver_reply(data, records_[cursor], records_.back().time);
  }
}

// Nothing can be learnt any more about the first `count` records.
void Connection::release_labels(std::size_t count) {
  if (!labels_) return;
  for (std::size_t i = 0; i < count; ++i) {
    if (records_[i].icmp_index == kNone) labels_->release(records_[i]);
  }
}

void Connection::drop_read_records() {
  Analysis& analysis = *analysis_;
  // Keep some to recognise copies by, and the replies that are still on their way to the sender.
  const std::size_t keep_from = std::min({analysis.reply_cursor[0], analysis.reply_cursor[1],
                                          kept_from(records_.size(), several_taps_)});
  release_labels(keep_from);
  records_.erase(records_.begin(), records_.begin() + static_cast<std::ptrdiff_t>(keep_from));
  noted_ -= static_cast<std::uint32_t>(keep_from);
  analysis.read -= keep_from;
  std::vector<SackList> kept;
  for (Record& record : records_) {
    if (record.sack_index == kNone) continue;
    kept.push_back(sacks_[record.sack_index]);
    record.sack_index = static_cast<std::uint32_t>(kept.size() - 1);
  }
  sacks_ = std::move(kept);
  for (std::size_t& cursor : analysis.reply_cursor) cursor -= keep_from;
}

ConnectionFacts Connection::finish(const BytesAt& bytes_at) {
  note_new();
  read_chapter(true, bytes_at);
  facts_.handshake = handshake_.facts();
  facts_.client_known = facts_.client_known || ports_tell_client();
  facts_.light = packets_[0] + packets_[1] < kLightPackets;
  ConnectionFacts out;
  out.syn_copies = handshake_.take_copies();
  if (watch_) out.beside = watch_->finish();
  for (Direction direction : {Direction::to_server, Direction::to_client}) {
    DirectionFacts facts = analysis_->directions[index(direction)].finish(facts_.last, facts_.icmp);
    analysis_->conversation.finish(direction, facts_.last, facts);
    out[direction] = std::move(facts);
  }
  out.beside.exchanges = analysis_->conversation.exchanges();
  analysis_.reset();
  static_cast<ConnectionBasics&>(out) = std::move(facts_);
  return out;
}

}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
#include "support/scenario/transfer_receiver.h"

#include <algorithm>

namespace slowpath::test::scenario {

Receiver::Receiver(const Transfer& transfer, Connection& connection, Path& path, EventQueue& events)
    : transfer_(transfer), connection_(connection), path_(path), events_(events) {
  begin_ = next_ = read_ = connection[transfer.from].next;
  edge_ = next_ + static_cast<std::int64_t>(
                      connection.sayable_window(other(transfer.from), transfer.window_bytes));
}

void Receiver::on_data(Duration now, const DataPacket& packet) {
  const auto [begin, end] = packet.data;
  if (!stamp_taken_ && begin <= next_) {
    last_ack_stamp_ = packet.stamps.value;
    stamp_taken_ = true;
  }
  if (end <= next_) {  // nothing new: a needless resend, or a probe
    return send_ack(now, end > begin ? std::optional(packet.data) : std::nullopt);
  }
  const bool had_islands = !islands_.empty();
  const std::int64_t before = next_;
  store(packet.data);
  unacknowledged_ += next_ - before;
  last_arrival_ = now;
  start_reading(now);
  if (had_islands || !islands_.empty()) return send_ack(now);
  if (quick_acks_ > 0) {
    --quick_acks_;
    return send_ack(now);
  }
  if (unacknowledged_ >= 2 * std::int64_t{transfer_.segment_size}) return send_ack(now);
  if (timer_set_) return;
  timer_set_ = true;
  events_.set_timer(now + transfer_.delayed_ack, Event::Kind::delayed_ack, ++timer_);
}

void Receiver::store(const ByteRange& data) {
  ByteRange merged = data;
  std::erase_if(islands_, [&](const ByteRange& island) {
    if (island.first > merged.second || island.second < merged.first) return false;
    merged = {std::min(island.first, merged.first), std::max(island.second, merged.second)};
    return true;
  });
  if (merged.first <= next_) {
    next_ = std::max(next_, merged.second);
  } else {
    islands_.insert(islands_.begin(), merged);
  }
}

void Receiver::start_reading(Duration now) {
  if (reading_ || read_ >= next_) return;
  const auto& stall = transfer_.reader_stall;
  if (stall && !stalled_once_ && next_ - begin_ >= stall->first) {
    stalled_once_ = reading_ = true;
    return events_.set_timer(now + stall->second, Event::Kind::read, 0);
  }
  if (transfer_.reader_rate_bps <= 0) {
    read_ = next_;
    return;
  }
  reading_ = true;
  chunk_ = std::min<std::int64_t>(next_ - read_, 16384);
  const double seconds = 8.0 * static_cast<double>(chunk_) / transfer_.reader_rate_bps;
  events_.set_timer(now + from_seconds(seconds), Event::Kind::read, 0);
}

void Receiver::on_read(Duration now) {
  reading_ = false;
  read_ = chunk_ > 0 ? read_ + chunk_ : next_;
  chunk_ = 0;
  start_reading(now);
  // Receiver's silly window avoidance (RFC 9293 section 3.8.6.2.2): tell only of room worth
  // sending.
  const auto offered = edge_ - next_;
  const auto room = static_cast<std::int64_t>(window_now());
  const std::int64_t worth =
      std::min<std::int64_t>(2 * std::int64_t{transfer_.segment_size},
                             static_cast<std::int64_t>(transfer_.window_bytes / 2));
  if (offered < transfer_.segment_size && room - offered >= worth) send_ack(now);
}

std::uint64_t Receiver::window_now() const {
  const auto buffer = static_cast<std::int64_t>(transfer_.window_bytes);
  const std::int64_t room = std::max<std::int64_t>(buffer - (next_ - read_), 0);
  const auto sayable = static_cast<std::int64_t>(
      connection_.sayable_window(other(transfer_.from), static_cast<std::uint64_t>(room)));
  const std::int64_t promised = edge_ - next_;
  // Less than a segment more is not offered; what was promised is kept.
  return static_cast<std::uint64_t>(std::max(
      {promised, sayable >= std::min<std::int64_t>(transfer_.segment_size, buffer) ? sayable : 0,
       std::int64_t{0}}));
}

void Receiver::send_ack(Duration now, std::optional<ByteRange> duplicate) {
  AckPacket reply;
  reply.acknowledged = next_;
  reply.window_bytes = window_now();
  edge_ = std::max(edge_, next_ + static_cast<std::int64_t>(reply.window_bytes));
  if (connection_.sack) {
    if (duplicate) reply.sack.push_back(*duplicate);
    reply.sack.insert(reply.sack.end(), islands_.begin(),
                      islands_.begin() + std::min<std::ptrdiff_t>(std::ssize(islands_), 4));
  }
  const Side side = other(transfer_.from);
  reply.stamps = {connection_.timestamp(side, now), last_ack_stamp_};
  stamp_taken_ = false;
  connection_[side].window_bytes = reply.window_bytes;
  unacknowledged_ = 0;
  timer_set_ = false;
  ++timer_;
  path_.send_ack(now, reply);
}

void Receiver::on_delayed_ack(Duration now, std::uint64_t timer) {
  if (timer_set_ && timer == timer_) send_ack(now);
}

}  // namespace slowpath::test::scenario

// SPDX-License-Identifier: Apache-2.0
#include "support/scenario/transfer_path.h"

#include <algorithm>

namespace slowpath::test::scenario {
namespace {

constexpr double kNicRate_bps = 10e9;
constexpr std::uint32_t kFrameOverhead = 38;  // Ethernet header, FCS, preamble, gap
constexpr double kBottleneckPlace = 0.5;

Duration time_to_send(std::uint32_t bytes, double rate_bps) {
  return from_seconds(8.0 * (bytes + kFrameOverhead) / rate_bps);
}

}  // namespace

Path::Path(const Transfer& transfer, Connection& connection, Tape& tape, EventQueue& events,
           Duration start)
    : transfer_(transfer),
      connection_(connection),
      tape_(tape),
      events_(events),
      happenings_(transfer.happenings),
      start_(start) {}

Duration Path::part(double share) const {
  return from_seconds(to_seconds(transfer_.rtt) / 2 * share);
}

Segment Path::segment_of(const DataPacket& packet, bool push) const {
  Segment segment;
  segment.from = transfer_.from;
  segment.flags = push ? ack | psh : ack;
  segment.data = packet.data;
  segment.acknowledged = connection_[other(transfer_.from)].next;
  segment.window_bytes = connection_[transfer_.from].window_bytes;
  if (connection_.timestamps) segment.stamps = packet.stamps;
  segment.ip_id = connection_[transfer_.from].ip_id;
  segment.ttl = connection_[transfer_.from].ttl;
  return segment;
}

void Path::send_data(Duration now, const DataPacket& packet, bool push) {
  nic_free_ = std::max(now, nic_free_);
  const std::int64_t size = transfer_.segment_size;
  const bool is_superframe = packet.data.second - packet.data.first > size;
  if (!is_superframe || transfer_.unsegmented) return carry(nic_free_, packet, push, false);
  // A healthy NIC: whoever captures on the host sees the super-frame, everybody else its segments.
  const bool captured_whole = tap() == 0;
  if (captured_whole) tape_.record(nic_free_, connection_, segment_of(packet, push));
  for (std::int64_t begin = packet.data.first; begin < packet.data.second; begin += size) {
    DataPacket piece = packet;
    piece.data = {begin, std::min(begin + size, packet.data.second)};
    carry(nic_free_, piece, push && piece.data.second == packet.data.second, captured_whole);
  }
}

void Path::carry(Duration now, const DataPacket& packet, bool push, bool past_tap) {
  Segment segment = segment_of(packet, push);
  ++connection_[transfer_.from].ip_id;
  const auto payload = static_cast<std::uint32_t>(packet.data.second - packet.data.first);
  const std::uint32_t ip_len = payload + 40 + (connection_.timestamps ? 12 : 0);
  nic_free_ = now + time_to_send(ip_len, kNicRate_bps);
  const bool before = !past_tap && tap() <= kBottleneckPlace;
  const bool after = !past_tap && tap() > kBottleneckPlace;
  if (before) tape_.record(now + part(tap()), connection_, segment);

  const Duration arrival = now + part(kBottleneckPlace);
  const Passing passing{++packets_, ip_len, arrival - start_};
  if (happens(Happening::Kind::lose, passing)) return;
  if (!has_tokens(arrival, ip_len)) return;
  Duration leaves = arrival;
  if (transfer_.rate_bps > 0) {
    bottleneck_free_ = std::max(bottleneck_free_, arrival);
    if (bottleneck_free_ - arrival > transfer_.queue) return;
    leaves = bottleneck_free_ += time_to_send(ip_len, transfer_.rate_bps);
  }
  const bool damaged = happens(Happening::Kind::corrupt, passing);
  Duration late{0};
  if (happens(Happening::Kind::reorder, passing, &late)) leaves += late;
  const int copies = happens(Happening::Kind::duplicate, passing) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    const Duration at = leaves + std::chrono::microseconds(20 * i);
    if (damaged) segment.checksum = ChecksumKind::wrong;
    if (after) tape_.record(at + part(tap() - kBottleneckPlace), connection_, segment);
    deliver(at + part(1 - kBottleneckPlace), packet, damaged);
  }
}

// RFC 2697's bucket, without colours: empty means dropped.
bool Path::has_tokens(Duration now, std::uint32_t ip_len) {
  if (transfer_.police_bps <= 0) return true;
  if (!filled_at_) tokens_ = transfer_.police_burst_bytes;
  const Duration since = filled_at_ ? now - *filled_at_ : Duration{0};
  filled_at_ = now;
  tokens_ = std::min(transfer_.police_burst_bytes,
                     tokens_ + to_seconds(since) * transfer_.police_bps / 8);
  if (tokens_ < ip_len) return false;
  tokens_ -= ip_len;
  return true;
}

void Path::deliver(Duration at, const DataPacket& packet, bool damaged) {
  if (damaged) return;  // the receiver's checksum finds it
  Event event;
  event.at = at;
  event.kind = Event::Kind::data;
  event.data = packet;
  events_.push(std::move(event));
}

void Path::send_ack(Duration now, const AckPacket& packet) {
  // ACKs keep their order, and some distance.
  now = std::max(now, last_ack_sent_ + time_to_send(64, kNicRate_bps));
  last_ack_sent_ = now;
  const Side side = other(transfer_.from);
  Segment segment;
  segment.from = side;
  segment.data = {connection_[side].next, connection_[side].next};
  segment.acknowledged = packet.acknowledged;
  segment.window_bytes = packet.window_bytes;
  segment.sack = packet.sack;
  if (connection_.timestamps) segment.stamps = packet.stamps;
  segment.ip_id = connection_[side].ip_id++;
  segment.ttl = connection_[side].ttl;
  const bool before = 1 - tap() <= kBottleneckPlace;
  if (before) tape_.record(now + part(1 - tap()), connection_, segment);
  if (happens(Happening::Kind::lose_ack, {++acks_, 52, now - start_})) return;
  const std::optional<Duration> waited = wait_of_ack(now + part(kBottleneckPlace));
  if (!waited) return;
  now += *waited;
  if (!before) tape_.record(now + part(1 - tap()), connection_, segment);
  Event event;
  event.at = now + part(1);
  event.kind = Event::Kind::ack;
  event.reply = packet;
  events_.push(std::move(event));
}

// In the queue of the way back, where there is one; nothing = it was full.
std::optional<Duration> Path::wait_of_ack(Duration arrival) {
  if (transfer_.ack_rate_bps <= 0) return Duration{0};
  ack_bottleneck_free_ = std::max(ack_bottleneck_free_, arrival);
  if (ack_bottleneck_free_ - arrival > transfer_.ack_queue) return std::nullopt;
  ack_bottleneck_free_ += time_to_send(52, transfer_.ack_rate_bps);
  return ack_bottleneck_free_ - arrival;
}

bool Path::happens(Happening::Kind kind, const Passing& passing, Duration* by) {
  bool any = false;
  for (Happening& happening : happenings_) {
    if (happening.kind != kind || !happening.which(passing)) continue;
    any = true;
    if (by != nullptr) *by = happening.by;
  }
  return any;
}

}  // namespace slowpath::test::scenario

// SPDX-License-Identifier: Apache-2.0
#include "support/scenario/transfer_sender.h"

#include <algorithm>
#include <cmath>

namespace slowpath::test::scenario {
namespace {

constexpr std::int64_t kDuplicateThreshold = 3;  // RFC 5681 section 3.2, RFC 6675 section 2
constexpr double kDecrease = 0.7;                // RFC 9438 section 4.6
constexpr std::uint32_t kMostBackoff = 9;
constexpr double kMostTimeout_s = 120;  // Linux: TCP_RTO_MAX

}  // namespace

Sender::Sender(const Transfer& transfer, Connection& connection, Path& path, EventQueue& events)
    : transfer_(transfer),
      connection_(connection),
      path_(path),
      events_(events),
      segment_(transfer.segment_size),
      cwnd_(segment_ * transfer.initial_window) {
  una_ = next_ = connection[transfer.from].next;
  end_ = una_ + transfer.bytes;
  const auto window = connection.sayable_window(other(transfer.from), transfer.window_bytes);
  // Before the first ACK the window is that of the handshake, which has no scale.
  edge_ = una_ + static_cast<std::int64_t>(std::min<std::uint64_t>(window, 65535));
  written_ = transfer.app_rate_bps > 0 ? una_ : end_;
}

void Sender::start(Duration now) {
  if (transfer_.app_rate_bps > 0) return on_write(now);
  send_what_may_be(now);
}

void Sender::on_write(Duration now) {
  written_ = std::min(end_, written_ + transfer_.app_chunk);
  if (written_ < end_) {
    const double wait_s = 8.0 * static_cast<double>(transfer_.app_chunk) / transfer_.app_rate_bps;
    events_.set_timer(now + from_seconds(wait_s), Event::Kind::write, 0);
  }
  send_what_may_be(now);
}

std::int64_t Sender::flight() const { return flight_; }

void Sender::send_what_may_be(Duration now) {
  const std::uint64_t before = order_;
  limited_by_cwnd_ = false;
  while (true) {
    if (resend_now_) {
      resend_now_ = false;
      if (resend_one(now)) continue;
    }
    // Without SACK each duplicate ACK tells of a segment that has left (RFC 3042, 5681
    // section 3.2).
    const std::int64_t inflated = connection_.sack ? 0 : segment_ * duplicate_acks_;
    if (flight() > 0 && flight() + segment_ > cwnd_ + inflated) {
      limited_by_cwnd_ = true;
      break;
    }
    if (!resend_one(now) && !send_new(now)) break;
  }
  if (order_ != before || outstanding_.empty()) set_timer(now);
}

bool Sender::resend_one(Duration now) {
  for (Outstanding& it : outstanding_) {
    if (!it.lost || it.in_flight || it.sacked) continue;
    it.in_flight = it.resent = true;
    it.sent = now;
    flight_ += it.len();
    transmit(now, it.data, it.data.second == written_);
    it.order = order_;
    return true;
  }
  return false;
}

bool Sender::send_new(Duration now) {
  const std::int64_t wanted = written_ - next_;
  const std::int64_t room = edge_ - next_;
  if (wanted <= 0 || room <= 0) return false;
  const std::int64_t most =
      std::max<std::int64_t>(transfer_.superframe / segment_ * segment_, segment_);
  const std::int64_t cwnd_room = std::max(segment_, (cwnd_ - flight()) / segment_ * segment_);
  std::int64_t len = std::min({wanted, room, most, cwnd_room});
  if (len > segment_ && len < wanted) len -= len % segment_;
  // As Linux does (tcp_tso_should_defer): wait for a super-frame's worth, but not for more than a
  // third of what may be on its way.
  const std::int64_t worth = std::min({most, cwnd_ / 3, wanted});
  if (transfer_.superframe > 0 && len < worth && una_ < next_) return false;
  // Silly window avoidance: no small piece because of the window while something is outstanding;
  // and Nagle: none at all (RFC 9293 sections 3.8.6.2.1 and 3.7.4).
  const bool small = len < segment_ && una_ < next_;
  if (small && (len < wanted || transfer_.nagle)) return false;
  const std::int64_t begin = next_;
  for (next_ = begin; next_ < begin + len;) {
    Outstanding it;
    it.data = {next_, std::min(next_ + segment_, begin + len)};
    it.sent = now;
    it.order = order_ + 1;
    outstanding_.push_back(it);
    next_ = it.data.second;
  }
  flight_ += len;
  transmit(now, {begin, next_}, next_ == written_);
  return true;
}

void Sender::transmit(Duration now, const ByteRange& data, bool push) {
  ++order_;
  DataPacket packet;
  packet.data = data;
  packet.stamps = {connection_.timestamp(transfer_.from, now),
                   connection_[transfer_.from].timestamp_seen};
  path_.send_data(now, packet, push);
}

void Sender::on_ack(Duration now, const AckPacket& packet) {
  connection_[transfer_.from].timestamp_seen = packet.stamps.value;
  const std::int64_t edge = packet.acknowledged + static_cast<std::int64_t>(packet.window_bytes);
  const bool moved = edge != edge_;
  edge_ = std::max(edge_, edge);
  const bool advances = packet.acknowledged > una_;
  if (!advances && !moved && !outstanding_.empty()) ++duplicate_acks_;
  if (advances) acknowledge(now, packet.acknowledged);
  mark_sacked(packet.sack);
  if (in_recovery_ && una_ >= recovery_point_) in_recovery_ = in_timeout_ = false;
  find_losses();
  if (advances && !outstanding_.empty()) set_timer(now);
  send_what_may_be(now);
}

void Sender::acknowledge(Duration now, std::int64_t acknowledged) {
  const std::int64_t newly = acknowledged - una_;
  una_ = acknowledged;
  duplicate_acks_ = 0;
  backoff_ = 0;
  probed_ = false;
  std::optional<Duration> sample;
  while (!outstanding_.empty() && outstanding_.front().data.second <= una_) {
    const Outstanding& head = outstanding_.front();
    if (head.in_flight) flight_ -= head.len();
    if (!head.resent && !head.sacked) sample = head.sent;  // Karn
    outstanding_.pop_front();
  }
  if (sample) measure(now, *sample);
  if (!in_recovery_ || in_timeout_) grow(newly);
  // NewReno: a partial ACK tells of the next loss (RFC 6582).
  if (in_recovery_ && !connection_.sack && una_ < recovery_point_ && !outstanding_.empty()) {
    Outstanding& head = outstanding_.front();
    if (head.in_flight && !head.resent) flight_ -= head.len(), head.in_flight = false;
    head.lost = resend_now_ = true;
  }
}

void Sender::grow(std::int64_t acknowledged) {
  if (!limited_by_cwnd_ && !in_timeout_) return;
  cwnd_ += cwnd_ < ssthresh_ ? acknowledged : segment_ * acknowledged / cwnd_;
}

void Sender::measure(Duration now, Duration sent) {
  const double rtt_s = to_seconds(now - sent);
  if (srtt_s_ == 0) {
    srtt_s_ = rtt_s;
    rttvar_s_ = rtt_s / 2;
  } else {  // RFC 6298 section 2.3
    rttvar_s_ = 0.75 * rttvar_s_ + 0.25 * std::abs(srtt_s_ - rtt_s);
    srtt_s_ = 0.875 * srtt_s_ + 0.125 * rtt_s;
  }
  min_rtt_s_ = min_rtt_s_ > 0 ? std::min(min_rtt_s_, rtt_s) : rtt_s;
  watch_slow_start(rtt_s);
}

// HyStart (RFC 9406 section 4.2): a queue that grows ends slow start before it overflows. Only the
// first samples of a round trip count: behind them is what its own burst queued.
void Sender::watch_slow_start(double rtt_s) {
  constexpr std::uint32_t kSamples = 8;
  if (cwnd_ >= ssthresh_) return;
  if (una_ >= round_end_) {
    round_end_ = next_;
    round_samples_ = 0;
    round_min_s_ = rtt_s;
  }
  round_min_s_ = std::min(round_min_s_, rtt_s);
  if (++round_samples_ != kSamples) return;
  const double threshold_s = std::clamp(min_rtt_s_ / 8, 0.004, 0.016);
  if (round_min_s_ > min_rtt_s_ + threshold_s) ssthresh_ = cwnd_;
}

void Sender::mark_sacked(const std::vector<ByteRange>& blocks) {
  for (const auto& [begin, end] : blocks) {
    for (Outstanding& it : outstanding_) {
      if (it.sacked || it.data.first < begin || it.data.second > end) continue;
      it.sacked = true;
      if (it.in_flight) flight_ -= it.len();
      it.in_flight = false;
    }
  }
}

// Lost is what has three segments SACKed above it that were sent later; without SACK the first one,
// at the third duplicate ACK.
void Sender::find_losses() {
  std::int64_t sacked_above = 0;
  std::uint64_t newest_sacked = 0;
  bool found = false;
  for (auto it = outstanding_.rbegin(); it != outstanding_.rend(); ++it) {
    if (it->sacked) {
      sacked_above += it->len();
      newest_sacked = std::max(newest_sacked, it->order);
    } else if (it->in_flight && sacked_above > (kDuplicateThreshold - 1) * segment_ &&
               it->order < newest_sacked) {
      it->lost = true;
      it->in_flight = false;
      flight_ -= it->len();
      found = true;
    }
  }
  if (!connection_.sack && duplicate_acks_ == kDuplicateThreshold && !in_recovery_ &&
      !outstanding_.empty()) {
    Outstanding& head = outstanding_.front();
    if (head.in_flight) flight_ -= head.len();
    head.lost = found = true;
    head.in_flight = false;
  }
  if (found && !in_recovery_) enter_recovery();
}

void Sender::enter_recovery() {
  in_recovery_ = resend_now_ = true;
  recovery_point_ = next_;
  const auto less = static_cast<std::int64_t>(kDecrease * static_cast<double>(cwnd_));
  cwnd_ = ssthresh_ = std::max(less, 2 * segment_);
}

Duration Sender::timeout() const {
  const double measured_s = srtt_s_ > 0 ? srtt_s_ + 4 * rttvar_s_ : 1.0;  // RFC 6298 section 2.1
  const double plain_s = std::max(measured_s, to_seconds(transfer_.min_rto) + srtt_s_);
  return from_seconds(std::min(std::ldexp(plain_s, static_cast<int>(backoff_)), kMostTimeout_s));
}

void Sender::set_timer(Duration now) {
  ++timer_;
  const bool window_shut = outstanding_.empty() && next_ < written_;
  if (outstanding_.empty() && !window_shut) return;
  if (transfer_.tail_probe && !probed_ && !in_recovery_ && !window_shut && srtt_s_ > 0) {
    const double wait_s = std::max(2 * srtt_s_, 0.010);
    if (from_seconds(wait_s) < timeout()) {
      return events_.set_timer(now + from_seconds(wait_s), Event::Kind::tail_probe, timer_);
    }
  }
  events_.set_timer(now + timeout(), Event::Kind::retransmit, timer_);
}

void Sender::on_tail_probe(Duration now, std::uint64_t timer) {
  if (timer != timer_ || outstanding_.empty()) return;
  probed_ = true;
  Outstanding& last = outstanding_.back();
  last.resent = true;
  last.sent = now;
  transmit(now, last.data, true);
  last.order = order_;
  set_timer(now);
}

void Sender::on_retransmit_timer(Duration now, std::uint64_t timer) {
  if (timer != timer_) return;
  backoff_ = std::min(backoff_ + 1, kMostBackoff);
  if (outstanding_.empty()) {  // the window is shut: ask (RFC 9293 section 3.8.6.1), as Linux does
    transmit(now, {una_ - 1, una_ - 1}, false);
    return set_timer(now);
  }
  if (!in_timeout_) ssthresh_ = std::max(flight() / 2, 2 * segment_);
  cwnd_ = segment_;
  for (Outstanding& it : outstanding_) {
    if (it.sacked) continue;
    it.lost = true;
    it.in_flight = false;
  }
  flight_ = 0;
  in_recovery_ = in_timeout_ = true;
  recovery_point_ = next_;
  send_what_may_be(now);
}

}  // namespace slowpath::test::scenario

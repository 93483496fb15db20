// SPDX-License-Identifier: Apache-2.0
#include "probe/transfer_stream.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "probe/socket.h"
#include "probe/tcp_info.h"

namespace slowpath::probe {
namespace {

// Blocks, or reads, before another stream has its turn and the clock is looked at.
constexpr int kQuota = 8;
// In one call, of what is dropped.
constexpr std::size_t kMostDropped = std::size_t{1} << 20U;
// A paced sender that was held up makes up for so much, and no more: a burst would be another test.
constexpr std::int64_t kMostLateNs = 100'000'000;

bool must_wait(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS; }

}  // namespace

void Allowance::spend(std::uint64_t bytes, bool block_done) {
  bytes_left -= std::min(bytes_left, bytes);
  if (block_done && blocks_left > 0) --blocks_left;
}

TransferStream::TransferStream(const StreamPlan& plan, const TransferPlan& transfer,
                               std::int64_t began_ns)
    : plan_(plan),
      began_ns_(began_ns),
      rate_bps_(plan.sends ? transfer.rate_bps : transfer.receive_rate_bps),
      block_bytes_(transfer.block_bytes),
      due_ns_(began_ns),
      burst_blocks_(plan.sends ? transfer.burst_blocks : 1),
      last_byte_ns_(began_ns),
      interval_began_ns_(began_ns) {
  outcome_.number = plan.number;
  outcome_.sends = plan.sends;
  if (!plan.sends || plan.file >= 0) return;
  block_.resize(block_bytes_);
  // Bytes that nobody asked for: something that no compressor shrinks, but the same each time.
  std::uint64_t value = 0x2545f4914f6cdd1d;
  for (std::byte& each : block_) {
    value ^= value << 13U;
    value ^= value >> 7U;
    value ^= value << 17U;
    each = static_cast<std::byte>(value);
  }
}

double TransferStream::since_start_s(std::int64_t at_ns) const {
  return static_cast<double>(at_ns - began_ns_) * 1e-9;
}

void TransferStream::fail_with(int error) {
  done_ = true;
  outcome_.error = std::strerror(error);
}

void TransferStream::count(std::uint64_t bytes, bool block_done) {
  interval_bytes_ += bytes;
  offset_ += bytes;
  if (!counting_) {
    outcome_.omitted_bytes += bytes;
    return;
  }
  outcome_.bytes += bytes;
  if (block_done) ++outcome_.blocks;
}

long TransferStream::send_block(std::span<const std::byte> rest) {
  if (plan_.file < 0) return send(plan_.socket, rest.data(), rest.size(), MSG_NOSIGNAL);
  const std::uint64_t within = offset_ % plan_.file_bytes;
  auto at = static_cast<off_t>(within);
  const auto size = std::min<std::uint64_t>(block_size_ - block_sent_, plan_.file_bytes - within);
  return sendfile(plan_.socket, plan_.file, &at, size);
}

void TransferStream::send_some(Allowance& allowance, std::int64_t now_ns) {
  for (int turn = 0; turn < kQuota && !done_; ++turn) {
    if (plan_.file_once && offset_ >= plan_.file_bytes) return finish(false);
    if (rate_bps_ > 0 && due_ns() > now_ns) return;
    if (burst_blocks_ > 1 && burst_left_ == 0) burst_left_ = burst_blocks_;
    if (block_size_ == 0) {
      if (counting_ && allowance.is_spent()) return;
      block_size_ = block_bytes_;
      if (counting_ && allowance.limits_bytes)
        block_size_ = std::min<std::uint64_t>(block_size_, allowance.bytes_left);
      block_sent_ = 0;
      if (plan_.source != nullptr && plan_.file < 0)
        plan_.source->fill(std::span{block_}.first(block_size_), offset_);
    }
    const auto rest = plan_.file >= 0 ? std::span<const std::byte>{}
                                      : std::span<const std::byte>{block_}.subspan(
                                            block_sent_, block_size_ - block_sent_);
    const long sent = send_block(rest);
    if (sent < 0) {
      if (!must_wait(errno) && errno != EINTR) fail_with(errno);
      return;
    }
    // sendfile(2) at the end of the file; a socket takes something or fails.
    if (sent == 0) return fail_with(ENODATA);
    const auto bytes = static_cast<std::uint64_t>(sent);
    block_sent_ += bytes;
    const bool block_done = block_sent_ == block_size_;
    if (block_done) block_size_ = 0;
    if (block_done && burst_left_ > 0) --burst_left_;
    count(bytes, block_done);
    if (counting_) allowance.spend(bytes, block_done);
    pace(bytes, now_ns);
    if (!block_done && plan_.file < 0) return;  // The socket took what it could.
  }
}

void TransferStream::pace(std::uint64_t bytes, std::int64_t now_ns) {
  if (rate_bps_ <= 0) return;
  due_ns_ = std::max(due_ns_, now_ns - kMostLateNs) +
            static_cast<std::int64_t>(static_cast<double>(bytes) * 8e9 / rate_bps_);
}

void TransferStream::receive_some(std::span<std::byte> buffer, std::int64_t now_ns) {
  for (int turn = 0; turn < kQuota && !done_; ++turn) {
    if (rate_bps_ > 0 && due_ns_ > now_ns) return;
    // What nobody looks at need not leave the kernel (tcp(7): MSG_TRUNC drops it uncopied).
    const std::size_t most = plan_.sink == nullptr && rate_bps_ <= 0 ? kMostDropped : buffer.size();
    const long got = plan_.sink == nullptr ? recv(plan_.socket, nullptr, most, MSG_TRUNC)
                                           : recv(plan_.socket, buffer.data(), most, 0);
    if (got < 0) {
      if (!must_wait(errno) && errno != EINTR) fail_with(errno);
      return;
    }
    if (got == 0) {
      done_ = outcome_.finished = true;
      return;
    }
    const auto bytes = static_cast<std::size_t>(got);
    if (plan_.sink != nullptr) plan_.sink->take(Bytes{buffer}.first(bytes), offset_);
    count(bytes, true);
    pace(bytes, now_ns);
    if (bytes < most) return;  // There was no more.
  }
}

void TransferStream::serve(std::span<std::byte> buffer, Allowance& allowance, std::int64_t now_ns) {
  const std::uint64_t before = offset_;
  if (plan_.sends) {
    send_some(allowance, now_ns);
  } else {
    receive_some(buffer, now_ns);
  }
  if (offset_ != before) last_byte_ns_ = now_ns;
}

void TransferStream::finish(bool closes) {
  if (done_) return;
  done_ = outcome_.finished = true;
  take_account();
  if (closes) shutdown(plan_.socket, SHUT_WR);
}

void TransferStream::begin_counting(std::int64_t now_ns) {
  counting_ = true;
  at_begin_ = read_socket(plan_.socket);
  last_byte_ns_ = now_ns;
  outcome_.begin_s = since_start_s(now_ns);
  outcome_.rtts_s.clear();
}

StreamInterval TransferStream::close_interval(std::int64_t now_ns, bool omitted) {
  StreamInterval interval{.begin_s = since_start_s(interval_began_ns_),
                          .end_s = since_start_s(now_ns),
                          .bytes = std::exchange(interval_bytes_, 0),
                          .omitted = omitted,
                          .socket = read_socket(plan_.socket)};
  interval_began_ns_ = now_ns;
  if (outcome_.intervals.size() < StreamOutcome::kMostIntervals)
    outcome_.intervals.push_back(interval);
  return interval;
}

// A sender's ends when its sending does: while others still run it would only be idle.
void TransferStream::take_account() {
  outcome_.socket = read_socket(plan_.socket);
  if (outcome_.socket && at_begin_) outcome_.socket = after(*at_begin_, *outcome_.socket);
}

void TransferStream::tick(Duration since_last) {
  if (done_) return;
  if (plan_.sends) {
    sample_rtt();
  } else if (plan_.sink == nullptr && rate_bps_ <= 0) {
    set_low_water(since_last);
  }
}

/// Waking a program costs whoever brings the packet: on one host, or in one machine, the sender. So
/// what is dropped anyway is waited for until a tenth of a millisecond's worth is there; the kernel
/// still wakes where the window closes or the stream ends (tcp(7), SO_RCVLOWAT in socket(7)). A
/// quarter of the buffer at most: more would make the kernel enlarge it, and measure another
/// window.
void TransferStream::set_low_water(Duration since_last) {
  constexpr double kMoment_s = 1e-4, kMost = 256 << 10;
  const auto bytes = static_cast<double>(offset_ - std::exchange(offset_at_tick_, offset_));
  const double buffer = static_cast<double>(receive_buffer_bytes(plan_.socket).value_or(0));
  const double wanted =
      std::clamp(bytes / to_seconds(since_last) * kMoment_s, 1.0, std::min(kMost, buffer / 4 + 1));
  // Small changes are not worth a call.
  if (wanted > 0.5 * low_water_ && wanted < 2.0 * low_water_) return;
  low_water_ = static_cast<int>(wanted);
  setsockopt(plan_.socket, SOL_SOCKET, SO_RCVLOWAT, &low_water_, sizeof low_water_);
}

void TransferStream::sample_rtt() {
  if (++rtts_skipped_ < rtt_stride_) return;
  rtts_skipped_ = 0;
  const auto socket = read_socket(plan_.socket);
  if (!socket || !socket->rtt_s) return;
  auto& kept = outcome_.rtts_s;
  if (kept.size() == StreamOutcome::kMostRtts) {
    for (std::size_t i = 0; i < kept.size() / 2; ++i) kept[i] = kept[2 * i];
    kept.resize(kept.size() / 2);
    rtt_stride_ *= 2;
  }
  kept.push_back(*socket->rtt_s);
}

StreamOutcome TransferStream::take_outcome() {
  outcome_.end_s = since_start_s(last_byte_ns_);
  if (!outcome_.socket) take_account();
  return std::move(outcome_);
}

}  // namespace slowpath::probe

// SPDX-License-Identifier: Apache-2.0
// The sending application.
#include "lab/traffic_sender.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include "lab/tcp_info.h"
#include "lab/traffic_ends.h"
#include "lab/traffic_socket.h"

namespace slowpath::lab {
namespace {

std::int64_t thread_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

/// Keeps a share of the CPU: after each piece of work it burns what the others of a busy machine
/// would have had.
class CpuShare {
 public:
  explicit CpuShare(double share) : share_(share), before_(share < 1 ? thread_cpu_ns() : 0) {}
  void give_way(std::int64_t deadline_ns) {
    if (share_ >= 1) return;
    const auto worked = thread_cpu_ns() - before_;
    const auto burn = static_cast<std::int64_t>(static_cast<double>(worked) * (1 / share_ - 1));
    const auto until = std::min(steady_ns() + burn, deadline_ns);
    while (steady_ns() < until) {
    }
    before_ = thread_cpu_ns();
  }

 private:
  double share_;
  std::int64_t before_;
};

/// Bytes at a rate: when the next may go.
class Pace {
 public:
  explicit Pace(double rate_bps) : rate_bps_(rate_bps), began_ns_(steady_ns()) {}
  void wait(std::uint64_t done, std::int64_t deadline_ns) const {
    if (rate_bps_ <= 0) return;
    const auto due = static_cast<std::int64_t>(static_cast<double>(done) * 8e9 / rate_bps_);
    sleep_until_ns(std::min(began_ns_ + due, deadline_ns));
  }

 private:
  double rate_bps_;
  std::int64_t began_ns_;
};

/// One write; false on an error. Waits as the socket does, or by poll() where it does not block.
/// A program sleeps until its buffer has room for a good part of itself. Whoever looks up now and
/// then to see whether it is late must not write into less: its patience would be seen as pauses.
bool write_some(int socket, Bytes data, bool nonblocking, std::size_t& taken) {
  taken = 0;
  pollfd ready{.fd = socket, .events = POLLOUT, .revents = 0};
  if (poll(&ready, 1, kPatienceMs) == 0) return true;
  // The flag and not O_NONBLOCK: the other direction's reader shares the socket.
  const int flags = MSG_NOSIGNAL | (nonblocking ? MSG_DONTWAIT : 0);
  const auto count = send(socket, data.data(), data.size(), flags);
  if (count > 0) taken = static_cast<std::size_t>(count);
  return count >= 0 || errno == EAGAIN || errno == EINTR;
}

std::string write_error() { return std::string{"write: "} + std::strerror(errno); }

/// The pauses that a plan has at places in the stream.
class Pauses {
 public:
  explicit Pauses(const SenderPlan& plan) : plan_(plan), next_(plan.write_pause_every) {}
  /// How far a write may go before the next pause.
  [[nodiscard]] std::uint64_t room(std::uint64_t done) const {
    std::uint64_t room = UINT64_MAX;
    if (next_ != 0) room = std::min(room, next_ - done);
    if (plan_.idle_after > done) room = std::min(room, plan_.idle_after - done);
    return room;
  }
  void take(std::uint64_t done, std::int64_t deadline_ns) {
    const auto pause = [&](Duration time) {
      sleep_until_ns(std::min(steady_ns() + time.count(), deadline_ns));
    };
    if (next_ != 0 && done == next_) {
      next_ += plan_.write_pause_every;
      pause(plan_.write_pause);
    }
    if (plan_.idle_after != 0 && done == plan_.idle_after && !idled_) {
      idled_ = true;
      pause(plan_.idle_for);
    }
  }

 private:
  const SenderPlan& plan_;
  std::uint64_t next_;
  bool idled_ = false;
};

}  // namespace

Sent send_stream(int socket, const TransferEnd& end, int direction, const Pattern& pattern) {
  const auto& plan = end.plan.sender;
  const auto total = end.plan.bytes == 0 ? UINT64_MAX : end.plan.bytes;
  const auto deadline = end.deadline_ns();
  std::vector<std::byte> buffer(plan.write_size);
  const Pace pace{plan.write_rate_bps};
  Pauses pauses{plan};
  CpuShare share{plan.cpu_share};
  Sent sent;
  while (sent.bytes < total && steady_ns() < deadline) {
    const auto want =
        std::min<std::uint64_t>({buffer.size(), total - sent.bytes, pauses.room(sent.bytes)});
    const auto piece = std::span{buffer}.first(want);
    pattern.fill(sent.bytes, piece);
    for (std::size_t done = 0; done < want && steady_ns() < deadline;) {
      std::size_t taken = 0;
      if (!write_some(socket, piece.subspan(done), plan.nonblocking, taken)) {
        sent.error = write_error();
        return sent;
      }
      done += taken;
      sent.bytes += taken;
      end.control.sent[direction].store(sent.bytes, std::memory_order_relaxed);
    }
    share.give_way(deadline);
    pauses.take(sent.bytes, deadline);
    pace.wait(sent.bytes, deadline);
  }
  sent.all = sent.bytes == total;
  return sent;
}

Sent send_exactly(int socket, const TransferEnd& end, const Pattern& pattern, std::uint64_t offset,
                  std::uint64_t length) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(length, end.plan.sender.write_size));
  Sent sent;
  while (sent.bytes < length && !end.is_late()) {
    const auto piece =
        std::span{buffer}.first(std::min<std::uint64_t>(buffer.size(), length - sent.bytes));
    pattern.fill(offset + sent.bytes, piece);
    std::size_t taken = 0;
    if (!write_some(socket, piece, false, taken)) {
      sent.error = write_error();
      return sent;
    }
    sent.bytes += taken;
  }
  sent.all = sent.bytes == length;
  return sent;
}

void leave_quietly(int socket, TransferEnd& end, int direction) {
  constexpr std::int64_t kMostNs = 500'000'000;
  constexpr std::int64_t kReceiverNs = 2'000'000'000;
  constexpr std::int64_t kStepNs = 5'000'000;
  hold_back(socket);
  const auto until = steady_ns() + kMostNs;
  while (steady_ns() < until) {
    const auto info = read_tcp_info(socket);
    if (!info) break;
    if (info->unacked == 0) break;
    sleep_until_ns(steady_ns() + kStepNs);
  }
  // On a busy machine the other process may come to its last read late.
  const auto patience = steady_ns() + kReceiverNs;
  while (!end.control.receiver_stopped[direction] && steady_ns() < patience)
    sleep_until_ns(steady_ns() + kStepNs);
  // A window update may still be on its way; a closed port would answer it with a reset.
  if (const auto info = read_tcp_info(socket))
    sleep_until_ns(steady_ns() + std::clamp(std::int64_t{info->rtt} * 1000, kStepNs, kMostNs));
  end.control.sender_gone[direction] = true;
}

}  // namespace slowpath::lab

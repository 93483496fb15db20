// SPDX-License-Identifier: Apache-2.0
#include "probe/path/segment_probe.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include "probe/path/host_counters.h"
#include "probe/path/stopwatch.h"

namespace slowpath::probe {
namespace {

// Fewer than an initial window (RFC 6928: ten), so that no sound queue minds; enough to open the
// small window of a careful route: Linux puts at most half a window into one frame.
constexpr std::uint32_t kSegmentsOfBurst = 8;
constexpr Duration kLongestSingle = std::chrono::seconds(3);
constexpr Duration kLongestBurst = std::chrono::seconds(4);

std::optional<tcp_info> read_info(int socket) {
  tcp_info info{};
  socklen_t len = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &len) != 0) return std::nullopt;
  return info;
}

bool send_all(int socket, std::size_t size, std::int64_t deadline) {
  const std::vector<std::byte> bytes(size, std::byte{0x5a});
  std::size_t done = 0;
  while (done < size) {
    const ssize_t sent =
        send(socket, bytes.data() + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      done += static_cast<std::size_t>(sent);
      continue;
    }
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    pollfd polled{.fd = socket, .events = POLLOUT, .revents = 0};
    const int left_ms = milliseconds_until(deadline);
    if (left_ms <= 0 || poll(&polled, 1, left_ms) == 0) return false;
  }
  return true;
}

struct Trial {
  bool acknowledged = false, resent = false;
  std::uint32_t resends = 0;
  bool timed_out = false;
};

/// One write, until all of it is acknowledged.
Trial attempt(int socket, std::size_t size, Duration longest) {
  Trial trial;
  const auto before = read_info(socket);
  const std::int64_t deadline = steady_ns() + longest.count();
  if (!before || !send_all(socket, size, deadline)) return trial;
  while (true) {
    const auto now = read_info(socket);
    if (!now || now->tcpi_state != 1) break;  // ESTABLISHED
    trial.timed_out = trial.timed_out || now->tcpi_backoff > 0 || now->tcpi_ca_state == 4;  // Loss
    trial.resends = now->tcpi_total_retrans - before->tcpi_total_retrans;
    if (now->tcpi_unacked == 0 && now->tcpi_notsent_bytes == 0) {
      trial.acknowledged = true;
      break;
    }
    if (steady_ns() >= deadline) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  trial.resent = trial.resends > 0;
  return trial;
}

std::optional<std::uint64_t> too_big_since(const HostCounters& before) {
  return rise(before, read_host_counters(), kIcmpTooBig);
}

void send_singles(int socket, std::uint32_t count, SegmentTest& test) {
  const HostCounters before = read_host_counters();
  const std::int64_t begin = steady_ns();
  for (std::uint32_t i = 0; i < count; ++i) {
    const Trial trial = attempt(socket, test.mss_bytes, kLongestSingle);
    ++test.singles_sent;
    if (trial.resent || !trial.acknowledged) ++test.singles_resent;
    if (!trial.acknowledged) return;
  }
  test.singles_done = true;
  test.singles_s = static_cast<double>(steady_ns() - begin) * 1e-9;
  test.too_big_in_singles = too_big_since(before);
}

void send_burst(int socket, SegmentTest& test) {
  const HostCounters before = read_host_counters();
  const std::int64_t begin = steady_ns();
  test.burst_bytes = std::size_t{test.mss_bytes} * kSegmentsOfBurst;
  const Trial trial = attempt(socket, test.burst_bytes, kLongestBurst);
  test.bursts = 1;
  test.resent_segments = trial.resends;
  test.timeouts = trial.timed_out ? 1 : 0;
  test.bursts_resent = trial.resent || !trial.acknowledged ? 1 : 0;
  test.bursts_done = trial.acknowledged;
  if (trial.acknowledged) test.burst_acked_bytes = test.burst_bytes;
  test.bursts_s = static_cast<double>(steady_ns() - begin) * 1e-9;
  test.too_big_in_bursts = too_big_since(before);
}

void add(std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& more) {
  if (more) sum = sum.value_or(0) + *more;
}

}  // namespace

SegmentTest test_segments(int socket, Direction direction, std::uint32_t singles) {
  SegmentTest test;
  test.direction = direction;
  const auto info = read_info(socket);
  if (!info) {
    test.unable = std::string("cannot read TCP_INFO: ") + std::strerror(errno);
    return test;
  }
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  test.mss_bytes = info->tcpi_snd_mss;
  test.kernel_pmtu_before = info->tcpi_pmtu;
  send_singles(socket, singles, test);
  if (test.singles_done) send_burst(socket, test);
  if (const auto after = read_info(socket)) {
    test.kernel_pmtu_after = after->tcpi_pmtu;
    test.rtt_s = after->tcpi_min_rtt * 1e-6;
  }
  return test;
}

void add_segments(SegmentTest& test, const SegmentTest& more) {
  test.singles_sent += more.singles_sent;
  test.singles_resent += more.singles_resent;
  test.singles_s += more.singles_s;
  test.singles_done = test.singles_done && more.singles_done;
  test.burst_bytes += more.burst_bytes;
  test.burst_acked_bytes += more.burst_acked_bytes;
  test.bursts += more.bursts;
  test.bursts_resent += more.bursts_resent;
  test.bursts_s += more.bursts_s;
  test.bursts_done = test.bursts_done && more.bursts_done;
  test.resent_segments += more.resent_segments;
  test.timeouts += more.timeouts;
  add(test.too_big_in_singles, more.too_big_in_singles);
  add(test.too_big_in_bursts, more.too_big_in_bursts);
  if (more.kernel_pmtu_after) test.kernel_pmtu_after = more.kernel_pmtu_after;
}

}  // namespace slowpath::probe

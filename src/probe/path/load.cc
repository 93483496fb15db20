// SPDX-License-Identifier: Apache-2.0
#include "probe/path/load.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "probe/path/stopwatch.h"
#include "probe/tcp_info.h"

namespace slowpath::probe {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 18U;

bool would_wait() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

/// The sockets that are still good, as poll(2) takes them.
class Polled {
 public:
  Polled(std::span<const Descriptor> sockets, short events) {
    for (const Descriptor& socket : sockets) {
      entries_.push_back({.fd = socket.get(), .events = events, .revents = 0});
    }
  }
  [[nodiscard]] bool any() const {
    return std::ranges::any_of(entries_, [](const pollfd& entry) { return entry.fd >= 0; });
  }
  std::vector<pollfd>& await(int most_ms) {
    poll(entries_.data(), entries_.size(), most_ms);
    return entries_;
  }

 private:
  std::vector<pollfd> entries_;  // a broken one has a negative fd, which poll(2) leaves alone
};

}  // namespace

LoadResult send_load(std::span<const Descriptor> sockets, Duration how_long) {
  const std::vector<std::byte> block(kBlock);
  const std::int64_t begin = steady_ns();
  const std::int64_t deadline = begin + how_long.count();
  Polled polled(sockets, POLLOUT);
  while (steady_ns() < deadline && polled.any()) {
    for (pollfd& entry : polled.await(milliseconds_until(deadline))) {
      if (entry.fd < 0 || entry.revents == 0) continue;
      const ssize_t sent = send(entry.fd, block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && !would_wait()) entry.fd = -1;
    }
  }
  LoadResult result;
  result.seconds = static_cast<double>(steady_ns() - begin) * 1e-9;
  // What still lies in the buffers has not crossed the path.
  for (const Descriptor& socket : sockets) {
    const auto facts = read_socket(socket.get());
    if (facts && facts->bytes_acked) result.bytes += *facts->bytes_acked;
  }
  return result;
}

LoadResult drain_load(std::span<const Descriptor> sockets, const std::atomic<bool>& stop) {
  std::vector<std::byte> block(kBlock);
  LoadResult result;
  std::int64_t begin = 0, last = 0;
  Polled polled(sockets, POLLIN);
  while (polled.any()) {
    bool came = false;
    for (pollfd& entry : polled.await(100)) {
      if (entry.fd < 0 || entry.revents == 0) continue;
      const ssize_t got = recv(entry.fd, block.data(), block.size(), MSG_DONTWAIT);
      if (got > 0) {
        came = true;
        last = steady_ns();
        if (begin == 0) begin = last;
        result.bytes += static_cast<std::uint64_t>(got);
      } else if (got == 0 || !would_wait()) {
        entry.fd = -1;
      }
    }
    if (stop && !came) break;
  }
  result.seconds = static_cast<double>(last - begin) * 1e-9;
  return result;
}

}  // namespace slowpath::probe

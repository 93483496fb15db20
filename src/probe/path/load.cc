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

void await(int socket, short events, int most_ms) {
  pollfd polled{.fd = socket, .events = events, .revents = 0};
  poll(&polled, 1, most_ms);
}

}  // namespace

LoadResult send_load(int socket, Duration how_long) {
  const std::vector<std::byte> block(kBlock);
  const std::int64_t begin = steady_ns();
  const std::int64_t deadline = begin + how_long.count();
  LoadResult result;
  while (steady_ns() < deadline) {
    const ssize_t sent = send(socket, block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      result.bytes += static_cast<std::uint64_t>(sent);
    } else if (would_wait()) {
      await(socket, POLLOUT, milliseconds_until(deadline));
    } else {
      break;
    }
  }
  result.seconds = static_cast<double>(steady_ns() - begin) * 1e-9;
  // What still lies in the buffer has not crossed the path.
  if (const auto facts = read_socket(socket); facts && facts->bytes_acked) {
    result.bytes = std::min(result.bytes, *facts->bytes_acked);
  }
  return result;
}

LoadResult drain_load(int socket, const std::atomic<bool>& stop) {
  std::vector<std::byte> block(kBlock);
  LoadResult result;
  std::int64_t begin = 0, last = 0;
  while (true) {
    const ssize_t got = recv(socket, block.data(), block.size(), MSG_DONTWAIT);
    if (got > 0) {
      last = steady_ns();
      if (begin == 0) begin = last;
      result.bytes += static_cast<std::uint64_t>(got);
    } else if (got < 0 && would_wait()) {
      if (stop) break;
      await(socket, POLLIN, 100);
    } else {
      break;
    }
  }
  result.seconds = static_cast<double>(last - begin) * 1e-9;
  return result;
}

}  // namespace slowpath::probe

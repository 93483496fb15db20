// SPDX-License-Identifier: Apache-2.0
#include "probe/path/connect_rtt.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "probe/path/round_trips.h"
#include "probe/path/socket_address.h"
#include "probe/path/stopwatch.h"

namespace slowpath::probe {
namespace {

// RFC 6298 section 2.1: the first SYN is repeated after a second; sooner no answer belongs to a
// second one (Linux keeps to it, TCP_TIMEOUT_INIT).
constexpr double kSecondSyn_s = 1.0;
constexpr std::uint32_t kGiveUp = 3;

ConnectFate fate_of(int error) {
  switch (error) {
    case 0:
      return ConnectFate::connected;
    case ECONNREFUSED:
      return ConnectFate::refused;
    case ECONNRESET:
      return ConnectFate::reset;
    case ETIMEDOUT:
      return ConnectFate::timed_out;
    case EADDRNOTAVAIL:
      return ConnectFate::no_local_port;
    default:
      return ConnectFate::failed;
  }
}

int await_connect(int fd, Duration wait) {
  pollfd polled{.fd = fd, .events = POLLOUT, .revents = 0};
  const std::int64_t deadline = steady_ns() + wait.count();
  int ready = 0;
  do {
    ready = poll(&polled, 1, milliseconds_until(deadline));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) return ETIMEDOUT;
  int error = 0;
  socklen_t len = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
  return error;
}

}  // namespace

ConnectAttempt attempt_connect(const Endpoint& target, Duration wait, bool abort) {
  const int family = target.address.version == 6 ? AF_INET6 : AF_INET;
  const Descriptor fd{socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd.is_open()) return {.fate = ConnectFate::failed, .seconds = 0, .error = errno};
  if (abort) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  const SocketAddress address = to_socket_address(target);
  const std::int64_t begin = steady_ns();
  int error = connect(fd.get(), address.get(), address.length) == 0 ? 0 : errno;
  if (error == EINPROGRESS) error = await_connect(fd.get(), wait);
  return {.fate = fate_of(error),
          .seconds = static_cast<double>(steady_ns() - begin) * 1e-9,
          .error = error};
}

ConnectTest measure_connect(const IpAddress& target, const ConnectOptions& options) {
  ConnectTest test;
  test.port = options.port;
  std::vector<double> seconds;
  std::uint32_t sent = 0, silent = 0;
  while (sent < options.count && silent < kGiveUp) {
    if (sent++ > 0) std::this_thread::sleep_for(options.pause);
    const ConnectAttempt attempt = attempt_connect({target, options.port}, options.wait, false);
    const bool answered =
        attempt.fate == ConnectFate::connected || attempt.fate == ConnectFate::refused;
    if (!answered) {
      ++silent;
      test.last_error = std::strerror(attempt.error);
      continue;
    }
    silent = 0;
    if (attempt.fate == ConnectFate::refused) ++test.refused;
    // With the wait for its second SYN in it, it is no round trip.
    if (attempt.seconds >= kSecondSyn_s) {
      ++test.slow;
    } else {
      seconds.push_back(attempt.seconds);
    }
  }
  test.trips = summarise(seconds, sent);
  test.trips.answered = static_cast<std::uint32_t>(seconds.size()) + test.slow;
  return test;
}

}  // namespace slowpath::probe

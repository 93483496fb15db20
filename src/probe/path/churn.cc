// SPDX-License-Identifier: Apache-2.0
#include "probe/path/churn.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "machine/live/host_files.h"
#include "probe/path/host_counters.h"
#include "probe/path/round_trips.h"
#include "probe/path/socket_address.h"
#include "probe/path/stopwatch.h"

namespace slowpath::probe {
namespace {

// A second SYN goes out after a second (RFC 6298 section 2.1).
constexpr double kSecondSyn_s = 0.95;
constexpr std::size_t kMostAtOnce = 2000;

struct Attempt {
  Descriptor socket;
  std::int64_t begin_ns = 0;
};

class Churn {
 public:
  Churn(const IpAddress& target, const ChurnOptions& options)
      : address_(to_socket_address({target, options.port})),
        family_(target.version == 6 ? AF_INET6 : AF_INET),
        options_(options) {
    test_.port = options.port;
    test_.offered_cps = std::clamp(options.connections_per_second, 1.0, ChurnOptions::kMostRate);
  }

  ChurnTest run() {
    const std::int64_t begin = steady_ns();
    const std::int64_t end = begin + options_.how_long.count();
    while (steady_ns() < end && !(options_.stopped && options_.stopped())) {
      const double due = static_cast<double>(steady_ns() - begin) * 1e-9 * test_.offered_cps;
      while (static_cast<double>(test_.attempts) < due && open_.size() < kMostAtOnce) start();
      await(2);
      if (options_.progress) options_.progress(test_.attempts);
    }
    test_.seconds = static_cast<double>(steady_ns() - begin) * 1e-9;
    const std::int64_t last = steady_ns() + options_.wait.count();
    while (!open_.empty() && steady_ns() < last) await(20);
    test_.timed_out += open_.size();
    sum_up();
    return std::move(test_);
  }

 private:
  void note_failure() {
    if (test_.first_failure_at == 0)
      test_.first_failure_at = std::max<std::uint64_t>(1, test_.connected);
  }

  void start() {
    ++test_.attempts;
    Attempt attempt{
        .socket = Descriptor{socket(family_, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)},
        .begin_ns = steady_ns()};
    if (!attempt.socket.is_open()) {
      if (test_.unable.empty()) test_.unable = "this process may not open so many sockets";
      return;
    }
    if (connect(attempt.socket.get(), address_.get(), address_.length) == 0 ||
        errno == EINPROGRESS) {
      open_.push_back(std::move(attempt));
      return;
    }
    settle(attempt, errno);
  }

  void settle(const Attempt& attempt, int error) {
    const double seconds = static_cast<double>(steady_ns() - attempt.begin_ns) * 1e-9;
    if (error == 0) {
      ++test_.connected;
      if (seconds >= kSecondSyn_s) {
        ++test_.slow;
        note_failure();
      }
      seconds_.push_back(seconds);
      return;
    }
    note_failure();
    if (error == EADDRNOTAVAIL) ++test_.no_local_port;
    if (error == ECONNREFUSED) ++test_.refused;
    if (error == ECONNRESET) ++test_.reset;
    if (error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH) ++test_.timed_out;
  }

  void await(int milliseconds) {
    std::vector<pollfd> polled;
    for (const Attempt& attempt : open_) {
      polled.push_back({.fd = attempt.socket.get(), .events = POLLOUT, .revents = 0});
    }
    poll(polled.data(), polled.size(), milliseconds);
    std::vector<Attempt> still;
    for (std::size_t i = 0; i < open_.size(); ++i) {
      if (polled[i].revents == 0) {
        if (steady_ns() - open_[i].begin_ns > options_.wait.count()) {
          ++test_.timed_out;
          note_failure();
        } else {
          still.push_back(std::move(open_[i]));
        }
        continue;
      }
      int error = 0;
      socklen_t len = sizeof error;
      getsockopt(open_[i].socket.get(), SOL_SOCKET, SO_ERROR, &error, &len);
      settle(open_[i], error);
    }
    open_ = std::move(still);
  }

  void sum_up() {
    std::ranges::sort(seconds_);
    test_.median_s = quantile(seconds_, 0.5);
    test_.p99_s = quantile(seconds_, 0.99);
    test_.max_s = seconds_.empty() ? 0 : seconds_.back();
    if (test_.first_failure_at == 0 && test_.connected < test_.attempts) note_failure();
    const HostCounters counters = read_host_counters();
    const auto waiting = counters.find("SockstatTcpTw");
    if (waiting != counters.end()) test_.local_time_wait = waiting->second;
    test_.local_ports = count_ports();
  }

  /// net.ipv4.ip_local_port_range serves IPv6, too.
  static std::optional<std::uint64_t> count_ports() {
    const machine::HostFiles files;
    const std::string text = files.word("/proc/sys/net/ipv4/ip_local_port_range");
    const auto words = machine::words_of(text);
    std::uint64_t first = 0, last = 0;
    if (words.size() != 2) return std::nullopt;
    std::from_chars(words[0].data(), words[0].data() + words[0].size(), first);
    std::from_chars(words[1].data(), words[1].data() + words[1].size(), last);
    if (last < first) return std::nullopt;
    return last - first + 1;
  }

  SocketAddress address_;
  int family_;
  const ChurnOptions& options_;
  ChurnTest test_;
  std::vector<Attempt> open_;
  std::vector<double> seconds_;
};

}  // namespace

ChurnTest test_churn(const IpAddress& target, const ChurnOptions& options) {
  return Churn(target, options).run();
}

}  // namespace slowpath::probe

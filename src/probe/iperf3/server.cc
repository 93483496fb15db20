// SPDX-License-Identifier: Apache-2.0
// The door: who comes shows a cookie. That of the running test brings a stream; any other begins a
// test where none runs, and is refused where one does.
#include "probe/iperf3/server.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <list>
#include <memory>
#include <utility>

#include "facts/address.h"
#include "probe/iperf3/protocol.h"
#include "probe/iperf3/served_test.h"

namespace slowpath::probe::iperf3 {
namespace {

using namespace std::chrono_literals;

constexpr Duration kCookiePatience = 5s;
/// Connections that have not shown their cookie yet; the oldest goes for the newest.
constexpr std::size_t kMostNewcomers = 256;

struct Newcomer {
  Descriptor socket;
  std::string peer, cookie;
  std::int64_t deadline_ns = 0;
};

enum class Shown { not_yet, cookie, gone };

Shown read_cookie(Newcomer& newcomer) {
  std::array<char, kCookieBytes> buffer{};
  const std::size_t wanted = kCookieBytes - newcomer.cookie.size();
  const ssize_t got = recv(newcomer.socket.get(), buffer.data(), wanted, 0);
  if (got > 0) newcomer.cookie.append(buffer.data(), static_cast<std::size_t>(got));
  if (newcomer.cookie.size() == kCookieBytes) return Shown::cookie;
  const bool waits = got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
  return waits && steady_ns() < newcomer.deadline_ns ? Shown::not_yet : Shown::gone;
}

class Server {
 public:
  explicit Server(const ServerOptions& options) : options_(options) {}

  Result<void> run() {
    constexpr int kBacklog = 1024;
    Result<Descriptor> listener = listen_tcp(options_.host, options_.port, options_.family, {},
                                             kBacklog, options_.bind_device);
    if (!listener) return std::unexpected(listener.error());
    const std::optional<Endpoint> local = local_endpoint(listener->get());
    if (options_.on_listen) {
      const Result<void> ready = options_.on_listen(local ? local->port : options_.port);
      if (!ready) return ready;
    }
    while (!is_stopped() && !(options_.one_off && served_ > 0 && !test_)) {
      // Somebody may be about to show a cookie.
      const Duration wait = newcomers_.empty() ? Duration{100ms} : Duration{5ms};
      Result<std::optional<Descriptor>> came = accept_tcp(listener->get(), wait);
      if (!came) return std::unexpected(came.error());
      if (*came) welcome(std::move(**came));
      look_at_newcomers();
      if (test_ && test_->is_over()) test_.reset();
    }
    return {};
  }

 private:
  [[nodiscard]] bool is_stopped() const {
    return options_.stop != nullptr && options_.stop->load();
  }

  void welcome(Descriptor socket) {
    if (newcomers_.size() == kMostNewcomers) newcomers_.pop_front();
    const std::optional<Endpoint> peer = remote_endpoint(socket.get());
    newcomers_.push_back({std::move(socket),
                          peer ? to_string(peer->address) : "?",
                          {},
                          steady_ns() + kCookiePatience.count()});
  }

  void look_at_newcomers() {
    for (auto newcomer = newcomers_.begin(); newcomer != newcomers_.end();) {
      Shown shown = read_cookie(*newcomer);
      // Who comes as the last test ends finds the door open a moment later, not a busy server.
      if (shown == Shown::cookie && is_next(*newcomer)) shown = Shown::not_yet;
      if (shown == Shown::cookie) let_in(*newcomer);
      newcomer = shown == Shown::not_yet ? std::next(newcomer) : newcomers_.erase(newcomer);
    }
  }

  [[nodiscard]] bool is_next(const Newcomer& newcomer) const {
    return test_ && test_->is_ending() && !test_->is_over() && test_->cookie() != newcomer.cookie;
  }

  void let_in(Newcomer& newcomer) {
    if (test_ && test_->is_over()) test_.reset();
    if (test_ && test_->cookie() == newcomer.cookie) {
      test_->add_stream(std::move(newcomer.socket));
    } else if (test_) {
      const auto denied = static_cast<std::int8_t>(State::access_denied);
      send(newcomer.socket.get(), &denied, 1, MSG_NOSIGNAL);
    } else {
      ++served_;
      test_ = std::make_unique<ServedTest>(options_, std::move(newcomer.socket), newcomer.peer,
                                           newcomer.cookie);
    }
  }

  const ServerOptions& options_;
  std::list<Newcomer> newcomers_;
  std::unique_ptr<ServedTest> test_;
  std::uint64_t served_ = 0;
};

}  // namespace

Result<void> run_server(const ServerOptions& options) { return Server(options).run(); }

}  // namespace slowpath::probe::iperf3

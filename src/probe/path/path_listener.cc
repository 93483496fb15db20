// SPDX-License-Identifier: Apache-2.0
#include "probe/path/path_listener.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "probe/path/handshake_watch.h"
#include "probe/path/stopwatch.h"

namespace slowpath::probe {
namespace {

constexpr std::size_t kGreeting = 9;
// Whoever connects and says nothing is let go.
constexpr std::int64_t kGreetingNs = 5'000'000'000;

}  // namespace

struct PathListener::Connection {
  Descriptor socket;
  Endpoint client;
  std::vector<std::byte> greeting;
  std::int64_t since_ns = 0;
  bool is_greeted = false;
  PathUse use = PathUse::sink;
};

std::vector<std::byte> path_greeting(std::uint64_t token, PathUse use) {
  std::vector<std::byte> bytes(kGreeting);
  store_be32(bytes.data(), static_cast<std::uint32_t>(token >> 32));
  store_be32(bytes.data() + 4, static_cast<std::uint32_t>(token));
  store_u8(bytes.data() + 8, static_cast<std::uint8_t>(use));
  return bytes;
}

PathListener::PathListener(const IpAddress& peer, std::uint64_t token)
    : peer_(peer), token_(token) {}

Result<std::unique_ptr<PathListener>> PathListener::open(const IpAddress& local,
                                                         const IpAddress& peer,
                                                         std::uint64_t token) {
  std::unique_ptr<PathListener> listener(new PathListener(peer, token));
  Result<Descriptor> socket = listen_tcp(to_string(local), 0, IpFamily::any, {}, 256);
  if (!socket) return std::unexpected(socket.error());
  listener->listener_ = std::move(*socket);
  save_syns(listener->listener_.get());
  listener->wake_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::optional<Endpoint> end = local_endpoint(listener->listener_.get());
  if (!end || !listener->wake_.is_open()) {
    return fail(ErrorKind::environment, "cannot open a TCP port", std::strerror(errno));
  }
  listener->port_ = end->port;
  listener->thread_ = std::thread([raw = listener.get()] { raw->serve(); });
  return listener;
}

PathListener::~PathListener() {
  closing_ = true;
  const std::uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
}

void PathListener::accept_all() {
  while (connections_.size() < kMostConnections) {
    Result<std::optional<Descriptor>> next = accept_tcp(listener_.get(), Duration{0});
    if (!next || !*next) return;
    Connection connection;
    connection.socket = std::move(**next);
    const std::optional<Endpoint> client = remote_endpoint(connection.socket.get());
    if (!client || client->address != peer_) continue;  // Not whom the session is with.
    connection.client = *client;
    connection.since_ns = steady_ns();
    connections_.push_back(std::move(connection));
  }
}

bool PathListener::greet(Connection& connection) {
  std::array<std::byte, kGreeting> bytes{};
  const std::size_t missing = kGreeting - connection.greeting.size();
  const ssize_t got = recv(connection.socket.get(), bytes.data(), missing, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  connection.greeting.insert(connection.greeting.end(), bytes.begin(), bytes.begin() + got);
  if (connection.greeting.size() < kGreeting) return true;
  const std::uint64_t token = std::uint64_t{load_be32(connection.greeting.data())} << 32U |
                              load_be32(connection.greeting.data() + 4);
  const auto use = static_cast<char>(connection.greeting[8]);
  if (token != token_ || (use != 's' && use != 'e' && use != 'h')) return false;
  connection.use = static_cast<PathUse>(use);
  connection.is_greeted = true;
  return true;
}

bool PathListener::serve_one(Connection& connection) {
  if (!connection.is_greeted) return greet(connection);
  static thread_local std::vector<std::byte> bytes(std::size_t{1} << 18U);
  // Bounded, so that a fast sender does not keep the others waiting.
  for (int i = 0; i < 8; ++i) {
    const std::size_t room = connection.use == PathUse::echo ? 256 : bytes.size();
    const ssize_t got = recv(connection.socket.get(), bytes.data(), room, MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    if (connection.use == PathUse::echo) {
      const auto size = static_cast<std::size_t>(got);
      // Echoes are a few bytes; who does not read them is let go.
      if (send(connection.socket.get(), bytes.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT) != got) {
        return false;
      }
    }
  }
  return true;
}

void PathListener::serve() {
  while (!closing_) {
    std::vector<pollfd> polled{{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                               {.fd = listener_.get(), .events = POLLIN, .revents = 0}};
    for (const Connection& connection : connections_) {
      polled.push_back({.fd = connection.socket.get(), .events = POLLIN, .revents = 0});
    }
    if (poll(polled.data(), polled.size(), 1000) < 0 && errno != EINTR) return;
    std::size_t at = 2;
    for (auto item = connections_.begin(); item != connections_.end(); ++at) {
      const bool is_late = !item->is_greeted && steady_ns() - item->since_ns > kGreetingNs;
      const bool lives = !is_late && (polled[at].revents == 0 || serve_one(*item));
      const auto next = std::next(item);
      if (!lives) {
        connections_.erase(item);
      } else if (item->is_greeted && item->use == PathUse::held) {
        const std::scoped_lock lock(mutex_);
        held_.splice(held_.end(), connections_, item);
        if (held_.size() > kMostConnections) held_.pop_front();
      }
      item = next;
    }
    if (polled[1].revents != 0) accept_all();
  }
}

std::optional<Descriptor> PathListener::take(std::uint16_t client_port, Duration wait) {
  const std::int64_t deadline = steady_ns() + wait.count();
  while (true) {
    {
      const std::scoped_lock lock(mutex_);
      const auto found = std::ranges::find_if(
          held_, [&](const Connection& item) { return item.client.port == client_port; });
      if (found != held_.end()) {
        Descriptor socket = std::move(found->socket);
        held_.erase(found);
        return socket;
      }
    }
    if (steady_ns() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace slowpath::probe

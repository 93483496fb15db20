// SPDX-License-Identifier: Apache-2.0
#include "probe/path/idle_search.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <thread>

#include "probe/path/stopwatch.h"

namespace slowpath::probe {
namespace {

enum class State : std::uint8_t { silent, asked, alive, lost, reset };

struct Idler {
  Descriptor socket;
  double silence_s = 0;  // planned; once asked, how long it was
  std::int64_t begin_ns = 0;
  State state = State::silent;
  std::int64_t asked_ns = 0;
};

bool ask(int socket) {
  const char byte = 'x';
  return send(socket, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

/// What the connection says now: alive, reset, or still asked.
State look(int socket) {
  char byte = 0;
  const ssize_t got = recv(socket, &byte, 1, MSG_DONTWAIT);
  if (got > 0) return State::alive;
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return State::asked;
  return State::reset;
}

class Search {
 public:
  Search(PathPeer& peer, const IdleOptions& options) : peer_(peer), options_(options) {}

  IdleTest run() {
    if (!open()) return std::move(test_);
    begin_ns_ = steady_ns();
    const std::int64_t deadline = begin_ns_ + options_.longest.count() + options_.wait.count();
    while (steady_ns() < deadline && !(options_.stopped && options_.stopped()) && is_open()) {
      step();
      if (options_.progress) options_.progress(elapsed_s());
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    sum_up();
    return std::move(test_);
  }

 private:
  [[nodiscard]] double elapsed_s() const {
    return static_cast<double>(steady_ns() - begin_ns_) * 1e-9;
  }
  [[nodiscard]] bool is_open() const {
    return std::ranges::any_of(idlers_, [](const Idler& idler) {
      return idler.state == State::silent || idler.state == State::asked;
    });
  }
  bool open();
  void step();
  void keep_busy();
  void keep_session();
  void sum_up();

  PathPeer& peer_;
  const IdleOptions& options_;
  IdleTest test_;
  std::vector<Idler> idlers_;
  Descriptor busy_;
  std::int64_t begin_ns_ = 0, busy_asked_ns_ = 0, session_kept_ns_ = 0;
  bool busy_waits_ = false;
};

bool Search::open() {
  const double longest = to_seconds(options_.longest);
  const std::uint32_t count = std::clamp<std::uint32_t>(options_.connections, 1, 64);
  for (std::uint32_t i = 0; i < count; ++i) {
    Result<PathPeer::Connection> connection = peer_.connect(PathUse::echo);
    if (!connection) {
      test_.unable = connection.error().message();
      return false;
    }
    // The longest first: opening takes time, in which the first are silent already.
    const double part = count == 1 ? 1 : static_cast<double>(count - 1 - i) / (count - 1);
    idlers_.push_back({.socket = std::move(connection->socket),
                       .silence_s = std::min(longest, std::pow(longest, part)),
                       .begin_ns = steady_ns()});
  }
  Result<PathPeer::Connection> busy = peer_.connect(PathUse::echo);
  if (!busy) {
    test_.unable = busy.error().message();
    return false;
  }
  busy_ = std::move(busy->socket);
  return true;
}

/// A connection that is never silent for more than a second: should it die, it was not the silence.
void Search::keep_busy() {
  if (busy_waits_ && look(busy_.get()) == State::alive) busy_waits_ = false;
  if (busy_waits_ && steady_ns() - busy_asked_ns_ > options_.wait.count())
    test_.control_sound = false;
  if (!busy_waits_ && steady_ns() - busy_asked_ns_ > 500'000'000) {
    busy_waits_ = ask(busy_.get());
    if (!busy_waits_) test_.control_sound = false;
    busy_asked_ns_ = steady_ns();
  }
}

/// The server ends sessions that ask for nothing.
void Search::keep_session() {
  if (steady_ns() - session_kept_ns_ < 10'000'000'000) return;
  session_kept_ns_ = steady_ns();
  (void)peer_.ask("counters");
}

void Search::step() {
  keep_busy();
  keep_session();
  for (Idler& idler : idlers_) {
    const double silent_s = static_cast<double>(steady_ns() - idler.begin_ns) * 1e-9;
    if (idler.state == State::silent && silent_s >= idler.silence_s) {
      ++test_.tried;
      idler.silence_s = silent_s;
      idler.asked_ns = steady_ns();
      idler.state = ask(idler.socket.get()) ? State::asked : State::reset;
    } else if (idler.state == State::asked) {
      idler.state = look(idler.socket.get());
      if (idler.state == State::asked && steady_ns() - idler.asked_ns > options_.wait.count()) {
        idler.state = State::lost;
      }
    }
  }
}

/// The edge: what lives below the shortest silence that was lost. One that lives above it speaks
/// for loss, not for a timer.
void Search::sum_up() {
  for (const Idler& idler : idlers_) {
    const bool is_lost = idler.state == State::lost || idler.state == State::reset;
    if (is_lost && (test_.shortest_lost_s == 0 || idler.silence_s < test_.shortest_lost_s)) {
      test_.shortest_lost_s = idler.silence_s;
      test_.reset = idler.state == State::reset;
    }
    if (idler.state == State::alive) {
      test_.longest_survived_s = std::max(test_.longest_survived_s, idler.silence_s);
    }
    if (idler.state != State::silent)
      test_.searched_s = std::max(test_.searched_s, idler.silence_s);
  }
  if (test_.shortest_lost_s > 0 && test_.longest_survived_s > test_.shortest_lost_s) {
    test_.control_sound = false;
  }
}

}  // namespace

IdleTest search_idle(PathPeer& peer, const IdleOptions& options) {
  return Search(peer, options).run();
}

}  // namespace slowpath::probe

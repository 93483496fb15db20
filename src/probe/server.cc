// SPDX-License-Identifier: Apache-2.0
#include "probe/server.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "probe/newcomer.h"
#include "probe/secret.h"

namespace slowpath::probe {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLook = 250ms;
constexpr Duration kTell = 5s;
// Accepted in one turn, so that those who wait are served, too.
constexpr int kAcceptAtOnce = 64;

/// A session that has proved itself: its thread, and where its streams are put.
struct Running {
  Running(Descriptor socket, Endpoint from)
      : id(random_hex(16)), client(from), control(std::move(socket), kMostMessageBytes) {}

  std::string id;
  Endpoint client;
  Channel control;
  StreamInbox inbox;
  std::atomic<bool> is_over{false};
  std::jthread thread;
};

/// Two connections for a session, one for each that waits, and some.
void allow_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

class ListeningServer final : public Server {
 public:
  ListeningServer(ServerConfig config, ServerLog log, Descriptor listener)
      : config_(std::move(config)),
        admission_{config_.secret, config_.secret_on_loopback, config_.open, config_.version},
        log_(std::move(log)),
        listener_(std::move(listener)) {}

  [[nodiscard]] Endpoint address() const override {
    return local_endpoint(listener_.get()).value_or(Endpoint{});
  }

  [[nodiscard]] ServerCounters counters() const override {
    ServerCounters counters = counters_;
    counters.requests = requests_.load();
    return counters;
  }

  void run(const std::atomic<bool>& stop) override {
    allow_descriptors();
    while (!stop.load()) {
      wait();
      accept_all();
      advance_all();
      end_sessions();
    }
    stopping_ = true;
    newcomers_.clear();
    for (auto& session : sessions_) shutdown(session->control.socket(), SHUT_RDWR);
    sessions_.clear();  // joins
  }

 private:
  void say(const Endpoint& client, std::string_view what) {
    const std::lock_guard lock{log_mutex_};
    if (log_) log_(fmt::format("{}: {}", to_string(client), what));
  }

  void wait() {
    entries_.clear();
    entries_.push_back({listener_.get(), POLLIN, 0});
    for (const Newcomer& each : newcomers_) entries_.push_back({each.socket(), POLLIN, 0});
    const timespec limit{0, kLook.count()};
    ppoll(entries_.data(), entries_.size(), &limit, nullptr);
  }

  void accept_all() {
    if ((entries_.front().revents & POLLIN) == 0) return;
    for (int i = 0; i < kAcceptAtOnce; ++i) {
      auto taken = accept_tcp(listener_.get(), Duration{0});
      if (!taken) {
        // No descriptors: those who came first and said nothing make room.
        if (newcomers_.empty()) break;
        newcomers_.pop_front();
        ++counters_.too_slow;
        continue;
      }
      if (!taken->has_value()) break;
      ++counters_.connections;
      if (newcomers_.size() >= config_.limits.waiting) {
        newcomers_.pop_front();
        ++counters_.too_slow;
      }
      const Endpoint client = remote_endpoint((*taken)->get()).value_or(Endpoint{});
      newcomers_.emplace_back(**std::move(taken), client, admission_,
                              steady_ns() + config_.limits.handshake.count());
    }
  }

  // Every newcomer is asked: one that came this very moment has no entry yet, and often its bytes.
  void advance_all() {
    const std::int64_t now_ns = steady_ns();
    for (auto each = newcomers_.begin(); each != newcomers_.end();) {
      NewcomerState state = each->advance();
      if (state == NewcomerState::waiting && now_ns < each->deadline_ns()) {
        ++each;
        continue;
      }
      settle(*each, state);
      each = newcomers_.erase(each);
    }
  }

  void settle(Newcomer& newcomer, NewcomerState state) {
    switch (state) {
      case NewcomerState::waiting:
        ++counters_.too_slow;
        break;
      case NewcomerState::session:
        begin_session(newcomer);
        break;
      case NewcomerState::stream:
        hand_over(newcomer);
        break;
      case NewcomerState::refused:
        ++counters_.refused;
        say(newcomer.client(), "wrong token");
        break;
      case NewcomerState::garbled:
        ++counters_.garbled;
        say(newcomer.client(), "does not speak our protocol");
        break;
      case NewcomerState::gone:
        break;
    }
  }

  void hand_over(Newcomer& newcomer) {
    const auto session = std::ranges::find(sessions_, newcomer.preamble().session,
                                           [](const auto& each) { return each->id; });
    // The session is a secret, but one that travels: its address must be the client's as well.
    if (session == sessions_.end() || (*session)->client.address != newcomer.client().address) {
      ++counters_.refused;
      return;
    }
    (*session)->inbox.put(newcomer.preamble().stream, newcomer.take_socket());
  }

  void begin_session(Newcomer& newcomer) {
    end_sessions();
    if (sessions_.size() >= config_.limits.clients) {
      ++counters_.refused;
      newcomer.tell(error_message(
          "busy", fmt::format("{} clients are being served; try again later", sessions_.size())));
      return;
    }
    Json kinds = Json::array();
    for (const RequestKind& each : all_request_kinds()) kinds.push_back(each.type);
    Json welcome{{"type", "welcome"},
                 {"requests", kinds},
                 {"most_seconds", to_seconds(config_.limits.transfer)},
                 {"most_streams", config_.limits.streams}};
    if (config_.limits.rate_bps > 0) welcome["most_rate_bps"] = config_.limits.rate_bps;
    if (!newcomer.server_proof().empty()) welcome["proof"] = newcomer.server_proof();
    auto running = std::make_unique<Running>(newcomer.take_socket(), newcomer.client());
    welcome["session"] = running->id;
    if (!running->control.send(welcome, Duration{0})) return;
    ++counters_.sessions;
    Running& session = *running;
    sessions_.push_back(std::move(running));
    session.thread = std::jthread{[this, &session] {
      serve(session);
      session.is_over = true;
    }};
  }

  void serve(Running& running) {
    Channel& control = running.control;
    ServedSession session{control, running.inbox, config_.limits, running.client, stopping_};
    while (!stopping_.load()) {
      auto request = control.receive(config_.limits.idle);
      if (!request) return;
      const auto kinds = all_request_kinds();
      const auto kind = std::ranges::find(kinds, type_of(*request), &RequestKind::type);
      if (kind == kinds.end()) {
        const auto told = control.send(
            error_message("unknown", fmt::format("this server ({}) knows no request \"{}\"",
                                                 config_.version, type_of(*request))),
            kTell);
        if (!told) return;
        continue;
      }
      ++requests_;
      say(running.client, kind->type);
      if (auto answered = kind->answer(session, *request); !answered) {
        say(running.client, answered.error().message());
        return;
      }
    }
  }

  void end_sessions() {
    std::erase_if(sessions_, [](const auto& each) { return each->is_over.load(); });
  }

  ServerConfig config_;
  Admission admission_;
  ServerLog log_;
  std::mutex log_mutex_;
  Descriptor listener_;
  std::list<Newcomer> newcomers_;
  std::vector<std::unique_ptr<Running>> sessions_;
  std::vector<pollfd> entries_;
  std::atomic<bool> stopping_{false};
  ServerCounters counters_;
  std::atomic<std::uint64_t> requests_{0};
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerConfig config, ServerLog log) {
  if (config.secret.empty() && !config.open) {
    auto addresses = resolve(config.host, config.port, config.family);
    if (!addresses) return std::unexpected(addresses.error());
    const bool all_loopback = std::ranges::all_of(*addresses, [](const SocketAddress& each) {
      return is_loopback(endpoint_of(each).address);
    });
    if (!all_loopback)
      return fail(ErrorKind::usage, "cannot serve other hosts without a token", "",
                  "give --token or --token-file, or say --open if everybody may use it");
  }
  auto listener = listen_tcp(config.host, config.port, config.family, {});
  if (!listener) return std::unexpected(listener.error());
  return std::make_unique<ListeningServer>(std::move(config), std::move(log), *std::move(listener));
}

}  // namespace slowpath::probe

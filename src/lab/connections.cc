// SPDX-License-Identifier: Apache-2.0
// Many short connections: each connects, asks once, is held, and closes. One thread polls them all.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include <fmt/core.h>

#include "lab/traffic_ends.h"

namespace slowpath::lab {
namespace {

/// What a client asks and a server repeats.
constexpr std::array<char, 16> kQuestion{"slowpath lab\r\n\r"};
/// The source port where the same is to be used again and none is given.
constexpr std::uint16_t kReusedPort = 40000;
constexpr std::int64_t kStepNs = 20'000'000;

int poll_ms(std::int64_t until_ns) {
  const auto left = std::clamp<std::int64_t>(until_ns - steady_ns(), 0, kStepNs);
  return static_cast<int>((left + 999'999) / 1'000'000);
}

struct Attempt {
  enum class State { connecting, asking, holding, over };
  Descriptor socket;
  State state = State::connecting;
  std::int64_t began_ns = 0, hold_until_ns = 0;
};

class Client {
 public:
  Client(const SocketAddress& server, TransferEnd& end, EndReport& report)
      : server_(server), end_(end), plan_(end.plan.connections), report_(report) {}

  void run() {
    while (!end_.is_late() && (report_.attempts < plan_.count || !open_.empty())) {
      begin_more();
      wait();
      std::erase_if(open_, [](const Attempt& each) { return each.state == Attempt::State::over; });
    }
    note_unanswered();
    for (auto& each : open_) vanish(std::move(each.socket));
    report();
  }

 private:
  /// The limit cuts any churn; only what was not answered for long is worth a word.
  void note_unanswered() {
    constexpr std::int64_t kLongNs = 1'000'000'000;
    const auto waiting = std::ranges::count_if(open_, [now = steady_ns()](const Attempt& each) {
      return each.state != Attempt::State::holding && now - each.began_ns >= kLongNs;
    });
    if (waiting > 0)
      note_error(fmt::format("connect: no answer before the limit ({} waiting)", waiting));
  }

  /// Answers count as the bytes of a stream, so that rates before and after a fix compare.
  void report() {
    report_.successes = times_.size();
    ReceiverReport received;
    received.complete = report_.successes == plan_.count;
    received.bytes = plan_.accept ? report_.successes * kQuestion.size() : 0;
    received.ended_ns = received.complete ? last_success_ns_ : steady_ns();
    report_.receiver = received;
    if (times_.empty()) return;
    std::ranges::sort(times_);
    report_.median_seconds = times_[times_.size() / 2];
    report_.worst_seconds = times_.back();
  }

  void begin_more() {
    while (open_.size() < plan_.concurrent && report_.attempts < plan_.count &&
           steady_ns() >= next_ns_) {
      next_ns_ = steady_ns() + plan_.interval.count();
      ++report_.attempts;
      begin_one();
    }
  }

  void begin_one() {
    Attempt attempt;
    attempt.began_ns = steady_ns();
    attempt.socket.reset(socket(server_.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    auto port = end_.plan.source_port;
    if (port == 0 && plan_.reuse_port) port = kReusedPort;
    if (port != 0) {
      const auto bound = bind_to(attempt.socket.get(), port, server_.family() == AF_INET6);
      if (!bound) return note_error(bound.error().message());
    }
    if (connect(attempt.socket.get(), server_.get(), server_.length) != 0 && errno != EINPROGRESS) {
      if (errno == EADDRNOTAVAIL && is_predecessor_closing(port)) return try_again();
      return note_error(std::string{"connect: "} + std::strerror(errno));
    }
    predecessor_closed_ns_ = 0;
    open_.push_back(std::move(attempt));
  }

  /// With one port for all, the last connection is in the way until the server has acknowledged its
  /// FIN. A second is long for that.
  [[nodiscard]] bool is_predecessor_closing(std::uint16_t port) {
    constexpr std::int64_t kPatienceNs = 1'000'000'000;
    if (port == 0 || !open_.empty()) return false;
    if (predecessor_closed_ns_ == 0) predecessor_closed_ns_ = steady_ns();
    return steady_ns() - predecessor_closed_ns_ < kPatienceNs;
  }
  void try_again() {
    constexpr std::int64_t kSoonNs = 2'000'000;
    --report_.attempts;
    next_ns_ = steady_ns() + kSoonNs;
  }

  void wait() {
    std::vector<pollfd> watched;
    auto until = steady_ns() + kStepNs;
    if (open_.size() < plan_.concurrent && report_.attempts < plan_.count)
      until = std::min(until, next_ns_);
    for (const auto& each : open_) {
      const auto events = each.state == Attempt::State::connecting ? POLLOUT : POLLIN;
      watched.push_back(
          {.fd = each.socket.get(), .events = static_cast<short>(events), .revents = 0});
      if (each.state == Attempt::State::holding) until = std::min(until, each.hold_until_ns);
    }
    (void)poll(watched.data(), watched.size(), poll_ms(until));
    for (std::size_t i = 0; i < watched.size(); ++i) advance(open_[i], watched[i].revents != 0);
  }

  void advance(Attempt& attempt, bool ready) {
    switch (attempt.state) {
      case Attempt::State::connecting:
        if (ready) connected(attempt);
        break;
      case Attempt::State::asking:
        if (ready) answered(attempt);
        break;
      case Attempt::State::holding:
        hold(attempt, ready);
        break;
      case Attempt::State::over:
        break;
    }
  }

  void connected(Attempt& attempt) {
    int error = 0;
    socklen_t length = sizeof error;
    (void)getsockopt(attempt.socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return give_up(attempt, std::string{"connect: "} + std::strerror(error));
    if (report_.name.empty()) {
      report_.name = own_name(attempt.socket.get());
      report_.connected_ns = steady_ns();
    }
    if (!plan_.accept) return succeed(attempt);
    if (send(attempt.socket.get(), kQuestion.data(), kQuestion.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(kQuestion.size()))
      return give_up(attempt, std::string{"write: "} + std::strerror(errno));
    attempt.state = Attempt::State::asking;
  }

  void answered(Attempt& attempt) {
    std::array<char, kQuestion.size()> answer{};
    const auto count = recv(attempt.socket.get(), answer.data(), answer.size(), MSG_PEEK);
    if (count < 0) return give_up(attempt, std::string{"read: "} + std::strerror(errno));
    if (count == 0) return give_up(attempt, "read: the server closed without an answer");
    if (count < static_cast<ssize_t>(answer.size())) return;  // More is on its way.
    (void)recv(attempt.socket.get(), answer.data(), answer.size(), 0);
    if (answer != kQuestion) return give_up(attempt, "read: the answer is not what was sent");
    succeed(attempt);
  }

  void succeed(Attempt& attempt) {
    last_success_ns_ = steady_ns();
    times_.push_back(static_cast<double>(last_success_ns_ - attempt.began_ns) * 1e-9);
    attempt.hold_until_ns = last_success_ns_ + plan_.hold.count();
    attempt.state = Attempt::State::holding;
  }

  /// Who closes first keeps TIME_WAIT: the server where the client's port is to be used again.
  void hold(Attempt& attempt, bool ready) {
    char end = 0;
    const bool closed_by_server = ready && recv(attempt.socket.get(), &end, 1, MSG_DONTWAIT) <= 0;
    const bool waits_for_server = plan_.reuse_port && plan_.accept;
    if (!closed_by_server && (waits_for_server || steady_ns() < attempt.hold_until_ns)) return;
    attempt.socket.reset();
    attempt.state = Attempt::State::over;
  }

  void give_up(Attempt& attempt, std::string error) {
    note_error(std::move(error));
    attempt.socket.reset();
    attempt.state = Attempt::State::over;
  }
  void note_error(std::string error) {
    if (report_.error.empty()) report_.error = std::move(error);
  }

  const SocketAddress& server_;
  TransferEnd& end_;
  const ConnectionsPlan& plan_;
  EndReport& report_;
  std::vector<Attempt> open_;
  std::vector<double> times_;
  std::int64_t next_ns_ = 0, last_success_ns_ = 0;
  std::int64_t predecessor_closed_ns_ =
      0;  // since when the port is seen to be in use; 0: it is not
};

/// One accepted connection.
struct Guest {
  Descriptor socket;
  std::size_t heard = 0;
  std::int64_t close_at_ns = 0;  // 0: when the client does
  bool over = false;
};

void serve(Guest& guest, const ConnectionsPlan& plan) {
  std::array<char, kQuestion.size()> heard{};
  const auto count = recv(guest.socket.get(), heard.data(), heard.size(), MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    guest.over = true;
    return;
  }
  guest.heard += static_cast<std::size_t>(count);
  (void)send(guest.socket.get(), heard.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL);
  if (guest.heard >= kQuestion.size() && plan.reuse_port)
    guest.close_at_ns = steady_ns() + plan.hold.count();
}

}  // namespace

EndReport run_connections_client(const SocketAddress& server, TransferEnd end) {
  EndReport report;
  sleep_until_ns(steady_ns() + end.plan.start.count());
  report.began_ns = steady_ns();
  end.control.began_ns = report.began_ns;
  Client{server, end, report}.run();
  end.control.client_over = true;
  return report;
}

EndReport run_connections_server(const Descriptor& listener, TransferEnd end) {
  EndReport report;
  report.name = own_name(listener.get());
  const auto& plan = end.plan.connections;
  std::vector<Guest> guests;
  constexpr int kIdleMs = 20;
  while (!end.control.client_over || !guests.empty()) {
    if (end.control.began_ns != 0 && end.is_late()) break;
    std::vector<pollfd> watched{
        {.fd = plan.accept ? listener.get() : -1, .events = POLLIN, .revents = 0}};
    auto until = steady_ns() + kIdleMs * 1'000'000;
    for (const auto& each : guests) {
      watched.push_back({.fd = each.socket.get(), .events = POLLIN, .revents = 0});
      if (each.close_at_ns != 0) until = std::min(until, each.close_at_ns);
    }
    (void)poll(watched.data(), watched.size(), poll_ms(until));
    for (std::size_t i = 0; i < guests.size(); ++i) {
      if (watched[i + 1].revents != 0) serve(guests[i], plan);
    }
    std::erase_if(guests, [now = steady_ns()](const Guest& each) {
      return each.over || (each.close_at_ns != 0 && now >= each.close_at_ns);
    });
    if (watched[0].revents == 0) continue;
    Guest guest;
    guest.socket.reset(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (guest.socket.is_open()) guests.push_back(std::move(guest));
  }
  for (auto& each : guests) vanish(std::move(each.socket));
  return report;
}

}  // namespace slowpath::lab

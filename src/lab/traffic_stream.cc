// SPDX-License-Identifier: Apache-2.0
// Both ends of a stream of bytes, one way or both ways, and how ends meet and part.
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include <fmt/core.h>

#include "lab/tcp_info.h"
#include "lab/traffic_ends.h"
#include "lab/traffic_receiver.h"
#include "lab/traffic_sender.h"

namespace slowpath::lab {

bool connect_client(int socket, const SocketAddress& server, TransferEnd& end, EndReport& report) {
  std::this_thread::sleep_for(end.plan.start);
  set_patience(socket, end.plan.limit);
  report.began_ns = steady_ns();
  end.control.began_ns = report.began_ns;
  const bool connected = connect(socket, server.get(), server.length) == 0;
  if (!connected) {
    // EINPROGRESS is how connect() says that SO_SNDTIMEO is over: socket(7).
    report.error = errno == EINPROGRESS ? fmt::format("connect: no answer within {:.1f} s",
                                                      to_seconds(end.plan.limit))
                                        : fmt::format("connect: {}", std::strerror(errno));
    return false;
  }
  report.connected_ns = steady_ns();
  report.name = own_name(socket);
  set_patience(socket, kPatience);
  return true;
}

Descriptor accept_client(int listener, TransferEnd& end, EndReport& report) {
  for (;;) {
    const bool last_look = end.control.client_over || (end.control.began_ns != 0 && end.is_late());
    pollfd ready{.fd = listener, .events = POLLIN, .revents = 0};
    const int wait_ms = last_look ? 0 : kPatienceMs;
    if (poll(&ready, 1, wait_ms) > 0) {
      Descriptor accepted{accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)};
      if (accepted.is_open()) {
        report.name = own_name(accepted.get());
        set_patience(accepted.get(), kPatience);
        return accepted;
      }
    }
    if (last_look) return {};
  }
}

void vanish_after(Descriptor socket, const TransferEnd& end, int incoming) {
  // Longer than leave_quietly() takes; only a sender that was killed says nothing.
  const auto until = end.deadline_ns() + 5'000'000'000;
  while (incoming >= 0 && !end.control.sender_gone[incoming] && steady_ns() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  vanish(std::move(socket));
}

namespace {

struct Directions {
  int out, in;
  bool sends, receives;
};

Directions directions_of(const TransferPlan& plan, bool is_client) {
  return {.out = is_client ? kToServer : kToClient,
          .in = is_client ? kToClient : kToServer,
          .sends = is_client ? plan.to_server : plan.to_client,
          .receives = is_client ? plan.to_client : plan.to_server};
}

/// The sending thread: all of it and a FIN, or as far as the limit and nothing more.
void send_all(int socket, TransferEnd& end, int direction, TcpSampler& sampler, Sent& sent) {
  const Pattern pattern{end.pattern_seed(direction)};
  sleep_until_ns(steady_ns() + end.plan.warm_up.count());
  sent = send_stream(socket, end, direction, pattern);
  if (sent.all) {
    (void)shutdown(socket, SHUT_WR);
  } else {
    sampler.stop();
    leave_quietly(socket, end, direction);
  }
}

void exchange(Descriptor socket, TransferEnd& end, bool is_client, EndReport& report) {
  const auto directions = directions_of(end.plan, is_client);
  TcpSampler sampler{socket.get(), end.control.began_ns};
  Sent sent;
  std::thread sending;
  if (directions.sends) {
    sending = std::thread{[&] { send_all(socket.get(), end, directions.out, sampler, sent); }};
  }
  // Where nothing is to come, this is how the other's end is noticed.
  StreamReceiver receiver{end, directions.in};
  receiver.run(socket.get());
  end.control.receiver_stopped[directions.in] = true;
  if (sending.joinable()) sending.join();
  sampler.stop();
  if (directions.sends) {
    report.sender =
        SenderReport{.bytes = sent.bytes, .samples = sampler.samples(), .last = sampler.last()};
  }
  report.error = sent.error.empty() ? receiver.error() : sent.error;
  const bool cut = report.error.empty() && !receiver.saw_end();
  std::int64_t ended_ns = steady_ns();
  // All was written, and the reader did not come to the end of it.
  if (cut && directions.sends && !end.control.sender_gone[directions.out])
    leave_quietly(socket.get(), end, directions.out);
  if (receiver.has_enough()) {
    reset_connection(std::move(socket));
  } else if (cut) {
    vanish_after(std::move(socket), end, directions.receives ? directions.in : -1);
  } else {
    socket.reset();
  }
  end.control.sender_gone[directions.out] = true;
  if (!directions.receives) return;
  report.receiver = receiver.report(end.plan.bytes, ended_ns);
  if (!directions.sends) report.receiver->samples = sampler.samples();
}

}  // namespace

EndReport run_stream_client(Descriptor socket, const SocketAddress& server, TransferEnd end) {
  EndReport report;
  report.attempts = 1;
  if (connect_client(socket.get(), server, end, report)) {
    report.successes = 1;
    exchange(std::move(socket), end, true, report);
  }
  end.control.client_over = true;
  return report;
}

EndReport run_stream_server(const Descriptor& listener, TransferEnd end) {
  EndReport report;
  auto socket = accept_client(listener.get(), end, report);
  if (socket.is_open()) exchange(std::move(socket), end, false, report);
  return report;
}

}  // namespace slowpath::lab

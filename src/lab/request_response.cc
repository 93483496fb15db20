// SPDX-License-Identifier: Apache-2.0
// Questions and answers over one connection, one at a time.
#include <sys/socket.h>

#include <algorithm>
#include <thread>

#include "lab/tcp_info.h"
#include "lab/traffic_ends.h"
#include "lab/traffic_receiver.h"
#include "lab/traffic_sender.h"

namespace slowpath::lab {
namespace {

/// One end's connection with both its halves.
class Dialogue {
 public:
  Dialogue(Descriptor socket, TransferEnd& end, bool is_client)
      : socket_(std::move(socket)),
        end_(end),
        out_(is_client ? kToServer : kToClient),
        in_(is_client ? kToClient : kToServer),
        pattern_(end.pattern_seed(out_)),
        receiver_(end, in_),
        sampler_(socket_.get(), end.control.began_ns) {
    sleep_until_ns(steady_ns() + (is_client ? end.plan.warm_up.count() : 0));
  }

  /// Sends the next bytes of its pattern.
  bool say(std::uint64_t length) {
    const auto sent = send_exactly(socket_.get(), end_, pattern_, said_, length);
    said_ += sent.bytes;
    if (error_.empty()) error_ = sent.error;
    return sent.all;
  }
  /// Nothing more will be said.
  void fall_silent() { (void)shutdown(socket_.get(), SHUT_WR); }
  /// The socket's address, once it has one: with Fast Open only after its first words.
  [[nodiscard]] std::string name() const { return own_name(socket_.get()); }
  bool hear(std::uint64_t length) { return receiver_.read_exactly(socket_.get(), length); }

  /// Ends the connection and fills the report's halves. `wanted`: bytes that should have come.
  void part(std::uint64_t wanted, bool finished, EndReport& report) {
    if (finished) {
      (void)shutdown(socket_.get(), SHUT_WR);
      receiver_.run(socket_.get());
    }
    const auto ended_ns = steady_ns();
    end_.control.receiver_stopped[in_] = true;
    sampler_.stop();
    report.sender =
        SenderReport{.bytes = said_, .samples = sampler_.samples(), .last = sampler_.last()};
    report.error = error_.empty() ? receiver_.error() : error_;
    if (report.error.empty() && !receiver_.saw_end()) {
      leave_quietly(socket_.get(), end_, out_);
      vanish_after(std::move(socket_), end_, in_);
    } else {
      socket_.reset();
      end_.control.sender_gone[out_] = true;
    }
    report.receiver = receiver_.report(wanted, ended_ns);
  }
  [[nodiscard]] bool heard_end() const { return receiver_.saw_end(); }

 private:
  Descriptor socket_;
  TransferEnd& end_;
  int out_, in_;
  Pattern pattern_;
  StreamReceiver receiver_;
  TcpSampler sampler_;
  std::uint64_t said_ = 0;
  std::string error_;
};

bool ask(Dialogue& dialogue, const RequestPlan& plan, bool is_last) {
  const auto first = plan.split ? plan.request / 2 : 0;
  if ((first != 0 && !dialogue.say(first)) || !dialogue.say(plan.request - first)) return false;
  if (is_last && plan.half_close) dialogue.fall_silent();
  return dialogue.hear(plan.response);
}

}  // namespace

EndReport run_request_client(Descriptor socket, const SocketAddress& server, TransferEnd end) {
  EndReport report;
  const auto& plan = end.plan.requests;
  if (connect_client(socket.get(), server, end, report)) {
    Dialogue dialogue{std::move(socket), end, true};
    std::vector<double> times;
    while (report.attempts < plan.count && !end.is_late()) {
      ++report.attempts;
      const auto asked = steady_ns();
      if (!ask(dialogue, plan, report.attempts == plan.count)) break;
      times.push_back(static_cast<double>(steady_ns() - asked) * 1e-9);
      sleep_until_ns(std::min(steady_ns() + plan.pause.count(), end.deadline_ns()));
    }
    report.successes = times.size();
    if (end.plan.sender.fastopen) report.name = dialogue.name();
    if (!times.empty()) {
      std::ranges::sort(times);
      report.median_seconds = times[times.size() / 2];
      report.worst_seconds = times.back();
    }
    dialogue.part(plan.count * plan.response, report.successes == plan.count, report);
  }
  end.control.client_over = true;
  return report;
}

EndReport run_request_server(const Descriptor& listener, TransferEnd end) {
  EndReport report;
  auto socket = accept_client(listener.get(), end, report);
  if (!socket.is_open()) return report;
  const auto& plan = end.plan.requests;
  Dialogue dialogue{std::move(socket), end, false};
  while (dialogue.hear(plan.request)) {
    sleep_until_ns(std::min(steady_ns() + plan.think.count(), end.deadline_ns()));
    if (!dialogue.say(plan.response)) break;
  }
  dialogue.part(plan.count * plan.request, false, report);
  return report;
}

}  // namespace slowpath::lab

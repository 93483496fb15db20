// SPDX-License-Identifier: Apache-2.0
#include "probe/throughput.h"

#include <algorithm>
#include <utility>

#include "probe/transfer_end.h"

namespace slowpath::probe {
namespace {

using namespace std::chrono_literals;

constexpr Duration kAnswer = 10s;
// For the other end to have read what waited, and to tell.
constexpr Duration kReport = 30s;
constexpr Duration kGrace = 25s;

Result<std::vector<Descriptor>> open_streams(Session& session, const TransferRequest& request) {
  std::vector<Descriptor> sockets;
  for (std::uint32_t number = 0; number < request.connections(); ++number) {
    auto socket = session.open_stream(static_cast<std::uint16_t>(number), request.socket, kAnswer);
    if (!socket) return std::unexpected(socket.error());
    sockets.push_back(*std::move(socket));
  }
  return sockets;
}

const StreamReport* stream_of(const EndReport& report, std::uint32_t number) {
  const auto found = std::ranges::find(report.streams, number, &StreamReport::number);
  return found == report.streams.end() ? nullptr : &*found;
}

TestStream stream_between(const StreamReport& sent, const StreamReport* received) {
  TestStream stream{.number = sent.number,
                    .sent_bytes = sent.bytes,
                    .received_bytes = 0,
                    .sender = sent.socket,
                    .error = sent.error};
  if (received == nullptr) return stream;
  stream.received_bytes = received->bytes;
  if (stream.error.empty()) stream.error = received->error;
  return stream;
}

/// One direction out of the sender's and the receiver's reports.
TestFlow flow_between(bool to_server, bool verified, const EndReport& sender,
                      const EndReport& receiver) {
  TestFlow flow;
  flow.to_server = to_server;
  flow.rtt = sender.rtt;
  flow.intervals = receiver.received;
  flow.verified = verified;
  flow.integrity = receiver.integrity;
  flow.complete = true;
  double receive_s = 0, send_s = 0;
  std::uint64_t sent = 0;
  for (const StreamReport& each : sender.streams) {
    if (!each.sent) continue;
    const StreamReport* other = stream_of(receiver, each.number);
    flow.streams.push_back(stream_between(each, other));
    flow.complete = flow.complete && each.finished && other != nullptr && other->finished;
    sent += each.bytes;
    send_s = std::max(send_s, each.seconds);
    if (other == nullptr) continue;
    flow.received_bytes += other->bytes;
    receive_s = std::max(receive_s, other->seconds);
  }
  flow.counted_s = send_s;
  if (send_s > 0) flow.sent_bps = static_cast<double>(sent) * 8 / send_s;
  // A receiver may have begun to count a little after the first byte, and takes the last one after
  // the sender has stopped.
  if (receive_s > 0) flow.goodput_bps = static_cast<double>(flow.received_bytes) * 8 / receive_s;
  return flow;
}

TestRun run_of(const TransferRequest& request, const EndReport& client, const EndReport& server) {
  TestRun run;
  run.client = client.host;
  run.server = server.host;
  if (request.to_server()) run.flows.push_back(flow_between(true, request.verify, client, server));
  if (request.to_client()) run.flows.push_back(flow_between(false, request.verify, server, client));
  return run;
}

}  // namespace

Result<TestRun> run_throughput(Session& session, const TransferRequest& request,
                               const IntervalWatcher& watcher, const std::atomic<bool>* stop) {
  Channel& control = session.control();
  if (auto ready = session.ask(to_json(request), "ready", kAnswer); !ready)
    return std::unexpected(ready.error());
  auto sockets = open_streams(session, request);
  if (!sockets) return std::unexpected(sockets.error());
  if (auto go = control.expect("go", kAnswer); !go) return std::unexpected(go.error());
  std::optional<Json> early;
  std::optional<Error> lost;
  TransferHooks hooks;
  hooks.on_interval = watcher;
  hooks.stop = stop;
  hooks.watched = control.socket();
  // The report may come while the last bytes are still being read; an error means the end.
  hooks.on_watched = [&] {
    auto message = control.poll();
    if (!message) {
      lost = message.error();
    } else if (message->has_value()) {
      early = **std::move(message);
    }
    return !lost && (!early || type_of(*early) == "report");
  };
  TransferRequest ours = request;
  ours.plan.most = request.plan.duration.count() > 0
                       ? request.plan.omit + request.plan.duration + kGrace
                       : Duration{std::chrono::hours{24}};
  auto client = run_transfer_end(ours, *sockets, false, hooks);
  if (!client) return std::unexpected(client.error());
  if (lost) return std::unexpected(*lost);
  sockets->clear();
  if (!early) {
    auto report = control.receive(kReport);
    if (!report) return std::unexpected(report.error());
    early = *std::move(report);
  }
  if (type_of(*early) == "error") {
    Fields fields{*early};
    return fail(ErrorKind::network, "the server could not finish the transfer",
                fields.text_or("text", "it does not say why", 500));
  }
  auto server = parse_end_report(*early);
  if (!server) return std::unexpected(server.error());
  return run_of(request, *client, *server);
}

Result<double> ask_ceiling(Session& session, std::size_t block_bytes, bool verify) {
  auto answer = session.ask({{"type", "ceiling"}, {"block_bytes", block_bytes}, {"verify", verify}},
                            "ceiling", kAnswer);
  if (!answer) return std::unexpected(answer.error());
  Fields fields{*answer};
  const double rate = fields.real_or("rate_bps", 0, 0, 1e15);
  if (auto read = fields.verdict(); !read) return std::unexpected(read.error());
  return rate;
}

}  // namespace slowpath::probe

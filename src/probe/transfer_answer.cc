// SPDX-License-Identifier: Apache-2.0
// The server's side of a transfer: check the request against the limits, await the streams, say go,
// run, report. And the ceiling: what this host reaches with itself.
#include <algorithm>

#include "probe/ceiling.h"
#include "probe/served_session.h"
#include "probe/transfer_end.h"
#include "probe/transfer_request.h"

namespace slowpath::probe {
namespace {

using namespace std::chrono_literals;

constexpr Duration kTell = 5s;
constexpr Duration kStreamsArrive = 10s;

/// The session's share of the limit, for each stream of each way.
void limit_rate(TransferRequest& request, double limit_bps) {
  if (limit_bps <= 0) return;
  const double each = limit_bps / request.streams;
  TransferPlan& plan = request.plan;
  plan.rate_bps = plan.rate_bps > 0 ? std::min(plan.rate_bps, each) : each;
  plan.receive_rate_bps = each;
}

/// In short waits, so that a client that is gone, or a server that ends, is noticed meanwhile.
Result<Descriptor> take_stream(ServedSession& session, std::uint16_t number,
                               std::int64_t deadline_ns) {
  constexpr Duration kLook = 100ms;
  while (true) {
    auto socket = session.inbox.take(number, kLook);
    if (socket || steady_ns() >= deadline_ns || session.stop.load()) return socket;
    if (auto there = session.control.poll(); !there) return std::unexpected(there.error());
  }
}

Result<std::vector<Descriptor>> take_streams(ServedSession& session,
                                             const TransferRequest& request) {
  std::vector<Descriptor> sockets;
  const std::int64_t deadline_ns = steady_ns() + kStreamsArrive.count();
  for (std::uint32_t number = 0; number < request.connections(); ++number) {
    auto socket = take_stream(session, static_cast<std::uint16_t>(number), deadline_ns);
    if (!socket) return std::unexpected(socket.error());
    if (auto set = apply(request.socket, socket->get()); !set) return std::unexpected(set.error());
    sockets.push_back(*std::move(socket));
  }
  return sockets;
}

}  // namespace

Result<void> answer_transfer(ServedSession& session, const Json& message) {
  auto request = parse_transfer_request(message, session.limits, session.content.held);
  if (!request) return session.control.send(error_message("request", request.error().cause), kTell);
  limit_rate(*request, session.limits.rate_bps);
  // The MSS is settled by the client's SYN, and cannot be set on a connection.
  request->socket.mss_bytes.reset();
  if (auto told = session.control.send({{"type", "ready"}}, kTell); !told) return told;
  auto sockets = take_streams(session, *request);
  if (!sockets)
    return session.control.send(error_message("streams", sockets.error().message()), kTell);
  if (auto told = session.control.send({{"type", "go"}}, kTell); !told) return told;
  TransferHooks hooks;
  hooks.stop = &session.stop;
  // A client says nothing while it runs: what can be read is its end.
  hooks.watched = session.control.socket();
  hooks.on_watched = [&] {
    const auto message_or_end = session.control.poll();
    return message_or_end.has_value() && !message_or_end->has_value();
  };
  auto report = run_transfer_end(*request, *sockets, true, hooks);
  if (!report)
    return session.control.send(error_message("transfer", report.error().message()), kTell);
  return session.control.send(to_json(*report), kTell);
}

Result<void> answer_ceiling(ServedSession& session, const Json& message) {
  Fields fields{message};
  const auto block = fields.number_or("block_bytes", 131'072, session.limits.block_bytes);
  const bool verify = fields.flag_or("verify", true);
  if (auto read = fields.verdict(); !read)
    return session.control.send(error_message("request", read.error().cause), kTell);
  // It takes a whole processor or two: not for a server that has been given a limit.
  double rate_bps = 0;
  if (session.limits.rate_bps <= 0)
    rate_bps = measure_ceiling(std::max<std::size_t>(block, 1), verify).value_or(0);
  return session.control.send({{"type", "ceiling"}, {"rate_bps", rate_bps}}, kTell);
}

}  // namespace slowpath::probe

// SPDX-License-Identifier: Apache-2.0
#include "probe/path/path_peer.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "probe/path/path_messages.h"
#include "probe/path/size_probe.h"
#include "probe/path/socket_address.h"

namespace slowpath::probe {
namespace {

constexpr Duration kConnectWait = std::chrono::seconds(4);
constexpr std::uint32_t kSmall = 100;  // IP bytes of an echo request

std::optional<std::uint64_t> parse_token(const std::string& text) {
  std::uint64_t token = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), token, 16);
  if (error != std::errc{} || end != text.data() + text.size() || text.size() != 16) {
    return std::nullopt;
  }
  return token;
}

}  // namespace

Result<std::unique_ptr<PathPeer>> PathPeer::open(const IpAddress& local, const IpAddress& peer,
                                                 Ask ask) {
  std::unique_ptr<PathPeer> path(new PathPeer(peer, std::move(ask)));
  const Result<Json> opened = path->ask("open");
  if (!opened) return std::unexpected(opened.error());
  Fields fields(*opened);
  const auto udp_port = static_cast<std::uint16_t>(fields.number("udp_port", 1, 65535));
  path->tcp_port_ = static_cast<std::uint16_t>(fields.number("tcp_port", 1, 65535));
  path->interface_mtu_bytes_ =
      static_cast<std::uint32_t>(fields.number_or("interface_mtu_bytes", 65535, 65535));
  const std::optional<std::uint64_t> token = parse_token(fields.text("token", 16));
  if (!fields.ok()) return std::unexpected(fields.verdict().error());
  if (!token) return fail(ErrorKind::network, "the far end's token is none");
  path->token_ = *token;
  auto datagrams = DatagramPort::open(local, peer, *token, false);
  if (!datagrams) return std::unexpected(datagrams.error());
  path->datagrams_ = std::move(*datagrams);
  path->datagrams_->set_peer_port(udp_port);
  // The first ones also open what lies between: address tables, NAT.
  path->echo(2, 20);
  std::vector<double> trips = path->echo(5, 50);
  if (!trips.empty()) {
    std::ranges::sort(trips);
    path->rtt_s_ = std::max(trips[trips.size() / 2], 1e-6);
  }
  return path;
}

Result<Json> PathPeer::ask(const char* op, Json message, Duration timeout) {
  message["type"] = "path";
  message["op"] = op;
  return ask_(message, timeout);
}

Result<std::vector<bool>> PathPeer::came(std::uint16_t run, std::uint64_t count, Duration wait) {
  const std::int64_t deadline = steady_ns() + wait.count();
  while (true) {
    const Duration left = std::max(Duration{deadline - steady_ns()}, Duration{});
    const auto answer =
        ask("came", {{"run", run},
                     {"count", count},
                     {"wait_ms", static_cast<std::uint64_t>(std::min(left, kMostPathWait).count()) /
                                     1'000'000}});
    if (!answer) return std::unexpected(answer.error());
    std::vector<bool> arrived;
    for (const Json& one : answer->value("came", Json::array())) {
      arrived.push_back(one.is_boolean() && one.get<bool>());
    }
    const auto all = static_cast<std::uint64_t>(std::ranges::count(arrived, true));
    if (all >= count || left <= kMostPathWait) return arrived;
  }
}

Result<PathPeer::Connection> PathPeer::connect(PathUse use) {
  Target target;
  target.host = to_string(peer_);
  target.port = tcp_port_;
  Result<Descriptor> socket = connect_tcp(target, {}, kConnectWait);
  if (!socket) return std::unexpected(socket.error());
  const std::vector<std::byte> greeting = path_greeting(token_, use);
  if (send(socket->get(), greeting.data(), greeting.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(greeting.size())) {
    return fail(ErrorKind::network, "cannot speak to the far end's second port",
                std::strerror(errno));
  }
  const std::optional<Endpoint> local = local_endpoint(socket->get());
  if (!local) return fail(ErrorKind::network, "the connection was lost at once");
  return Connection{.socket = std::move(*socket), .local_port = local->port};
}

std::vector<double> PathPeer::echo(std::uint32_t count, double per_second,
                                   const std::atomic<bool>* stop) {
  DatagramPlan plan;
  plan.run = next_run();
  plan.kind = DatagramKind::echo_request;
  plan.ip_bytes = {kSmall};
  plan.count = count;
  plan.rate_bps = kSmall * 8.0 * per_second;
  const DatagramSent sent = datagrams_->send(plan, stop);
  const auto asked = static_cast<std::uint32_t>(sent.sent);
  // A queue of seconds is no loss.
  const Duration wait = rtt_s_ > 0 ? from_seconds(0.3 + 4 * rtt_s_) : std::chrono::seconds(1);
  std::vector<double> trips;
  for (const DatagramPort::Echo& echo : datagrams_->await_echoes(plan.run, asked, wait)) {
    if (echo.came_ns >= 0) trips.push_back(static_cast<double>(echo.came_ns - echo.sent_ns) * 1e-9);
  }
  return trips;
}

}  // namespace slowpath::probe

// SPDX-License-Identifier: Apache-2.0
#include "probe/path/path_service.h"

#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>

#include <fmt/format.h>

#include "probe/path/datagram_port.h"
#include "probe/path/handshake_watch.h"
#include "probe/path/host_counters.h"
#include "probe/path/load.h"
#include "probe/path/negotiated.h"
#include "probe/path/path_listener.h"
#include "probe/path/path_messages.h"
#include "probe/path/segment_probe.h"
#include "probe/path/stopwatch.h"
#include "probe/path/udp_probe.h"

namespace slowpath::probe {
namespace {

constexpr Duration kConnectionWait = std::chrono::seconds(3);
constexpr std::uint64_t kMostWaitMs = kMostPathWait / std::chrono::milliseconds(1);

Json refusal(std::string_view text) {
  return {{"type", "error"}, {"code", "path"}, {"text", std::string(text)}};
}

Json reply() { return {{"type", "path"}}; }

}  // namespace

class PathService::Worker {
 public:
  Worker(const IpAddress& local, const IpAddress& peer, double most_rate_bps)
      : local_(local), peer_(peer), most_rate_bps_(most_rate_bps) {}

  Json answer(const Json& request) {
    Fields fields(request);
    const std::string op = fields.text("op", 20);
    if (!fields.ok()) return refusal("the request names no op");
    if (op == "open") return open();
    if (op == "counters") return counters();
    if (!datagrams_ || !listener_) return refusal("open comes first");
    if (op == "send") return send(request);
    if (op == "tally") return tally(fields);
    if (op == "came") return came(fields);
    if (op == "segments") return segments(fields);
    if (op == "load") return load(request);
    if (op == "watch") return watch();
    if (op == "headers") return headers(fields);
    return refusal("this version does not know the op " + op);
  }

 private:
  Json open();
  Json send(const Json& request);
  Json tally(Fields& fields);
  Json came(Fields& fields);
  Json segments(Fields& fields);
  Json load(const Json& request);
  Json watch();
  Json headers(Fields& fields);
  static Json counters();
  std::optional<Descriptor> take(Fields& fields);

  IpAddress local_, peer_;
  double most_rate_bps_;
  std::uint64_t token_ = 0;
  std::unique_ptr<DatagramPort> datagrams_;
  std::unique_ptr<PathListener> listener_;
  std::optional<HandshakeWatch> watch_;
};

Json PathService::Worker::open() {
  watch_.reset();
  datagrams_.reset();
  listener_.reset();
  if (getrandom(&token_, sizeof token_, 0) != sizeof token_) return refusal("no random numbers");
  auto datagrams = DatagramPort::open(local_, peer_, token_, true);
  if (!datagrams) return refusal(datagrams.error().message());
  auto listener = PathListener::open(local_, peer_, token_);
  if (!listener) return refusal(listener.error().message());
  datagrams_ = std::move(*datagrams);
  listener_ = std::move(*listener);
  Json message = reply();
  message["udp_port"] = datagrams_->port();
  message["tcp_port"] = listener_->port();
  if (const auto mtu = interface_mtu_of(local_)) {
    message["interface_mtu_bytes"] = std::min(*mtu, 65535U);
  }
  message["token"] = fmt::format("{:016x}", token_);
  return message;
}

Json PathService::Worker::send(const Json& request) {
  if (!datagrams_->knows_peer())
    return refusal("no datagram has come yet that proves your address");
  Result<DatagramPlan> plan = plan_from(request);
  if (!plan) return refusal(plan.error().message());
  if (most_rate_bps_ > 0 && plan->rate_bps > 0) {
    plan->rate_bps = std::min(plan->rate_bps, most_rate_bps_);
  }
  (void)datagrams_->take_errors();
  Json message = to_json(datagrams_->send(*plan));
  Fields fields(request);
  const std::uint64_t wait_ms = fields.number_or("wait_ms", 0, kMostWaitMs);
  std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
  message["type"] = "path";
  message["errors"] = to_json(datagrams_->take_errors(), token_);
  return message;
}

Json PathService::Worker::tally(Fields& fields) {
  const auto run = static_cast<std::uint16_t>(fields.number("run", 0, 65535));
  const std::uint64_t sent = fields.number("sent", 0, DatagramTally::kMost);
  if (!fields.ok()) return refusal(fields.verdict().error().message());
  Json message = to_json(datagrams_->tally(run, sent));
  message["type"] = "path";
  return message;
}

Json PathService::Worker::came(Fields& fields) {
  const auto run = static_cast<std::uint16_t>(fields.number("run", 0, 65535));
  const auto count = static_cast<std::uint32_t>(fields.number("count", 1, 1024));
  const std::uint64_t wait_ms = fields.number_or("wait_ms", 0, kMostWaitMs);
  if (!fields.ok()) return refusal(fields.verdict().error().message());
  Json message = reply();
  message["came"] = datagrams_->await_counted(run, count, std::chrono::milliseconds(wait_ms));
  return message;
}

std::optional<Descriptor> PathService::Worker::take(Fields& fields) {
  const auto port = static_cast<std::uint16_t>(fields.number("port", 1, 65535));
  if (!fields.ok()) return std::nullopt;
  return listener_->take(port, kConnectionWait);
}

Json PathService::Worker::segments(Fields& fields) {
  const auto singles = static_cast<std::uint32_t>(fields.number_or("singles", kFirstSingles, 16));
  const std::optional<Descriptor> socket = take(fields);
  if (!socket) return refusal("your connection has not come");
  Json message = to_json(test_segments(socket->get(), Direction::to_client, singles));
  message["type"] = "path";
  return message;
}

Json PathService::Worker::load(const Json& request) {
  Fields fields(request);
  const std::uint64_t milliseconds = fields.number("ms", 1, kMostLoadMilliseconds);
  if (!fields.ok()) return refusal(fields.verdict().error().message());
  const auto ports = request.find("ports");
  if (ports == request.end() || !ports->is_array() || ports->empty() ||
      ports->size() > kLoadConnections) {
    return refusal("the request names no ports, or too many");
  }
  std::vector<Descriptor> sockets;
  for (const Json& port : *ports) {
    if (!port.is_number_unsigned() || port.get<std::uint64_t>() > 65535) return refusal("no port");
    auto socket = listener_->take(port.get<std::uint16_t>(), kConnectionWait);
    if (!socket) return refusal("your connection has not come");
    SocketOptions paced;
    if (most_rate_bps_ > 0) {
      paced.pacing_rate_bps =
          static_cast<std::uint64_t>(most_rate_bps_ / static_cast<double>(ports->size()));
    }
    if (const auto set = apply(paced, socket->get()); !set) return refusal(set.error().message());
    sockets.push_back(std::move(*socket));
  }
  const LoadResult result = send_load(sockets, std::chrono::milliseconds(milliseconds));
  Json message = reply();
  message["bytes"] = result.bytes;
  message["seconds"] = result.seconds;
  return message;
}

Json PathService::Worker::watch() {
  Json message = reply();
  Result<HandshakeWatch> watch = HandshakeWatch::open(listener_->port());
  if (watch) {
    watch_ = std::move(*watch);
  } else {
    message["missing"] = watch.error().message();
  }
  return message;
}

Json PathService::Worker::headers(Fields& fields) {
  const auto port = static_cast<std::uint16_t>(fields.number("port", 1, 65535));
  const std::optional<Descriptor> socket = take(fields);
  if (!socket) return refusal("your connection has not come");
  Json message = reply();
  message["syn"] = to_hex(saved_syn(socket->get()));
  put_negotiated(socket->get(), message);
  if (watch_) message["syn_ack"] = to_hex(watch_->find(true, port, std::chrono::milliseconds(200)));
  watch_.reset();
  return message;
}

Json PathService::Worker::counters() {
  Json values = Json::object();
  const HostCounters all = read_host_counters();
  for (const std::string_view name :
       {"UdpInCsumErrors", "Udp6InCsumErrors", "UdpRcvbufErrors", "Udp6RcvbufErrors",
        "TcpExtListenOverflows", "TcpExtListenDrops", "TcpExtSyncookiesSent", "ConntrackDrop",
        "IpReasmFails", "Ip6ReasmFails"}) {
    const auto found = all.find(name);
    if (found != all.end()) values[std::string(name)] = found->second;
  }
  Json message = reply();
  message["counters"] = values;
  return message;
}

PathService::PathService(const IpAddress& local, const IpAddress& peer, double most_rate_bps)
    : worker_(std::make_unique<Worker>(local, peer, most_rate_bps)) {}
PathService::~PathService() = default;

Json PathService::answer(const Json& request) { return worker_->answer(request); }

}  // namespace slowpath::probe

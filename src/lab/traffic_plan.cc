// SPDX-License-Identifier: Apache-2.0
// Reads a transfer's table.
#include "lab/traffic_plan.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/assert.h"

namespace slowpath::lab {
namespace {

/// A transfer without a limit of its own ends all the same: a lab run must.
constexpr Duration kDefaultLimit = std::chrono::seconds{60};
/// A paced application acts this often, unless its sizes are given.
constexpr double kPacesPerSecond = 100;

std::uint64_t paced_size(double rate_bps, std::uint64_t most) {
  const auto bytes = static_cast<std::uint64_t>(rate_bps / 8 / kPacesPerSecond);
  return std::clamp<std::uint64_t>(bytes, 512, most);
}

std::uint64_t positive_bytes(Settings& settings, const std::string& key, std::uint64_t fallback) {
  return std::max<std::uint64_t>(1, settings.bytes(key, fallback));
}

SenderPlan read_sender(Settings& settings) {
  SenderPlan plan;
  plan.write_rate_bps = settings.rate_bps("write_rate");
  if (plan.write_rate_bps > 0) plan.write_size = paced_size(plan.write_rate_bps, plan.write_size);
  plan.write_size = positive_bytes(settings, "write_size", plan.write_size);
  plan.write_pause_every = settings.bytes("write_pause_every");
  plan.write_pause = settings.duration("write_pause");
  plan.sndbuf = settings.bytes("sndbuf");
  plan.nodelay = settings.flag("nodelay");
  plan.cork = settings.flag("cork");
  plan.nonblocking = settings.flag("nonblocking");
  plan.congestion_control = settings.text("congestion_control");
  plan.cpu_share = settings.share("cpu_share", 1);
  plan.mss = static_cast<std::uint32_t>(settings.number("mss", 0, 0, 32767));
  plan.notsent_lowat = settings.bytes("notsent_lowat");
  plan.idle_after = settings.bytes("idle_after");
  plan.idle_for = settings.duration("idle_for");
  plan.keepalive = settings.duration("keepalive");
  return plan;
}

ReceiverPlan read_receiver(Settings& settings) {
  ReceiverPlan plan;
  plan.read_rate_bps = settings.rate_bps("read_rate");
  if (plan.read_rate_bps > 0) plan.read_size = paced_size(plan.read_rate_bps, plan.read_size);
  plan.read_size = positive_bytes(settings, "read_size", plan.read_size);
  plan.stall_after = settings.bytes("stall_after");
  plan.stall_for = settings.duration("stall_for");
  plan.rcvbuf = settings.bytes("rcvbuf");
  plan.window_clamp = settings.bytes("window_clamp");
  plan.quickack = settings.flag("quickack");
  plan.abort_after = settings.bytes("abort_after");
  return plan;
}

RequestPlan read_requests(Settings& settings) {
  RequestPlan plan;
  plan.request = positive_bytes(settings, "request", plan.request);
  plan.response = positive_bytes(settings, "response", plan.response);
  plan.count = static_cast<std::uint64_t>(settings.number("count", 100, 1));
  plan.think = settings.duration("think");
  plan.pause = settings.duration("pause");
  plan.split = settings.flag("split");
  plan.half_close = settings.flag("half_close");
  return plan;
}

ConnectionsPlan read_connections(Settings& settings) {
  ConnectionsPlan plan;
  plan.count = static_cast<std::uint64_t>(settings.number("count", 100, 1, 1'000'000));
  // Each is a descriptor in either process; 1000 leave room below the usual limit of 1024.
  plan.concurrent = static_cast<std::uint64_t>(settings.number("concurrent", 1, 1, 1000));
  plan.hold = settings.duration("hold");
  plan.interval = settings.duration("interval");
  plan.backlog = static_cast<int>(settings.number("backlog", 128, 0, 65535));
  plan.accept = settings.flag("accept", true);
  plan.reuse_port = settings.flag("reuse_port");
  return plan;
}

DatagramsPlan read_datagrams(Settings& settings) {
  DatagramsPlan plan;
  // Eight bytes carry the number; 65507 is the most that UDP over IPv4 takes.
  plan.size = std::clamp<std::uint64_t>(settings.bytes("size", 1200), 16, 65507);
  plan.count = static_cast<std::uint64_t>(settings.number("count", 1000, 1, 100'000'000));
  plan.rate_bps = settings.rate_bps("rate", 10e6);
  plan.dont_fragment = settings.flag("df");
  return plan;
}

void read_common(Settings& settings, TransferPlan& plan) {
  // Hosts were found by the caller; they are keys of this table all the same.
  (void)settings.text("client");
  (void)settings.text("server");
  (void)settings.text("via");
  const auto kind =
      settings.choice("kind", "stream", {"stream", "request-response", "connections", "datagrams"});
  if (kind == "request-response") plan.kind = TransferKind::request_response;
  if (kind == "connections") plan.kind = TransferKind::connections;
  if (kind == "datagrams") plan.kind = TransferKind::datagrams;
  plan.port = static_cast<std::uint16_t>(settings.number("port", 5001, 1, 65535));
  plan.connect_port =
      static_cast<std::uint16_t>(settings.number("connect_port", plan.port, 1, 65535));
  plan.source_port = static_cast<std::uint16_t>(settings.number("source_port", 0, 0, 65535));
  plan.start = settings.duration("start");
  plan.limit = settings.duration("limit", kDefaultLimit);
  plan.verify = settings.flag("verify", true);
}

void read_stream(Settings& settings, TransferPlan& plan) {
  const auto direction =
      settings.choice("direction", "to-client", {"to-client", "to-server", "both"});
  plan.to_client = direction != "to-server";
  plan.to_server = direction != "to-client";
  plan.warm_up = settings.duration("warm_up");
  plan.bytes = settings.bytes("bytes");
}

}  // namespace

std::string_view to_string(TransferKind kind) {
  switch (kind) {
    case TransferKind::stream:
      return "stream";
    case TransferKind::request_response:
      return "request-response";
    case TransferKind::connections:
      return "connections";
    case TransferKind::datagrams:
      return "datagrams";
  }
  SLOWPATH_ASSERT(false);
}

Result<TransferPlan> read_transfer_plan(const std::string& name, Settings& settings) {
  TransferPlan plan;
  plan.name = name;
  read_common(settings, plan);
  switch (plan.kind) {
    case TransferKind::stream:
      read_stream(settings, plan);
      plan.sender = read_sender(settings);
      plan.receiver = read_receiver(settings);
      break;
    case TransferKind::request_response:
      plan.sender = read_sender(settings);
      plan.receiver = read_receiver(settings);
      plan.requests = read_requests(settings);
      plan.sender.fastopen = settings.flag("fastopen");
      plan.warm_up = settings.duration("warm_up");
      break;
    case TransferKind::connections:
      plan.connections = read_connections(settings);
      break;
    case TransferKind::datagrams:
      read_stream(settings, plan);
      plan.datagrams = read_datagrams(settings);
      break;
  }
  if (auto checked = settings.check(); !checked) return std::unexpected(checked.error());
  const auto refuse = [&](std::string cause, std::string hint) {
    return fail(ErrorKind::usage, "cannot use " + settings.where(), std::move(cause),
                std::move(hint));
  };
  if (plan.limit <= Duration{0}) return refuse("limit is 0", "give it a time, such as 10s");
  if (plan.kind == TransferKind::stream && plan.bytes == 0 && !settings.has("limit"))
    return refuse("it has no end", "give bytes, limit or both");
  if (plan.kind == TransferKind::datagrams && plan.to_client && plan.to_server)
    return refuse("datagrams go one way", "say direction = \"to-client\" or \"to-server\"");
  if (plan.sender.cpu_share <= 0) return refuse("cpu_share is 0", "it is more than 0%");
  if (plan.connections.reuse_port && plan.connections.concurrent > 1)
    return refuse("reuse_port and concurrent exclude each other",
                  "one source port is one connection at a time");
  return plan;
}

}  // namespace slowpath::lab

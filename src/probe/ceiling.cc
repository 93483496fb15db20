// SPDX-License-Identifier: Apache-2.0
#include "probe/ceiling.h"

#include <thread>

#include "probe/socket.h"
#include "probe/transfer_end.h"

namespace slowpath::probe {
namespace {

using namespace std::chrono_literals;

constexpr Duration kSoon = 5s;

/// Both ends of a connection over IPv4's loopback, else IPv6's.
Result<std::pair<Descriptor, Descriptor>> connect_with_itself() {
  auto listener = listen_tcp("127.0.0.1", 0, IpFamily::ipv4, {}, 1);
  if (!listener) listener = listen_tcp("::1", 0, IpFamily::ipv6, {}, 1);
  if (!listener) return std::unexpected(listener.error());
  const Endpoint at = local_endpoint(listener->get()).value_or(Endpoint{});
  auto client = connect_tcp({.host = to_string(at.address), .port = at.port}, {}, kSoon);
  if (!client) return std::unexpected(client.error());
  auto server = accept_tcp(listener->get(), kSoon);
  if (!server) return std::unexpected(server.error());
  if (!server->has_value())
    return fail(ErrorKind::environment, "cannot connect over loopback", "nothing arrives",
                "is the interface lo up?");
  return std::pair{*std::move(client), **std::move(server)};
}

}  // namespace

Result<double> measure_ceiling(std::size_t block_bytes, bool verify) {
  auto pair = connect_with_itself();
  if (!pair) return std::unexpected(pair.error());
  TransferRequest request;
  request.verify = verify;
  request.plan.block_bytes = block_bytes;
  request.plan.omit = 50ms;
  request.plan.duration = 450ms;
  request.plan.interval = {};
  request.plan.most = kSoon;
  std::vector<Descriptor> sending, receiving;
  sending.push_back(std::move(pair->first));
  receiving.push_back(std::move(pair->second));
  Result<EndReport> received = fail(ErrorKind::environment, "nothing was received");
  {
    const std::jthread receiver{[&] { received = run_transfer_end(request, receiving, true, {}); }};
    if (auto sent = run_transfer_end(request, sending, false, {}); !sent)
      return std::unexpected(sent.error());
  }
  if (!received) return std::unexpected(received.error());
  const StreamReport& stream = received->streams.front();
  return stream.seconds > 0 ? static_cast<double>(stream.bytes) * 8 / stream.seconds : 0;
}

}  // namespace slowpath::probe

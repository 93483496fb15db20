// SPDX-License-Identifier: Apache-2.0
// Starts a transfer's two processes, waits for them, and makes one result of their reports.
#include "lab/traffic.h"

#include <sys/epoll.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include <fmt/core.h>

#include "base/assert.h"
#include "lab/host.h"
#include "lab/scenario.h"
#include "lab/traffic_ends.h"
#include "lab/traffic_plan.h"
#include "lab/traffic_process.h"

namespace slowpath::lab {
namespace {

/// A TransferControl in memory that children share.
class SharedControl {
 public:
  SharedControl() {
    void* memory = mmap(nullptr, sizeof(TransferControl), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) control_ = new (memory) TransferControl{};
  }
  ~SharedControl() {
    if (control_) munmap(control_, sizeof(TransferControl));
  }
  SharedControl(const SharedControl&) = delete;
  SharedControl& operator=(const SharedControl&) = delete;
  [[nodiscard]] TransferControl* get() const { return control_; }

 private:
  TransferControl* control_ = nullptr;
};

std::vector<BadRange> to_bad_ranges(const std::vector<Difference>& differences) {
  std::vector<BadRange> bad;
  for (const auto& each : differences)
    bad.push_back({each.offset, each.length, each.expected_hex, each.found_hex});
  return bad;
}

StreamResult join(const EndReport& from, const EndReport& to, std::int64_t began_ns, bool verify) {
  StreamResult result;
  if (from.sender) {
    result.bytes_sent = from.sender->bytes;
    result.samples = from.sender->samples;
    result.last = from.sender->last;
  }
  if (!to.receiver) return result;
  const auto& received = *to.receiver;
  result.bytes_received = received.bytes;
  result.seconds = static_cast<double>(received.ended_ns - began_ns) * 1e-9;
  if (result.seconds > 0)
    result.goodput_bps = static_cast<double>(received.bytes) * 8 / result.seconds;
  result.complete = received.complete;
  result.receiver_samples = received.samples;
  result.bad_bytes = received.wrong;
  result.bytes_right = !verify || received.wrong == 0;
  result.bad = to_bad_ranges(received.differences);
  result.sent_sha256 = received.expected_sha256;
  result.received_sha256 = received.found_sha256;
  return result;
}

class RunningTransfer final : public Transfer {
 public:
  explicit RunningTransfer(TransferPlan plan) : plan_(std::move(plan)) {}

  /// Sockets, then both processes; the server's first.
  Result<void> start(const Host& client, const Host& server, const SocketAddress& address,
                     std::uint64_t seed);
  [[nodiscard]] int fd() const override { return ended_.get(); }
  bool poll() override;
  TransferResult take_result() override;

 private:
  Result<Descriptor> server_socket(const Host& server, bool ipv6) const;
  Result<Descriptor> client_socket(const Host& client, bool ipv6) const;
  Result<void> add(Result<EndProcess> process);
  [[nodiscard]] bool is_tcp() const { return plan_.kind != TransferKind::datagrams; }

  TransferPlan plan_;
  SharedControl control_;
  Descriptor ended_;  // epoll of the processes' descriptors
  /// Open until the end: closed, it would answer late packets and unaccepted connections with
  /// resets.
  Descriptor listener_;
  std::vector<EndProcess> processes_;  // server, client
  std::string server_name_, client_host_, server_host_;
};

Result<Descriptor> RunningTransfer::server_socket(const Host& server, bool ipv6) const {
  auto made = make_socket(ipv6 ? AF_INET6 : AF_INET, is_tcp() ? SOCK_STREAM : SOCK_DGRAM);
  if (!made) return made;
  Result<void> done{};
  if (!is_tcp()) {
    done = bind_to(made->get(), plan_.port, ipv6);
  } else {
    if (plan_.to_client)
      done = set_sender_options(made->get(), plan_.sender, server.spec().congestion_control);
    if (done && (plan_.to_server || plan_.kind == TransferKind::request_response))
      done = set_receiver_options(made->get(), plan_.receiver);
    const int backlog = plan_.kind == TransferKind::connections ? plan_.connections.backlog : 16;
    if (done && plan_.sender.fastopen) done = allow_fast_open(made->get(), true);
    if (done) done = listen_at(made->get(), plan_.port, ipv6, backlog);
  }
  if (!done) return std::unexpected(done.error());
  return made;
}

Result<Descriptor> RunningTransfer::client_socket(const Host& client, bool ipv6) const {
  auto made = make_socket(ipv6 ? AF_INET6 : AF_INET, is_tcp() ? SOCK_STREAM : SOCK_DGRAM);
  if (!made) return made;
  Result<void> done{};
  if (is_tcp() && (plan_.to_server || plan_.kind == TransferKind::request_response))
    done = set_sender_options(made->get(), plan_.sender, client.spec().congestion_control);
  if (done && is_tcp() && plan_.to_client) done = set_receiver_options(made->get(), plan_.receiver);
  if (done && plan_.sender.fastopen) done = allow_fast_open(made->get(), false);
  if (done && plan_.source_port != 0) done = bind_to(made->get(), plan_.source_port, ipv6);
  if (!done) return std::unexpected(done.error());
  return made;
}

Result<void> RunningTransfer::add(Result<EndProcess> process) {
  if (!process) return std::unexpected(process.error());
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = processes_.size();
  SLOWPATH_ASSERT(epoll_ctl(ended_.get(), EPOLL_CTL_ADD, process->fd(), &event) == 0);
  processes_.push_back(std::move(*process));
  return {};
}

Result<void> RunningTransfer::start(const Host& client, const Host& server,
                                    const SocketAddress& address, std::uint64_t seed) {
  const bool ipv6 = address.family() == AF_INET6;
  ended_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!control_.get() || !ended_.is_open()) {
    return fail(ErrorKind::environment, fmt::format("cannot start transfer {}", plan_.name),
                std::strerror(errno));
  }
  client_host_ = client.name();
  server_host_ = server.name();
  Descriptor connector;
  const auto make = [](const Host& host, Descriptor& into, const auto& function) {
    return host.inside([&]() -> Result<void> {
      auto made = function();
      if (!made) return std::unexpected(made.error());
      into = std::move(*made);
      return {};
    });
  };
  auto made = make(server, listener_, [&] { return server_socket(server, ipv6); });
  if (made) made = make(client, connector, [&] { return client_socket(client, ipv6); });
  if (!made) return made;

  const TransferEnd end{.plan = plan_, .control = *control_.get(), .seed = seed};
  const auto serve = [&]() -> EndReport {
    switch (plan_.kind) {
      case TransferKind::stream:
        return run_stream_server(listener_, end);
      case TransferKind::request_response:
        return run_request_server(listener_, end);
      case TransferKind::connections:
        return run_connections_server(listener_, end);
      case TransferKind::datagrams:
        return run_datagrams_server(listener_, end);
    }
    SLOWPATH_ASSERT(false);
  };
  const auto ask = [&]() -> EndReport {
    switch (plan_.kind) {
      case TransferKind::stream:
        return run_stream_client(std::move(connector), address, end);
      case TransferKind::request_response:
        return run_request_client(std::move(connector), address, end);
      case TransferKind::connections:
        connector.reset();  // It makes its own.
        return run_connections_client(address, end);
      case TransferKind::datagrams:
        return run_datagrams_client(connector, address, end);
    }
    SLOWPATH_ASSERT(false);
  };
  auto started = add(EndProcess::start(server.namespace_fd(), {listener_.get()}, serve));
  if (started) started = add(EndProcess::start(client.namespace_fd(), {connector.get()}, ask));
  return started;
}

bool RunningTransfer::poll() {
  bool over = true;
  for (auto& process : processes_) {
    // Asked once: what ends between two looks would be taken off the list without being counted.
    if (!process.has_ended()) {
      over = false;
      continue;
    }
    // One that has ended would keep the descriptor readable.
    (void)epoll_ctl(ended_.get(), EPOLL_CTL_DEL, process.fd(), nullptr);
  }
  // Nobody tells the server of a client that was killed.
  if (!over && processes_.back().has_ended()) control_.get()->client_over = true;
  return over;
}

TransferResult RunningTransfer::take_result() {
  const auto server = processes_.front().report();
  const auto client = processes_.back().report();
  TransferResult result;
  result.name = plan_.name;
  result.kind = to_string(plan_.kind);
  for (const auto& [report, host] :
       {std::pair{&client, &client_host_}, std::pair{&server, &server_host_}}) {
    if (!*report && result.error.empty())
      result.error = fmt::format("the process on {} was killed", *host);
  }
  if (!server || !client) return result;
  result.client = client->name;
  result.server = server->name;
  result.error = client->error.empty() ? server->error : client->error;
  if (client->connected_ns != 0)
    result.connect_seconds = static_cast<double>(client->connected_ns - client->began_ns) * 1e-9;
  // Of datagrams one end counts what it sent, the other what came.
  result.attempts = client->attempts + server->attempts;
  result.successes = client->successes + server->successes;
  result.response_median_seconds = client->median_seconds;
  result.response_worst_seconds = client->worst_seconds;
  const auto add_stream = [&](const EndReport& from, const EndReport& to, bool to_client) {
    auto stream = join(from, to, client->began_ns, plan_.verify);
    stream.from = to_client ? server_host_ : client_host_;
    stream.to = to_client ? client_host_ : server_host_;
    result.streams.push_back(std::move(stream));
  };
  const bool both = plan_.kind == TransferKind::request_response;
  if (plan_.to_client || both) add_stream(*server, *client, true);
  if (plan_.to_server || both) add_stream(*client, *server, false);
  return result;
}

}  // namespace

Result<std::unique_ptr<Transfer>> start_transfer(const std::string& name, Settings settings,
                                                 const Host& client, const Host& server,
                                                 const std::string& server_address, bool ipv6,
                                                 std::uint64_t seed) {
  auto plan = read_transfer_plan(name, settings);
  if (!plan) return std::unexpected(plan.error());
  const auto address = socket_address(server_address, plan->connect_port, ipv6);
  if (!address) return std::unexpected(address.error());
  auto transfer = std::make_unique<RunningTransfer>(std::move(*plan));
  if (auto started = transfer->start(client, server, *address, seed); !started)
    return std::unexpected(started.error());
  return transfer;
}

}  // namespace slowpath::lab

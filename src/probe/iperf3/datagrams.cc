// SPDX-License-Identifier: Apache-2.0
#include "probe/iperf3/datagrams.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <string_view>

#include <fmt/core.h>

#include "facts/address.h"

namespace slowpath::probe::iperf3 {
namespace {

// iperf.h: what a client says first, and what it is answered; the words of versions before 3.11
// follow each.
constexpr std::uint32_t kHello = 0x36373839, kOldHello = 123456789;
constexpr std::uint32_t kReply = 0x39383736, kOldReply = 987654321;
constexpr std::size_t kHeader = 12, kWideHeader = 16;

double wall_clock_s() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

Result<Descriptor> make_socket(int family, const SocketOptions& options) {
  Descriptor socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) {
    return fail(ErrorKind::environment, "cannot make a UDP socket", std::strerror(errno));
  }
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  SocketOptions plain;
  plain.buffer_bytes = options.buffer_bytes;
  plain.type_of_service = options.type_of_service;
  plain.pacing_rate_bps = options.pacing_rate_bps;
  if (const Result<void> applied = apply(plain, socket.get()); !applied) {
    return std::unexpected(applied.error());
  }
  return socket;
}

/// Both ends of the control connection.
Result<void> addresses_of(int control, SocketAddress& local, SocketAddress& peer,
                          std::string_view attempt) {
  local.length = sizeof local.storage;
  peer.length = sizeof peer.storage;
  if (getsockname(control, local.get(), &local.length) == 0 &&
      getpeername(control, peer.get(), &peer.length) == 0) {
    return {};
  }
  return fail(ErrorKind::network, fmt::format("cannot {}", attempt), std::strerror(errno));
}

void set_port(SocketAddress& address, std::uint16_t port) {
  if (address.storage.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in&>(address.storage).sin_port = htons(port);
  }
}

Result<Descriptor> bound_socket(const SocketAddress& local, const SocketOptions& options) {
  Result<Descriptor> socket = make_socket(local.storage.ss_family, options);
  if (!socket) return socket;
  if (bind(socket->get(), local.get(), local.length) != 0) {
    return fail(ErrorKind::environment, "cannot await UDP streams", std::strerror(errno));
  }
  return socket;
}

}  // namespace

void DatagramSource::fill(std::span<std::byte> block, std::uint64_t) {
  ++packets_;
  // The last one of a test by bytes can be shorter than its header.
  if (block.size() < (wide_ ? kWideHeader : kHeader)) return;
  const double now = wall_clock_s();
  const double whole = std::floor(now);
  store_be32(block.data(), static_cast<std::uint32_t>(whole));
  store_be32(block.data() + 4, static_cast<std::uint32_t>((now - whole) * 1e6));
  if (wide_) {
    store_be32(block.data() + 8, static_cast<std::uint32_t>(packets_ >> 32U));
    store_be32(block.data() + 12, static_cast<std::uint32_t>(packets_));
  } else {
    store_be32(block.data() + 8, static_cast<std::uint32_t>(packets_));
  }
}

void DatagramSink::take(Bytes bytes, std::uint64_t) {
  if (bytes.size() < (wide_ ? kWideHeader : kHeader)) return;
  const double sent = load_be32(bytes.data()) + load_be32(bytes.data() + 4) * 1e-6;
  const std::uint64_t number =
      wide_ ? load_be64(bytes.data() + 8) : std::uint64_t{load_be32(bytes.data() + 8)};
  if (number > counts_.packets) {
    counts_.lost += number - counts_.packets - 1;
    counts_.packets = number;
  } else {
    ++counts_.out_of_order;
    // It was counted as lost when a later one came.
    if (counts_.lost > 0) --counts_.lost;
  }
  // The clocks' difference is the same in every transit and cancels out.
  const double transit = wall_clock_s() - sent;
  if (transit_s_) counts_.jitter_s += (std::abs(transit - *transit_s_) - counts_.jitter_s) / 16;
  transit_s_ = transit;
}

Result<Descriptor> connect_udp_stream(int control, std::uint16_t local_port,
                                      const std::string& device, const SocketOptions& options,
                                      Duration timeout) {
  SocketAddress local, server;
  if (const auto known = addresses_of(control, local, server, "begin a UDP stream"); !known) {
    return std::unexpected(known.error());
  }
  Result<Descriptor> socket = make_socket(server.storage.ss_family, options);
  if (!socket) return socket;
  if (const auto bound = bind_to_device(socket->get(), device); !bound) {
    return std::unexpected(bound.error());
  }
  set_port(local, local_port);
  if (bind(socket->get(), local.get(), local.length) != 0) {
    return fail(ErrorKind::usage,
                local_port == 0 ? "cannot send from " + to_string(endpoint_of(local).address)
                                : fmt::format("cannot send from port {}", local_port),
                std::strerror(errno),
                local_port == 0 ? "" : "choose another: ss -uan lists those in use");
  }
  if (connect(socket->get(), server.get(), server.length) != 0) {
    return fail(ErrorKind::network, "cannot begin a UDP stream", std::strerror(errno));
  }
  // A datagram may be lost, and so may its answer.
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    const std::uint32_t hello = kHello;
    if (send(socket->get(), &hello, sizeof hello, MSG_NOSIGNAL) < 0 && errno != ECONNREFUSED) {
      return fail(ErrorKind::network, "cannot begin a UDP stream", std::strerror(errno));
    }
    if (!wait_readable(socket->get(), timeout / kTries)) continue;
    std::uint32_t reply = 0;
    const ssize_t got = recv(socket->get(), &reply, sizeof reply, 0);
    if (got == sizeof reply && (reply == kReply || reply == kOldReply)) return socket;
  }
  return fail(ErrorKind::network, "cannot begin a UDP stream",
              "the server does not answer over UDP", "a firewall may let only TCP through");
}

Result<UdpListener> UdpListener::bind(int control, const SocketOptions& options) {
  SocketAddress local, peer;
  if (const auto known = addresses_of(control, local, peer, "await UDP streams"); !known) {
    return std::unexpected(known.error());
  }
  Result<Descriptor> socket = bound_socket(local, options);
  if (!socket) return std::unexpected(socket.error());
  return UdpListener(std::move(*socket), local, peer, options);
}

Result<Descriptor> UdpListener::accept(Duration timeout) {
  const std::int64_t deadline = steady_ns() + timeout.count();
  for (std::int64_t left = timeout.count(); left > 0; left = deadline - steady_ns()) {
    wait_readable(socket_.get(), Duration{left});
    SocketAddress from;
    from.length = sizeof from.storage;
    std::uint32_t hello = 0;
    const ssize_t got = recvfrom(socket_.get(), &hello, sizeof hello, 0, from.get(), &from.length);
    if (got != sizeof hello || (hello != kHello && hello != kOldHello)) continue;
    if (!same_host(from.get(), peer_.get())) continue;
    if (connect(socket_.get(), from.get(), from.length) != 0) continue;
    Result<Descriptor> next = bound_socket(local_, options_);
    if (!next) return next;
    Descriptor stream = std::exchange(socket_, std::move(*next));
    const std::uint32_t reply = hello == kHello ? kReply : kOldReply;
    if (send(stream.get(), &reply, sizeof reply, MSG_NOSIGNAL) == sizeof reply) return stream;
  }
  return fail(ErrorKind::network, "cannot begin a UDP stream", "no datagram of the client came");
}

void forbid_fragments(int socket) {
  const int on = IP_PMTUDISC_DO;
  setsockopt(socket, IPPROTO_IP, IP_MTU_DISCOVER, &on, sizeof on);
}

}  // namespace slowpath::probe::iperf3

// SPDX-License-Identifier: Apache-2.0
// Socket options and addresses.
#include "lab/traffic_socket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/core.h>

namespace slowpath::lab {
namespace {

Error refused(std::string_view option, std::uint64_t value) {
  return Error{.kind = ErrorKind::environment,
               .attempt = fmt::format("cannot set {} = {} of a socket", option, value),
               .cause = std::strerror(errno),
               .hint = {}};
}

bool set_option(int socket, int level, int option, int value) {
  return setsockopt(socket, level, option, &value, sizeof value) == 0;
}

struct BufferOptions {
  std::string_view name;
  int forced, asked;
};

/// Beyond the machine's limit where we may; the limit of net.core.*mem_max counts elsewhere.
Result<void> set_buffer(int socket, const BufferOptions& options, std::uint64_t bytes) {
  if (bytes == 0) return {};
  const auto value = static_cast<int>(std::min<std::uint64_t>(bytes, 1U << 30U));
  if (set_option(socket, SOL_SOCKET, options.forced, value)) return {};
  if (!set_option(socket, SOL_SOCKET, options.asked, value))
    return std::unexpected(refused(options.name, bytes));
  int got = 0;
  socklen_t length = sizeof got;
  (void)getsockopt(socket, SOL_SOCKET, options.asked, &got, &length);
  if (got >= value) return {};  // The kernel doubles what it is asked for: socket(7).
  return fail(ErrorKind::environment,
              fmt::format("cannot set {} = {} of a socket", options.name, bytes),
              fmt::format("this machine allows {}", got / 2),
              "run as root, or raise net.core.rmem_max and net.core.wmem_max");
}

/// The kernel counts keep-alives in seconds: tcp(7).
Result<void> set_keepalive(int socket, Duration every) {
  if (every <= Duration{0}) return {};
  const auto seconds = std::max(1, static_cast<int>(every / std::chrono::seconds{1}));
  const bool set = set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1) &&
                   set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, seconds) &&
                   set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, seconds);
  if (set) return {};
  return std::unexpected(refused("keepalive", static_cast<std::uint64_t>(seconds)));
}

}  // namespace

Result<SocketAddress> socket_address(const std::string& text, std::uint16_t port, bool ipv6) {
  SocketAddress address;
  bool sound = true;
  if (ipv6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (!text.empty()) sound = inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1;
    address.length = sizeof v6;
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    if (!text.empty()) sound = inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1;
    address.length = sizeof v4;
  }
  if (sound) return address;
  return fail(ErrorKind::usage, fmt::format("cannot connect to \"{}\"", text),
              fmt::format("it is no IPv{} address", ipv6 ? 6 : 4));
}

std::string own_name(int socket) {
  SocketAddress address;
  address.length = sizeof address.storage;
  if (getsockname(socket, address.get(), &address.length) != 0) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.family() == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return fmt::format("[{}]:{}", text.data(), ntohs(v6.sin6_port));
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address.storage);
  inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  return fmt::format("{}:{}", text.data(), ntohs(v4.sin_port));
}

Result<Descriptor> make_socket(int family, int type) {
  Descriptor made{socket(family, type | SOCK_CLOEXEC, 0)};
  if (made.is_open()) return made;
  return fail(ErrorKind::environment, "cannot make a socket", std::strerror(errno));
}

Result<void> set_sender_options(int socket, const SenderPlan& plan,
                                const std::string& congestion_control) {
  if (auto set = set_buffer(socket, {"sndbuf", SO_SNDBUFFORCE, SO_SNDBUF}, plan.sndbuf); !set)
    return set;
  if (plan.mss != 0 && !set_option(socket, IPPROTO_TCP, TCP_MAXSEG, static_cast<int>(plan.mss)))
    return std::unexpected(refused("mss", plan.mss));
  if (plan.notsent_lowat != 0 &&
      !set_option(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, static_cast<int>(plan.notsent_lowat)))
    return std::unexpected(refused("notsent_lowat", plan.notsent_lowat));
  if (plan.nodelay && !set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1))
    return std::unexpected(refused("nodelay", 1));
  if (plan.cork && !set_option(socket, IPPROTO_TCP, TCP_CORK, 1))
    return std::unexpected(refused("cork", 1));
  if (auto set = set_keepalive(socket, plan.keepalive); !set) return set;
  const auto& name = plan.congestion_control.empty() ? congestion_control : plan.congestion_control;
  if (!name.empty() && setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(),
                                  static_cast<socklen_t>(name.size())) != 0) {
    return fail(ErrorKind::environment, fmt::format("cannot use congestion control {}", name),
                std::strerror(errno),
                fmt::format("load its module (modprobe tcp_{}), or choose another", name));
  }
  return {};
}

Result<void> set_receiver_options(int socket, const ReceiverPlan& plan) {
  if (auto set = set_buffer(socket, {"rcvbuf", SO_RCVBUFFORCE, SO_RCVBUF}, plan.rcvbuf); !set)
    return set;
  if (plan.window_clamp != 0 &&
      !set_option(socket, IPPROTO_TCP, TCP_WINDOW_CLAMP, static_cast<int>(plan.window_clamp)))
    return std::unexpected(refused("window_clamp", plan.window_clamp));
  return {};
}

void set_patience(int socket, Duration patience) {
  const timeval time{.tv_sec = patience.count() / 1'000'000'000,
                     .tv_usec = patience.count() % 1'000'000'000 / 1000};
  (void)setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  (void)setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

Result<void> bind_to(int socket, std::uint16_t port, bool ipv6) {
  (void)set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  const auto any = socket_address({}, port, ipv6);
  if (any && bind(socket, any->get(), any->length) == 0) return {};
  return fail(ErrorKind::environment, fmt::format("cannot bind a socket to port {}", port),
              std::strerror(errno));
}

Result<void> listen_at(int socket, std::uint16_t port, bool ipv6, int backlog) {
  if (auto bound = bind_to(socket, port, ipv6); !bound) return bound;
  if (listen(socket, backlog) == 0) return {};
  return fail(ErrorKind::environment, fmt::format("cannot listen on port {}", port),
              std::strerror(errno));
}

void vanish(Descriptor socket) {
  (void)set_option(socket.get(), IPPROTO_TCP, TCP_REPAIR, 1);
  socket.reset();
}

void reset_connection(Descriptor socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket.reset();
}

Result<void> allow_fast_open(int socket, bool listens) {
  constexpr int kWaiting = 16;
  if (listens && set_option(socket, IPPROTO_TCP, TCP_FASTOPEN, kWaiting)) return {};
  if (!listens && set_option(socket, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)) return {};
  // Switched off on this host: the handshake then comes first, as always.
  if (!listens && errno == EOPNOTSUPP) return {};
  return std::unexpected(refused("fastopen", 1));
}

void hold_back(int socket) {
  // The kernel's own pacing waits length / rate between two sends: at 1 kB/s, for seconds.
  (void)set_option(socket, SOL_SOCKET, SO_MAX_PACING_RATE, 1000);
}

}  // namespace slowpath::lab

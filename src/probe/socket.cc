// SPDX-License-Identifier: Apache-2.0
#include "probe/socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

// After the C library's own, with which it shares names.
#include <linux/in6.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace slowpath::probe {
namespace {

constexpr int kReuse = 1;
constexpr int kFlowLabelManager = IPV6_FLOWLABEL_MGR, kFlowInfoSend = IPV6_FLOWINFO_SEND;

int family_number(IpFamily family) {
  switch (family) {
    case IpFamily::ipv4:
      return AF_INET;
    case IpFamily::ipv6:
      return AF_INET6;
    case IpFamily::any:
      break;
  }
  return AF_UNSPEC;
}

std::string words_of(int error) { return std::strerror(error); }

template <typename T>
Result<void> set_option(int socket, int level, int name, T value, const std::string& what) {
  if (setsockopt(socket, level, name, &value, sizeof value) == 0) return {};
  return fail(ErrorKind::environment, "cannot set " + what, words_of(errno));
}

Result<void> set_congestion_control(int socket, const std::string& name) {
  if (name.empty()) return {};
  if (setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(),
                 static_cast<socklen_t>(name.size())) == 0)
    return {};
  return fail(ErrorKind::environment, "cannot use congestion control " + name, words_of(errno),
              "sysctl net.ipv4.tcp_available_congestion_control lists what there is");
}

Result<void> set_buffers(int socket, std::uint64_t bytes) {
  const int size = static_cast<int>(std::min<std::uint64_t>(bytes, 1U << 30U));
  const std::string what = fmt::format("socket buffers of {} bytes", bytes);
  if (auto set = set_option(socket, SOL_SOCKET, SO_SNDBUF, size, what); !set) return set;
  return set_option(socket, SOL_SOCKET, SO_RCVBUF, size, what);
}

Result<void> set_type_of_service(int socket, std::uint8_t value) {
  const int number = value;
  sockaddr_storage local{};
  socklen_t length = sizeof local;
  getsockname(socket, reinterpret_cast<sockaddr*>(&local), &length);
  const std::string what = fmt::format("type of service {}", number);
  if (local.ss_family == AF_INET6)
    return set_option(socket, IPPROTO_IPV6, IPV6_TCLASS, number, what);
  return set_option(socket, IPPROTO_IP, IP_TOS, number, what);
}

std::optional<std::uint64_t> buffer_of(int socket, int name) {
  int size = 0;
  socklen_t length = sizeof size;
  if (getsockopt(socket, SOL_SOCKET, name, &size, &length) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(size);
}

std::optional<Endpoint> endpoint_by(int (*ask)(int, sockaddr*, socklen_t*), int socket) {
  SocketAddress address;
  address.length = sizeof address.storage;
  if (ask(socket, address.get(), &address.length) != 0) return std::nullopt;
  return endpoint_of(address);
}

bool wait_for(int socket, short events, Duration timeout) {
  pollfd entry{socket, events, 0};
  timespec limit{};
  const auto ns = std::max<std::int64_t>(timeout.count(), 0);
  limit.tv_sec = ns / 1'000'000'000;
  limit.tv_nsec = ns % 1'000'000'000;
  return ppoll(&entry, 1, &limit, nullptr) > 0;
}

Result<Descriptor> make_socket(const SocketAddress& address, const SocketOptions& options) {
  Descriptor made{
      socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP)};
  if (!made.is_open()) return fail(ErrorKind::environment, "cannot make a socket", words_of(errno));
  if (auto set = apply(options, made.get()); !set) return std::unexpected(set.error());
  return made;
}

Result<void> bind_source(const Target& target, int family, int socket) {
  if (auto bound = bind_to_device(socket, target.bind_device); !bound) return bound;
  if (target.bind_host.empty() && target.bind_port == 0) return {};
  // Ports of a test that has just ended still wait.
  if (target.bind_port != 0) setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &kReuse, sizeof kReuse);
  auto sources = resolve(target.bind_host, target.bind_port,
                         family == AF_INET6 ? IpFamily::ipv6 : IpFamily::ipv4);
  if (!sources) return std::unexpected(sources.error());
  if (bind(socket, sources->front().get(), sources->front().length) == 0) return {};
  if (target.bind_port != 0)
    return fail(ErrorKind::usage, fmt::format("cannot send from port {}", target.bind_port),
                words_of(errno), "choose another: ss -tan lists those in use");
  return fail(ErrorKind::usage, "cannot send from " + target.bind_host, words_of(errno),
              "ip address lists the addresses of this host");
}

/// Leases the label for this process (ip6(7) says nothing of it; linux/in6.h), and puts it into the
/// address that is connected to.
Result<void> lease_flow_label(int socket, std::uint32_t label, SocketAddress& address) {
  const std::string what = fmt::format("flow label {}", label);
  if (address.storage.ss_family != AF_INET6)
    return fail(ErrorKind::usage, "cannot set " + what, "the connection is IPv4, which has none",
                "name an IPv6 address, or use -6");
  auto* to = reinterpret_cast<sockaddr_in6*>(&address.storage);
  in6_flowlabel_req lease{};
  static_assert(sizeof lease.flr_dst == sizeof to->sin6_addr);
  std::memcpy(&lease.flr_dst, &to->sin6_addr, sizeof lease.flr_dst);
  lease.flr_label = htonl(label);
  lease.flr_action = IPV6_FL_A_GET;
  lease.flr_flags = IPV6_FL_F_CREATE;
  lease.flr_share = IPV6_FL_S_PROCESS;
  to->sin6_flowinfo = htonl(label);
  if (auto set = set_option(socket, IPPROTO_IPV6, kFlowLabelManager, lease, what); !set) return set;
  return set_option(socket, IPPROTO_IPV6, kFlowInfoSend, 1, what);
}

bool needs_interface(const SocketAddress& address) {
  if (address.storage.ss_family != AF_INET6) return false;
  const auto* to = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  return IN6_IS_ADDR_LINKLOCAL(&to->sin6_addr) != 0 && to->sin6_scope_id == 0;
}

std::string_view hint_for(const SocketAddress& address, int error) {
  if (error == EINVAL && needs_interface(address))
    return "a link-local address needs its interface: fe80::1%eth0";
  switch (error) {
    case ECONNREFUSED:
      return "is `slowpath serve` running there, and on this port?";
    case ETIMEDOUT:
      return "nothing answers: a firewall may drop it, or the host is down";
    case EHOSTUNREACH:
    case ENETUNREACH:
      return "no route leads there";
    default:
      return "";
  }
}

Result<Descriptor> connect_to(SocketAddress address, const Target& target,
                              const SocketOptions& options, std::int64_t deadline_ns) {
  const auto refuse = [&](int error) {
    return fail(ErrorKind::network, "cannot connect to " + to_string(endpoint_of(address)),
                words_of(error), std::string{hint_for(address, error)});
  };
  auto made = make_socket(address, options);
  if (!made) return made;
  if (auto bound = bind_source(target, address.storage.ss_family, made->get()); !bound)
    return std::unexpected(bound.error());
  if (options.flow_label) {
    if (auto set = lease_flow_label(made->get(), *options.flow_label, address); !set)
      return std::unexpected(set.error());
  }
  if (connect(made->get(), address.get(), address.length) == 0) return made;
  if (errno != EINPROGRESS) return refuse(errno);
  if (!wait_writable(made->get(), Duration{deadline_ns - steady_ns()})) return refuse(ETIMEDOUT);
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(made->get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return refuse(error);
  return made;
}

}  // namespace

Result<std::vector<SocketAddress>> resolve(const std::string& host, std::uint16_t port,
                                           IpFamily family) {
  addrinfo wanted{};
  wanted.ai_family = family_number(family);
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV | (host.empty() ? AI_PASSIVE : 0);
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.empty() ? nullptr : host.c_str(),
                                 fmt::format("{}", port).c_str(), &wanted, &found);
  if (status != 0)
    return fail(ErrorKind::network, "cannot find the host " + host,
                status == EAI_SYSTEM ? words_of(errno) : gai_strerror(status));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list{found, &freeaddrinfo};
  std::vector<SocketAddress> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
    address.length = each->ai_addrlen;
    addresses.push_back(address);
  }
  return addresses;
}

bool same_host(const sockaddr* left, const sockaddr* right) {
  if (left == nullptr || right == nullptr || left->sa_family != right->sa_family) return false;
  if (left->sa_family == AF_INET) {
    return reinterpret_cast<const sockaddr_in*>(left)->sin_addr.s_addr ==
           reinterpret_cast<const sockaddr_in*>(right)->sin_addr.s_addr;
  }
  return left->sa_family == AF_INET6 &&
         std::memcmp(&reinterpret_cast<const sockaddr_in6*>(left)->sin6_addr,
                     &reinterpret_cast<const sockaddr_in6*>(right)->sin6_addr,
                     sizeof(in6_addr)) == 0;
}

Endpoint endpoint_of(const SocketAddress& address) {
  Endpoint endpoint;
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address.storage, sizeof in);
    endpoint.address.version = 4;
    std::memcpy(endpoint.address.bytes.data(), &in.sin_addr, 4);
    endpoint.port = ntohs(in.sin_port);
  } else if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address.storage, sizeof in);
    const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&in.sin6_addr) != 0;
    endpoint.address.version = is_mapped ? 4 : 6;
    std::memcpy(endpoint.address.bytes.data(), in.sin6_addr.s6_addr + (is_mapped ? 12 : 0),
                is_mapped ? 4 : 16);
    endpoint.port = ntohs(in.sin6_port);
  }
  return endpoint;
}

std::optional<Endpoint> local_endpoint(int socket) { return endpoint_by(getsockname, socket); }
std::optional<Endpoint> remote_endpoint(int socket) { return endpoint_by(getpeername, socket); }

Result<void> apply(const SocketOptions& options, int socket) {
  Result<void> set;
  if (options.buffer_bytes) set = set_buffers(socket, *options.buffer_bytes);
  if (set && options.mss_bytes)
    set = set_option(socket, IPPROTO_TCP, TCP_MAXSEG, static_cast<int>(*options.mss_bytes),
                     fmt::format("an MSS of {} bytes", *options.mss_bytes));
  if (set) set = set_congestion_control(socket, options.congestion_control);
  if (set && options.pacing_rate_bps)
    set = set_option(socket, SOL_SOCKET, SO_MAX_PACING_RATE, *options.pacing_rate_bps / 8,
                     "the pacing rate");
  if (set && options.type_of_service) set = set_type_of_service(socket, *options.type_of_service);
  if (set && options.user_timeout_ms)
    set = set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, *options.user_timeout_ms,
                     "the user timeout");
  if (set && options.no_delay) set = set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
  return set;
}

std::optional<std::uint64_t> send_buffer_bytes(int socket) { return buffer_of(socket, SO_SNDBUF); }
std::optional<std::uint64_t> receive_buffer_bytes(int socket) {
  return buffer_of(socket, SO_RCVBUF);
}

Result<Descriptor> connect_tcp(const Target& target, const SocketOptions& options,
                               Duration timeout) {
  auto addresses = resolve(target.host, target.port, target.family);
  if (!addresses) return std::unexpected(addresses.error());
  const std::int64_t deadline_ns = steady_ns() + timeout.count();
  Result<Descriptor> last = fail(ErrorKind::network, "cannot connect to " + target.host);
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    // An address that never answers shall leave time for the next.
    const std::int64_t left = deadline_ns - steady_ns();
    if (left <= 0) break;
    const auto share = left / static_cast<std::int64_t>(addresses->size() - i);
    last = connect_to((*addresses)[i], target, options, steady_ns() + share);
    if (last || last.error().kind != ErrorKind::network) break;
  }
  return last;
}

Result<void> bind_to_device(int socket, const std::string& device) {
  if (device.empty() || setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, device.data(),
                                   static_cast<socklen_t>(device.size())) == 0)
    return {};
  return fail(ErrorKind::environment, "cannot bind to interface " + device, words_of(errno));
}

Result<Descriptor> listen_tcp(const std::string& host, std::uint16_t port, IpFamily family,
                              const SocketOptions& options, int backlog,
                              const std::string& device) {
  auto addresses = resolve(host, port, family);
  if (!addresses) return std::unexpected(addresses.error());
  // "Every address" comes as 0.0.0.0 and ::, and the latter serves both where IPv6 is there.
  if (host.empty())
    std::ranges::stable_sort(*addresses, {}, [](const SocketAddress& address) {
      return address.storage.ss_family == AF_INET6 ? 0 : 1;
    });
  int error = 0;
  for (const SocketAddress& address : *addresses) {
    auto made = make_socket(address, options);
    if (!made) {
      error = errno;
      continue;
    }
    if (auto bound = bind_to_device(made->get(), device); !bound)
      return std::unexpected(bound.error());
    setsockopt(made->get(), SOL_SOCKET, SO_REUSEADDR, &kReuse, sizeof kReuse);
    const int only_ipv6 = host.empty() && family == IpFamily::any ? 0 : 1;
    if (address.storage.ss_family == AF_INET6)
      setsockopt(made->get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6, sizeof only_ipv6);
    if (bind(made->get(), address.get(), address.length) == 0 && listen(made->get(), backlog) == 0)
      return made;
    error = errno;
  }
  return fail(ErrorKind::environment,
              fmt::format("cannot listen on {}port {}", host.empty() ? "" : host + " ", port),
              words_of(error),
              error == EADDRINUSE ? "another program has it: choose another with --port" : "");
}

Result<std::optional<Descriptor>> accept_tcp(int listener, Duration timeout) {
  if (!wait_readable(listener, timeout)) return std::nullopt;
  Descriptor taken{accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (taken.is_open()) return taken;
  switch (errno) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return fail(ErrorKind::environment, "cannot take a connection", words_of(errno));
    default:  // accept(2): network errors of the new socket are to be treated as "try again".
      return std::nullopt;
  }
}

bool wait_readable(int socket, Duration timeout) { return wait_for(socket, POLLIN, timeout); }
bool wait_writable(int socket, Duration timeout) { return wait_for(socket, POLLOUT, timeout); }

std::int64_t steady_ns() {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace slowpath::probe

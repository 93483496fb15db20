// SPDX-License-Identifier: Apache-2.0
#include "probe/path/udp_probe.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/descriptor.h"
#include "probe/path/error_queue.h"
#include "probe/path/socket_address.h"
#include "probe/path/socket_switch.h"
#include "probe/path/stopwatch.h"

namespace slowpath::probe {
namespace {

// Where traceroute begins (traceroute(8)): nobody listens there, and firewalls know it.
constexpr std::uint16_t kFirstPort = 33434;
constexpr std::uint32_t kPortCount = 90;

/// A packet on its way.
struct UnderWay {
  Descriptor socket;
  std::int64_t sent_ns = 0;
  bool settled = false;
};

bool set_ttl(int fd, int version, std::uint32_t ttl) {
  if (ttl == 0) return true;
  return version == 6 ? set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, static_cast<int>(ttl))
                      : set_option(fd, IPPROTO_IP, IP_TTL, static_cast<int>(ttl));
}

Result<Descriptor> open_towards(const IpAddress& target, std::uint16_t port) {
  const int family = target.version == 6 ? AF_INET6 : AF_INET;
  Descriptor socket_fd{socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP)};
  if (!socket_fd.is_open()) {
    return fail(ErrorKind::environment, "cannot open a UDP socket", std::strerror(errno));
  }
  const SocketAddress address = to_socket_address({target, port});
  if (connect(socket_fd.get(), address.get(), address.length) != 0) {
    return fail(ErrorKind::network, "cannot reach " + to_string(target), std::strerror(errno));
  }
  return socket_fd;
}

Fate fate_of(const SocketError& error, const IpAddress& target) {
  switch (error.says) {
    case IcmpSays::too_big:
      return error.local ? Fate::too_large_here : Fate::refused;
    case IcmpSays::expired:
      return Fate::expired;
    case IcmpSays::port_unreachable:
      return error.from == target ? Fate::passed : Fate::unreachable;
    case IcmpSays::prohibited:
      // The host itself had it in hand, and its firewall says no.
      return error.from == target ? Fate::passed : Fate::unreachable;
    case IcmpSays::unreachable:
      return Fate::unreachable;
    case IcmpSays::reassembly_timeout:
    case IcmpSays::other:
      break;
  }
  return Fate::silent;
}

/// Takes what has come for one packet. Whether it is settled now.
void take_answer(UnderWay& packet, const IpAddress& target, ProbeAnswer& answer) {
  while (auto error = next_error(packet.socket.get())) {
    const Fate fate = fate_of(*error, target);
    if (fate == Fate::silent) continue;
    answer = {.fate = fate,
              .from = error->from,
              .mtu = error->mtu,
              .rtt_s = static_cast<double>(steady_ns() - packet.sent_ns) * 1e-9};
    packet.settled = true;
    return;
  }
  std::byte rest{};
  if (recv(packet.socket.get(), &rest, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0) {
    answer = {.fate = Fate::passed,
              .from = target,
              .rtt_s = static_cast<double>(steady_ns() - packet.sent_ns) * 1e-9};
    packet.settled = true;
  }
}

void send_one(UnderWay& packet, const UdpPacket& wanted, const IpAddress& target,
              ProbeAnswer& answer) {
  const int version = target.version;
  const int fd = packet.socket.get();
  enable_error_queue(fd, version);
  set_fragmentation(fd, version, wanted.dont_fragment);
  set_ttl(fd, version, wanted.ttl);
  const std::uint32_t headers = probe_headers(version);
  const std::vector<std::byte> payload(wanted.ip_bytes > headers ? wanted.ip_bytes - headers : 0);
  packet.sent_ns = steady_ns();
  const ssize_t sent = send(fd, payload.data(), payload.size(), MSG_NOSIGNAL);
  if (sent >= 0) return;
  const int why = errno;
  take_answer(packet, target, answer);
  if (packet.settled) return;
  packet.settled = true;
  if (why == EMSGSIZE) answer.fate = Fate::too_large_here;
  if (why == ENETUNREACH || why == EHOSTUNREACH || why == EACCES || why == EPERM) {
    answer.fate = Fate::unreachable;
  }
}

void await_answers(std::vector<UnderWay>& packets, const IpAddress& target, Duration wait,
                   std::vector<ProbeAnswer>& answers) {
  const std::int64_t deadline = steady_ns() + wait.count();
  while (true) {
    std::vector<pollfd> polled;
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < packets.size(); ++i) {
      if (packets[i].settled) continue;
      polled.push_back({.fd = packets[i].socket.get(), .events = POLLIN, .revents = 0});
      which.push_back(i);
    }
    const int left_ms = milliseconds_until(deadline);
    if (polled.empty() || left_ms <= 0) return;
    if (poll(polled.data(), polled.size(), left_ms) <= 0) continue;
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].revents != 0) take_answer(packets[which[i]], target, answers[which[i]]);
    }
  }
}

}  // namespace

Result<std::vector<ProbeAnswer>> send_udp_packets(const IpAddress& target,
                                                  std::span<const UdpPacket> packets,
                                                  Duration wait) {
  std::vector<UnderWay> under_way(packets.size());
  std::vector<ProbeAnswer> answers(packets.size());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    Result<Descriptor> opened =
        open_towards(target, static_cast<std::uint16_t>(kFirstPort + i % kPortCount));
    if (!opened) return std::unexpected(opened.error());
    under_way[i].socket = std::move(*opened);
    send_one(under_way[i], packets[i], target, answers[i]);
  }
  await_answers(under_way, target, wait, answers);
  return answers;
}

Result<IpAddress> local_address_towards(const IpAddress& target) {
  const Result<Descriptor> opened = open_towards(target, kFirstPort);
  if (!opened) return std::unexpected(opened.error());
  SocketAddress local;
  local.length = sizeof local.storage;
  if (getsockname(opened->get(), local.get(), &local.length) != 0) {
    return fail(ErrorKind::environment, "cannot read the own address", std::strerror(errno));
  }
  return to_endpoint(local.get()).address;
}

std::optional<std::uint32_t> kernel_path_mtu(const IpAddress& target) {
  const Result<Descriptor> opened = open_towards(target, kFirstPort);
  if (!opened) return std::nullopt;
  int mtu = 0;
  socklen_t len = sizeof mtu;
  const int got = target.version == 6
                      ? getsockopt(opened->get(), IPPROTO_IPV6, IPV6_MTU, &mtu, &len)
                      : getsockopt(opened->get(), IPPROTO_IP, IP_MTU, &mtu, &len);
  if (got != 0 || mtu <= 0) return std::nullopt;
  return static_cast<std::uint32_t>(mtu);
}

std::optional<std::uint32_t> interface_mtu_of(const IpAddress& local) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return std::nullopt;
  std::optional<std::uint32_t> mtu;
  for (const ifaddrs* item = list; item != nullptr && !mtu; item = item->ifa_next) {
    if (item->ifa_addr == nullptr || to_endpoint(item->ifa_addr).address != local) continue;
    ifreq request{};
    std::strncpy(request.ifr_name, item->ifa_name, sizeof request.ifr_name - 1);
    const Descriptor any{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (any.is_open() && ioctl(any.get(), SIOCGIFMTU, &request) == 0) {
      mtu = static_cast<std::uint32_t>(request.ifr_mtu);
    }
  }
  freeifaddrs(list);
  return mtu;
}

std::vector<ProbeAnswer> UdpSizeProbe::volley(std::span<const std::uint32_t> ip_bytes,
                                              Duration wait) {
  std::vector<UdpPacket> packets;
  packets.reserve(ip_bytes.size());
  for (const std::uint32_t size : ip_bytes) packets.push_back({.ip_bytes = size});
  Result<std::vector<ProbeAnswer>> answers = send_udp_packets(target_, packets, wait);
  if (!answers) return std::vector<ProbeAnswer>(ip_bytes.size(), {.fate = Fate::unreachable});
  return std::move(*answers);
}

}  // namespace slowpath::probe

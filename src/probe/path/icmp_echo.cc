// SPDX-License-Identifier: Apache-2.0
#include "probe/path/icmp_echo.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "probe/path/error_queue.h"
#include "probe/path/socket_address.h"
#include "probe/path/socket_switch.h"
#include "probe/path/stopwatch.h"
#include "wire/checksum.h"

namespace slowpath::probe {
namespace {

// ICMP echo: type, code, checksum, identifier, sequence number (RFC 792, RFC 4443 section 4.1).
constexpr std::size_t kEchoHeader = 8;
constexpr std::uint8_t kRequest4 = 8, kReply4 = 0, kRequest6 = 128, kReply6 = 129;

}  // namespace

/// The packets of one volley: sequence numbers run from `first` on.
struct IcmpEcho::Volley {
  std::uint16_t first = 0;
  std::vector<std::int64_t> sent_ns;
  std::vector<ProbeAnswer> answers;
  std::size_t open = 0;  // still unanswered

  /// Which packet a header speaks of, or answers.size().
  [[nodiscard]] std::size_t which(std::uint16_t sequence) const {
    const auto at = static_cast<std::uint16_t>(sequence - first);
    return at < answers.size() ? at : answers.size();
  }
  void settle(std::size_t at, Fate fate, const IpAddress& from, std::uint32_t mtu) {
    if (at >= answers.size() || answers[at].fate != Fate::silent) return;
    answers[at] = {.fate = fate,
                   .from = from,
                   .mtu = mtu,
                   .rtt_s = static_cast<double>(steady_ns() - sent_ns[at]) * 1e-9};
    --open;
  }
};

Result<std::unique_ptr<IcmpEcho>> IcmpEcho::open(const IpAddress& target) {
  std::unique_ptr<IcmpEcho> echo(new IcmpEcho(target));
  const bool v6 = target.version == 6;
  const int family = v6 ? AF_INET6 : AF_INET;
  const int protocol = v6 ? static_cast<int>(IPPROTO_ICMPV6) : static_cast<int>(IPPROTO_ICMP);
  const int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
  echo->socket_.reset(socket(family, SOCK_RAW | flags, protocol));
  echo->raw_ = echo->socket_.is_open();
  if (!echo->raw_) echo->socket_.reset(socket(family, SOCK_DGRAM | flags, protocol));
  if (!echo->socket_.is_open()) {
    return fail(ErrorKind::environment, "cannot send ICMP echo", std::strerror(errno),
                "run with cap_net_raw, or put the group into net.ipv4.ping_group_range");
  }
  const int fd = echo->socket_.get();
  const SocketAddress address = to_socket_address({target, 0});
  if (connect(fd, address.get(), address.length) != 0) {
    return fail(ErrorKind::network, "cannot reach " + to_string(target), std::strerror(errno));
  }
  enable_error_queue(fd, target.version);
  set_option(fd, SOL_SOCKET, SO_RCVBUF, 4 << 20);
  echo->set_dont_fragment(true);
  // A ping socket's identifier is its own choice; the kernel tells only this socket's answers.
  echo->id_ = static_cast<std::uint16_t>(getpid() ^ (steady_ns() >> 12));
  return echo;
}

void IcmpEcho::set_dont_fragment(bool dont_fragment) {
  set_fragmentation(socket_.get(), target_.version, dont_fragment);
}

std::vector<std::byte> IcmpEcho::make_request(std::uint32_t ip_bytes,
                                              std::uint16_t sequence) const {
  const std::uint32_t ip_header = target_.version == 6 ? 40 : 20;
  const std::uint32_t size = ip_bytes > ip_header ? ip_bytes - ip_header : 0;
  std::vector<std::byte> message(std::max<std::size_t>(size, kEchoHeader));
  for (std::size_t i = kEchoHeader; i < message.size(); ++i) {
    message[i] = static_cast<std::byte>(i & 0xff);
  }
  store_u8(message.data(), target_.version == 6 ? kRequest6 : kRequest4);
  store_be16(message.data() + 4, id_);
  store_be16(message.data() + 6, sequence);
  // IPv6's is the kernel's to fill in; a ping socket's too.
  if (raw_ && target_.version == 4) store_be16(message.data() + 2, wire::checksum(message));
  return message;
}

void IcmpEcho::send_all(Volley& volley, std::span<const std::uint32_t> ip_bytes) {
  volley.first = next_sequence_;
  volley.open = ip_bytes.size();
  volley.answers.resize(ip_bytes.size());
  volley.sent_ns.resize(ip_bytes.size());
  for (std::size_t i = 0; i < ip_bytes.size(); ++i) {
    const std::vector<std::byte> request = make_request(ip_bytes[i], next_sequence_++);
    volley.sent_ns[i] = steady_ns();
    // An error that waits for an earlier packet, EMSGSIZE by ICMP among them, is told once, instead
    // of sending; a refusal of this host stays.
    constexpr int kAttempts = 4;
    for (int attempt = 1; attempt <= kAttempts; ++attempt) {
      if (send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL) >= 0) break;
      const int why = errno;
      take_errors(volley);
      if (attempt < kAttempts) continue;
      if (why == EMSGSIZE) volley.settle(i, Fate::too_large_here, {}, 0);
      if (why == ENETUNREACH || why == EHOSTUNREACH || why == EPERM) {
        volley.settle(i, Fate::unreachable, {}, 0);
      }
    }
  }
}

void IcmpEcho::take_replies(Volley& volley) {
  std::array<std::byte, 128> head{};
  while (true) {
    const ssize_t got = recv(socket_.get(), head.data(), head.size(), MSG_DONTWAIT);
    if (got < 0) return;
    Bytes message{head.data(), static_cast<std::size_t>(got)};
    if (raw_ && target_.version == 4) {  // Raw IPv4 sockets are given the IP header too.
      const std::size_t header = message.empty() ? 0 : (load_u8(message.data()) & 15U) * 4U;
      if (header < 20 || message.size() < header) continue;
      message = message.subspan(header);
    }
    if (message.size() < kEchoHeader) continue;
    const std::uint8_t type = load_u8(message.data());
    if (type != (target_.version == 6 ? kReply6 : kReply4)) continue;
    if (raw_ && load_be16(message.data() + 4) != id_) continue;
    volley.settle(volley.which(load_be16(message.data() + 6)), Fate::passed, target_, 0);
  }
}

void IcmpEcho::take_errors(Volley& volley) {
  while (const auto error = next_error(socket_.get())) {
    if (error->local || error->quote.size() < kEchoHeader) continue;
    if (raw_ && load_be16(error->quote.data() + 4) != id_) continue;
    const std::size_t at = volley.which(load_be16(error->quote.data() + 6));
    if (error->says == IcmpSays::too_big) {
      volley.settle(at, Fate::refused, error->from, error->mtu);
    } else if (error->says == IcmpSays::unreachable || error->says == IcmpSays::prohibited) {
      volley.settle(at, Fate::unreachable, error->from, 0);
    } else if (error->says == IcmpSays::expired) {
      volley.settle(at, Fate::expired, error->from, 0);
    }
  }
}

std::vector<ProbeAnswer> IcmpEcho::volley(std::span<const std::uint32_t> ip_bytes, Duration wait) {
  Volley volley;
  send_all(volley, ip_bytes);
  const std::int64_t deadline = steady_ns() + wait.count();
  while (volley.open > 0) {
    const int left_ms = milliseconds_until(deadline);
    if (left_ms <= 0) break;
    pollfd polled{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (poll(&polled, 1, left_ms) <= 0) continue;
    take_errors(volley);
    take_replies(volley);
  }
  return std::move(volley.answers);
}

}  // namespace slowpath::probe

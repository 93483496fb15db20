// SPDX-License-Identifier: Apache-2.0
#include "probe/path/datagram_port.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "probe/path/size_probe.h"
#include "probe/path/socket_address.h"
#include "probe/path/stopwatch.h"

namespace slowpath::probe {
namespace {

constexpr std::uint32_t kMagic = 0x534c5044;  // "SLPD"
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMostRuns = 256, kMostErrors = 1024, kMostCame = 4096;
// Pacing: what is due is sent, then it sleeps this long.
constexpr Duration kTick = std::chrono::microseconds(500);
// A limit on the sending host itself holds datagrams back. So long for one: at 100 kbit/s a large
// one takes 120 ms; and so long in all, for where nothing leaves any more.
constexpr Duration kMostHeld = std::chrono::milliseconds(250),
                   kMostHeldInAll = std::chrono::seconds(5);

void store_be64(std::byte* at, std::uint64_t value) {
  store_be32(at, static_cast<std::uint32_t>(value >> 32));
  store_be32(at + 4, static_cast<std::uint32_t>(value));
}

struct Header {
  DatagramKind kind = DatagramKind::counted;
  std::uint16_t run = 0;
  std::uint64_t token = 0;
  std::uint32_t sequence = 0;
  std::int64_t sent_ns = 0;
};

void write_header(std::byte* at, const Header& header) {
  store_be32(at, kMagic);
  store_u8(at + 4, kVersion);
  store_u8(at + 5, static_cast<std::uint8_t>(header.kind));
  store_be16(at + 6, header.run);
  store_be64(at + 8, header.token);
  store_be32(at + 16, header.sequence);
  store_be64(at + 20, static_cast<std::uint64_t>(header.sent_ns));
}

std::optional<Header> read_header(std::span<const std::byte> bytes) {
  if (bytes.size() < DatagramPort::kHeader) return std::nullopt;
  const std::byte* at = bytes.data();
  const std::uint8_t kind = load_u8(at + 5);
  if (load_be32(at) != kMagic || load_u8(at + 4) != kVersion || kind < 1 || kind > 3) {
    return std::nullopt;
  }
  return Header{.kind = static_cast<DatagramKind>(kind),
                .run = load_be16(at + 6),
                .token = load_be64(at + 8),
                .sequence = load_be32(at + 16),
                .sent_ns = static_cast<std::int64_t>(load_be64(at + 20))};
}

}  // namespace

Result<std::unique_ptr<DatagramPort>> DatagramPort::open(const IpAddress& local,
                                                         const IpAddress& peer, std::uint64_t token,
                                                         bool answers) {
  std::unique_ptr<DatagramPort> port(new DatagramPort(local, peer, token, answers));
  const int family = local.version == 6 ? AF_INET6 : AF_INET;
  port->socket_.reset(socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  port->wake_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  SocketAddress address = to_socket_address({local, 0});
  if (!port->socket_.is_open() || !port->wake_.is_open() ||
      bind(port->socket_.get(), address.get(), address.length) != 0) {
    return fail(ErrorKind::environment, "cannot open a UDP port", std::strerror(errno));
  }
  address.length = sizeof address.storage;
  getsockname(port->socket_.get(), address.get(), &address.length);
  port->port_ = to_endpoint(address.get()).port;
  const int buffer = 4 << 20;  // A burst of datagrams must not be lost here.
  setsockopt(port->socket_.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  // As long a queue as may be, so that a limit on this host itself shows as one.
  setsockopt(port->socket_.get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  enable_error_queue(port->socket_.get(), local.version);
  port->prefer_fragmentation(true);
  port->thread_ = std::thread([raw = port.get()] { raw->listen(); });
  return port;
}

DatagramPort::~DatagramPort() {
  closing_ = true;
  const std::uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
}

void DatagramPort::prefer_fragmentation(bool dont_fragment) {
  const int v4 = dont_fragment ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT;
  const int v6 = dont_fragment ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT;
  if (peer_.version == 6) {
    setsockopt(socket_.get(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof v6);
  } else {
    setsockopt(socket_.get(), IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof v4);
  }
}

void DatagramPort::listen() {
  while (!closing_) {
    std::array<pollfd, 2> polled{{{.fd = socket_.get(), .events = POLLIN, .revents = 0},
                                  {.fd = wake_.get(), .events = POLLIN, .revents = 0}}};
    if (poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) return;
    if ((polled[0].revents & POLLERR) != 0) {
      while (auto error = next_error(socket_.get())) {
        const std::scoped_lock lock(mutex_);
        if (errors_.size() < kMostErrors) errors_.push_back(std::move(*error));
      }
      came_.notify_all();
    }
    if ((polled[0].revents & (POLLIN | POLLERR)) != 0) take_datagrams();
  }
}

void DatagramPort::take_datagrams() {
  std::array<std::byte, 256> head{};
  // Bounded, so that a flood cannot keep the thread from closing.
  for (int i = 0; i < 256; ++i) {
    SocketAddress from;
    from.length = sizeof from.storage;
    const ssize_t got = recvfrom(socket_.get(), head.data(), head.size(), MSG_DONTWAIT | MSG_TRUNC,
                                 from.get(), &from.length);
    if (got < 0) return;
    const auto whole = static_cast<std::size_t>(got);
    take({head.data(), std::min(whole, head.size())}, to_endpoint(from.get()), whole);
  }
}

void DatagramPort::take(std::span<const std::byte> bytes, const Endpoint& from,
                        std::size_t whole_bytes) {
  const std::int64_t now = steady_ns();
  const std::optional<Header> header = read_header(bytes);
  if (!header || header->token != token_ || from.address != peer_) return;
  if (answers_) peer_port_ = from.port;
  if (header->kind == DatagramKind::echo_request) {
    if (!answers_) return;
    std::array<std::byte, kHeader> reply{};
    Header answer = *header;
    answer.kind = DatagramKind::echo_reply;
    write_header(reply.data(), answer);
    const SocketAddress to = to_socket_address(from);
    sendto(socket_.get(), reply.data(), reply.size(), MSG_DONTWAIT, to.get(), to.length);
    return;
  }
  const std::uint32_t headers = probe_headers(peer_.version);
  const std::scoped_lock lock(mutex_);
  if (!runs_.contains(header->run) && runs_.size() >= kMostRuns) return;
  Run& run = runs_[header->run];
  if (header->kind == DatagramKind::echo_reply) {
    if (run.echoes.size() < kMostCame) {
      run.echoes.try_emplace(header->sequence, Echo{.sent_ns = header->sent_ns, .came_ns = now});
    }
  } else {
    run.tally.note(header->sequence, header->sent_ns, now,
                   static_cast<std::uint32_t>(whole_bytes) + headers);
    if (header->sequence < kMostCame) {
      if (run.came.size() <= header->sequence) run.came.resize(header->sequence + 1);
      run.came[header->sequence] = true;
    }
  }
  came_.notify_all();
}

/// As our port would, but for the order. -1 and errno as sendto(2).
ssize_t DatagramPort::send_last_first(Bytes payload, std::uint32_t mtu_bytes) {
  constexpr std::size_t kUdpHeader = 8;
  std::vector<std::byte> message(kUdpHeader + payload.size());
  store_be16(message.data(), port_);
  store_be16(message.data() + 2, peer_port_);
  store_be16(message.data() + 4, static_cast<std::uint16_t>(message.size()));
  std::ranges::copy(payload, message.begin() + kUdpHeader);
  store_be16(message.data() + 6, fragments_->checksum_of(IPPROTO_UDP, message));
  return fragments_->send(IPPROTO_UDP, message, mtu_bytes) ? static_cast<ssize_t>(payload.size())
                                                           : -1;
}

// Negative, with errno: not sent. An error that an earlier packet left behind, EMSGSIZE by ICMP
// among them, is told once, instead of sending; a refusal of this host stays. A full queue of this
// host is waited for: what it holds back is late, and not lost.
ssize_t DatagramPort::send_packet(const DatagramPlan& plan, Bytes payload, std::uint32_t ip_bytes,
                                  Duration& patience) {
  const bool last_first = plan.last_first_mtu > 0 && ip_bytes > plan.last_first_mtu;
  const SocketAddress to = to_socket_address({peer_, peer_port_});
  const auto attempt = [&] {
    return last_first ? send_last_first(payload, plan.last_first_mtu)
                      : sendto(socket_.get(), payload.data(), payload.size(), MSG_NOSIGNAL,
                               to.get(), to.length);
  };
  const Duration least = patience - std::min(patience, kMostHeld);
  ssize_t done = attempt();
  for (int errors = 0; done < 0 && errors < 3;) {
    if (errno != EAGAIN && errno != ENOBUFS) {
      ++errors;
    } else if (patience > least) {
      const std::int64_t since = steady_ns();
      std::this_thread::sleep_for(kTick);
      patience -= Duration{steady_ns() - since};
    } else {
      break;
    }
    done = attempt();
  }
  return done;
}

DatagramSent DatagramPort::send(const DatagramPlan& plan, const std::atomic<bool>* stop) {
  DatagramSent sent;
  const std::uint64_t count = std::min<std::uint64_t>(plan.count, DatagramTally::kMost);
  if (plan.ip_bytes.empty() || !knows_peer()) return sent;
  if (plan.last_first_mtu > 0 && !fragments_) {
    Result<FragmentSender> made = FragmentSender::open(local_, peer_);
    if (!made) {
      sent.unable = made.error().message();
      return sent;
    }
    fragments_.emplace(std::move(*made));
  }
  sent.last_first = plan.last_first_mtu > 0;
  prefer_fragmentation(plan.dont_fragment);
  const std::uint32_t headers = probe_headers(peer_.version);
  std::vector<std::byte> packet(std::size_t{65536});
  const std::int64_t begin = steady_ns();
  double due_bits = 0;
  Duration patience = kMostHeldInAll;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (stop != nullptr && *stop) break;
    const std::uint32_t size = plan.ip_bytes[i % plan.ip_bytes.size()];
    while (plan.rate_bps > 0 &&
           due_bits > plan.rate_bps * static_cast<double>(steady_ns() - begin) * 1e-9) {
      std::this_thread::sleep_for(kTick);
    }
    due_bits += size * 8.0;
    const std::size_t payload = std::clamp<std::size_t>(size > headers ? size - headers : 0,
                                                        kHeader, packet.size() - headers);
    write_header(packet.data(), {.kind = plan.kind,
                                 .run = plan.run,
                                 .token = token_,
                                 .sequence = static_cast<std::uint32_t>(i),
                                 .sent_ns = steady_ns()});
    const ssize_t done = send_packet(plan, Bytes{packet}.first(payload), size, patience);
    if (sent.refused_here.size() < 256) sent.refused_here.push_back(done < 0 && errno == EMSGSIZE);
    if (done >= 0) {
      ++sent.sent;
      sent.bytes += size;
    } else if (errno == EMSGSIZE) {
      ++sent.too_large_here;
    } else {
      ++sent.failed;
    }
  }
  sent.seconds = static_cast<double>(steady_ns() - begin) * 1e-9;
  return sent;
}

TallyResult DatagramPort::tally(std::uint16_t run, std::uint64_t sent) {
  const std::scoped_lock lock(mutex_);
  const auto found = runs_.find(run);
  return found == runs_.end() ? DatagramTally{}.result(sent) : found->second.tally.result(sent);
}

std::vector<DatagramPort::Echo> DatagramPort::await_echoes(std::uint16_t run, std::uint32_t count,
                                                           Duration wait) {
  std::unique_lock lock(mutex_);
  came_.wait_for(lock, wait, [&] {
    const auto found = runs_.find(run);
    return found != runs_.end() && found->second.echoes.size() >= count;
  });
  std::vector<Echo> echoes(count);
  const auto found = runs_.find(run);
  if (found == runs_.end()) return echoes;
  for (const auto& [sequence, echo] : found->second.echoes) {
    if (sequence < count) echoes[sequence] = echo;
  }
  return echoes;
}

std::vector<bool> DatagramPort::await_counted(std::uint16_t run, std::uint32_t count,
                                              Duration wait) {
  std::unique_lock lock(mutex_);
  const auto all = [&] {
    const auto found = runs_.find(run);
    return found != runs_.end() &&
           static_cast<std::uint32_t>(std::ranges::count(found->second.came, true)) >= count;
  };
  came_.wait_for(lock, wait, all);
  std::vector<bool> came = runs_[run].came;
  came.resize(count);
  return came;
}

std::vector<SocketError> DatagramPort::take_errors() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(errors_, {});
}

std::optional<std::uint32_t> sequence_of_quote(std::span<const std::byte> quote,
                                               std::uint64_t token) {
  const std::optional<Header> header = read_header(quote);
  if (!header || header->token != token) return std::nullopt;
  return header->sequence;
}

}  // namespace slowpath::probe

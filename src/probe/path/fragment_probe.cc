// SPDX-License-Identifier: Apache-2.0
#include "probe/path/fragment_probe.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/descriptor.h"
#include "probe/path/icmp_echo.h"
#include "probe/path/socket_address.h"
#include "probe/path/stopwatch.h"
#include "wire/checksum.h"

namespace slowpath::probe {
namespace {

constexpr std::uint32_t kTries = 10;
constexpr Duration kWait = std::chrono::milliseconds(700);
constexpr std::uint32_t kIp4Header = 20;
// IP_NODEFRAG (ip(7)): the own connection tracking leaves these fragments as they are.
constexpr int kNoDefrag = 22;
static_assert(IP_NODEFRAG == kNoDefrag);

/// Payload of all fragments but the last: a multiple of eight (RFC 791).
std::uint32_t piece_bytes(std::uint32_t mtu_bytes, std::uint32_t header) {
  return (mtu_bytes - header) / 8 * 8;
}

std::uint32_t count_fragments(std::uint32_t ip_bytes, std::uint32_t mtu_bytes, int version) {
  const std::uint32_t header = version == 6 ? 40 : kIp4Header;
  const std::uint32_t own = version == 6 ? 48 : kIp4Header;  // with IPv6's fragment header
  const std::uint32_t piece = piece_bytes(mtu_bytes, own);
  return (ip_bytes - header + piece - 1) / piece;
}

/// Makes and sends echo requests as fragments, the last one first.
class Scrambler {
 public:
  static Result<Scrambler> open(const IpAddress& target) {
    Scrambler scrambler(target);
    scrambler.out_.reset(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
    scrambler.in_.reset(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP));
    if (!scrambler.out_.is_open() || !scrambler.in_.is_open()) {
      return fail(ErrorKind::environment, "fragments out of order need a raw socket",
                  std::strerror(errno), "run with cap_net_raw");
    }
    const int on = 1;
    setsockopt(scrambler.out_.get(), IPPROTO_IP, IP_NODEFRAG, &on, sizeof on);
    const SocketAddress address = to_socket_address({target, 0});
    if (connect(scrambler.in_.get(), address.get(), address.length) != 0) {
      return fail(ErrorKind::network, "cannot reach " + to_string(target), std::strerror(errno));
    }
    return scrambler;
  }

  /// Whether all fragments left this host.
  bool send(std::uint32_t ip_bytes, std::uint32_t mtu_bytes) {
    const std::vector<std::byte> message = make_message(ip_bytes - kIp4Header);
    const std::uint32_t piece = piece_bytes(mtu_bytes, kIp4Header);
    const std::uint32_t pieces = static_cast<std::uint32_t>((message.size() + piece - 1) / piece);
    ++id_;
    for (std::uint32_t i = pieces; i-- > 0;) {
      const std::size_t at = std::size_t{i} * piece;
      const Bytes part =
          Bytes(message).subspan(at, std::min<std::size_t>(piece, message.size() - at));
      if (!send_piece(part, static_cast<std::uint32_t>(at / 8), i + 1 < pieces)) return false;
    }
    return true;
  }

  /// Whether the reply to the newest request came in time.
  bool await_reply(Duration wait) {
    const std::int64_t deadline = steady_ns() + wait.count();
    while (milliseconds_until(deadline) > 0) {
      pollfd polled{.fd = in_.get(), .events = POLLIN, .revents = 0};
      if (poll(&polled, 1, milliseconds_until(deadline)) <= 0) continue;
      if (take_reply()) return true;
    }
    return false;
  }

 private:
  explicit Scrambler(const IpAddress& target)
      : target_(target), echo_id_(static_cast<std::uint16_t>(getpid() ^ 0x5350)) {}

  std::vector<std::byte> make_message(std::uint32_t size) {
    std::vector<std::byte> message(std::max<std::uint32_t>(size, 8));
    store_u8(message.data(), 8);
    store_be16(message.data() + 4, echo_id_);
    store_be16(message.data() + 6, ++sequence_);
    store_be16(message.data() + 2, wire::checksum(message));
    return message;
  }

  bool send_piece(Bytes part, std::uint32_t offset_words, bool more) {
    std::vector<std::byte> packet(kIp4Header + part.size());
    store_u8(packet.data(), 0x45);
    store_be16(packet.data() + 2, static_cast<std::uint16_t>(packet.size()));
    store_be16(packet.data() + 4, id_);
    store_be16(packet.data() + 6, static_cast<std::uint16_t>((more ? 0x2000U : 0U) | offset_words));
    store_u8(packet.data() + 8, 64);
    store_u8(packet.data() + 9, IPPROTO_ICMP);
    // Source address and checksum: the kernel fills in what is zero (raw(7)).
    std::memcpy(packet.data() + 16, target_.bytes.data(), 4);
    std::ranges::copy(part, packet.begin() + kIp4Header);
    const SocketAddress address = to_socket_address({target_, 0});
    return sendto(out_.get(), packet.data(), packet.size(), 0, address.get(), address.length) >= 0;
  }

  bool take_reply() {
    std::array<std::byte, 64> head{};
    while (true) {
      const ssize_t got = recv(in_.get(), head.data(), head.size(), MSG_DONTWAIT);
      if (got < 0) return false;
      const Bytes packet{head.data(), static_cast<std::size_t>(got)};
      if (packet.size() < kIp4Header) continue;
      const std::size_t header = (load_u8(packet.data()) & 15U) * 4U;
      if (header < kIp4Header || packet.size() < header + 8) continue;
      const std::byte* icmp = packet.data() + header;
      if (load_u8(icmp) == 0 && load_be16(icmp + 4) == echo_id_ &&
          load_be16(icmp + 6) == sequence_) {
        return true;
      }
    }
  }

  IpAddress target_;
  Descriptor out_, in_;
  std::uint16_t id_ = static_cast<std::uint16_t>(steady_ns() >> 10);
  std::uint16_t echo_id_, sequence_ = 0;
};

FragmentTest begin(std::uint32_t ip_bytes, std::uint32_t mtu_bytes, int version) {
  FragmentTest test;
  test.ip_bytes = ip_bytes;
  if (ip_bytes <= mtu_bytes || mtu_bytes < 68) {
    test.unable = "the interface does not need to cut packets of this size";
    return test;
  }
  test.fragments = count_fragments(ip_bytes, mtu_bytes, version);
  return test;
}

/// Echo requests of one packet, each way whole.
void send_whole(IcmpEcho& echo, std::uint32_t whole_bytes, FragmentTest& test) {
  const ProbeAnswer answer = echo.volley({&whole_bytes, 1}, kWait).front();
  ++test.whole_sent;
  if (answer.fate == Fate::passed) ++test.whole_arrived;
}

}  // namespace

FragmentTest test_fragments(const IpAddress& target, std::uint32_t ip_bytes,
                            std::uint32_t mtu_bytes, std::uint32_t whole_bytes) {
  FragmentTest test = begin(ip_bytes, mtu_bytes, target.version);
  if (!test.unable.empty()) return test;
  Result<std::unique_ptr<IcmpEcho>> echo = IcmpEcho::open(target);
  if (!echo) {
    test.unable = echo.error().message();
    return test;
  }
  (*echo)->set_dont_fragment(false);
  for (std::uint32_t i = 0; i < kTries; ++i) {
    send_whole(**echo, whole_bytes, test);
    const ProbeAnswer answer = (*echo)->volley({&ip_bytes, 1}, kWait).front();
    ++test.sent;
    if (answer.fate == Fate::passed) ++test.arrived;
    // Five say enough where nothing at all gets through: waiting costs time.
    if (i >= 4 && test.arrived == 0) break;
  }
  return test;
}

FragmentTest test_fragments_out_of_order(const IpAddress& target, std::uint32_t ip_bytes,
                                         std::uint32_t mtu_bytes, std::uint32_t whole_bytes) {
  FragmentTest test = begin(ip_bytes, mtu_bytes, target.version);
  test.out_of_order = true;
  if (!test.unable.empty()) return test;
  if (target.version != 4) {
    test.unable = "not built for IPv6";
    return test;
  }
  Result<std::unique_ptr<IcmpEcho>> echo = IcmpEcho::open(target);
  Result<Scrambler> scrambler = Scrambler::open(target);
  if (!echo || !scrambler) {
    test.unable = !scrambler ? scrambler.error().message() : echo.error().message();
    return test;
  }
  for (std::uint32_t i = 0; i < kTries; ++i) {
    send_whole(**echo, whole_bytes, test);
    if (!scrambler->send(ip_bytes, mtu_bytes)) {
      test.unable =
          std::string("the own host does not send such fragments: ") + std::strerror(errno);
      return test;
    }
    ++test.sent;
    if (scrambler->await_reply(kWait)) ++test.arrived;
    if (i >= 4 && test.arrived == 0) break;
  }
  return test;
}

}  // namespace slowpath::probe

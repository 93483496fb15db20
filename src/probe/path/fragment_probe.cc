// SPDX-License-Identifier: Apache-2.0
#include "probe/path/fragment_probe.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/descriptor.h"
#include "probe/path/fragment_sender.h"
#include "probe/path/icmp_echo.h"
#include "probe/path/socket_address.h"
#include "probe/path/stopwatch.h"
#include "probe/path/udp_probe.h"

namespace slowpath::probe {
namespace {

constexpr std::uint32_t kTries = 10;
constexpr Duration kWait = std::chrono::milliseconds(700);
constexpr std::uint8_t kIcmp4 = IPPROTO_ICMP, kIcmp6 = IPPROTO_ICMPV6;

std::uint32_t count_fragments(std::uint32_t ip_bytes, std::uint32_t mtu_bytes, int version) {
  const std::uint32_t piece = fragment_payload(mtu_bytes, version);
  return (ip_bytes - ip_header_bytes(version) + piece - 1) / piece;
}

/// Sends echo requests as fragments, the last one first, and sees the replies.
class Scrambler {
 public:
  static Result<Scrambler> open(const IpAddress& target) {
    const Result<IpAddress> local = local_address_towards(target);
    if (!local) return std::unexpected(local.error());
    Result<FragmentSender> out = FragmentSender::open(*local, target);
    if (!out) return std::unexpected(out.error());
    Scrambler scrambler(target, std::move(*out));
    const int family = target.version == 6 ? AF_INET6 : AF_INET;
    scrambler.in_.reset(
        socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, scrambler.protocol_));
    const SocketAddress address = to_socket_address({target, 0});
    if (!scrambler.in_.is_open() ||
        connect(scrambler.in_.get(), address.get(), address.length) != 0) {
      return fail(ErrorKind::network, "cannot reach " + to_string(target), std::strerror(errno));
    }
    return scrambler;
  }

  /// Whether all fragments left this host.
  bool send(std::uint32_t ip_bytes, std::uint32_t mtu_bytes) {
    return out_.send(protocol_, make_message(ip_bytes - ip_header_bytes(target_.version)),
                     mtu_bytes);
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
  Scrambler(const IpAddress& target, FragmentSender out)
      : target_(target),
        out_(std::move(out)),
        protocol_(target.version == 6 ? kIcmp6 : kIcmp4),
        echo_id_(static_cast<std::uint16_t>(getpid() ^ 0x5350)) {}

  // RFC 792, RFC 4443 section 4.1.
  std::vector<std::byte> make_message(std::uint32_t size) {
    constexpr std::uint8_t kRequest4 = 8, kRequest6 = 128;
    std::vector<std::byte> message(std::max<std::uint32_t>(size, 8));
    store_u8(message.data(), target_.version == 6 ? kRequest6 : kRequest4);
    store_be16(message.data() + 4, echo_id_);
    store_be16(message.data() + 6, ++sequence_);
    store_be16(message.data() + 2, out_.checksum_of(protocol_, message));
    return message;
  }

  bool take_reply() {
    constexpr std::uint8_t kReply4 = 0, kReply6 = 129;
    std::array<std::byte, 64> head{};
    while (true) {
      const ssize_t got = recv(in_.get(), head.data(), head.size(), MSG_DONTWAIT);
      if (got < 0) return false;
      const Bytes packet{head.data(), static_cast<std::size_t>(got)};
      // IPv6 gives the message alone (RFC 3542 section 3).
      std::size_t header = 0;
      if (target_.version == 4 && !packet.empty()) header = (load_u8(packet.data()) & 15U) * 4U;
      if (packet.size() < header + 8) continue;
      const std::byte* icmp = packet.data() + header;
      if (load_u8(icmp) == (target_.version == 6 ? kReply6 : kReply4) &&
          load_be16(icmp + 4) == echo_id_ && load_be16(icmp + 6) == sequence_) {
        return true;
      }
    }
  }

  IpAddress target_;
  FragmentSender out_;
  Descriptor in_;
  std::uint8_t protocol_;
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

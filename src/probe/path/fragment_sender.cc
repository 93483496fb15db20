// SPDX-License-Identifier: Apache-2.0
#include "probe/path/fragment_sender.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "probe/path/socket_address.h"
#include "wire/checksum.h"

namespace slowpath::probe {
namespace {

constexpr std::uint8_t kHops = 64, kFragmentHeader = 44;
// IP_NODEFRAG (ip(7)): the own connection tracking leaves these fragments as they are.
constexpr int kNoDefrag = 22;
static_assert(IP_NODEFRAG == kNoDefrag);

}  // namespace

FragmentSender::FragmentSender(const IpAddress& local, const IpAddress& target)
    : local_(local), target_(target), id_(static_cast<std::uint32_t>(steady_ns() >> 10)) {}

Result<FragmentSender> FragmentSender::open(const IpAddress& local, const IpAddress& target) {
  FragmentSender sender(local, target);
  const int family = target.version == 6 ? AF_INET6 : AF_INET;
  sender.socket_.reset(socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  if (!sender.socket_.is_open()) {
    return fail(ErrorKind::environment, "fragments out of order need a raw socket",
                std::strerror(errno), "run with cap_net_raw");
  }
  const int on = 1;
  if (family == AF_INET) {
    setsockopt(sender.socket_.get(), IPPROTO_IP, IP_NODEFRAG, &on, sizeof on);
  }
  return sender;
}

std::uint16_t FragmentSender::checksum_of(std::uint8_t protocol, Bytes message) const {
  // ICMP over IPv4 alone has no pseudo-header.
  const std::uint16_t pseudo =
      protocol == IPPROTO_ICMP
          ? std::uint16_t{0}
          : wire::pseudo_header_sum(local_, target_, protocol,
                                    static_cast<std::uint32_t>(message.size()));
  const auto sum = static_cast<std::uint16_t>(~wire::ones_add(pseudo, wire::ones_sum(message)));
  // RFC 768: a zero would say that there is none.
  return protocol == IPPROTO_UDP && sum == 0 ? std::uint16_t{0xffff} : sum;
}

std::vector<std::byte> FragmentSender::packet_of(std::uint8_t protocol, Bytes part,
                                                 const Piece& piece) const {
  const std::uint32_t headers = fragment_headers(target_.version);
  std::vector<std::byte> packet(headers + part.size());
  std::byte* at = packet.data();
  if (target_.version == 4) {
    store_u8(at, 0x45);
    store_be16(at + 2, static_cast<std::uint16_t>(packet.size()));
    store_be16(at + 4, static_cast<std::uint16_t>(id_));
    store_be16(at + 6,
               static_cast<std::uint16_t>((piece.is_last ? 0U : 0x2000U) | piece.offset / 8));
    store_u8(at + 8, kHops);
    store_u8(at + 9, protocol);
    // The checksum: the kernel fills in what is zero (raw(7)).
    std::memcpy(at + 12, local_.bytes.data(), 4);
    std::memcpy(at + 16, target_.bytes.data(), 4);
  } else {
    store_u8(at, 0x60);
    store_be16(at + 4, static_cast<std::uint16_t>(packet.size() - ip_header_bytes(6)));
    store_u8(at + 6, kFragmentHeader);
    store_u8(at + 7, kHops);
    std::memcpy(at + 8, local_.bytes.data(), 16);
    std::memcpy(at + 24, target_.bytes.data(), 16);
    store_u8(at + 40, protocol);
    store_be16(at + 42, static_cast<std::uint16_t>(piece.offset | (piece.is_last ? 0U : 1U)));
    store_be32(at + 44, id_);
  }
  std::ranges::copy(part, packet.begin() + headers);
  return packet;
}

bool FragmentSender::send(std::uint8_t protocol, Bytes message, std::uint32_t mtu_bytes) {
  const std::uint32_t piece = fragment_payload(mtu_bytes, target_.version);
  if (piece == 0) return false;
  const auto pieces = static_cast<std::uint32_t>((message.size() + piece - 1) / piece);
  const SocketAddress to = to_socket_address({target_, 0});
  ++id_;
  for (std::uint32_t i = pieces; i-- > 0;) {
    const std::size_t at = std::size_t{i} * piece;
    const Bytes part = message.subspan(at, std::min<std::size_t>(piece, message.size() - at));
    const std::vector<std::byte> packet = packet_of(
        protocol, part, {.offset = static_cast<std::uint32_t>(at), .is_last = i + 1 == pieces});
    if (sendto(socket_.get(), packet.data(), packet.size(), 0, to.get(), to.length) < 0)
      return false;
  }
  return true;
}

}  // namespace slowpath::probe

// SPDX-License-Identifier: Apache-2.0
#include "probe/path/error_queue.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "probe/path/socket_address.h"

namespace slowpath::probe {
namespace {

IcmpSays read_icmp4(std::uint8_t type, std::uint8_t code) {
  if (type == 11) return code == 0 ? IcmpSays::expired : IcmpSays::reassembly_timeout;
  if (type != 3) return IcmpSays::other;
  switch (code) {
    case 3:
      return IcmpSays::port_unreachable;
    case 4:
      return IcmpSays::too_big;
    case 9:
    case 10:
    case 13:
      return IcmpSays::prohibited;
    default:
      return IcmpSays::unreachable;
  }
}

IcmpSays read_icmp6(std::uint8_t type, std::uint8_t code) {
  if (type == 2) return IcmpSays::too_big;
  if (type == 3) return code == 0 ? IcmpSays::expired : IcmpSays::reassembly_timeout;
  if (type != 1) return IcmpSays::other;
  if (code == 4) return IcmpSays::port_unreachable;
  return code == 1 || code == 5 || code == 6 ? IcmpSays::prohibited : IcmpSays::unreachable;
}

void read_extended(const cmsghdr* message, SocketError& error) {
  sock_extended_err extended{};
  std::memcpy(&extended, CMSG_DATA(message), sizeof extended);
  error.error = static_cast<int>(extended.ee_errno);
  error.local = extended.ee_origin == SO_EE_ORIGIN_LOCAL;
  error.type = extended.ee_type;
  error.code = extended.ee_code;
  if (extended.ee_errno == EMSGSIZE) error.mtu = extended.ee_info;
  if (extended.ee_origin == SO_EE_ORIGIN_ICMP) error.says = read_icmp4(error.type, error.code);
  if (extended.ee_origin == SO_EE_ORIGIN_ICMP6) error.says = read_icmp6(error.type, error.code);
  if (error.local) {
    error.says = extended.ee_errno == EMSGSIZE ? IcmpSays::too_big : IcmpSays::other;
    return;
  }
  // The offender's address follows the struct (SO_EE_OFFENDER).
  if (message->cmsg_len >= CMSG_LEN(sizeof extended + sizeof(sockaddr_in))) {
    sockaddr_storage offender{};
    const std::size_t room = message->cmsg_len - CMSG_LEN(sizeof extended);
    std::memcpy(&offender, CMSG_DATA(message) + sizeof extended,
                room < sizeof offender ? room : sizeof offender);
    error.from = to_endpoint(reinterpret_cast<const sockaddr*>(&offender)).address;
  }
}

}  // namespace

bool enable_error_queue(int fd, int ip_version) {
  const int on = 1;
  return ip_version == 6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on) == 0
                         : setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on) == 0;
}

std::optional<SocketError> next_error(int fd) {
  std::array<std::byte, 2048> payload{};
  alignas(cmsghdr) std::array<std::byte, 512> control{};
  iovec part{.iov_base = payload.data(), .iov_len = payload.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
  if (got < 0) return std::nullopt;
  SocketError error;
  error.quote.assign(payload.begin(), payload.begin() + got);
  for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr;
       item = CMSG_NXTHDR(&message, item)) {
    const bool is_v4 = item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_RECVERR;
    const bool is_v6 = item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_RECVERR;
    if (is_v4 || is_v6) read_extended(item, error);
  }
  return error;
}

}  // namespace slowpath::probe

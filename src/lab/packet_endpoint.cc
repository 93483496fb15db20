// SPDX-License-Identifier: Apache-2.0
// AF_PACKET on the plane's side of a veth pair, for where TAP is not to be had. The virtio-net
// header makes super-frames and partial checksums pass as they do with TAP. What differs: veth
// discards a frame larger than the receiving side's MTU unless it is a super-frame.
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lab/endpoint.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23  // Linux 4.20; older kernels refuse it, and receive() filters
#endif

namespace slowpath::lab {
namespace {

constexpr int kReceiveBufferBytes = 64 << 20;  // a window of super-frames while the plane is busy

class PacketEndpoint final : public Endpoint {
 public:
  explicit PacketEndpoint(int fd) : fd_(fd) {}
  ~PacketEndpoint() override { ::close(fd_); }

  [[nodiscard]] int fd() const override { return fd_; }

  bool receive(Frame& frame) override {
    for (;;) {
      sockaddr_ll from{};
      iovec parts[]{{&frame.vnet, sizeof frame.vnet}, {frame.data, frame.capacity}};
      msghdr message{};
      message.msg_name = &from;
      message.msg_namelen = sizeof from;
      message.msg_iov = parts;
      message.msg_iovlen = 2;
      const ssize_t got = ::recvmsg(fd_, &message, MSG_DONTWAIT);
      if (got <= static_cast<ssize_t>(sizeof frame.vnet)) return false;
      if (from.sll_pkttype == PACKET_OUTGOING) continue;
      frame.len = static_cast<std::uint32_t>(got) - static_cast<std::uint32_t>(sizeof frame.vnet);
      break;
    }
    count_received(frame);
    return true;
  }

  void send(const Frame& frame) override {
    VnetHeader header = frame.vnet;
    iovec parts[]{{&header, sizeof header}, {frame.data, frame.len}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    count_sent(frame, ::sendmsg(fd_, &message, MSG_DONTWAIT) >= 0);
  }

 private:
  int fd_;
};

std::unexpected<Error> packet_error(const std::string& interface, const char* step, int error) {
  return fail(ErrorKind::environment, "cannot open a packet socket on " + interface,
              std::string(step) + ": " + std::strerror(error),
              error == EPERM ? "run as root or in a user namespace" : "");
}

/// Sets options and binds; the name of the step that failed, or null.
const char* set_up(int fd, unsigned interface_index) {
  const int on = 1;
  if (::setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) != 0) return "PACKET_VNET_HDR";
  (void)::setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
  (void)::setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
  // Forced needs CAP_NET_ADMIN in the first user namespace; without it as much as is allowed.
  for (const int option : {SO_RCVBUF, SO_RCVBUFFORCE, SO_SNDBUF, SO_SNDBUFFORCE}) {
    (void)::setsockopt(fd, SOL_SOCKET, option, &kReceiveBufferBytes, sizeof kReceiveBufferBytes);
  }
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(interface_index);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return "bind";
  return nullptr;
}

}  // namespace

Result<std::unique_ptr<Endpoint>> open_packet_socket(const std::string& interface) {
  const unsigned index = ::if_nametoindex(interface.c_str());
  if (index == 0) return packet_error(interface, "look up its name", errno);
  // Protocol 0: nothing is received before it is bound.
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return packet_error(interface, "socket", errno);
  auto endpoint = std::make_unique<PacketEndpoint>(fd);
  if (const char* failed = set_up(fd, index)) return packet_error(interface, failed, errno);
  return endpoint;
}

}  // namespace slowpath::lab

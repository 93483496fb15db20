// SPDX-License-Identifier: Apache-2.0
// A TAP device: what the host's kernel sends on its interface is read here with the virtio-net
// header that a virtual NIC would get, and what is written here arrives at the host.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lab/endpoint.h"

namespace slowpath::lab {
namespace {

class TapEndpoint final : public Endpoint {
 public:
  explicit TapEndpoint(int fd) : fd_(fd) {}
  ~TapEndpoint() override { ::close(fd_); }

  [[nodiscard]] int fd() const override { return fd_; }

  bool receive(Frame& frame) override {
    const iovec parts[]{{&frame.vnet, sizeof frame.vnet}, {frame.data, frame.capacity}};
    const ssize_t got = ::readv(fd_, parts, 2);
    if (got <= static_cast<ssize_t>(sizeof frame.vnet)) return false;
    frame.len = static_cast<std::uint32_t>(got) - static_cast<std::uint32_t>(sizeof frame.vnet);
    count_received(frame);
    return true;
  }

  void send(const Frame& frame) override {
    VnetHeader header = frame.vnet;
    const iovec parts[]{{&header, sizeof header}, {frame.data, frame.len}};
    count_sent(frame, ::writev(fd_, parts, 2) >= 0);
  }

 private:
  int fd_;
};

std::unexpected<Error> tap_error(const std::string& interface, const char* step, int error) {
  std::string hint;
  if (error == ENOENT || error == ENODEV) hint = "load the module tun (modprobe tun)";
  if (error == EPERM || error == EACCES) hint = "run as root, or give yourself /dev/net/tun";
  if (error == EBUSY) hint = "choose another name: this one is taken";
  return fail(ErrorKind::environment, "cannot make the TAP device " + interface,
              std::string(step) + ": " + std::strerror(error), hint);
}

/// Switches on what the plane wants of the device; the name of the step that failed, or null.
const char* set_up(int fd, const std::string& interface) {
  ifreq request{};
  std::memcpy(request.ifr_name, interface.c_str(), interface.size());
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (::ioctl(fd, TUNSETIFF, &request) != 0) return "TUNSETIFF";
  int header_bytes = sizeof(VnetHeader);
  if (::ioctl(fd, TUNSETVNETHDRSZ, &header_bytes) != 0) return "TUNSETVNETHDRSZ";
  constexpr unsigned long kOffloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  if (::ioctl(fd, TUNSETOFFLOAD, kOffloads) != 0) return "TUNSETOFFLOAD";
  return nullptr;
}

}  // namespace

Result<std::unique_ptr<Endpoint>> open_tap(const std::string& interface) {
  if (interface.empty() || interface.size() >= IFNAMSIZ) {
    return fail(ErrorKind::usage, "cannot make the TAP device " + interface,
                "a name has 1 to 15 characters");
  }
  const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return tap_error(interface, "open /dev/net/tun", errno);
  auto endpoint = std::make_unique<TapEndpoint>(fd);
  if (const char* failed = set_up(fd, interface)) return tap_error(interface, failed, errno);
  return endpoint;
}

}  // namespace slowpath::lab

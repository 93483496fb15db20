// SPDX-License-Identifier: Apache-2.0
#include "machine/interface_settings.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

namespace slowpath::machine {
namespace {

class Socket {
 public:
  Socket() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

ifreq make_request(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, sizeof request.ifr_name - 1);
  return request;
}

// The old one-value commands: every driver answers them, and the kernel keeps them up to date.
std::optional<bool> read_feature(int fd, const std::string& name, std::uint32_t command) {
  ethtool_value value{};
  value.cmd = command;
  ifreq request = make_request(name);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (ioctl(fd, SIOCETHTOOL, &request) != 0) return std::nullopt;
  return value.data != 0;
}

// LRO has no command of its own but a bit among the flags.
std::optional<bool> read_lro(int fd, const std::string& name) {
  ethtool_value value{};
  value.cmd = ETHTOOL_GFLAGS;
  ifreq request = make_request(name);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (ioctl(fd, SIOCETHTOOL, &request) != 0) return std::nullopt;
  return (value.data & ETH_FLAG_LRO) != 0;
}

// SIOCGIFFLAGS hides the promiscuous mode that packet sockets ask for, which is what captures do;
// the device's own flags, which sysfs shows, have it (net/core/dev_api.c: dev_get_flags).
bool is_promiscuous(const std::string& name, unsigned visible_flags) {
  if ((visible_flags & IFF_PROMISC) != 0) return true;
  std::ifstream file("/sys/class/net/" + name + "/flags");
  unsigned flags = 0;
  file >> std::hex >> flags;
  return file && (flags & IFF_PROMISC) != 0;
}

struct Feature {
  const char* name;
  std::optional<bool> InterfaceSettings::* member;
};

constexpr std::array kFeatures = {
    Feature{"tcp-segmentation-offload (tso)", &InterfaceSettings::tso},
    Feature{"generic-segmentation-offload (gso)", &InterfaceSettings::gso},
    Feature{"generic-receive-offload (gro)", &InterfaceSettings::gro},
    Feature{"large-receive-offload (lro)", &InterfaceSettings::lro},
    Feature{"rx-checksumming (rx)", &InterfaceSettings::rx_checksum},
    Feature{"tx-checksumming (tx)", &InterfaceSettings::tx_checksum},
};

const char* state_word(std::optional<bool> state) {
  if (!state) return "unknown";
  return *state ? "on" : "off";
}

}  // namespace

Result<InterfaceSettings> read_interface_settings(const std::string& name) {
  const std::string attempt = "cannot read the settings of " + name;
  if (name.empty() || name.size() >= IFNAMSIZ || name.find('/') != name.npos) {
    return fail(ErrorKind::usage, attempt, "this is no interface name", "see: ip link");
  }
  const Socket socket;
  if (socket.fd() < 0) return fail(ErrorKind::environment, attempt, std::strerror(errno));
  ifreq request = make_request(name);
  if (ioctl(socket.fd(), SIOCGIFFLAGS, &request) != 0) {
    const int reason = errno;
    return fail(reason == ENODEV ? ErrorKind::usage : ErrorKind::environment, attempt,
                std::strerror(reason), "see: ip link");
  }
  const auto flags = static_cast<unsigned short>(request.ifr_flags);
  InterfaceSettings settings;
  settings.name = name;
  settings.up = (flags & IFF_UP) != 0;
  settings.promiscuous = is_promiscuous(name, flags);
  request = make_request(name);
  if (ioctl(socket.fd(), SIOCGIFMTU, &request) != 0) {
    return fail(ErrorKind::environment, attempt, std::strerror(errno));
  }
  settings.mtu_bytes = request.ifr_mtu;
  settings.tso = read_feature(socket.fd(), name, ETHTOOL_GTSO);
  settings.gso = read_feature(socket.fd(), name, ETHTOOL_GGSO);
  settings.gro = read_feature(socket.fd(), name, ETHTOOL_GGRO);
  settings.lro = read_lro(socket.fd(), name);
  settings.rx_checksum = read_feature(socket.fd(), name, ETHTOOL_GRXCSUM);
  settings.tx_checksum = read_feature(socket.fd(), name, ETHTOOL_GTXCSUM);
  return settings;
}

std::vector<std::string> describe_changes(const InterfaceSettings& before,
                                          const InterfaceSettings& after) {
  std::vector<std::string> changes;
  const auto changed = [&](const char* what, const auto& was, const auto& is) {
    changes.push_back(fmt::format("{}: {} was {}, is {}", after.name, what, was, is));
  };
  if (before.mtu_bytes != after.mtu_bytes) changed("MTU", before.mtu_bytes, after.mtu_bytes);
  if (before.up != after.up) changed("link", before.up ? "up" : "down", after.up ? "up" : "down");
  if (before.promiscuous != after.promiscuous) {
    changed("promiscuous mode", state_word(before.promiscuous), state_word(after.promiscuous));
  }
  for (const Feature& feature : kFeatures) {
    if (before.*feature.member != after.*feature.member) {
      changed(feature.name, state_word(before.*feature.member), state_word(after.*feature.member));
    }
  }
  return changes;
}

}  // namespace slowpath::machine

// SPDX-License-Identifier: Apache-2.0
#include "support/net_path.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

namespace slowpath::test {
namespace {

Descriptor new_namespace() {
  Descriptor result;
  std::thread([&] {
    if (unshare(CLONE_NEWNET) == 0) {
      result.reset(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    }
  }).join();
  return result;
}

/// Without error output; whether the command succeeded.
bool shell(const Descriptor& place, const std::string& command) {
  const std::string whole = "nsenter --net=/proc/" + std::to_string(getpid()) + "/fd/" +
                            std::to_string(place.get()) + " sh -c '" + command + "' 2>/dev/null";
  return std::system(whole.c_str()) == 0;
}

std::string path_of(const Descriptor& place) {
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(place.get());
}

}  // namespace

Result<std::unique_ptr<NetPath>> NetPath::make() {
  std::unique_ptr<NetPath> path(new NetPath);
  for (Descriptor& place : path->places_) {
    place = new_namespace();
    if (!place.is_open()) {
      return fail(ErrorKind::environment, "cannot make network namespaces", {}, "run as root");
    }
  }
  const auto& [client, router, server] = path->places_;
  const bool made =
      shell(router, "ip link add c type veth peer name eth0 netns " + path_of(client)) &&
      shell(router, "ip link add s type veth peer name eth0 netns " + path_of(server)) &&
      shell(router,
            "ip link set lo up && ip link set c up && ip link set s up &&"
            "ip addr add 10.9.1.254/24 dev c && ip addr add 10.9.2.254/24 dev s &&"
            "ip addr add fd09:1::fe/64 dev c nodad && ip addr add fd09:2::fe/64 dev s nodad &&"
            "echo 1 > /proc/sys/net/ipv4/ip_forward &&"
            "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding") &&
      shell(client,
            "ip link set lo up && ip link set eth0 up && ip addr add 10.9.1.1/24 dev eth0 &&"
            "ip addr add fd09:1::1/64 dev eth0 nodad &&"
            "ip route add default via 10.9.1.254 && ip -6 route add default via fd09:1::fe") &&
      shell(server,
            "ip link set lo up && ip link set eth0 up && ip addr add 10.9.2.1/24 dev eth0 &&"
            "ip addr add fd09:2::1/64 dev eth0 nodad &&"
            "ip route add default via 10.9.2.254 && ip -6 route add default via fd09:2::fe");
  if (!made) {
    return fail(ErrorKind::environment, "cannot join namespaces by veth", {},
                "needs root, ip(8), nsenter(1) and the kernel's veth");
  }
  return path;
}

void NetPath::run(Place place, const std::string& command) {
  ASSERT_TRUE(shell(places_[static_cast<std::size_t>(place)], command)) << command;
}

void NetPath::drop_late_fragments6(const std::string& interface) {
  const std::string rule = "nft add rule ip6 late p iifname " + interface + " frag ";
  // Before anything of the router's own puts fragments together (priority -400).
  run(Place::router,
      "nft add table ip6 late && "
      "nft add set ip6 late begun \"{ typeof frag id; size 65535; flags dynamic; }\" && "
      "nft add chain ip6 late p \"{ type filter hook prerouting priority -500 ; }\" && " +
          rule + "frag-off 0 add @begun \"{ frag id }\" && " + rule +
          "frag-off != 0 frag id != @begun drop");
}

void NetPath::inside(Place place, const std::function<void()>& what) {
  const int fd = places_[static_cast<std::size_t>(place)].get();
  std::thread([&] {
    ASSERT_EQ(setns(fd, CLONE_NEWNET), 0);
    what();
  }).join();
}

IpAddress NetPath::server4() { return {.bytes = {10, 9, 2, 1}, .version = 4}; }

IpAddress NetPath::server6() {
  return {.bytes = {0xfd, 0x09, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, .version = 6};
}

}  // namespace slowpath::test

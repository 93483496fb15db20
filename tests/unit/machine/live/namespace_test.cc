// SPDX-License-Identifier: Apache-2.0
// A network namespace whose devices are set by other means (ip, ethtool's ioctl) and read back.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine/live.h"
#include "machine/live/ethtool_ioctl.h"

namespace slowpath::machine {
namespace {

/// A network namespace of its own, entered by threads that end inside it.
class Namespace {
 public:
  Namespace() {
    std::jthread{[this] {
      if (unshare(CLONE_NEWNET) == 0) fd_ = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
      reason_ = errno;
    }}.join();
  }
  ~Namespace() {
    if (fd_ >= 0) close(fd_);
  }
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  [[nodiscard]] bool exists() const { return fd_ >= 0; }
  [[nodiscard]] std::string why_not() const { return std::strerror(reason_); }
  /// A path that `ip link set ... netns` takes.
  [[nodiscard]] std::string path() const {
    return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd_);
  }
  void inside(const std::function<void()>& work) const {
    std::jthread{[&] {
      if (setns(fd_, CLONE_NEWNET) != 0) {
        ADD_FAILURE() << "setns: " << std::strerror(errno);
      } else {
        work();
      }
    }}.join();
  }
  /// Whether `ip ARGUMENTS` worked there.
  [[nodiscard]] bool ip(const std::string& arguments) const {
    bool done = false;
    inside([&] { done = std::system(("ip " + arguments + " > /dev/null 2>&1").c_str()) == 0; });
    return done;
  }
  [[nodiscard]] MachineFacts read(const LiveOptions& options = {}) const {
    MachineFacts machine;
    inside([&] { machine = read_machine(options); });
    return machine;
  }

 private:
  int fd_ = -1, reason_ = 0;
};

class InNamespace : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!space_.exists()) GTEST_SKIP() << "no network namespace: " << space_.why_not();
    if (std::system("ip -V > /dev/null 2>&1") != 0) GTEST_SKIP() << "ip (iproute2) is not there";
  }
  void inside(const std::function<void()>& work) const { space_.inside(work); }
  [[nodiscard]] bool ip(const std::string& arguments) const { return space_.ip(arguments); }
  [[nodiscard]] MachineFacts read(const LiveOptions& options = {}) const {
    return space_.read(options);
  }
  /// Sets an old one-value feature (ETHTOOL_SGRO, ETHTOOL_STSO ...).
  [[nodiscard]] bool set_feature(const char* name, std::uint32_t command, bool on) const {
    bool done = false;
    inside([&] {
      const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      ethtool_value value{command, on ? 1U : 0U};
      ifreq request{};
      std::strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
      request.ifr_data = reinterpret_cast<char*>(&value);
      done = ioctl(fd, SIOCETHTOOL, &request) == 0;
      close(fd);
    });
    return done;
  }

  Namespace space_;
};

const RouteFacts* find_route(const MachineFacts& machine, const std::string& destination) {
  const auto found = std::ranges::find_if(machine.routes, [&](const RouteFacts& route) {
    return destination == (route.destination.version == 0 ? "default"
                                                          : to_string(route.destination) + "/" +
                                                                std::to_string(route.prefix_len));
  });
  return found == machine.routes.end() ? nullptr : &*found;
}

TEST_F(InNamespace, OnlyItsOwnInterfacesAndCounters) {
  ASSERT_TRUE(ip("link set lo up"));
  const MachineFacts machine = read();
  EXPECT_EQ(std::ranges::count(machine.interfaces, "loopback", &InterfaceFacts::kind), 1);
  EXPECT_EQ(find_interface(machine, "eth0"), nullptr);
  const auto* in = find_counter(machine, "IpInReceives");
  ASSERT_NE(in, nullptr);
  EXPECT_LT(in->value, 100U);  // the host's would be read through /proc/net of the main thread
}

TEST_F(InNamespace, VethWithItsMtuAndBridge) {
  ASSERT_TRUE(ip("link add v0 type veth peer name v1"));
  ASSERT_TRUE(ip("link set v0 mtu 1400 txqueuelen 777 alias 'to the lab' up"));
  ASSERT_TRUE(ip("link set v1 up"));
  ASSERT_TRUE(ip("addr add 192.0.2.1/24 dev v0"));
  const bool has_bridge =
      ip("link add br0 type bridge stp_state 1") && ip("link set v1 master br0");
  const MachineFacts machine = read();
  const InterfaceFacts* veth = find_interface(machine, "v0");
  ASSERT_NE(veth, nullptr);
  EXPECT_EQ(veth->kind, "veth");
  EXPECT_EQ(veth->mtu_bytes, 1400U);
  EXPECT_EQ(veth->mtu_max_bytes, 65535U);
  EXPECT_EQ(veth->tx_queue_len, 777U);
  EXPECT_EQ(veth->alias, "to the lab");
  EXPECT_EQ(veth->up, true);
  EXPECT_EQ(veth->carrier, true);
  EXPECT_EQ(veth->driver, "veth");
  EXPECT_EQ(veth->properties.at("peer"), "v1");
  EXPECT_EQ(veth->lower, "");
  EXPECT_NE(veth->qdisc, "");
  ASSERT_FALSE(veth->addresses.empty());
  EXPECT_EQ(to_string(veth->addresses[0]), "192.0.2.1");
  EXPECT_TRUE(veth->queue_interrupts.empty());
  if (!has_bridge) GTEST_SKIP() << "this kernel has no bridge: the rest was checked";
  EXPECT_EQ(find_interface(machine, "v1")->master, "br0");
  EXPECT_EQ(find_interface(machine, "br0")->kind, "bridge");
  EXPECT_EQ(find_interface(machine, "br0")->properties.at("bridge.stp_state"), "1");
}

TEST_F(InNamespace, FeaturesThatWereReallyToggled) {
  ASSERT_TRUE(ip("link add v0 type veth peer name v1"));
  for (const bool on : {false, true}) {
    ASSERT_TRUE(set_feature("v0", ETHTOOL_SGRO, on));
    ASSERT_TRUE(set_feature("v0", ETHTOOL_STSO, on));
    const MachineFacts machine = read();
    const InterfaceFacts* veth = find_interface(machine, "v0");
    ASSERT_NE(veth, nullptr);
    const FeatureState& gro = veth->features.at("rx-gro");
    EXPECT_EQ(gro.on, on);
    EXPECT_FALSE(gro.fixed);
    EXPECT_EQ(gro.requested, on);
    EXPECT_EQ(veth->features.at("tx-tcp-segmentation").on, on);
    EXPECT_TRUE(veth->features.at("rx-lro").fixed);
  }
}

TEST_F(InNamespace, WhatIsWantedButForbiddenIsTold) {
  ASSERT_TRUE(ip("link add v0 type veth peer name v1"));
  // TSO needs transmit checksums: without them the kernel turns it off, though it stays wanted.
  ASSERT_TRUE(set_feature("v0", ETHTOOL_STXCSUM, false));
  const MachineFacts machine = read();
  const FeatureState& tso = find_interface(machine, "v0")->features.at("tx-tcp-segmentation");
  EXPECT_FALSE(tso.on);
  EXPECT_FALSE(tso.fixed);
  EXPECT_EQ(tso.requested, true);
}

TEST_F(InNamespace, RoutesWithTheirMetrics) {
  ASSERT_TRUE(ip("link add v0 type veth peer name v1"));
  ASSERT_TRUE(ip("link set v0 up") && ip("link set v1 up"));
  ASSERT_TRUE(ip("addr add 192.0.2.1/24 dev v0") && ip("addr add 2001:db8::1/64 dev v0 nodad"));
  ASSERT_TRUE(
      ip("route add 198.51.100.0/24 via 192.0.2.9 mtu lock 1300 initcwnd 20 initrwnd 30 "
         "advmss 1260 window 65000 quickack 1 rto_min 50ms metric 77"));
  ASSERT_TRUE(ip("route add default via 192.0.2.8 table 99"));
  ASSERT_TRUE(ip("route add blackhole 203.0.113.0/24"));
  ASSERT_TRUE(ip("-6 route add 2001:db8:1::/48 via 2001:db8::9 mtu 1280"));
  const MachineFacts machine = read();
  const RouteFacts* route = find_route(machine, "198.51.100.0/24");
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(to_string(*route->gateway), "192.0.2.9");
  EXPECT_EQ(route->interface, "v0");
  EXPECT_EQ(route->mtu_bytes, 1300U);
  EXPECT_EQ(route->mtu_locked, true);
  EXPECT_EQ(route->initcwnd, 20U);
  EXPECT_EQ(route->initrwnd, 30U);
  EXPECT_EQ(route->advmss, 1260U);
  EXPECT_EQ(route->window, 65000U);
  EXPECT_EQ(route->quickack, true);
  EXPECT_DOUBLE_EQ(route->rto_min_s.value_or(0), 0.05);
  EXPECT_EQ(route->metric, 77U);
  EXPECT_EQ(route->table, "main");
  const RouteFacts* direct = find_route(machine, "192.0.2.0/24");
  ASSERT_NE(direct, nullptr);
  EXPECT_EQ(direct->gateway, std::nullopt);
  EXPECT_EQ(direct->mtu_bytes, std::nullopt);
  const RouteFacts* other_table = find_route(machine, "default");
  ASSERT_NE(other_table, nullptr);
  EXPECT_EQ(other_table->table, "99");
  ASSERT_NE(find_route(machine, "203.0.113.0/24"), nullptr);
  EXPECT_EQ(find_route(machine, "203.0.113.0/24")->type, "blackhole");
  const RouteFacts* six = find_route(machine, "2001:db8:1::/48");
  ASSERT_NE(six, nullptr);
  EXPECT_EQ(six->mtu_bytes, 1280U);
  EXPECT_EQ(find_route(machine, "192.0.2.1/32"), nullptr);  // the local table
  for (const RouteFacts& any : machine.routes) EXPECT_FALSE(any.is_exception);
}

/// Sends one datagram that must not be fragmented.
void send_whole(int family, const char* to, std::size_t size) {
  const int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int four = IP_PMTUDISC_DO, six = IPV6_PMTUDISC_DO;
  sockaddr_in to4{};
  sockaddr_in6 to6{};
  to4.sin_family = AF_INET;
  to6.sin6_family = AF_INET6;
  to4.sin_port = to6.sin6_port = htons(9);
  const std::string bytes(size, 'x');
  if (family == AF_INET) {
    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &four, sizeof four);
    inet_pton(AF_INET, to, &to4.sin_addr);
    (void)sendto(fd, bytes.data(), size, 0, reinterpret_cast<const sockaddr*>(&to4), sizeof to4);
  } else {
    setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &six, sizeof six);
    inet_pton(AF_INET6, to, &to6.sin6_addr);
    (void)sendto(fd, bytes.data(), size, 0, reinterpret_cast<const sockaddr*>(&to6), sizeof to6);
  }
  close(fd);
}

/// A host behind a router whose other side has an MTU of 1300.
void join_by_small_mtu(const Namespace& host, const Namespace& router) {
  router.inside([] {
    std::ofstream{"/proc/sys/net/ipv4/ip_forward"} << "1";
    std::ofstream{"/proc/sys/net/ipv6/conf/all/forwarding"} << "1";
  });
  ASSERT_TRUE(host.ip("link add v0 type veth peer name v1"));
  ASSERT_TRUE(host.ip("link set v1 netns " + router.path()));
  ASSERT_TRUE(host.ip("link set v0 up") && router.ip("link set v1 up"));
  ASSERT_TRUE(router.ip("link add w0 mtu 1300 type veth peer name w1 mtu 1300"));
  ASSERT_TRUE(router.ip("link set w0 up") && router.ip("link set w1 up"));
  ASSERT_TRUE(host.ip("addr add 192.0.2.1/24 dev v0"));
  ASSERT_TRUE(host.ip("addr add 2001:db8:1::1/64 dev v0 nodad"));
  ASSERT_TRUE(router.ip("addr add 192.0.2.9/24 dev v1"));
  ASSERT_TRUE(router.ip("addr add 2001:db8:1::9/64 dev v1 nodad"));
  ASSERT_TRUE(router.ip("route add 198.51.100.0/24 dev w0"));
  ASSERT_TRUE(router.ip("-6 route add 2001:db8:2::/64 dev w0"));
  ASSERT_TRUE(host.ip("route add default via 192.0.2.9"));
  ASSERT_TRUE(host.ip("-6 route add default via 2001:db8:1::9"));
}

TEST_F(InNamespace, PathMtusThatRoutersReallyTaught) {
  const Namespace router;
  ASSERT_TRUE(router.exists()) << router.why_not();
  join_by_small_mtu(space_, router);
  MachineFacts machine;
  const RouteFacts *four = nullptr, *six = nullptr;
  // Neighbour discovery takes the first packets; a second of patience is plenty elsewhere.
  for (int attempt = 0; attempt < 100 && (four == nullptr || six == nullptr); ++attempt) {
    inside([] {
      send_whole(AF_INET, "198.51.100.5", 1400);
      send_whole(AF_INET6, "2001:db8:2::5", 1400);
      usleep(50'000);
    });
    machine = read({.sockets = false, .file_root = {}});
    four = find_route(machine, "198.51.100.5/32");
    six = find_route(machine, "2001:db8:2::5/128");
  }
  for (const RouteFacts* route : {four, six}) {
    ASSERT_NE(route, nullptr);
    EXPECT_TRUE(route->is_exception);
    EXPECT_EQ(route->mtu_bytes, 1300U);
    EXPECT_GT(route->expires_s.value_or(0), 500);  // net.ipv4.route.mtu_expires is 600 s
    EXPECT_LE(route->expires_s.value_or(0), 601);
    EXPECT_EQ(route->interface, "v0");
  }
}

TEST_F(InNamespace, IoctlSaysWhatNetlinkSays) {
  ASSERT_TRUE(ip("link add v0 type veth peer name v1"));
  ASSERT_TRUE(set_feature("v0", ETHTOOL_SGRO, false));
  const std::function<void(const char*)> compare = [](const char* name) {
    MachineFacts machine = read_machine({.sockets = false, .file_root = {}});
    const InterfaceFacts* place = find_interface(machine, name);
    ASSERT_NE(place, nullptr);
    const InterfaceFacts by_netlink = *place;
    MachineFacts asked;
    asked.interfaces.resize(1);
    asked.interfaces[0].name = by_netlink.name;
    asked.interfaces[0].index = by_netlink.index;
    read_ethtool_ioctl({}, asked);  // as if the netlink family had told nothing
    const InterfaceFacts& by_ioctl = asked.interfaces[0];
    ASSERT_EQ(by_ioctl.features.size(), by_netlink.features.size()) << name;
    for (const auto& [feature, state] : by_netlink.features) {
      const FeatureState& other = by_ioctl.features.at(feature);
      EXPECT_EQ(other.on, state.on) << feature;
      EXPECT_EQ(other.fixed, state.fixed) << feature;
      EXPECT_EQ(other.requested, state.requested) << feature;
    }
    EXPECT_EQ(by_ioctl.rings.rx, by_netlink.rings.rx);
    EXPECT_EQ(by_ioctl.rings.tx_max, by_netlink.rings.tx_max);
    EXPECT_EQ(by_ioctl.channels.combined, by_netlink.channels.combined);
    EXPECT_EQ(by_ioctl.channels.combined_max, by_netlink.channels.combined_max);
    EXPECT_EQ(by_ioctl.speed_bps, by_netlink.speed_bps);
    EXPECT_EQ(by_ioctl.duplex, by_netlink.duplex);
    EXPECT_EQ(by_ioctl.rss.indirection, by_netlink.rss.indirection);
    EXPECT_EQ(by_ioctl.rss.hash, by_netlink.rss.hash);
    EXPECT_EQ(by_ioctl.driver, by_netlink.driver);
  };
  inside([&] { compare("v0"); });
  for (const InterfaceFacts& facts : read_machine({.sockets = false, .file_root = {}}).interfaces) {
    compare(facts.name.c_str());
  }
}

TEST_F(InNamespace, SettingsOfThisNamespace) {
  inside([] {
    std::ofstream{"/proc/sys/net/ipv4/tcp_window_scaling"} << "0";
    std::ofstream{"/proc/sys/net/ipv4/ip_local_port_range"} << "40000 40100";
  });
  const MachineFacts there = read(), here = read_machine();
  EXPECT_EQ(there.settings.at("net.ipv4.tcp_window_scaling").value, "0");
  EXPECT_EQ(there.settings.at("net.ipv4.ip_local_port_range").value, "40000 40100");
  EXPECT_NE(here.settings.at("net.ipv4.ip_local_port_range").value, "40000 40100");
}

TEST_F(InNamespace, VlanOnItsParent) {
  ASSERT_TRUE(ip("link add v0 type veth peer name v1"));
  if (!ip("link add link v0 name v0.5 mtu 1400 type vlan id 5")) {
    GTEST_SKIP() << "this kernel has no VLANs (8021q)";
  }
  const MachineFacts machine = read();
  const InterfaceFacts* vlan = find_interface(machine, "v0.5");
  ASSERT_NE(vlan, nullptr);
  EXPECT_EQ(vlan->kind, "vlan");
  EXPECT_EQ(vlan->lower, "v0");
  EXPECT_EQ(vlan->mtu_bytes, 1400U);
  EXPECT_EQ(vlan->properties.at("vlan.id"), "5");
  EXPECT_TRUE(machine.settings.contains("net.ipv4.conf.v0/5.rp_filter"));
}

TEST_F(InNamespace, DummyAndBond) {
  const bool has_dummy = ip("link add d0 mtu 9000 type dummy");
  const bool has_bond = ip("link add bond7 type bond mode balance-rr");
  const MachineFacts machine = read();
  if (has_dummy) {
    EXPECT_EQ(find_interface(machine, "d0")->kind, "dummy");
    EXPECT_EQ(find_interface(machine, "d0")->mtu_bytes, 9000U);
  }
  if (has_bond) {
    EXPECT_EQ(find_interface(machine, "bond7")->properties.at("bond.mode"), "balance-rr");
  }
  if (!has_dummy || !has_bond) {
    GTEST_SKIP() << "this kernel has no" << (has_dummy ? "" : " dummy")
                 << (has_bond ? "" : " bond");
  }
}

TEST_F(InNamespace, ATunnelLiesOnTheRouteToItsEnd) {
  ASSERT_TRUE(ip("link add v0 type veth peer name v1"));
  ASSERT_TRUE(ip("link set v0 up") && ip("link set v1 up"));
  ASSERT_TRUE(ip("addr add 192.0.2.1/24 dev v0"));
  if (!ip("link add vx0 type vxlan id 4 dstport 4789 remote 192.0.2.9")) {
    GTEST_SKIP() << "this kernel has no VXLAN";
  }
  ASSERT_TRUE(ip("link add vx1 type vxlan id 5 dstport 4790 dev v1"));
  const MachineFacts machine = read();
  const InterfaceFacts* tunnel = find_interface(machine, "vx0");
  ASSERT_NE(tunnel, nullptr);
  EXPECT_EQ(tunnel->kind, "vxlan");
  EXPECT_EQ(tunnel->lower, "v0");
  EXPECT_EQ(tunnel->properties.at("tunnel.remote"), "192.0.2.9");
  EXPECT_EQ(tunnel->properties.at("tunnel.id"), "4");
  EXPECT_EQ(tunnel->properties.at("tunnel.port"), "4789");
  EXPECT_EQ(find_interface(machine, "vx1")->lower, "v1");
}

TEST_F(InNamespace, TrafficMovesTheRates) {
  ASSERT_TRUE(ip("link set lo up"));
  MachineFacts machine;
  inside([&] {
    std::jthread talker{[](const std::stop_token& stop) {
      const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = 0x0900;  // port 9 of the loopback, where nobody listens
      to.sin_addr.s_addr = 0x0100007f;
      while (!stop.stop_requested()) {
        (void)sendto(fd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
        usleep(1000);
      }
      close(fd);
    }};
    machine = read_machine({.interval = std::chrono::seconds{1}, .file_root = {}});
  });
  EXPECT_GT(machine.counter_rates["UdpOutDatagrams"], 0);
  EXPECT_GT(find_interface(machine, "lo")->statistic_rates.at("rx_packets"), 0);
}

}  // namespace
}  // namespace slowpath::machine

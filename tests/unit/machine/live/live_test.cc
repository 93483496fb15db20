// SPDX-License-Identifier: Apache-2.0
// Reads the running host in whatever state it is: what must hold on any. And hosts of files alone.
#include "machine/live.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine/live/counters.h"
#include "machine/live/device.h"
#include "machine/live/firewall.h"
#include "machine/live/host_files.h"
#include "machine/live/sysctl.h"

namespace slowpath::machine {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A folder that is removed with all it holds.
class Folder {
 public:
  Folder() {
    std::string name = ::testing::TempDir() + "slowpath-live-XXXXXX";
    path_ = mkdtemp(name.data()) == nullptr ? "" : name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  void write(const std::string& name, std::string_view text) const {
    const std::filesystem::path file = path_ + name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file} << text;
  }

 private:
  std::string path_;
};

TEST(ReadMachine, WhatEveryHostHas) {
  const MachineFacts machine = read_machine();
  EXPECT_EQ(machine.platform, Platform::linux);
  EXPECT_TRUE(machine.live);
  EXPECT_NE(machine.kernel, "");
  EXPECT_NE(machine.name, "");
  const InterfaceFacts* lo = find_interface(machine, "lo");
  ASSERT_NE(lo, nullptr);
  EXPECT_EQ(lo->kind, "loopback");
  EXPECT_GE(lo->mtu_bytes.value_or(0), 1280U);
  EXPECT_TRUE(lo->features.contains("tx-tcp-segmentation"));
  EXPECT_TRUE(lo->statistics.contains("rx_packets"));
  EXPECT_FALSE(machine.cpus.empty());
  EXPECT_EQ(machine.interval_s, std::nullopt);
  EXPECT_THAT(machine.counter_rates, IsEmpty());
  const auto* rmem = find_setting(machine, "net.ipv4.tcp_rmem");
  ASSERT_NE(rmem, nullptr);
  EXPECT_EQ(words_of(rmem->value).size(), 3U);
  EXPECT_EQ(rmem->origin.where, "/proc/sys/net/ipv4/tcp_rmem");
  EXPECT_NE(find_counter(machine, "TcpRetransSegs"), nullptr);
  EXPECT_NE(find_counter(machine, "TcpExtListenOverflows"), nullptr);
  EXPECT_NE(find_counter(machine, "SoftnetProcessed"), nullptr);
  EXPECT_NE(find_counter(machine, "SockstatTcpInuse"), nullptr);
  EXPECT_THAT(machine.congestion_controls, Not(IsEmpty()));
}

TEST(ReadMachine, EveryUnreadSaysWhatAndWhy) {
  for (const Unread& unread : read_machine().unread) {
    EXPECT_NE(unread.what, "");
    EXPECT_NE(unread.why, "") << unread.what;
  }
}

TEST(ReadMachine, NamesPointAtInterfacesThatAreThere) {
  const MachineFacts machine = read_machine();
  for (const InterfaceFacts& facts : machine.interfaces) {
    for (const std::string& other : {facts.master, facts.lower}) {
      EXPECT_TRUE(other.empty() || find_interface(machine, other) != nullptr) << other;
    }
    EXPECT_LE(facts.cpu_interrupts.size(), machine.cpus.size());
  }
  for (const RouteFacts& route : machine.routes) {
    EXPECT_TRUE(route.interface.empty() || find_interface(machine, route.interface) != nullptr);
    EXPECT_LE(route.prefix_len, route.destination.version == 6 ? 128 : 32);
  }
}

TEST(ReadMachine, SecretsAreNotRead) {
  for (const auto& [key, told] : read_machine().settings) {
    for (const char* secret : {"fastopen_key", "rss_key", "stable_secret"}) {
      EXPECT_THAT(key, Not(HasSubstr(secret))) << told.value.size() << " letters of it";
    }
  }
}

TEST(ReadMachine, AnIntervalGivesRates) {
  const auto interval = std::chrono::milliseconds{200};
  const MachineFacts machine = read_machine({.interval = interval, .file_root = {}});
  ASSERT_TRUE(machine.interval_s.has_value());
  EXPECT_GE(*machine.interval_s, 0.2);
  for (const auto& [name, rate] : machine.counter_rates) EXPECT_GT(rate, 0) << name;
  double cpu_s = 0;
  for (const CpuFacts& cpu : machine.cpus) cpu_s += cpu.user_s + cpu.system_s + cpu.idle_s;
  // Of each CPU at most the time that passed, and the reading's own while files are read: a minute
  // is far more than that, and far less than since the start.
  EXPECT_LE(cpu_s, (*machine.interval_s + 60) * static_cast<double>(machine.cpus.size()));
}

/// A listener on the loopback with one connection that nobody accepts.
class Waiting {
 public:
  Waiting() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* address = reinterpret_cast<sockaddr*>(&at);
    ok_ = bind(listener_, address, size) == 0 && listen(listener_, 7) == 0 &&
          getsockname(listener_, address, &size) == 0 && connect(client_, address, size) == 0 &&
          send(client_, "hello", 5, 0) == 5;
    port_ = ntohs(at.sin_port);
  }
  ~Waiting() {
    close(listener_);
    close(client_);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int client_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool ok_ = false;
  std::uint16_t port_ = 0;
};

bool has_sock_diag(const MachineFacts& machine) {
  return std::ranges::none_of(
      machine.unread, [](const Unread& unread) { return unread.what.contains("sock_diag"); });
}

const SocketFacts* find_socket(const MachineFacts& machine, std::string_view state,
                               Endpoint SocketFacts::* end, std::uint16_t port) {
  const auto found = std::ranges::find_if(machine.sockets, [&](const SocketFacts& socket) {
    return socket.state == state && (socket.*end).port == port;
  });
  return found == machine.sockets.end() ? nullptr : &*found;
}

TEST(ReadMachine, OwnSocketsAreSeen) {
  const Waiting waiting;
  ASSERT_TRUE(waiting.ok());
  const MachineFacts machine = read_machine();
  if (!has_sock_diag(machine)) GTEST_SKIP() << "this kernel has no sock_diag for TCP";
  const SocketFacts* listener = find_socket(machine, "listen", &SocketFacts::local, waiting.port());
  ASSERT_NE(listener, nullptr);
  EXPECT_EQ(listener->accept_queue, 1U);
  EXPECT_EQ(listener->accept_queue_max, 7U);
  const SocketFacts* client =
      find_socket(machine, "established", &SocketFacts::remote, waiting.port());
  ASSERT_NE(client, nullptr);
  EXPECT_EQ(to_string(client->remote.address), "127.0.0.1");
  EXPECT_GT(client->mss_bytes.value_or(0), 500U);
  EXPECT_GT(client->rtt_s.value_or(0), 0);
  EXPECT_LT(client->rtt_s.value_or(99), 60);
  EXPECT_GT(client->send_buffer_bytes.value_or(0), 0U);
  EXPECT_EQ(client->bytes_sent, 5U);
  EXPECT_THAT(machine.congestion_controls, Contains(client->congestion_control));
}

TEST(ReadMachine, SocketsAreBoundedAndTheRestCounted) {
  const Waiting waiting;
  ASSERT_TRUE(waiting.ok());
  const MachineFacts machine = read_machine({.sockets_max = 1, .file_root = {}});
  if (!has_sock_diag(machine)) GTEST_SKIP() << "this kernel has no sock_diag for TCP";
  EXPECT_LE(machine.sockets.size(), 1U);
  EXPECT_THAT(machine.unread,
              Contains(Field(&Unread::what, HasSubstr("sockets beyond the first 1"))));
  EXPECT_THAT(read_machine({.sockets = false, .file_root = {}}).sockets, IsEmpty());
}

bool is_of_rules(const std::string& setting) { return setting.starts_with("firewall."); }

TEST(ReadMachine, WithoutProcAndSysTheRestIsRead) {
  const Folder empty;
  const MachineFacts machine = read_machine({.file_root = empty.path()});
  EXPECT_NE(find_interface(machine, "lo"), nullptr);
  EXPECT_THAT(machine.counters, IsEmpty());
  // Rules are asked for by netlink.
  for (const auto& [key, told] : machine.settings) EXPECT_TRUE(is_of_rules(key)) << key;
  EXPECT_THAT(machine.cpus, IsEmpty());
  for (const char* what : {"CPU time", "/proc/net/snmp", "/proc/net/softnet_stat", "net.ipv4",
                           "clock source", "interrupts", "/sys/class/net", "/etc/os-release"}) {
    EXPECT_THAT(machine.unread, Contains(Field(&Unread::what, HasSubstr(what)))) << what;
  }
}

TEST(ReadMachine, WithoutPrivilegeNothingIsLostSilently) {
  if (geteuid() != 0) GTEST_SKIP() << "already without privilege";
  const MachineFacts as_root = read_machine();
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (setresgid(kNobody, kNobody, kNobody) != 0 || setresuid(kNobody, kNobody, kNobody) != 0) {
      _exit(2);
    }
    const MachineFacts as_nobody = read_machine();
    const bool same = as_nobody.interfaces.size() == as_root.interfaces.size() &&
                      find_setting(as_nobody, "net.ipv4.tcp_rmem") != nullptr;
    // Each setting that only root could read is named.
    const bool told = std::ranges::all_of(as_root.settings, [&](const auto& setting) {
      // What rules do is told by many settings, and that they were not read by one.
      const std::string name =
          is_of_rules(setting.first) ? "firewall rules (nf_tables)" : setting.first;
      return as_nobody.settings.contains(setting.first) ||
             std::ranges::any_of(as_nobody.unread, [&](const Unread& unread) {
               return unread.what == name && !unread.allow.empty();
             });
    });
    _exit(same && told ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(HostFiles, ReasonsAreErrnos) {
  const Folder folder;
  folder.write("/proc/a", "one\n");
  const HostFiles files{folder.path()};
  EXPECT_EQ(files.read("/proc/a").value_or(""), "one\n");
  EXPECT_EQ(files.word("/proc/a"), "one");
  EXPECT_EQ(files.read("/proc/b").error(), ENOENT);
  EXPECT_EQ(files.read("/proc").error(), EISDIR);
  EXPECT_EQ(files.list("/sys").error(), ENOENT);
  EXPECT_EQ(files.word("/proc/b"), "");
}

TEST(HostFiles, ThePrivilegeIsNamedOnlyWhereTheKernelRefused) {
  std::vector<Unread> list;
  add_unread(list, "rings of eth0", EPERM, "cap_net_admin");
  add_unread(list, "rings of eth0", EOPNOTSUPP, "cap_net_admin");
  EXPECT_EQ(list[0].why, "operation not permitted");
  EXPECT_EQ(list[0].allow, "cap_net_admin");
  EXPECT_EQ(list[1].why, "operation not supported");
  EXPECT_EQ(list[1].allow, "");
}

TEST(ReadSysctls, OfRecordedFiles) {
  const Folder folder;
  folder.write("/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n");
  folder.write("/proc/sys/net/ipv4/tcp_fastopen_key", "0-1-2-3\n");
  folder.write("/proc/sys/net/ipv4/tcp_available_congestion_control", "reno cubic\n");
  folder.write("/proc/sys/net/ipv4/conf/eth0.5/rp_filter", "1\n");
  folder.write("/proc/sys/net/ipv4/conf/eth0.5/tag", "0\n");
  MachineFacts machine;
  read_sysctls(HostFiles{folder.path()}, machine);
  EXPECT_EQ(machine.settings.at("net.ipv4.tcp_rmem").value, "4096 131072 6291456");
  EXPECT_EQ(machine.settings.at("net.ipv4.conf.eth0/5.rp_filter").value, "1");
  EXPECT_EQ(machine.settings.size(), 3U);
  EXPECT_THAT(machine.congestion_controls, ::testing::ElementsAre("reno", "cubic"));
  EXPECT_THAT(machine.unread, Contains(Field(&Unread::what, "net.netfilter")));
}

TEST(ReadCounters, OfRecordedFiles) {
  const Folder folder;
  folder.write("/proc/net/snmp", "Tcp: RetransSegs\nTcp: 9\n");
  folder.write("/proc/sys/net/netfilter/nf_conntrack_count", "260000\n");
  folder.write("/proc/sys/net/netfilter/nf_conntrack_max", "262144\n");
  folder.write("/proc/net/softnet_stat", "000000ff 00000001 00000002\n");
  MachineFacts machine;
  machine.cpus.emplace_back();
  read_counters(HostFiles{folder.path()}, machine);
  EXPECT_EQ(machine.counters.at("TcpRetransSegs").value, 9U);
  EXPECT_EQ(machine.counters.at("ConntrackCount").value, 260000U);
  EXPECT_EQ(machine.counters.at("ConntrackMax").value, 262144U);
  EXPECT_EQ(machine.counters.at("SoftnetDropped").value, 1U);
  EXPECT_EQ(machine.cpus[0].softnet_time_squeeze, 2U);
  EXPECT_EQ(machine.counters.at("SoftnetDropped").origin.where, "/proc/net/softnet_stat");
  EXPECT_THAT(machine.unread, Contains(Field(&Unread::what, "/proc/net/netstat")));
  EXPECT_THAT(machine.unread, Not(Contains(Field(&Unread::what, "/proc/net/snmp6"))));
}

TEST(ReadDevices, OfRecordedFiles) {
  const Folder folder;
  folder.write("/sys/class/net/eth0/ifindex", "4\n");
  folder.write("/sys/class/net/eth0/device/sriov_totalvfs", "63\n");
  folder.write("/sys/class/net/eth0/device/msi_irqs/40", "msix\n");
  folder.write("/sys/class/net/eth0/queues/rx-0/rps_cpus", "3\n");
  folder.write("/sys/class/net/eth0/queues/tx-0/xps_cpus", "3\n");
  folder.write("/sys/class/net/eth1/ifindex", "9\n");
  folder.write("/sys/class/net/lan1/ifindex", "6\n");
  folder.write("/sys/class/net/lan1/uevent", "DEVTYPE=wlan\nINTERFACE=lan1\nIFINDEX=6\n");
  MachineFacts machine;
  machine.interfaces.resize(3);
  machine.interfaces[2].name = "lan1";
  machine.interfaces[2].index = 6;
  machine.interfaces[0].name = "eth0";
  machine.interfaces[0].index = 4;
  machine.interfaces[1].name = "eth1";
  machine.interfaces[1].index = 5;  // sysfs shows another one of that name
  const HostFiles files{folder.path()};
  read_devices(files, machine);
  EXPECT_EQ(machine.interfaces[0].properties.at("sriov.totalvfs"), "63");
  EXPECT_EQ(machine.interfaces[0].properties.at("rps.rx-0"), "3");
  EXPECT_EQ(machine.interfaces[0].properties.at("queues.rx"), "1");
  EXPECT_THAT(device_interrupts(files, machine.interfaces[0]), ::testing::ElementsAre("40"));
  EXPECT_THAT(machine.interfaces[1].properties, IsEmpty());
  EXPECT_FALSE(machine.interfaces[0].properties.contains("wireless"));
  EXPECT_EQ(machine.interfaces[2].properties.at("wireless"), "wlan");
  EXPECT_THAT(machine.unread, Contains(Field(&Unread::what, "device of eth1")));
}

TEST(ReadFirewall, TablesOfLegacyAreNamedAndMakeItUnclear) {
  const Folder folder;
  folder.write("/proc/net/ip_tables_names", "filter\nnat\n");
  folder.write("/proc/net/ip6_tables_names/damage", "");  // a folder cannot be read
  MachineFacts machine;
  read_firewall(HostFiles{folder.path()}, machine);
  if (machine.settings.empty()) GTEST_SKIP() << "needs cap_net_admin to list nf_tables";
  EXPECT_THAT(machine.unread,
              Contains(::testing::AllOf(
                  Field(&Unread::what, "rules of iptables-legacy (filter nat)"),
                  Field(&Unread::why, ::testing::HasSubstr("iptables-legacy-save prints them")))));
  EXPECT_THAT(machine.unread, Contains(Field(&Unread::what, "rules of ip6tables-legacy")));
  for (const char* key : {"firewall.ipv4.nat", "firewall.ipv6.nat"})
    EXPECT_THAT(machine.settings.at(key).value, ::testing::AnyOf("unclear", "present"));
}

}  // namespace
}  // namespace slowpath::machine

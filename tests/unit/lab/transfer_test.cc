// SPDX-License-Identifier: Apache-2.0
// Hosts and transfers on real kernels: what is sent arrives, what is asked for happens, nothing is
// left.
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "lab/pattern.h"
#include "lab/traffic.h"
#include "lab/traffic_plan.h"
#include "lab/traffic_socket.h"
#include "support/lab_pair.h"

namespace slowpath::lab {
namespace {

using test::lab_privileges;
using test::LabPair;

class TransferTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!lab_privileges()) GTEST_SKIP() << lab_privileges().error().message();
    if (!lab_privileges()->missing_programs.empty())
      GTEST_SKIP() << lab_privileges()->missing_programs.front() << " is not installed";
  }

  void make(const LabPair::Options& options = {}) {
    auto made = LabPair::make(options);
    ASSERT_TRUE(made) << made.error().message();
    pair_ = std::move(*made);
  }

  std::unique_ptr<LabPair> pair_;
};

TEST_F(TransferTest, AStreamToTheClientArrivesAsItWasSent) {
  make();
  const auto result = pair_->transfer({{"bytes", "20MiB"}});
  EXPECT_EQ(result.error, "");
  EXPECT_TRUE(result.client.starts_with("10.1.0.2:")) << result.client;
  EXPECT_EQ(result.server, "10.1.0.1:5001");
  ASSERT_EQ(result.streams.size(), 1U);
  const auto& stream = result.streams.front();
  EXPECT_EQ(stream.from, "server");
  EXPECT_EQ(stream.to, "client");
  EXPECT_EQ(stream.bytes_received, 20U << 20U);
  EXPECT_EQ(stream.bytes_sent, 20U << 20U);
  EXPECT_TRUE(stream.complete);
  EXPECT_TRUE(stream.bytes_right);
  EXPECT_EQ(stream.sent_sha256.size(), 64U);
  EXPECT_EQ(stream.sent_sha256, stream.received_sha256);
  // What follows from one another, and not from the machine's speed.
  EXPECT_GT(result.connect_seconds, 0);
  EXPECT_GT(stream.seconds, result.connect_seconds);
  EXPECT_DOUBLE_EQ(stream.goodput_bps, 8.0 * (20U << 20U) / stream.seconds);
  ASSERT_TRUE(stream.last);
  // The FIN is counted as a byte.
  EXPECT_NEAR(static_cast<double>(stream.last->bytes_acked), 20 << 20, 1);
  EXPECT_EQ(stream.last->snd_mss, 1448U);
  EXPECT_EQ(stream.last->pmtu, 1500U);
  EXPECT_GT(stream.last->cwnd, 0U);
}

TEST_F(TransferTest, BothDirectionsAtOnceOverIpv6) {
  make({.ipv6 = true});
  const auto result = pair_->transfer({{"direction", "both"}, {"bytes", "3MB"}});
  EXPECT_EQ(result.error, "");
  EXPECT_TRUE(result.client.starts_with("[fd00:1::2]:")) << result.client;
  ASSERT_EQ(result.streams.size(), 2U);
  for (const auto& stream : result.streams) {
    EXPECT_TRUE(stream.complete) << stream.from;
    EXPECT_EQ(stream.sent_sha256, stream.received_sha256);
    EXPECT_TRUE(stream.last);
  }
  EXPECT_NE(result.streams[0].sent_sha256, result.streams[1].sent_sha256);
  // Nobody spoke but the two of them.
  EXPECT_EQ(pair_->client().counters()["Icmp6OutMsgs"], 0U);
  EXPECT_EQ(pair_->server().counters()["Icmp6OutMsgs"], 0U);
}

TEST_F(TransferTest, SpoiledBytesAreFoundWhereTheyAre) {
  make({.spoils = true});
  const auto result = pair_->transfer({{"bytes", "5MiB"}});
  ASSERT_EQ(result.streams.size(), 1U);
  const auto& stream = result.streams.front();
  // The sum of a super-frame is left to the NIC: the receiving kernel has nothing to check it by.
  EXPECT_TRUE(stream.complete);
  EXPECT_FALSE(stream.bytes_right);
  EXPECT_GT(stream.bad_bytes, 0U);
  EXPECT_NE(stream.sent_sha256, stream.received_sha256);
  ASSERT_FALSE(stream.bad.empty());
  EXPECT_EQ(stream.bad.front().length, 1U);
  const auto sent = std::stoi(stream.bad.front().sent_hex, nullptr, 16);
  const auto received = std::stoi(stream.bad.front().received_hex, nullptr, 16);
  EXPECT_EQ(sent ^ received, 0x20);
}

TEST_F(TransferTest, TheLimitEndsAStreamWithoutAWord) {
  make();
  const auto result =
      pair_->transfer({{"limit", "1s"}, {"read_rate", "20Mbit/s"}, {"rcvbuf", "64KiB"}});
  EXPECT_EQ(result.error, "");
  const auto& stream = result.streams.front();
  // What is read after the limit does not lengthen it.
  EXPECT_DOUBLE_EQ(stream.seconds, 1);
  // A read takes 25000 bytes: one before the pace begins, one after the limit. A busy machine reads
  // less, never more.
  EXPECT_GT(stream.bytes_received, 0U);
  EXPECT_LE(stream.bytes_received, 2'500'000U + 2 * 25'000U);
  EXPECT_TRUE(stream.bytes_right);
  ASSERT_TRUE(stream.last);
  // A slow reader closes the window, and the kernel says so.
  EXPECT_GT(stream.last->rwnd_limited_us, 0U);
  // The last look is taken at the end; between the others are 20 ms or more.
  ASSERT_GE(stream.samples.size(), 2U);
  for (std::size_t i = 1; i + 1 < stream.samples.size(); ++i)
    EXPECT_GE(stream.samples[i].at - stream.samples[i - 1].at, std::chrono::milliseconds{20});
  EXPECT_EQ(pair_->client().counters()["Tcp.OutRsts"], 0U);
  EXPECT_EQ(pair_->server().counters()["Tcp.OutRsts"], 0U);
}

TEST_F(TransferTest, TheLimitCutsAFastStream) {
  make();
  const auto result =
      pair_->transfer({{"bytes", "1000GB"}, {"limit", "500ms"}, {"verify", "false"}});
  EXPECT_EQ(result.error, "");
  EXPECT_FALSE(result.streams.front().complete);
  EXPECT_DOUBLE_EQ(result.streams.front().seconds, 0.5);
  EXPECT_EQ(result.streams.front().sent_sha256, "");
  EXPECT_EQ(pair_->client().counters()["Tcp.OutRsts"], 0U);
  EXPECT_EQ(pair_->server().counters()["Tcp.OutRsts"], 0U);
}

TEST_F(TransferTest, ASmallSendBufferLimitsTheSender) {
  make({.delay = std::chrono::milliseconds{10}});
  const auto result = pair_->transfer({{"sndbuf", "32KiB"}, {"limit", "1s"}});
  EXPECT_EQ(result.error, "");
  ASSERT_TRUE(result.streams.front().last);
  const auto& last = *result.streams.front().last;
  // The cable holds each frame for at least 10 ms; the kernel's stamps count in milliseconds.
  EXPECT_GE(last.min_rtt_us, 19'000U);
  // The buffer as the kernel doubles it, a round trip; and what is in use when the first ACK comes.
  EXPECT_LT(result.streams.front().goodput_bps, 8.0 * 160 * 1024 / 0.020);
  EXPECT_GT(result.streams.front().bytes_received, 0U);
}

TEST_F(TransferTest, APacedSenderSendsNoFaster) {
  make();
  const auto result = pair_->transfer(
      {{"limit", "1s"}, {"write_rate", "20Mbit/s"}, {"nonblocking", "true"}, {"nodelay", "true"}});
  EXPECT_EQ(result.error, "");
  // A write takes 25000 bytes, the first at once.
  EXPECT_GT(result.streams.front().bytes_received, 0U);
  EXPECT_LE(result.streams.front().bytes_sent, 2'500'000U + 25'000U);
}

/// What it costs to make this much of the pattern, in the thread's own time.
double pattern_cpu_seconds(std::uint64_t bytes) {
  const auto cpu_now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  };
  std::vector<std::byte> buffer(128U << 10U);
  const Pattern pattern{1};
  const auto before = cpu_now();
  for (std::uint64_t at = 0; at < bytes; at += buffer.size()) pattern.fill(at, buffer);
  return cpu_now() - before;
}

TEST_F(TransferTest, ASenderShortOfCpuHasItsShare) {
  make();
  const auto result =
      pair_->transfer({{"bytes", "4MiB"}, {"verify", "false"}, {"cpu_share", "1%"}});
  EXPECT_EQ(result.error, "");
  // 99 times what its work costs is burnt. The same work costs the same CPU time elsewhere, give or
  // take caches: a fifth of it is safe, and without the share it takes a tenth of that.
  EXPECT_GT(result.streams.front().seconds, 20 * pattern_cpu_seconds(4U << 20U));
}

TEST_F(TransferTest, PausesStallsAndIdleTimesLast) {
  make();
  const auto seconds = [&](std::map<std::string, std::string> keys) {
    keys.insert({{"bytes", "1MB"}, {"port", "5002"}});
    const auto result = pair_->transfer(std::move(keys));
    EXPECT_TRUE(!result.streams.empty() && result.streams.front().complete) << result.error;
    return result.streams.empty() ? 0 : result.streams.front().seconds;
  };
  // A busy machine pauses longer, never shorter.
  EXPECT_GE(seconds({{"warm_up", "400ms"}}), 0.4);
  EXPECT_GE(seconds({{"idle_after", "500KB"}, {"idle_for", "400ms"}}), 0.4);
  EXPECT_GE(seconds({{"write_pause_every", "200KB"}, {"write_pause", "100ms"}}), 0.4);
  EXPECT_GE(seconds({{"stall_after", "100KB"}, {"stall_for", "400ms"}, {"rcvbuf", "64KiB"}}), 0.4);
}

TEST_F(TransferTest, SocketOptionsReachTheKernel) {
  make();
  const auto result = pair_->transfer({{"bytes", "2MB"},
                                       {"mss", "500"},
                                       {"rcvbuf", "32KiB"},
                                       {"window_clamp", "20000"},
                                       {"congestion_control", "reno"},
                                       {"source_port", "45678"},
                                       {"quickack", "true"},
                                       {"notsent_lowat", "16KiB"},
                                       {"cork", "true"}});
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.client, "10.1.0.2:45678");
  ASSERT_TRUE(result.streams.front().last);
  // 12 bytes go to the timestamp option.
  EXPECT_EQ(result.streams.front().last->snd_mss, 488U);
  EXPECT_LE(result.streams.front().last->snd_wnd, 20000U);
  EXPECT_TRUE(result.streams.front().bytes_right);
}

TEST_F(TransferTest, NobodyAnswersIsAResult) {
  make({.cut = true});
  const auto result = pair_->transfer({{"bytes", "1MB"}, {"limit", "1200ms"}});
  EXPECT_TRUE(result.error.starts_with("connect: no answer within 1.2 s")) << result.error;
  EXPECT_EQ(result.client, "");
  EXPECT_EQ(result.successes, 0U);
  EXPECT_EQ(pair_->client().counters()["Tcp.ActiveOpens"], 1U);
}

TEST_F(TransferTest, RequestsAndResponses) {
  make();
  const auto result = pair_->transfer({{"kind", "request-response"},
                                       {"request", "2000"},
                                       {"response", "5000"},
                                       {"count", "20"},
                                       {"think", "10ms"}});
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.attempts, 20U);
  EXPECT_EQ(result.successes, 20U);
  EXPECT_GE(result.response_median_seconds, 0.010);
  EXPECT_GE(result.response_worst_seconds, result.response_median_seconds);
  ASSERT_EQ(result.streams.size(), 2U);
  EXPECT_EQ(result.streams[0].bytes_received, 100'000U);
  EXPECT_EQ(result.streams[1].bytes_received, 40'000U);
  for (const auto& stream : result.streams) {
    EXPECT_TRUE(stream.complete) << stream.from;
    EXPECT_EQ(stream.sent_sha256, stream.received_sha256);
  }
}

TEST_F(TransferTest, AReceiverThatHasEnoughResetsTheConnection) {
  make();
  const auto result =
      pair_->transfer({{"bytes", "200MiB"}, {"abort_after", "1MiB"}, {"limit", "60s"}});
  const auto& stream = result.streams.front();
  EXPECT_FALSE(stream.complete);
  EXPECT_GE(stream.bytes_received, 1U << 20U);
  EXPECT_LT(stream.bytes_received, 200U << 20U);
  EXPECT_LT(stream.seconds, 60);
  EXPECT_GT(pair_->client().counters()["Tcp.OutRsts"], 0U);
}

TEST_F(TransferTest, AClientThatFallsSilentIsStillAnswered) {
  make();
  const auto result = pair_->transfer({{"kind", "request-response"},
                                       {"count", "3"},
                                       {"response", "500KB"},
                                       {"half_close", "true"}});
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.successes, 3U);
  EXPECT_EQ(result.streams.front().bytes_received, 1'500'000U);
}

TEST_F(TransferTest, FastOpenPutsTheFirstRequestIntoTheSyn) {
  LabPair::Options options;
  options.client.sysctls = options.server.sysctls = {{"net.ipv4.tcp_fastopen", "519"}};
  make(options);
  const auto result =
      pair_->transfer({{"kind", "request-response"}, {"count", "2"}, {"fastopen", "true"}});
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.successes, 2U);
  EXPECT_TRUE(result.client.starts_with("10.1.0.2:")) << result.client;
  EXPECT_EQ(pair_->server().counters()["TcpExt.TCPFastOpenPassive"], 1U);
}

TEST_F(TransferTest, NagleHoldsBackTheSecondHalfOfARequest) {
  make();
  const auto result =
      pair_->transfer({{"kind", "request-response"}, {"count", "30"}, {"split", "true"}});
  EXPECT_EQ(result.successes, 30U);
  // A delayed ACK is at least 40 ms. reference kernel 6.18: TCP_DELACK_MIN.
  EXPECT_GT(result.response_worst_seconds, 0.035);
}

TEST_F(TransferTest, SenderOptionsReachTheSocket) {
  const auto value_of = [](const SenderPlan& plan, int level, int option) {
    const auto socket = make_socket(AF_INET, SOCK_STREAM);
    EXPECT_TRUE(socket && set_sender_options(socket->get(), plan, ""));
    int value = -1;
    socklen_t length = sizeof value;
    EXPECT_EQ(getsockopt(socket->get(), level, option, &value, &length), 0);
    return value;
  };
  SenderPlan plan;
  EXPECT_EQ(value_of(plan, IPPROTO_TCP, TCP_NODELAY), 0);
  plan.nodelay = true;
  plan.sndbuf = 32U << 10U;
  EXPECT_NE(value_of(plan, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(value_of(plan, SOL_SOCKET, SO_SNDBUF), 64 << 10);  // socket(7): doubled
}

TEST_F(TransferTest, ManyConnections) {
  make();
  const auto result = pair_->transfer(
      {{"kind", "connections"}, {"count", "200"}, {"concurrent", "20"}, {"hold", "5ms"}});
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.attempts, 200U);
  EXPECT_EQ(result.successes, 200U);
  EXPECT_EQ(pair_->server().counters()["Tcp.PassiveOpens"], 200U);
  EXPECT_GT(result.response_median_seconds, 0);
  ASSERT_EQ(result.streams.size(), 1U);
  EXPECT_TRUE(result.streams.front().complete);
  EXPECT_GT(result.streams.front().goodput_bps, 0);
}

TEST_F(TransferTest, TheSameSourcePortAgain) {
  make();
  const auto result = pair_->transfer({{"kind", "connections"},
                                       {"count", "5"},
                                       {"reuse_port", "true"},
                                       {"source_port", "41000"},
                                       {"interval", "20ms"}});
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.successes, 5U);
  EXPECT_EQ(result.client, "10.1.0.2:41000");
}

TEST_F(TransferTest, AServerThatNeverAcceptsFillsItsQueue) {
  make();
  const auto transfer = pair_->start({{"kind", "connections"},
                                      {"count", "10"},
                                      {"concurrent", "10"},
                                      {"interval", "50ms"},
                                      {"backlog", "3"},
                                      {"accept", "false"},
                                      {"hold", "1s"},
                                      {"limit", "4s"}});
  ASSERT_TRUE(transfer) << transfer.error().message();
  const auto result = pair_->finish(**transfer);
  EXPECT_EQ(result.attempts, 10U);
  // One more than the backlog: listen(2). More are let in where SYNs come before the ACKs of
  // others.
  EXPECT_GE(result.successes, 4U);
  ASSERT_LT(result.successes, 10U);
  EXPECT_EQ(result.error, "connect: no answer before the limit (" +
                              std::to_string(10 - result.successes) + " waiting)");
  EXPECT_GT(pair_->server().counters()["TcpExt.ListenOverflows"], 0U);
  // While the transfer is there, nobody resets what waits in the queue.
  EXPECT_EQ(pair_->server().counters()["Tcp.OutRsts"], 0U);
}

TEST_F(TransferTest, DatagramsEitherWay) {
  make();
  for (const auto* direction : {"to-client", "to-server"}) {
    const auto result = pair_->transfer({{"kind", "datagrams"},
                                         {"direction", direction},
                                         {"size", "4000"},
                                         {"count", "20"},
                                         {"rate", "50Mbit/s"}});
    EXPECT_EQ(result.error, "");
    // So few that the socket's buffer holds them all, whenever the receiver comes to read.
    EXPECT_EQ(result.attempts, 20U) << direction;
    EXPECT_EQ(result.successes, 20U) << direction;
    ASSERT_EQ(result.streams.size(), 1U);
    EXPECT_TRUE(result.streams.front().complete);
    EXPECT_TRUE(result.streams.front().bytes_right);
    EXPECT_EQ(result.streams.front().bytes_received, 80'000U);
  }
  EXPECT_GT(pair_->server().counters()["Ip.FragCreates"], 0U);
}

TEST_F(TransferTest, DatagramsThatMustNotBeFragmented) {
  make();
  const auto result =
      pair_->transfer({{"kind", "datagrams"}, {"size", "4000"}, {"count", "3"}, {"df", "true"}});
  EXPECT_EQ(result.error, "send: Message too long");
  EXPECT_EQ(result.successes, 0U);
}

// -- Hosts

TEST_F(TransferTest, AHostIsSetUpAsItsSpecSays) {
  LabPair::Options options;
  options.server.mtu = 4000;
  options.server.route = "initcwnd 3 rto_min 1s";
  options.server.sysctls = {{"net.ipv4.tcp_sack", "0"}, {"net.ipv4.conf.eth0.log_martians", "1"}};
  make(options);
  const auto route = pair_->server().run("ip route show");
  ASSERT_TRUE(route) << route.error().message();
  for (const auto* part :
       {"10.1.0.0/24 dev eth0", "congctl cubic", "initcwnd 3", "rto_min lock 1s"})
    EXPECT_TRUE(route->contains(part)) << *route;
  const auto link = pair_->server().run("ip link show dev eth0");
  for (const auto* part : {"mtu 4000", "qlen 10000", "02:00:00:00:01:01", "UP"})
    EXPECT_TRUE(link->contains(part)) << *link;
  EXPECT_TRUE(pair_->server().run("ip neighbour show")->contains("02:00:00:00:01:02 PERMANENT"));
  const auto sysctl = pair_->server().run(
      "cat /proc/sys/net/ipv4/tcp_sack /proc/sys/net/ipv4/conf/eth0/log_martians "
      "/proc/sys/net/ipv4/tcp_no_metrics_save");
  EXPECT_EQ(*sysctl, "0\n1\n1");
  ASSERT_TRUE(pair_->client().add_default_route(1));
  EXPECT_TRUE(pair_->client().run("ip route show")->contains("default via 10.1.0.1 dev eth0"));
  EXPECT_FALSE(pair_->client().add_default_route(2));
}

TEST_F(TransferTest, ASysctlThatDoesNotExistIsNamed) {
  auto spec = LabPair::named("server");
  spec.sysctls = {{"net.ipv4.tcp_sock", "0"}};
  const auto made = Host::make(spec, false);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::usage);
  EXPECT_EQ(made.error().message(),
            "cannot set net.ipv4.tcp_sock = 0 on server: this kernel has no such sysctl");
}

// -- Errors of start_transfer

TEST_F(TransferTest, WhatTheKernelDoesNotHaveIsSaid) {
  make();
  const auto started = pair_->start({{"bytes", "1MB"}, {"congestion_control", "no-such-thing"}});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::environment);
  EXPECT_TRUE(started.error().message().contains("no-such-thing"));
}

TEST_F(TransferTest, APortInUseIsSaid) {
  make();
  const auto first = pair_->start({{"limit", "5s"}});
  ASSERT_TRUE(first);
  const auto second = pair_->start({{"limit", "5s"}});
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().message().contains("5001")) << second.error().message();
}

// -- Nothing is left

/// Whether any process or descriptor still refers to a namespace.
bool is_referred_to(ino_t network) {
  const auto wanted = "net:[" + std::to_string(network) + "]";
  const auto points_there = [&](const std::filesystem::path& link) {
    std::error_code error;
    return std::filesystem::read_symlink(link, error).string() == wanted;
  };
  std::error_code error;
  for (const auto& process : std::filesystem::directory_iterator("/proc", error)) {
    if (points_there(process.path() / "ns/net")) return true;
    std::error_code closed;
    for (const auto& fd : std::filesystem::directory_iterator(process.path() / "fd", closed))
      if (points_there(fd.path())) return true;
  }
  return false;
}

ino_t inode_of(int fd) {
  struct stat status{};
  EXPECT_EQ(fstat(fd, &status), 0);
  return status.st_ino;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(parent) + "/task")) {
    std::ifstream file{task.path() / "children"};
    for (pid_t child = 0; file >> child;) children.push_back(child);
  }
  return children;
}

bool is_alive(pid_t process) {
  std::ifstream file{"/proc/" + std::to_string(process) + "/stat"};
  std::string id, name, state;
  return file >> id >> name >> state && state != "Z" && state != "X";
}

bool within(std::chrono::seconds limit, const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < until) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return condition();
}

TEST_F(TransferTest, ATransferThatIsDestroyedEndsItsProcesses) {
  make();
  auto started = pair_->start({{"limit", "60s"}});
  ASSERT_TRUE(started);
  const auto children = children_of(getpid());
  EXPECT_EQ(children.size(), 2U);
  const auto network = inode_of(pair_->client().namespace_fd());
  EXPECT_TRUE(is_referred_to(network));
  started->reset();
  pair_.reset();
  EXPECT_TRUE(std::ranges::none_of(children, is_alive));
  EXPECT_FALSE(is_referred_to(network));
}

struct Left {
  ino_t client = 0, server = 0;
};

/// Makes a lab with a transfer under way, says where, and waits to be killed.
[[noreturn]] void live_until_killed(int told) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  auto pair = LabPair::make({});
  if (!pair) _exit(1);
  const auto transfer = (*pair)->start({{"limit", "60s"}});
  if (!transfer) _exit(1);
  (*pair)->plug_in();
  const Left left{.client = inode_of((*pair)->client().namespace_fd()),
                  .server = inode_of((*pair)->server().namespace_fd())};
  if (write(told, &left, sizeof left) != sizeof left) _exit(1);
  for (;;) pause();
}

TEST_F(TransferTest, NothingIsLeftOfAProcessThatWasKilled) {
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  const pid_t lab = fork();
  ASSERT_GE(lab, 0);
  if (lab == 0) live_until_killed(pipe_ends[1]);
  Left left;
  ASSERT_EQ(read(pipe_ends[0], &left, sizeof left), static_cast<ssize_t>(sizeof left));
  const auto children = children_of(lab);
  ASSERT_EQ(children.size(), 2U);
  EXPECT_TRUE(std::ranges::all_of(children, is_alive));
  EXPECT_TRUE(is_referred_to(left.client));

  kill(lab, SIGKILL);
  ASSERT_EQ(waitpid(lab, nullptr, 0), lab);
  EXPECT_TRUE(
      within(std::chrono::seconds{30}, [&] { return std::ranges::none_of(children, is_alive); }));
  EXPECT_TRUE(within(std::chrono::seconds{30},
                     [&] { return !is_referred_to(left.client) && !is_referred_to(left.server); }));
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

}  // namespace
}  // namespace slowpath::lab

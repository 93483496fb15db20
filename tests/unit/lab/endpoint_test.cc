// SPDX-License-Identifier: Apache-2.0
// TCP between two network namespaces whose only cable is the plane: with TAP and with AF_PACKET,
// super-frames whole, cut, and cut and merged again. Needs root (or rights to make namespaces).
#include "lab/endpoint.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lab/plane.h"

namespace slowpath::lab {
namespace {

/// Runs in a thread of its own, so that namespaces entered are left behind.
template <typename F>
void in_thread(F function) {
  std::jthread thread(function);
}

/// A network namespace, held by a descriptor.
class Namespace {
 public:
  Namespace() {
    in_thread([this] {
      if (unshare(CLONE_NEWNET) == 0) fd_ = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
      error_ = errno;
    });
  }
  ~Namespace() { close(fd_); }
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  [[nodiscard]] bool exists() const { return fd_ >= 0; }
  [[nodiscard]] std::string why_not() const { return std::strerror(error_); }
  template <typename F>
  void inside(F function) const {
    in_thread([&] {
      ASSERT_EQ(setns(fd_, CLONE_NEWNET), 0);
      function();
    });
  }
  void run(const std::string& command) const {
    inside([&] { ASSERT_EQ(std::system((command + " > /dev/null 2>&1").c_str()), 0) << command; });
  }

 private:
  int fd_ = -1, error_ = 0;
};

constexpr std::size_t kBytes = 12 << 20;
constexpr std::uint16_t kPort = 5001;

std::byte pattern(std::size_t at) { return static_cast<std::byte>(at * 31 + at / 8191); }

sockaddr_in6 address(bool ipv6) {
  sockaddr_in6 to{};  // an IPv4 address mapped, so that one kind of socket does
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(kPort);
  inet_pton(AF_INET6, ipv6 ? "fd00::2" : "::ffff:10.0.0.2", &to.sin6_addr);
  return to;
}

/// Connects from `a` to `b` and sends the pattern; how many bytes arrived as they should.
std::size_t transfer(const Namespace& a, const Namespace& b, bool ipv6) {
  int server = -1;
  b.inside([&] {
    server = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(kPort);
    ASSERT_EQ(bind(server, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
    ASSERT_EQ(listen(server, 1), 0);
  });
  std::jthread sender([&] {
    a.inside([&] {
      const int client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const timeval patience{.tv_sec = 60, .tv_usec = 0};
      setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
      const sockaddr_in6 to = address(ipv6);
      EXPECT_EQ(connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
      std::vector<std::byte> bytes(kBytes);
      for (std::size_t i = 0; i < kBytes; ++i) bytes[i] = pattern(i);
      for (std::size_t sent = 0; sent < kBytes;) {
        const ssize_t n = send(client, bytes.data() + sent, kBytes - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<std::size_t>(n);
      }
      close(client);
    });
  });
  const timeval patience{.tv_sec = 60, .tv_usec = 0};
  setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const int accepted = accept(server, nullptr, nullptr);
  close(server);
  if (accepted < 0) return 0;
  setsockopt(accepted, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::size_t right = 0;
  std::vector<std::byte> buffer(1 << 16);
  for (std::size_t at = 0;;) {
    const ssize_t n = recv(accepted, buffer.data(), buffer.size(), 0);
    if (n <= 0) break;
    for (ssize_t i = 0; i < n; ++i, ++at)
      right += buffer[static_cast<std::size_t>(i)] == pattern(at);
  }
  close(accepted);
  return right;
}

enum class Device { tap, packet };
struct Way {
  const char* name;
  Device device;
  std::vector<const char*> stages;
  bool ipv6 = false;
};

Result<std::unique_ptr<Endpoint>> cable(const Namespace& host, const Way& way, const char* ip,
                                        const char* ip6) {
  Result<std::unique_ptr<Endpoint>> endpoint = nullptr;
  if (way.device == Device::packet) host.run("ip link add eth0 type veth peer name wire0");
  host.inside([&] {
    endpoint = way.device == Device::tap ? open_tap("eth0") : open_packet_socket("wire0");
  });
  if (!endpoint) return endpoint;
  if (way.device == Device::packet) host.run("ip link set wire0 mtu 65535 up");
  host.run(std::string("ip addr add ") + ip + "/24 dev eth0");
  host.run(std::string("ip addr add ") + ip6 + "/64 dev eth0 nodad");
  host.run("ip link set eth0 txqueuelen 10000 up");
  return endpoint;
}

class EndpointTest : public testing::TestWithParam<Way> {};

TEST_P(EndpointTest, carries_tcp) {
  const Way& way = GetParam();
  const Namespace a, b;
  if (!a.exists()) GTEST_SKIP() << "cannot make a network namespace: " << a.why_not();
  if (std::system("ip -V > /dev/null 2>&1") != 0) GTEST_SKIP() << "no ip (Debian package iproute2)";
  auto near = cable(a, way, "10.0.0.1", "fd00::1");
  if (!near) GTEST_SKIP() << near.error().message();
  auto far = cable(b, way, "10.0.0.2", "fd00::2");
  ASSERT_TRUE(far) << far.error().message();

  Plane plane(1);
  plane.add_endpoint(std::move(*near));
  plane.add_endpoint(std::move(*far));
  std::vector<StageSpec> stages;
  for (const char* kind : way.stages) stages.push_back({find_stage_kind(kind), Settings(kind, {})});
  ASSERT_TRUE(plane.add_link({0, 1, "a", "b", std::move(stages), {}, false}));
  std::size_t right = 0;
  {
    std::jthread loop([&] { plane.run(); });
    right = transfer(a, b, way.ipv6);
    plane.stop();
  }
  EXPECT_EQ(right, kBytes);
  const EndpointCounts &sent = plane.endpoint_counts(0), &got = plane.endpoint_counts(1);
  EXPECT_EQ(sent.send_failures, 0U);
  EXPECT_EQ(got.send_failures, 0U);
  // Super-frames came out of the host; cut, they are many more.
  EXPECT_GT(sent.super_frames_received, 50U);
  const double mean = static_cast<double>(got.bytes_sent) / static_cast<double>(got.frames_sent);
  if (way.stages.size() == 1) {
    EXPECT_LT(mean, 1515);
  } else {
    EXPECT_GT(mean, 3000);
  }
}

const Way kWays[]{
    {"tap_whole", Device::tap, {}},
    {"tap_cut", Device::tap, {"segment"}},
    {"tap_cut_and_merged", Device::tap, {"segment", "merge"}},
    {"tap_whole_ipv6", Device::tap, {}, true},
    {"tap_cut_and_merged_ipv6", Device::tap, {"segment", "merge"}, true},
    {"packet_whole", Device::packet, {}},
    {"packet_cut", Device::packet, {"segment"}},
    {"packet_cut_and_merged", Device::packet, {"segment", "merge"}},
    {"packet_cut_and_merged_ipv6", Device::packet, {"segment", "merge"}, true},
};
INSTANTIATE_TEST_SUITE_P(Ways, EndpointTest, testing::ValuesIn(kWays),
                         [](const auto& way) { return std::string(way.param.name); });

TEST(Endpoint, says_what_it_could_not_open) {
  const auto none = open_packet_socket("nosuch0");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::environment);
  EXPECT_NE(none.error().message().find("nosuch0"), std::string::npos);
  EXPECT_FALSE(open_tap("a-name-that-is-too-long"));
}

}  // namespace
}  // namespace slowpath::lab

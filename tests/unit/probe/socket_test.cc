// SPDX-License-Identifier: Apache-2.0
#include "probe/socket.h"

#include <fcntl.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connected_pair.h"
#include "probe/cpu.h"
#include "probe/tcp_info.h"

namespace slowpath::probe {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

TEST(Socket, ConnectsAndKnowsBothEnds) {
  const ConnectedPair pair = connect_pair();
  EXPECT_EQ(local_endpoint(pair.client.get()), remote_endpoint(pair.server.get()));
  EXPECT_NE(fcntl(pair.client.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(pair.server.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_FALSE(wait_readable(pair.server.get(), 1ms));
  EXPECT_TRUE(wait_writable(pair.client.get(), 60s));
}

TEST(Socket, RefusalIsTheNetworksAndSaysWhatToDo) {
  std::uint16_t port = 0;
  {
    const auto listener = listen_tcp("127.0.0.1", 0, IpFamily::ipv4, {});
    port = local_endpoint(listener->get())->port;
  }
  const auto refused = connect_tcp({.host = "127.0.0.1", .port = port}, {}, 60s);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::network);
  EXPECT_THAT(refused.error().message(), HasSubstr("Connection refused"));
  EXPECT_THAT(refused.error().message(), HasSubstr("slowpath serve"));
}

TEST(Socket, SilenceEndsAtTheDeadline) {
  // A backlog that is full lets further SYNs go unanswered.
  const auto listener = listen_tcp("127.0.0.1", 0, IpFamily::ipv4, {}, 0);
  const auto port = local_endpoint(listener->get())->port;
  std::vector<Descriptor> fillers;
  Result<Descriptor> last;
  for (int i = 0; i < 8; ++i) {
    last = connect_tcp({.host = "127.0.0.1", .port = port}, {}, 200ms);
    if (!last) break;
    fillers.push_back(*std::move(last));
  }
  ASSERT_FALSE(last.has_value());
  EXPECT_EQ(last.error().kind, ErrorKind::network);
  EXPECT_THAT(last.error().message(), HasSubstr("timed out"));
}

TEST(Socket, UnknownHostIsTold) {
  const auto found = resolve("no-such-host.invalid", 1);
  ASSERT_FALSE(found.has_value());
  EXPECT_THAT(found.error().message(), HasSubstr("no-such-host.invalid"));
}

TEST(Socket, PortInUseIsTold) {
  const auto first = listen_tcp("127.0.0.1", 0, IpFamily::ipv4, {});
  const auto second =
      listen_tcp("127.0.0.1", local_endpoint(first->get())->port, IpFamily::ipv4, {});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, ErrorKind::environment);
  EXPECT_THAT(second.error().message(), HasSubstr("in use"));
}

TEST(Socket, NobodyComesIsNoError) {
  const auto listener = listen_tcp("127.0.0.1", 0, IpFamily::ipv4, {});
  const auto nobody = accept_tcp(listener->get(), 1ms);
  ASSERT_TRUE(nobody.has_value());
  EXPECT_FALSE(nobody->has_value());
}

TEST(Socket, EmptyHostTakesIpv4) {
  const auto listener = listen_tcp("", 0, IpFamily::any, {});
  ASSERT_TRUE(listener.has_value()) << listener.error().message();
  const auto port = local_endpoint(listener->get())->port;
  const auto client = connect_tcp({.host = "127.0.0.1", .port = port}, {}, 60s);
  ASSERT_TRUE(client.has_value()) << client.error().message();
  const auto server = accept_tcp(listener->get(), 60s);
  ASSERT_TRUE(server.has_value() && server->has_value());
  EXPECT_EQ(to_string(remote_endpoint((*server)->get())->address), "127.0.0.1");
}

TEST(Socket, OptionsAreApplied) {
  const ConnectedPair pair =
      connect_pair({.buffer_bytes = 65'536, .congestion_control = "reno", .no_delay = true});
  EXPECT_EQ(send_buffer_bytes(pair.client.get()), 131'072U);  // socket(7): doubled
  const auto facts = read_socket(pair.client.get());
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->congestion_control, "reno");
  EXPECT_EQ(facts->state, "established");
  EXPECT_EQ(facts->remote, remote_endpoint(pair.client.get()));
}

TEST(Socket, UnknownCongestionControlIsNamed) {
  const auto listener =
      listen_tcp("127.0.0.1", 0, IpFamily::ipv4, {.congestion_control = "swift-as-light"});
  ASSERT_FALSE(listener.has_value());
}

TEST(TcpInfo, CountsFromTheFirstLook) {
  const ConnectedPair pair = connect_pair();
  const std::string text(1000, 'x');
  ASSERT_EQ(send(pair.client.get(), text.data(), text.size(), 0), 1000);
  ASSERT_TRUE(wait_readable(pair.server.get(), 60s));
  const auto begin = read_socket(pair.client.get());
  ASSERT_EQ(send(pair.client.get(), text.data(), 500, 0), 500);
  const auto end = read_socket(pair.client.get());
  ASSERT_TRUE(begin && end);
  EXPECT_EQ(after(*begin, *end).bytes_sent, 500U);
  EXPECT_EQ(end->bytes_sent, 1500U);
}

TEST(TcpInfo, FileIsNoSocket) { EXPECT_FALSE(read_socket(0).has_value()); }

TEST(Cpu, TimePassesAndIsDivided) {
  const CpuSnapshot begin = read_cpu();
  volatile std::uint64_t sum = 0;
  while (read_cpu().own_user_s + read_cpu().own_system_s <
         begin.own_user_s + begin.own_system_s + 0.03)
    sum = sum + 1;
  const CpuUse use = between(begin, read_cpu());
  EXPECT_GT(use.own_user_s + use.own_system_s, 0.02);
  EXPECT_GT(use.elapsed_s, 0.02);
  EXPECT_EQ(use.cpus.size(), begin.cpus.size());
  for (const CpuFacts& cpu : use.cpus) {
    EXPECT_GE(busy_share(cpu), 0);
    EXPECT_LE(busy_share(cpu), 1);
  }
}

}  // namespace
}  // namespace slowpath::probe

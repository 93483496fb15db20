// SPDX-License-Identifier: Apache-2.0
// Live capture on the loopback interface, with traffic that the test makes.
#include "capture/live.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/capture/capture_files.h"

namespace slowpath::capture {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr std::uint16_t kPort = 47'811;

void send_datagrams(unsigned count) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(kPort);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string text(100, 'x');
  for (unsigned i = 0; i < count; ++i) {
    (void)sendto(fd, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                 sizeof to);
  }
  close(fd);
}

TEST(Live, FilteredTraffic) {
  const std::atomic<bool> stop = false;
  LiveOptions options;
  options.filter = "udp port " + std::to_string(kPort);
  options.duration = 1min;
  auto source = open_live("lo", 2, options, stop);
  if (!source && source.error().kind == ErrorKind::environment) {
    GTEST_SKIP() << source.error().message();
  }
  ASSERT_TRUE(source.has_value()) << source.error().message();
  send_datagrams(5);
  // The kernel shows a packet on loopback once or twice, depending on its age.
  wire::Frame frame;
  for (unsigned i = 1; i <= 5; ++i) {
    ASSERT_TRUE((*source)->next(frame)) << i;
    EXPECT_EQ(frame.original_len, 142u);
    EXPECT_EQ(frame.input, 2);
    EXPECT_EQ(frame.number, i);
  }
  const auto since_now = std::chrono::system_clock::now() - frame.time;
  EXPECT_LT(since_now, 1h);
  EXPECT_GT(since_now, 0s);
  const Bytes again = (*source)->bytes_at(frame.byte_offset, frame.bytes.size());
  EXPECT_TRUE(std::ranges::equal(again, frame.bytes));
  EXPECT_EQ((*source)->info().format, "live");
  EXPECT_EQ((*source)->info().interfaces[0].link_type, wire::LinkType::ethernet);
}

TEST(Live, TheDurationEndsIt) {
  const std::atomic<bool> stop = false;
  LiveOptions options;
  options.filter = "udp port 1 and host 192.0.2.1";  // nothing
  options.duration = 200ms;
  const auto began = std::chrono::steady_clock::now();
  auto source = open_live("lo", 0, options, stop);
  if (!source) GTEST_SKIP() << source.error().message();
  wire::Frame frame;
  EXPECT_FALSE((*source)->next(frame));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 200ms);
}

TEST(Live, StopIsSeen) {
  std::atomic<bool> stop = false;
  LiveOptions options;
  options.filter = "udp port 1 and host 192.0.2.1";  // nothing
  auto source = open_live("lo", 0, options, stop);
  if (!source) GTEST_SKIP() << source.error().message();
  std::thread later([&] {
    std::this_thread::sleep_for(50ms);
    stop = true;
  });
  wire::Frame frame;
  EXPECT_FALSE((*source)->next(frame));
  later.join();
}

TEST(Live, WrongInterfaceAndWrongFilter) {
  const std::atomic<bool> stop = false;
  auto source = open_live("nosuchif0", 0, {}, stop);
  ASSERT_FALSE(source.has_value());
  EXPECT_THAT(source.error().message(), HasSubstr("nosuchif0"));
  LiveOptions options;
  options.filter = "tcp port";
  source = open_live("lo", 0, options, stop);
  ASSERT_FALSE(source.has_value());
  if (source.error().kind == ErrorKind::environment) GTEST_SKIP() << source.error().message();
  EXPECT_EQ(source.error().kind, ErrorKind::usage);
  EXPECT_THAT(source.error().message(), HasSubstr("syntax error"));
}

}  // namespace
}  // namespace slowpath::capture

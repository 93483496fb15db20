// SPDX-License-Identifier: Apache-2.0
// TCP_INFO of kernels old and new, and a series of samples that stays small.
#include "lab/tcp_info.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include <gtest/gtest.h>

#include "base/descriptor.h"

namespace slowpath::lab {
namespace {

KernelTcpInfo full() {
  KernelTcpInfo info{};
  info.state = 1;
  info.wscale = 0xa7;
  info.app_limited = 3;
  info.snd_wnd = 65535;
  info.total_rto = 5;
  info.received_ce_bytes = 9;
  info.bytes_acked = 1'000'000;
  return info;
}

Bytes bytes_of(const KernelTcpInfo& info, std::size_t count) {
  return Bytes{reinterpret_cast<const std::byte*>(&info), count};
}

TEST(TcpInfoTest, AnOlderKernelLeavesTheRestZero) {
  const auto info = full();
  // Linux 6.1, as of Debian 12.
  const auto old = tcp_info_from(bytes_of(info, 232));
  ASSERT_TRUE(old);
  EXPECT_EQ(old->snd_wnd, 65535U);
  EXPECT_EQ(old->total_rto, 0U);
  const auto now = tcp_info_from(bytes_of(info, sizeof info));
  ASSERT_TRUE(now);
  EXPECT_EQ(now->total_rto, 5U);
  EXPECT_EQ(now->received_ce_bytes, 9U);
}

TEST(TcpInfoTest, ANewerKernelHasMoreThanWeKnow) {
  std::array<std::byte, 400> longer{};
  const auto info = full();
  std::memcpy(longer.data(), &info, sizeof info);
  const auto read = tcp_info_from(longer);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->bytes_acked, 1'000'000U);
}

TEST(TcpInfoTest, TooLittleIsNone) {
  const auto info = full();
  EXPECT_FALSE(tcp_info_from(bytes_of(info, 104)));
  EXPECT_FALSE(tcp_info_from({}));
}

TEST(TcpInfoTest, HalvesOfBytesAreTakenApart) {
  const auto sample = to_sample(full(), Duration{5});
  EXPECT_EQ(sample.snd_wscale, 7U);
  EXPECT_EQ(sample.rcv_wscale, 10U);
  EXPECT_EQ(sample.app_limited, 1U);
  EXPECT_EQ(sample.at, Duration{5});
  EXPECT_EQ(sample.total_rto, 5U);
}

TEST(TcpInfoTest, OnlyTcpSocketsAnswer) {
  const Descriptor tcp{socket(AF_INET, SOCK_STREAM, 0)};
  const Descriptor udp{socket(AF_INET, SOCK_DGRAM, 0)};
  const auto info = read_tcp_info(tcp.get());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->state, 7U);  // TCP_CLOSE
  EXPECT_FALSE(read_tcp_info(udp.get()));
}

TEST(SampleSeriesTest, ThinsOutEvenly) {
  SampleSeries series;
  for (int i = 0; i < 20'000; ++i) {
    TcpSample sample;
    sample.at = Duration{i};
    series.add(sample);
    ASSERT_LE(series.samples().size(), SampleSeries::kMost);
  }
  const auto& samples = series.samples();
  EXPECT_GT(samples.size(), SampleSeries::kMost / 2);
  EXPECT_EQ(samples.front().at, Duration{0});
  for (std::size_t i = 1; i < samples.size(); ++i)
    ASSERT_EQ((samples[i].at - samples[i - 1].at).count(), 8) << i;
}

}  // namespace
}  // namespace slowpath::lab

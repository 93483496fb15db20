// SPDX-License-Identifier: Apache-2.0
#include "machine/live/sockets.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>

#include <array>
#include <cstddef>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/machine/live/messages.h"

namespace slowpath::machine {
namespace {

using netlink::Request;
using testing::each_damage;
using testing::payload_of;

tcp_info sample_info() {
  tcp_info info{};
  info.tcpi_options = 1 | 2 | 4;  // timestamps, SACK, window scale
  info.tcpi_snd_wscale = 7;
  info.tcpi_rcv_wscale = 9;
  info.tcpi_delivery_rate_app_limited = 1;
  info.tcpi_rto = 204000;
  info.tcpi_snd_mss = 1448;
  info.tcpi_pmtu = 1500;
  info.tcpi_rtt = 12500;
  info.tcpi_rttvar = 500;
  info.tcpi_min_rtt = 11000;
  info.tcpi_snd_cwnd = 42;
  info.tcpi_snd_ssthresh = 0x7fffffff;
  info.tcpi_reordering = 3;
  info.tcpi_total_retrans = 6;
  info.tcpi_pacing_rate = ~std::uint64_t{0};
  info.tcpi_delivery_rate = 1'000'000;
  info.tcpi_bytes_acked = 5'000'000'000;
  info.tcpi_notsent_bytes = 77;
  info.tcpi_busy_time = 2'000'000;
  info.tcpi_rwnd_limited = 500'000;
  info.tcpi_sndbuf_limited = 250'000;
  info.tcpi_snd_wnd = 65536;
  return info;
}

Bytes bytes_of(const tcp_info& info) { return std::as_bytes(std::span{&info, 1}); }

TEST(TcpInfo, TimesRatesAndCounts) {
  const tcp_info info = sample_info();
  SocketFacts socket;
  apply_tcp_info(bytes_of(info), socket);
  EXPECT_EQ(socket.mss_bytes, 1448U);
  EXPECT_EQ(socket.pmtu_bytes, 1500U);
  EXPECT_EQ(socket.cwnd_segments, 42U);
  EXPECT_EQ(socket.send_window_scale, 7U);
  EXPECT_EQ(socket.receive_window_scale, 9U);
  EXPECT_EQ(socket.timestamps, true);
  EXPECT_EQ(socket.ecn, false);
  EXPECT_EQ(socket.app_limited, true);
  EXPECT_DOUBLE_EQ(socket.rto_s.value_or(0), 0.204);
  EXPECT_DOUBLE_EQ(socket.rtt_s.value_or(0), 0.0125);
  EXPECT_DOUBLE_EQ(socket.rtt_min_s.value_or(0), 0.011);
  EXPECT_DOUBLE_EQ(socket.busy_s.value_or(0), 2.0);
  EXPECT_DOUBLE_EQ(socket.rwnd_limited_s.value_or(0), 0.5);
  EXPECT_DOUBLE_EQ(socket.sndbuf_limited_s.value_or(0), 0.25);
  EXPECT_DOUBLE_EQ(socket.delivery_rate_bps.value_or(0), 8e6);
  EXPECT_EQ(socket.bytes_acked, 5'000'000'000U);
  EXPECT_EQ(socket.not_sent_bytes, 77U);
  EXPECT_EQ(socket.retransmits_total, 6U);
  EXPECT_EQ(socket.peer_window_bytes, 65536U);
}

TEST(TcpInfo, TheKernelsMarksForNothingAreAbsent) {
  const tcp_info info = sample_info();
  SocketFacts socket;
  apply_tcp_info(bytes_of(info), socket);
  EXPECT_EQ(socket.ssthresh_segments, std::nullopt);
  EXPECT_EQ(socket.pacing_rate_bps, std::nullopt);
  tcp_info fresh{};
  fresh.tcpi_min_rtt = ~0U;
  SocketFacts none;
  apply_tcp_info(bytes_of(fresh), none);
  EXPECT_EQ(none.rtt_s, std::nullopt);
  EXPECT_EQ(none.rtt_min_s, std::nullopt);
  EXPECT_EQ(none.delivery_rate_bps, std::nullopt);
  EXPECT_EQ(none.send_window_scale, std::nullopt);
}

TEST(TcpInfo, WhatAnOldKernelLacksIsAbsentNotZero) {
  const tcp_info info = sample_info();
  SocketFacts socket;  // Linux 3.x ended at total_retrans
  apply_tcp_info(bytes_of(info).first(offsetof(tcp_info, tcpi_pacing_rate)), socket);
  EXPECT_EQ(socket.retransmits_total, 6U);
  EXPECT_EQ(socket.busy_s, std::nullopt);
  EXPECT_EQ(socket.bytes_acked, std::nullopt);
  EXPECT_EQ(socket.delivery_rate_bps, std::nullopt);
  EXPECT_EQ(socket.peer_window_bytes, std::nullopt);
}

Request socket_message(std::uint8_t state) {
  Request request{SOCK_DIAG_BY_FAMILY, NLM_F_MULTI};
  inet_diag_msg header{};
  header.idiag_family = AF_INET;
  header.idiag_state = state;
  header.id.idiag_sport = htons(443);
  header.id.idiag_dport = htons(50000);
  header.id.idiag_src[0] = htonl(0x0a000001);
  header.id.idiag_dst[0] = htonl(0x0a000002);
  header.idiag_rqueue = 5;
  header.idiag_wqueue = 4096;
  request.body(header);
  const tcp_info info = sample_info();
  request.attribute(INET_DIAG_INFO, bytes_of(info));
  request.attribute_text(INET_DIAG_CONG, "cubic");
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  memory[SK_MEMINFO_RCVBUF] = 131072;
  memory[SK_MEMINFO_SNDBUF] = 87040;
  memory[SK_MEMINFO_DROPS] = 2;
  request.attribute(INET_DIAG_SKMEMINFO, std::as_bytes(std::span{memory}));
  return request;
}

TEST(ParseSocket, AnEstablishedOne) {
  Request request = socket_message(1);
  const auto payload = payload_of(request);
  const auto socket = parse_socket(payload);
  ASSERT_TRUE(socket.has_value());
  EXPECT_EQ(to_string(socket->local), "10.0.0.1:443");
  EXPECT_EQ(to_string(socket->remote), "10.0.0.2:50000");
  EXPECT_EQ(socket->state, "established");
  EXPECT_EQ(socket->congestion_control, "cubic");
  EXPECT_EQ(socket->receive_queue_bytes, 5U);
  EXPECT_EQ(socket->send_queue_bytes, 4096U);
  EXPECT_EQ(socket->receive_buffer_bytes, 131072U);
  EXPECT_EQ(socket->send_buffer_bytes, 87040U);
  EXPECT_EQ(socket->drops, 2U);
  EXPECT_EQ(socket->cwnd_segments, 42U);
  EXPECT_EQ(socket->accept_queue, std::nullopt);
  each_damage(payload, [](Bytes damaged) { (void)parse_socket(damaged); });
}

TEST(ParseSocket, AListenersQueuesHoldConnections) {
  Request request = socket_message(10);
  const auto socket = parse_socket(payload_of(request));
  ASSERT_TRUE(socket.has_value());
  EXPECT_EQ(socket->state, "listen");
  EXPECT_EQ(socket->accept_queue, 5U);
  EXPECT_EQ(socket->accept_queue_max, 4096U);
  EXPECT_EQ(socket->receive_queue_bytes, std::nullopt);
  EXPECT_EQ(socket->cwnd_segments, std::nullopt);
}

TEST(ParseSocket, MappedAddressesAreIpv4) {
  Request request{SOCK_DIAG_BY_FAMILY, NLM_F_MULTI};
  inet_diag_msg header{};
  header.idiag_family = AF_INET6;
  header.idiag_state = 6;
  header.id.idiag_src[2] = htonl(0xffff);
  header.id.idiag_src[3] = htonl(0xc0000201);
  header.id.idiag_dst[0] = htonl(0x20010db8);
  request.body(header);
  const auto socket = parse_socket(payload_of(request));
  ASSERT_TRUE(socket.has_value());
  EXPECT_EQ(to_string(socket->local.address), "192.0.2.1");
  EXPECT_EQ(to_string(socket->remote.address), "2001:db8::");
  EXPECT_EQ(socket->state, "time-wait");
  EXPECT_EQ(socket->rtt_s, std::nullopt);
}

TEST(ParseSocket, StatesHaveNames) {
  EXPECT_STREQ(tcp_state_name(0), "unknown");
  EXPECT_STREQ(tcp_state_name(2), "syn-sent");
  EXPECT_STREQ(tcp_state_name(12), "syn-recv");
  EXPECT_STREQ(tcp_state_name(200), "unknown");
}

}  // namespace
}  // namespace slowpath::machine

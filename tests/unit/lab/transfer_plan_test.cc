// SPDX-License-Identifier: Apache-2.0
// A transfer's table: defaults, units, and what is refused.
#include <gtest/gtest.h>

#include "lab/traffic_plan.h"

namespace slowpath::lab {
namespace {

Result<TransferPlan> read(std::map<std::string, std::string> table) {
  Settings settings{"transfer main", std::move(table)};
  return read_transfer_plan("main", settings);
}

std::string refusal(std::map<std::string, std::string> table) {
  const auto plan = read(std::move(table));
  if (plan) return "";
  EXPECT_EQ(plan.error().kind, ErrorKind::usage);
  return plan.error().message();
}

TEST(TransferPlanTest, Defaults) {
  const auto plan = read({{"bytes", "1MiB"}});
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->kind, TransferKind::stream);
  EXPECT_TRUE(plan->to_client);
  EXPECT_FALSE(plan->to_server);
  EXPECT_EQ(plan->port, 5001);
  EXPECT_EQ(plan->bytes, 1U << 20U);
  EXPECT_EQ(plan->limit, std::chrono::seconds{60});
  EXPECT_EQ(plan->sender.write_size, 128U * 1024U);
  EXPECT_FALSE(plan->sender.nonblocking);
  EXPECT_TRUE(plan->verify);
}

TEST(TransferPlanTest, EveryKeyOfAStreamIsRead) {
  const auto plan = read({{"client", "c"},
                          {"server", "s"},
                          {"via", "g"},
                          {"kind", "stream"},
                          {"direction", "both"},
                          {"port", "80"},
                          {"source_port", "4000"},
                          {"start", "1s"},
                          {"bytes", "10MB"},
                          {"limit", "5s"},
                          {"warm_up", "2s"},
                          {"write_size", "1000"},
                          {"write_rate", "8Mbit/s"},
                          {"write_pause_every", "1MB"},
                          {"write_pause", "10ms"},
                          {"sndbuf", "64KiB"},
                          {"nodelay", "true"},
                          {"cork", "true"},
                          {"congestion_control", "bbr"},
                          {"nonblocking", "true"},
                          {"cpu_share", "20%"},
                          {"mss", "536"},
                          {"notsent_lowat", "16KiB"},
                          {"read_size", "512"},
                          {"read_rate", "1Mbit/s"},
                          {"stall_after", "1MB"},
                          {"stall_for", "3s"},
                          {"rcvbuf", "16KiB"},
                          {"window_clamp", "8KiB"},
                          {"quickack", "true"},
                          {"idle_after", "2MB"},
                          {"idle_for", "1s"},
                          {"keepalive", "2s"},
                          {"abort_after", "3MB"},
                          {"verify", "false"}});
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_TRUE(plan->to_client && plan->to_server);
  EXPECT_EQ(plan->sender.write_size, 1000U);
  EXPECT_EQ(plan->sender.write_rate_bps, 8e6);
  EXPECT_EQ(plan->sender.cpu_share, 0.2);
  EXPECT_EQ(plan->sender.mss, 536U);
  EXPECT_EQ(plan->sender.idle_after, 2'000'000U);
  EXPECT_EQ(plan->sender.keepalive, std::chrono::seconds{2});
  EXPECT_EQ(plan->receiver.abort_after, 3'000'000U);
  EXPECT_EQ(plan->receiver.read_size, 512U);
  EXPECT_EQ(plan->receiver.rcvbuf, 16U * 1024U);
  EXPECT_EQ(plan->receiver.stall_for, std::chrono::seconds{3});
  EXPECT_FALSE(plan->verify);
}

TEST(TransferPlanTest, EveryKeyOfTheOtherKindsIsRead) {
  const auto requests = read({{"kind", "request-response"},
                              {"request", "10KB"},
                              {"count", "7"},
                              {"response", "1KB"},
                              {"think", "5ms"},
                              {"pause", "6ms"},
                              {"split", "true"},
                              {"half_close", "true"},
                              {"fastopen", "true"},
                              {"nodelay", "true"},
                              {"quickack", "true"}});
  ASSERT_TRUE(requests) << requests.error().message();
  EXPECT_EQ(requests->requests.request, 10'000U);
  EXPECT_TRUE(requests->requests.split);
  EXPECT_TRUE(requests->requests.half_close);
  EXPECT_TRUE(requests->sender.fastopen);
  const auto connections = read({{"kind", "connections"},
                                 {"count", "9"},
                                 {"concurrent", "1"},
                                 {"hold", "1s"},
                                 {"backlog", "5"},
                                 {"accept", "false"},
                                 {"reuse_port", "true"},
                                 {"interval", "1ms"}});
  ASSERT_TRUE(connections) << connections.error().message();
  EXPECT_EQ(connections->connections.backlog, 5);
  EXPECT_FALSE(connections->connections.accept);
  const auto datagrams = read({{"kind", "datagrams"},
                               {"direction", "to-server"},
                               {"size", "4000"},
                               {"rate", "1Mbit/s"},
                               {"count", "5"},
                               {"df", "true"}});
  ASSERT_TRUE(datagrams) << datagrams.error().message();
  EXPECT_TRUE(datagrams->to_server);
  EXPECT_TRUE(datagrams->datagrams.dont_fragment);
}

TEST(TransferPlanTest, APacedApplicationActsOften) {
  const auto plan = read({{"limit", "1s"}, {"write_rate", "20Mbit/s"}, {"read_rate", "8Gbit/s"}});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->sender.write_size, 25'000U);
  EXPECT_EQ(plan->receiver.read_size, 256U * 1024U);
}

TEST(TransferPlanTest, WhatIsWrongIsNamed) {
  EXPECT_EQ(refusal({{"kind", "torrent"}}),
            "cannot use kind = \"torrent\" of transfer main: it is one of stream, "
            "request-response, connections, datagrams");
  EXPECT_EQ(refusal({}), "cannot use transfer main: it has no end; give bytes, limit or both");
  EXPECT_TRUE(refusal({{"bytes", "1MB"}, {"bites", "2"}})
                  .starts_with("cannot use bites of transfer main: there is no such key"));
  EXPECT_TRUE(refusal({{"bytes", "many"}}).contains("it is a size"));
  EXPECT_TRUE(refusal({{"bytes", "1MB"}, {"limit", "0s"}}).contains("limit is 0"));
  EXPECT_TRUE(refusal({{"bytes", "1MB"}, {"cpu_share", "0%"}}).contains("cpu_share is 0"));
  EXPECT_TRUE(refusal({{"bytes", "1MB"}, {"port", "70000"}}).contains("65535"));
  EXPECT_TRUE(refusal({{"kind", "datagrams"}, {"direction", "both"}}).contains("one way"));
  // A key of another kind is as wrong as one that does not exist.
  EXPECT_TRUE(refusal({{"kind", "connections"}, {"bytes", "1MB"}}).contains("no such key"));
  EXPECT_TRUE(refusal({{"kind", "connections"}, {"reuse_port", "true"}, {"concurrent", "2"}})
                  .contains("exclude each other"));
}

}  // namespace
}  // namespace slowpath::lab

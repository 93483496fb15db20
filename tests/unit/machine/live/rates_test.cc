// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine/live.h"

namespace slowpath::machine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

MachineFacts with_counters(std::map<std::string, std::uint64_t> values) {
  MachineFacts machine;
  for (const auto& [name, value] : values) machine.counters[name] = {value, {}};
  return machine;
}

TEST(RatesBetween, WhatMovedPerSecond) {
  const auto result = rates_between(
      with_counters({{"TcpRetransSegs", 10}, {"TcpOutSegs", 100}, {"TcpInErrs", 5}}),
      with_counters({{"TcpRetransSegs", 20}, {"TcpOutSegs", 600}, {"TcpInErrs", 5}}), 2.0);
  EXPECT_EQ(result.interval_s, 2.0);
  EXPECT_THAT(result.counter_rates,
              ElementsAre(Pair("TcpOutSegs", 250.0), Pair("TcpRetransSegs", 5.0)));
  EXPECT_EQ(result.counters.at("TcpOutSegs").value, 600U);  // the counts are the later ones
}

TEST(RatesBetween, StatesResetsAndNewcomersHaveNone) {
  const auto result = rates_between(
      with_counters({{"SockstatTcpTw", 1}, {"ConntrackCount", 1}, {"TcpCurrEstab", 1}, {"A", 9}}),
      with_counters(
          {{"SockstatTcpTw", 9}, {"ConntrackCount", 9}, {"TcpCurrEstab", 9}, {"A", 1}, {"B", 9}}),
      1.0);
  EXPECT_THAT(result.counter_rates, IsEmpty());
}

TEST(RatesBetween, InterfacesByNameAndNumber) {
  MachineFacts before, after;
  InterfaceFacts facts;
  facts.name = "eth0";
  facts.index = 2;
  facts.statistics = {{"rx_missed_errors", 1}, {"rx_bytes", 5}};
  facts.qdisc_statistics = {{"drops", 0}, {"backlog_bytes", 1}};
  facts.queue_interrupts = {10, 20};
  facts.cpu_interrupts = {30};
  before.interfaces = {facts};
  facts.statistics["rx_missed_errors"] = 5;
  facts.qdisc_statistics = {{"drops", 8}, {"backlog_bytes", 9}};
  facts.queue_interrupts = {10, 60};
  facts.cpu_interrupts = {70, 0};
  after.interfaces = {facts};
  const auto result = rates_between(before, after, 4.0);
  EXPECT_THAT(result.interfaces[0].statistic_rates, ElementsAre(Pair("rx_missed_errors", 1.0)));
  EXPECT_THAT(result.interfaces[0].qdisc_rates, ElementsAre(Pair("drops", 2.0)));
  EXPECT_THAT(result.interfaces[0].queue_interrupt_rates, ElementsAre(0.0, 10.0));
  EXPECT_THAT(result.interfaces[0].cpu_interrupt_rates, IsEmpty());  // a CPU came meanwhile
  after.interfaces[0].index = 3;                                     // made anew
  EXPECT_THAT(rates_between(before, after, 4.0).interfaces[0].statistic_rates, IsEmpty());
}

TEST(RatesBetween, CpuTimeIsTheTimeInBetween) {
  CpuFacts was;
  was.user_s = 10;
  was.steal_s = 1;
  was.idle_s = 50;
  was.softnet_dropped = 3;
  CpuFacts is = was, newcomer;
  is.user_s = 12;
  is.steal_s = 2;
  is.idle_s = 49.99;
  is.softnet_dropped = 5;
  newcomer.number = 1;
  newcomer.user_s = 7;
  MachineFacts before, after;
  before.cpus = {was};
  after.cpus = {is, newcomer};
  const auto cpus = rates_between(before, after, 1.0).cpus;
  ASSERT_EQ(cpus.size(), 1U);
  EXPECT_DOUBLE_EQ(cpus[0].user_s, 2.0);
  EXPECT_DOUBLE_EQ(cpus[0].steal_s, 1.0);
  EXPECT_DOUBLE_EQ(cpus[0].idle_s, 0.0);
  EXPECT_EQ(cpus[0].softnet_dropped, 2U);
  EXPECT_EQ(cpus[0].softnet_processed, std::nullopt);
}

}  // namespace
}  // namespace slowpath::machine

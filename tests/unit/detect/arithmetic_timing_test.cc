// SPDX-License-Identifier: Apache-2.0
// Retransmission timers, ideal transfer times and port budgets, with values worked out by hand.
#include <gtest/gtest.h>

#include "detect/arithmetic/ports.h"
#include "detect/arithmetic/retransmission_timer.h"
#include "detect/arithmetic/slow_start.h"

namespace slowpath::arithmetic {
namespace {

TEST(RetransmissionTimer, beforeAndAfterTheFirstMeasurement) {
  RetransmissionTimer timer;
  EXPECT_DOUBLE_EQ(timer.rto_s(), 1);
  timer.add_rtt(0.4);
  EXPECT_DOUBLE_EQ(timer.srtt_s(), 0.4);
  EXPECT_DOUBLE_EQ(timer.rttvar_s(), 0.2);
  EXPECT_DOUBLE_EQ(timer.rto_s(), 1.2);
  timer.add_rtt(0.8);
  EXPECT_DOUBLE_EQ(timer.rttvar_s(), 0.75 * 0.2 + 0.25 * 0.4);
  EXPECT_DOUBLE_EQ(timer.srtt_s(), 0.45);
  EXPECT_DOUBLE_EQ(timer.rto_s(), 0.45 + 4 * 0.25);
}

RetransmissionTimer settled(const TimerConstants& constants, double rtt_s) {
  RetransmissionTimer timer(constants);
  for (int i = 0; i < 200; ++i) timer.add_rtt(rtt_s);
  return timer;
}

TEST(RetransmissionTimer, stacksOnAQuietPath) {
  EXPECT_NEAR(settled(kRfc6298Timer, 0.02).rto_s(), 1.0, 1e-6);
  EXPECT_NEAR(settled(kLinuxTimer, 0.02).rto_s(), 0.22, 1e-6);
  EXPECT_NEAR(settled(kLinuxTimer, 0.1).rto_s(), 0.3, 1e-6)
      << "200 ms bounds 4 RTTVAR, not the sum";
  EXPECT_NEAR(settled(kFreeBsdTimer, 0.001).rto_s(), 0.03, 1e-6);
  EXPECT_NEAR(settled(kWindowsTimer, 0.02).rto_s(), 0.3, 1e-6);
}

TEST(RetransmissionTimer, backOffDoublesUpToTheMaximum) {
  RetransmissionTimer timer = settled(kLinuxTimer, 0.1);
  timer.back_off();
  EXPECT_NEAR(timer.rto_s(), 0.6, 1e-6);
  for (int i = 0; i < 20; ++i) timer.back_off();
  EXPECT_DOUBLE_EQ(timer.rto_s(), 120);
  timer.add_rtt(0.1);
  EXPECT_NEAR(timer.rto_s(), 0.3, 1e-6);
}

TEST(RetransmissionTimer, synSchedule) {
  const double expected[] = {0, 1, 3, 7, 15, 31};
  for (int n = 0; n < 6; ++n) EXPECT_DOUBLE_EQ(retransmission_time_s(1, n), expected[n]);
  EXPECT_DOUBLE_EQ(retransmission_time_s(3, 2), 9);
  EXPECT_DOUBLE_EQ(retransmission_time_s(3, 3), 21);
  EXPECT_DOUBLE_EQ(retransmission_time_s(1, 9), 127 + 2 * 120);
}

TEST(SlowStart, rounds) {
  EXPECT_EQ(slow_start_rounds(0, 1460), 0);
  EXPECT_EQ(slow_start_rounds(1, 1460), 1);
  EXPECT_EQ(slow_start_rounds(14600, 1460), 1);
  EXPECT_EQ(slow_start_rounds(14601, 1460), 2);
  EXPECT_EQ(slow_start_rounds(14600.0 * 7, 1460), 3);
  EXPECT_EQ(slow_start_rounds(1e6, 1460), 7);
}

TEST(SlowStart, idealTransfer) {
  // One window: one round trip and the time on the wire.
  EXPECT_NEAR(ideal_transfer_s(14600, 1460, 0.1, 1e9), 0.1 + 14600 * 8 / 1e9, 1e-9);
  // 10 + 20 + 40 segments, then 30 left over.
  EXPECT_NEAR(ideal_transfer_s(1460 * 100, 1460, 0.1, 1e9), 0.4 + 1460 * 30 * 8 / 1e9, 1e-9);
  // A path that one window fills: only its rate matters.
  EXPECT_NEAR(ideal_transfer_s(1e8, 1460, 0.0001, 1e8), 8.0001, 1e-9);
  EXPECT_DOUBLE_EQ(ideal_transfer_s(0, 1460, 0.1, 1e9), 0);
  EXPECT_GT(ideal_transfer_s(1e6, 1460, 0.1, 0), 1e300) << "no rate, no end";
}

// RFC 5681 section 3.1 and RFC 6928: 14 600 bytes at first, doubled by each round that fills them.
TEST(SlowStart, ExchangesKeepTheWindowThatEarlierOnesOpened) {
  // Answers of 20 000: the first needs 14 600 and the rest, all others one window of 29 200.
  const double bits_s = (5400 + 19 * 20000) * 8 / 1e9;
  EXPECT_NEAR(exchanges_s({.count = 20, .answer_bytes = 20000}, 1460, 0.01, 1e9), 0.21 + bits_s,
              1e-9);
}

TEST(SlowStart, ExchangesGrowOneAfterTheOther) {
  // 100 000: 14 600, 29 200, 56 200 of 58 400; the second 58 400 and 41 600 of 116 800; then one.
  const double bits_s = (56200 + 41600 + 8 * 100000) * 8 / 1e12;
  EXPECT_NEAR(exchanges_s({.count = 10, .answer_bytes = 100000}, 1460, 0.01, 1e12),
              (3 + 2 + 8) * 0.01 + bits_s, 1e-9);
}

TEST(SlowStart, PausesCloseTheWindowOfEachExchange) {
  const Exchanges exchanges{.count = 20, .answer_bytes = 20000, .begin_anew = true};
  EXPECT_NEAR(exchanges_s(exchanges, 1460, 0.01, 1e9), 20 * (0.02 + 5400 * 8 / 1e9), 1e-9);
}

TEST(SlowStart, SmallAnswersTakeARoundTripEach) {
  EXPECT_NEAR(exchanges_s({.count = 100, .answer_bytes = 1000}, 1460, 0.002, 8e6),
              100 * (0.002 + 0.001), 1e-9);
  EXPECT_EQ(exchanges_s({.count = 0, .answer_bytes = 1000}, 1460, 0.002, 8e6), 0);
  EXPECT_EQ(exchanges_s({.count = 5, .answer_bytes = 0}, 1460, 0.002, 8e6), 0);
}

TEST(SlowStart, AWindowThatFillsThePathGrowsNoFurther) {
  // 8 Mbit/s in 10 ms are 10 000 bytes: the rate alone matters, in every exchange.
  EXPECT_NEAR(exchanges_s({.count = 4, .answer_bytes = 50000}, 1460, 0.01, 8e6), 4 * (0.01 + 0.05),
              1e-9);
}

TEST(Ports, connectionsPerSecond) {
  EXPECT_NEAR(connections_per_second(kLinuxPorts, kLinuxTimeWaitSeconds), 470, 1);
  EXPECT_NEAR(connections_per_second(kWindowsPorts, kWindowsTimeWaitSeconds), 136, 1);
  EXPECT_NEAR(connections_per_second(kWindowsPorts, 240), 68, 1);
  EXPECT_NEAR(connections_per_second(kAzureSnatPorts, 240), 4.27, 0.01);
  EXPECT_GT(connections_per_second(1, 0), 1e300);
  EXPECT_DOUBLE_EQ(ports_needed(500, 60), 30000);
}

}  // namespace
}  // namespace slowpath::arithmetic

// SPDX-License-Identifier: Apache-2.0
// What a throughput test proves, and what it must not claim.
#include "detect/throughput_test.h"

#include <algorithm>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slowpath::detect {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// 5 s over a round trip of 30 ms, at the rate of a 64 KiB window; the sender always had data.
TestFacts sound_test() {
  TestFacts test;
  test.rtt_idle_s = 0.03;
  TestFlow flow;
  flow.to_server = true;
  flow.counted_s = 5;
  flow.goodput_bps = 17.4e6;
  flow.verified = flow.complete = true;
  flow.rtt = {.samples = 90, .min_s = 0.03, .median_s = 0.0301, .p95_s = 0.031, .max_s = 0.04};
  TestStream stream;
  stream.sender = SocketFacts{};
  stream.sender->busy_s = 5;
  stream.sender->rwnd_limited_s = stream.sender->sndbuf_limited_s = 0;
  stream.sender->data_segments_sent = 7500;
  stream.sender->retransmits_total = stream.sender->timeouts_total = 0;
  stream.sender->send_window_scale = 7;
  stream.sender->peer_window_bytes = 65'535;
  stream.sender->send_buffer_bytes = 131'072;
  flow.streams.push_back(stream);
  test.runs.push_back({.flows = {flow}, .client = {}, .server = {}, .label = {}});
  return test;
}

SocketFacts& sender_of(TestFacts& test) { return *test.runs[0].flows[0].streams[0].sender; }

/// A host whose one processor did this share of work.
TestHost host_at(double busy) {
  TestHost host{.elapsed_s = 5, .own_user_s = 0, .own_system_s = 0, .cpus = {}};
  CpuFacts cpu;
  cpu.system_s = 5 * busy;
  cpu.idle_s = 5 * (1 - busy);
  host.cpus.push_back(cpu);
  return host;
}

TEST(ThroughputTest, SoundIsHealthyAndLimitedByThePath) {
  const TestFacts test = sound_test();
  EXPECT_EQ(judge_flow(test, test.runs[0], test.runs[0].flows[0]).limit, FlowLimit::path);
  EXPECT_EQ(diagnose_throughput(test).verdict, "healthy");
}

TEST(ThroughputTest, WindowThatHoldsIsNamed) {
  TestFacts test = sound_test();
  sender_of(test).rwnd_limited_s = 4.8;
  const Diagnosis diagnosis = diagnose_throughput(test);
  EXPECT_EQ(diagnosis.verdict, "rwnd-limited");
  EXPECT_THAT(diagnosis.summary, HasSubstr("64"));
  sender_of(test).send_window_scale.reset();
  EXPECT_EQ(diagnose_throughput(test).verdict, "wscale-absent");
}

TEST(ThroughputTest, SegmentsThatCameWithABadChecksumAreNoLoss) {
  TestFacts test = sound_test();
  sender_of(test).retransmits_total = 400;
  EXPECT_EQ(diagnose_throughput(test).verdict, "unclear");  // Lost, and nothing says why.
  test.runs[0].server.bad_checksums = 390;
  const Diagnosis diagnosis = diagnose_throughput(test);
  EXPECT_EQ(diagnosis.verdict, "csum-bad-on-arrival");
  EXPECT_EQ(diagnosis.findings.size(), 1U);
  EXPECT_EQ(diagnosis.findings[0].direction, Direction::to_server);
  test.runs[0].server.bad_checksums = 40;  // Most were lost otherwise.
  EXPECT_EQ(diagnose_throughput(test).verdict, "unclear");
  test.runs[0].server.bad_checksums.reset();
  test.runs[0].client.bad_checksums = 390;  // Those came on the way back.
  EXPECT_EQ(diagnose_throughput(test).verdict, "unclear");
}

TEST(ThroughputTest, BadChecksumsOfOtherConnectionsAreANote) {
  TestFacts test = sound_test();
  for (const auto& [bad, resent] : {std::pair{10, 1}, {10, 9}, {400, 100}, {5000, 60}}) {
    test.runs[0].server.bad_checksums = bad;
    sender_of(test).retransmits_total = resent;
    const Diagnosis diagnosis = diagnose_throughput(test);
    EXPECT_NE(diagnosis.verdict, "csum-bad-on-arrival") << bad << " against " << resent;
    ASSERT_FALSE(diagnosis.findings.empty());
    const auto noted =
        std::ranges::find(diagnosis.findings, "csum-bad-on-arrival", &Finding::fault);
    ASSERT_NE(noted, diagnosis.findings.end());
    EXPECT_EQ(noted->severity, Severity::note);
  }
  test.runs[0].server.bad_checksums = 10;
  sender_of(test).retransmits_total = 1;
  EXPECT_EQ(diagnose_throughput(test).verdict, "healthy");
}

TEST(ThroughputTest, WindowIsNotBlamedWhereArithmeticDisagrees) {
  TestFacts test = sound_test();
  sender_of(test).rwnd_limited_s = 4.8;
  sender_of(test).peer_window_bytes =
      4'000'000;  // would allow a Gbit/s: a slow reader, or a moment
  EXPECT_EQ(diagnose_throughput(test).verdict, "healthy");
}

TEST(ThroughputTest, SlowReaderIsItsProcessorNotItsWindow) {
  TestFacts test = sound_test();
  sender_of(test).rwnd_limited_s = 4.8;
  test.runs[0].server = host_at(0.99);
  test.runs[0].server.own_system_s = 4.9;
  EXPECT_EQ(judge_flow(test, test.runs[0], test.runs[0].flows[0]).limit, FlowLimit::receiver_cpu);
  EXPECT_EQ(diagnose_throughput(test).verdict, "healthy");
}

TEST(ThroughputTest, HostBusyWithOtherThingsDoesNotHideTheWindow) {
  TestFacts test = sound_test();
  sender_of(test).rwnd_limited_s = 4.8;
  test.runs[0].server = host_at(0.99);
  EXPECT_EQ(diagnose_throughput(test).verdict, "rwnd-limited");
  sender_of(test).peer_window_bytes = 4'000'000;  // the window would allow more
  EXPECT_EQ(judge_flow(test, test.runs[0], test.runs[0].flows[0]).limit, FlowLimit::receiver_cpu);
}

TEST(ThroughputTest, ShortRoundTripMakesNoWindowFault) {
  TestFacts test = sound_test();
  sender_of(test).rwnd_limited_s = 4.8;
  test.runs[0].flows[0].rtt.median_s = 0.0001;
  test.runs[0].flows[0].goodput_bps = 5.2e9;
  EXPECT_EQ(diagnose_throughput(test).verdict, "healthy");
}

TEST(ThroughputTest, WindowThatIsFullBehindAQueueIsNotBlamed) {
  TestFacts test = sound_test();
  sender_of(test).rwnd_limited_s = 4.8;
  sender_of(test).sndbuf_limited_s = 0;
  // The path is a tenth as long while nothing waits in it: a larger window would only wait longer.
  test.rtt_idle_s = 0.003;
  EXPECT_EQ(diagnose_throughput(test).verdict, "healthy");
  std::swap(*sender_of(test).rwnd_limited_s, *sender_of(test).sndbuf_limited_s);
  EXPECT_EQ(diagnose_throughput(test).verdict, "healthy");
  // And two hosts beside each other, busy with other things besides.
  test.rtt_idle_s = 0.000003;
  test.runs[0].server = host_at(0.99);
  std::swap(*sender_of(test).rwnd_limited_s, *sender_of(test).sndbuf_limited_s);
  EXPECT_EQ(judge_flow(test, test.runs[0], test.runs[0].flows[0]).limit, FlowLimit::receiver_cpu);
  EXPECT_EQ(diagnose_throughput(test).verdict, "healthy");
}

TEST(ThroughputTest, SendBufferThatHoldsIsNamed) {
  TestFacts test = sound_test();
  sender_of(test).sndbuf_limited_s = 4.5;
  EXPECT_EQ(diagnose_throughput(test).verdict, "sndbuf-limited");
}

TEST(ThroughputTest, TimeoutsThatDominateAreAFault) {
  TestFacts test = sound_test();
  sender_of(test).timeouts_total = 15;
  sender_of(test).retransmits_total = 60;
  EXPECT_EQ(diagnose_throughput(test).verdict, "rto-dominated");
  sender_of(test).timeouts_total = 2;  // 0.4 s of 5
  EXPECT_NE(diagnose_throughput(test).verdict, "rto-dominated");
}

TEST(ThroughputTest, LossWithoutAQueueIsASuspicionOnly) {
  TestFacts test = sound_test();
  sender_of(test).retransmits_total = 75;
  const Diagnosis diagnosis = diagnose_throughput(test);
  EXPECT_EQ(diagnosis.verdict, "unclear");
  ASSERT_EQ(diagnosis.findings.size(), 1U);
  EXPECT_EQ(diagnosis.findings[0].fault, "random-loss");
  EXPECT_EQ(diagnosis.findings[0].severity, Severity::suspect);
}

TEST(ThroughputTest, HeavyLossIsNeverHealthy) {
  TestFacts test = sound_test();
  sender_of(test).retransmits_total = 2000;
  test.runs[0].flows[0].rtt.median_s = 0.06;
  test.runs[0].client = host_at(0.99);
  EXPECT_EQ(judge_flow(test, test.runs[0], test.runs[0].flows[0]).limit, FlowLimit::loss);
  EXPECT_EQ(diagnose_throughput(test).verdict, "unclear");
}

TEST(ThroughputTest, LossBehindAQueueIsHowTcpWorks) {
  TestFacts test = sound_test();
  sender_of(test).retransmits_total = 75;
  test.runs[0].flows[0].rtt.median_s = 0.06;
  EXPECT_EQ(diagnose_throughput(test).verdict, "healthy");
}

TEST(ThroughputTest, OneChangedByteIsTheVerdict) {
  TestFacts test = sound_test();
  sender_of(test).rwnd_limited_s = 4.8;
  IntegrityFacts& integrity = test.runs[0].flows[0].integrity;
  integrity.checked_bytes = 1'000'000;
  integrity.differing_bytes = integrity.places = 1;
  integrity.differences.push_back({.offset = 77,
                                   .length = 1,
                                   .differing = 1,
                                   .expected = {std::byte{0}},
                                   .seen = {std::byte{4}},
                                   .found_at = {}});
  const Diagnosis diagnosis = diagnose_throughput(test);
  EXPECT_EQ(diagnosis.verdict, "payload-altered-csum-good");
  EXPECT_EQ(diagnosis.findings[0].evidence[0].pattern, "bit flips");
}

TEST(ThroughputTest, AskedRateIsNoFault) {
  TestFacts test = sound_test();
  test.asked_rate_bps = 18e6;
  EXPECT_EQ(judge_flow(test, test.runs[0], test.runs[0].flows[0]).limit, FlowLimit::asked_rate);
}

TEST(ThroughputTest, BrokenStreamIsUnclear) {
  TestFacts test = sound_test();
  test.runs[0].flows[0].complete = false;
  EXPECT_EQ(diagnose_throughput(test).verdict, "unclear");
}

TEST(ThroughputTest, SystemWithoutAccountIsUnknown) {
  TestFacts test = sound_test();
  test.runs[0].flows[0].streams[0].sender.reset();
  EXPECT_EQ(judge_flow(test, test.runs[0], test.runs[0].flows[0]).limit, FlowLimit::unknown);
  EXPECT_THAT(inspect_throughput(test), IsEmpty());
}

TEST(ThroughputTest, KneeIsTheSmallestThatIsNearTheBest) {
  TestFacts test;
  test.sweep = "window";
  for (const auto& [value, rate] :
       {std::pair{16e3, 4e6}, {32e3, 8e6}, {64e3, 15e6}, {128e3, 16e6}}) {
    TestFlow flow;
    flow.goodput_bps = rate;
    test.runs.push_back(
        {.flows = {flow}, .client = {}, .server = {}, .label = "w", .value = value});
  }
  EXPECT_EQ(knee_of(test), 64e3);
  test.sweep.clear();
  EXPECT_EQ(knee_of(test), 0);
}

}  // namespace
}  // namespace slowpath::detect

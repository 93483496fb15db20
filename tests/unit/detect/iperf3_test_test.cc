// SPDX-License-Identifier: Apache-2.0
// Verdicts on tests in iperf3's protocol: those of our own tests where this end sends, and an
// honest "unclear" where only the other end could know.
#include "detect/iperf3_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slowpath::detect {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

Iperf3Stream stream(bool sends) {
  Iperf3Stream stream;
  stream.id = 1;
  stream.local_host = "10.0.0.1";
  stream.remote_host = "10.0.0.2";
  stream.sends = sends;
  stream.seconds = 5;
  stream.sent_bytes = stream.received_bytes = 10'875'000;  // 17.4 Mbit/s
  if (!sends) return stream;
  SocketFacts& sender = stream.sender.emplace();
  sender.busy_s = 5;
  sender.rwnd_limited_s = sender.sndbuf_limited_s = 0;
  sender.data_segments_sent = 7500;
  sender.retransmits_total = sender.timeouts_total = 0;
  sender.send_window_scale = 7;
  sender.peer_window_bytes = 65'535;
  return stream;
}

Iperf3Facts sound_test(bool sends) {
  Iperf3Facts facts;
  facts.host = "10.0.0.2";
  facts.streams = {stream(sends)};
  facts.has_remote = true;
  facts.rtt_idle_s = 0.03;
  if (sends)
    facts.rtt = {.samples = 90, .min_s = 0.03, .median_s = 0.0301, .p95_s = 0.031, .max_s = 0.04};
  return facts;
}

TEST(Iperf3Test, WhatThisEndSendsIsJudgedByItsOwnAccount) {
  Iperf3Facts facts = sound_test(true);
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "healthy");
  EXPECT_EQ(diagnose_iperf3(facts).summary, "No fault was found: 17.4 Mbit/s to 10.0.0.2 (path).");
  facts.streams[0].sender->rwnd_limited_s = 4.8;
  const Diagnosis diagnosis = diagnose_iperf3(facts);
  EXPECT_EQ(diagnosis.verdict, "rwnd-limited");
  EXPECT_THAT(diagnosis.summary, HasSubstr("From this host to 10.0.0.2"));
  facts.is_server = true;  // A server that sends says the same.
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "rwnd-limited");
}

TEST(Iperf3Test, WhatOnlyTheOtherEndKnowsIsUnclear) {
  const Diagnosis diagnosis = diagnose_iperf3(sound_test(false));
  EXPECT_EQ(diagnosis.verdict, "unclear");
  EXPECT_THAT(diagnosis.summary, HasSubstr("17.4 Mbit/s"));
  EXPECT_FALSE(diagnosis.look_next.empty());
}

TEST(Iperf3Test, ATestThatEndedEarlyIsUnclear) {
  Iperf3Facts facts = sound_test(true);
  facts.error = "the server ended the test";
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "unclear");
  facts.interrupted = true;
  EXPECT_THAT(diagnose_iperf3(facts).summary, HasSubstr("interrupted"));
  EXPECT_THAT(diagnose_iperf3(facts).look_next, IsEmpty());
  facts.streams.clear();
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "unclear");
}

TEST(Iperf3Test, DatagramsAreHealthyUntilSomeAreLost) {
  Iperf3Facts facts = sound_test(true);
  facts.is_udp = true;
  facts.rate_bps = 10e6;
  facts.streams[0].sent.packets = facts.streams[0].received.packets = 10'000;
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "healthy");
  facts.streams[0].received.lost = 3;
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "healthy");
  facts.streams[0].received.lost = 400;
  const Diagnosis diagnosis = diagnose_iperf3(facts);
  EXPECT_EQ(diagnosis.verdict, "unclear");
  EXPECT_THAT(diagnosis.findings, IsEmpty());
  EXPECT_THAT(diagnosis.look_next.at(0), HasSubstr("-u -b 1000000"));
  facts.has_remote = false;  // Nobody told what came.
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "unclear");
}

TEST(Iperf3Test, DatagramsBehindTheLastThatCameAreLostToo) {
  Iperf3Facts facts = sound_test(true);
  facts.is_udp = true;
  Iperf3Stream& stream = facts.streams[0];
  stream.sent.packets = 10'000;
  stream.received.packets = 9'900;  // of 5 s: what is under way as both ends stop
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "healthy");
  stream.received.packets = 6'000;
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "unclear");
  EXPECT_THAT(diagnose_iperf3(facts).summary, HasSubstr("4000 of 10 000"));
  stream.received.packets = stream.received_bytes = 0;
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "unclear");
  EXPECT_THAT(diagnose_iperf3(facts).summary, HasSubstr("10 000 of 10 000"));
  stream.received_bytes = 1'000'000;  // A peer that does not number them tells nothing.
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "healthy");
}

TEST(Iperf3Test, OmittedDatagramsThatASenderCountsAreNotLost) {
  Iperf3Facts facts = sound_test(false);
  facts.is_udp = true;
  facts.omit_s = 5;
  facts.streams[0].sent.packets = 20'000;
  facts.streams[0].received.packets = 10'000;
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "healthy");
  facts.omit_s = 0;
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "unclear");
}

TEST(Iperf3Test, AReceiverWhoseProcessorIsFullIsNoSmallWindow) {
  Iperf3Facts facts = sound_test(true);
  facts.streams[0].sender->rwnd_limited_s = 4.8;
  facts.remote = {99, 4, 95};
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "healthy");
  EXPECT_THAT(diagnose_iperf3(facts).summary, HasSubstr("receiver"));
  facts.remote = {30, 10, 20};
  EXPECT_EQ(diagnose_iperf3(facts).verdict, "rwnd-limited");
}

}  // namespace
}  // namespace slowpath::detect

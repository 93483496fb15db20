// SPDX-License-Identifier: Apache-2.0
// iperf, ping, tcpdump.
#include "unit/machine/text/text_reader.h"

namespace slowpath::machine {
namespace {

TEST(MeasuredText, IperfPingTcpdump) {
  const MachineFacts facts = facts_of(fixture("tests.txt"));
  EXPECT_TRUE(facts.not_understood.empty());
  ASSERT_EQ(facts.measured.size(), 5U);
  const auto& first = facts.measured[0];
  EXPECT_EQ(first.program, "iperf2");
  EXPECT_DOUBLE_EQ(first.goodput_bps.value(), 1.02e6);
  EXPECT_EQ(first.window_bytes, 49152U);
  EXPECT_DOUBLE_EQ(facts.measured[1].goodput_bps.value(), 922e6);  // the sum
  const auto& three = facts.measured[2];
  EXPECT_EQ(three.program, "iperf3");
  EXPECT_DOUBLE_EQ(three.goodput_bps.value(), 921e6);  // what arrived
  EXPECT_EQ(three.retransmits, 7U);
  EXPECT_EQ(facts.measured[3].smallest_failed_bytes, 1472U);
  EXPECT_FALSE(facts.measured[3].largest_passed_bytes);
  EXPECT_EQ(facts.measured[4].largest_passed_bytes, 1372U);
  EXPECT_DOUBLE_EQ(facts.measured[4].loss_share.value(), 0.25);
  EXPECT_DOUBLE_EQ(facts.measured[4].rtt_min_s.value(), 0.020134);
  EXPECT_DOUBLE_EQ(facts.measured[4].rtt_median_s.value(), 0.0204);
}

TEST(MeasuredText, TcpdumpCounts) {
  const MachineFacts facts = facts_of(fixture("tests.txt"));
  EXPECT_EQ(counter(facts, "TcpdumpPackets"), 4);
  EXPECT_EQ(counter(facts, "TcpdumpNeedFrag"), 1);
  EXPECT_EQ(counter(facts, "TcpdumpNeedFragMtu"), 1400);
  EXPECT_EQ(counter(facts, "TcpdumpLargestSegment"), 2920);
  EXPECT_EQ(counter(facts, "TcpdumpWrongChecksums"), 1);
  EXPECT_EQ(counter(facts, "TcpdumpReceivedByFilter"), 5);
  EXPECT_EQ(counter(facts, "TcpdumpDroppedByKernel"), 1);
}

TEST(MeasuredText, Iperf3Json) {
  const MachineFacts facts = facts_of(fixture("iperf3.json"));
  ASSERT_EQ(facts.measured.size(), 1U);
  EXPECT_DOUBLE_EQ(facts.measured[0].goodput_bps.value(), 921000000.25);
  EXPECT_EQ(facts.measured[0].retransmits, 7U);
  EXPECT_DOUBLE_EQ(facts.measured[0].rtt_min_s.value(), 400e-6);
  EXPECT_DOUBLE_EQ(facts.measured[0].rtt_median_s.value(), 1250e-6);
  EXPECT_TRUE(facts.not_understood.empty());
}

struct WindowsPing {
  const char* language;
  const char* passes;
  const char* fails;
};

const WindowsPing kWindowsPings[] = {
    {"English",
     "Pinging 192.0.2.4 with 1472 bytes of data:\n"
     "Reply from 192.0.2.4: bytes=1472 time=21ms TTL=64\n"
     "Request timed out.\n\n"
     "Ping statistics for 192.0.2.4:\n    Packets: Sent = 2, Received = 1, Lost = 1 (50% loss),\n"
     "Approximate round trip times in milli-seconds:\n"
     "    Minimum = 21ms, Maximum = 21ms, Average = 21ms\n",
     "Pinging 192.0.2.4 with 1473 bytes of data:\nPacket needs to be fragmented but DF set.\n\n"
     "Ping statistics for 192.0.2.4:\n    Packets: Sent = 1, Received = 0, Lost = 1 (100% "
     "loss),\n"},
    {"German",
     "Ping wird ausgeführt für 192.0.2.4 mit 1472 Bytes Daten:\n"
     "Antwort von 192.0.2.4: Bytes=1472 Zeit=21ms TTL=64\n"
     "Zeitüberschreitung der Anforderung.\n\n"
     "Ping-Statistik für 192.0.2.4:\n    Pakete: Gesendet = 2, Empfangen = 1, Verloren = 1\n"
     "    (50% Verlust), = \n",
     "Ping wird ausgeführt für 192.0.2.4 mit 1473 Bytes Daten:\n"
     "Paket müsste fragmentiert werden, DF-Flag ist jedoch gesetzt.\n\n"
     "Ping-Statistik für 192.0.2.4:\n"
     "    Pakete: Gesendet = 1, Empfangen = 0, Verloren = 1 (100% Verlust),\n"},
};

TEST(MeasuredText, WindowsPingInTwoLanguages) {
  for (const WindowsPing& each : kWindowsPings) {
    SCOPED_TRACE(each.language);
    const MachineFacts facts =
        facts_of("C:\\> ping -f -l 1472 192.0.2.4\n\n" + std::string(each.passes) +
                 "C:\\>ping -f -l 1473 192.0.2.4\n" + each.fails);
    EXPECT_TRUE(facts.not_understood.empty());
    ASSERT_EQ(facts.measured.size(), 2U);
    EXPECT_EQ(facts.measured[0].largest_passed_bytes, 1472U);
    EXPECT_DOUBLE_EQ(facts.measured[0].rtt_median_s.value(), 0.021);
    EXPECT_DOUBLE_EQ(facts.measured[0].loss_share.value(), 0.5);
    EXPECT_EQ(facts.measured[1].smallest_failed_bytes, 1473U);
    EXPECT_DOUBLE_EQ(facts.measured[1].loss_share.value(), 1.0);
  }
}

}  // namespace
}  // namespace slowpath::machine

// SPDX-License-Identifier: Apache-2.0
// The scenario language and its model of a transfer, judged by what they put on the tape.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/scenario/script.h"
#include "wire/packet.h"

namespace slowpath::test::scenario {
namespace {

constexpr std::string_view kHead = "# What this proves is nothing.\nexpect verdict healthy\n";

Scenario played(const std::string& statements, const Limits& limits = {}) {
  return play(std::string(kHead) + statements, limits);
}

struct Seen {
  double at_s = 0;
  Buffer bytes;  // the packet's spans point in here, also when the tape is gone
  wire::Packet packet;
};

/// What was recorded, decoded; times from the first packet on.
std::vector<Seen> tape_of(const Scenario& scenario) {
  EXPECT_FALSE(scenario.mistake) << scenario.mistake->line << ": " << scenario.mistake->what;
  std::vector<Seen> all;
  const std::vector<wire::Frame> frames = scenario.tape->frames();
  for (wire::Frame frame : frames) {
    Seen& seen = all.emplace_back();
    seen.at_s = to_seconds(frame.time - frames.front().time);
    seen.bytes.assign(frame.bytes.begin(), frame.bytes.end());
    frame.bytes = seen.bytes;
    wire::decode(frame, seen.packet);
  }
  return all;
}

std::vector<Seen> data_of(const Scenario& scenario) {
  std::vector<Seen> all = tape_of(scenario);
  std::erase_if(all, [](const Seen& seen) { return seen.packet.payload_len == 0; });
  return all;
}

TEST(Scenario, MistakesNameTheLineAndWhatWasExpected) {
  struct Wrong {
    std::string text;
    std::string expected;
  };
  const std::vector<Wrong> wrong{
      {"wait 20", "expected a time with its unit"},
      {"wait", "but the line ends"},
      {"frobnicate", "expected a statement"},
      {"c > c data 0:1", "expected 's', but found 'c'"},
      {"c > s data 5:1", "expected a range of bytes"},
      {"c > s data 0:70000", "at most 65400 bytes"},
      {"c > s ack 99999999999999999999", "expected a position"},
      {"c > s ack 1*", "expected a position"},
      {"c > s sparkle", "expected the end of the line, but found 'sparkle'"},
      {"expect verdict gremlins", "expected a fault of the catalogue"},
      {"expect finding zero-window seconds 2-3", "expected plain numbers"},
      {"transfer c > s bytes 0", "expected the bytes to transfer from 1"},
      {"transfer c > s bytes 1K lose sometimes 3", "expected one of every, random"},
      {"transfer c > s bytes 1K lose number 0", "expected numbers from 1 on"},
      {"icmp frag-needed mtu 1500 from 2001:db8::1 quoting c > s data 0:1", "family"},
      {"connection 10.0.0.1:99999 > 10.0.0.2:80", "expected ADDRESS:PORT"},
      {"repeat 2 {", "expected '}'"},
      {"}", "expected a statement"},
      {"repeat 1 {\nrepeat 1 {\nrepeat 1 {\nrepeat 1 {\n}\n}\n}\n}", "at most three repeats"},
      {"c > s push\nvantage server", "expected the vantage before the first packet"},
  };
  for (const Wrong& it : wrong) {
    const Scenario scenario = played(it.text);
    ASSERT_TRUE(scenario.mistake) << it.text;
    EXPECT_GE(scenario.mistake->line, 3u) << it.text;
    EXPECT_NE(scenario.mistake->what.find(it.expected), std::string::npos)
        << it.text << ": " << scenario.mistake->what;
  }
}

TEST(Scenario, SaysWhatItProvesAndExpectsSomething) {
  EXPECT_TRUE(play("expect verdict healthy\n").mistake);
  EXPECT_TRUE(play("# What this proves is nothing.\nc > s push\n").mistake);
}

TEST(Scenario, PacketsCarryWhatTheirWordsSay) {
  const Scenario scenario = played(
      "options client-wscale 3 server-wscale 2\n"
      "at 1s c > s syn win 64240\n"
      "at +20ms s > c syn ack 0 mss 1000 win 4000\n"
      "at +1ms c > s data 0:1460 push ttl 60 ipid 7 win 8000 checksum bad\n"
      "at +5ms s > c ack 1460 win 0 sack 2920:4380 and 5840:7300\n");
  const std::vector<Seen> seen = tape_of(scenario);
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].packet.tcp_flags, wire::kSyn);
  EXPECT_EQ(seen[0].packet.tcp_window, 64240);
  EXPECT_EQ(seen[0].packet.options.window_scale, 3);
  EXPECT_EQ(seen[0].packet.options.mss, 1460);
  EXPECT_EQ(seen[1].packet.tcp_flags, wire::kSyn | wire::kAck);
  EXPECT_EQ(seen[1].packet.options.mss, 1000);
  EXPECT_EQ(seen[1].packet.acknowledgment, seen[0].packet.sequence + 1);
  EXPECT_NEAR(seen[2].at_s, 0.021, 1e-9);
  EXPECT_EQ(seen[2].packet.sequence, seen[0].packet.sequence + 1);
  EXPECT_EQ(seen[2].packet.payload_len, 1460u);
  EXPECT_EQ(seen[2].packet.tcp_flags, wire::kAck | wire::kPsh);
  EXPECT_EQ(seen[2].packet.tcp_window, 1000);
  EXPECT_EQ(seen[2].packet.ip_id, 7u);
  EXPECT_EQ(seen[2].packet.ttl, 60);
  EXPECT_EQ(wire::verify_checksum(seen[2].packet), wire::ChecksumState::bad);
  EXPECT_EQ(seen[3].packet.acknowledgment, seen[0].packet.sequence + 1461);
  EXPECT_EQ(seen[3].packet.tcp_window, 0);
  ASSERT_EQ(seen[3].packet.options.sack_count, 2);
  EXPECT_EQ(seen[3].packet.options.sack[1].end, seen[0].packet.sequence + 7301);
  EXPECT_EQ(wire::verify_checksum(seen[3].packet), wire::ChecksumState::good);
}

TEST(Scenario, RepeatsCountInEachOther) {
  const Scenario scenario = played(
      "repeat 2 every 10ms {\n"
      "  repeat 3 every 1ms {\n"
      "    c > s data $j*300+$i*100:+100\n"
      "  }\n"
      "}\n");
  const std::vector<Seen> seen = tape_of(scenario);
  ASSERT_EQ(seen.size(), 6u);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].packet.sequence - seen[0].packet.sequence,
              static_cast<std::int32_t>(100 * i));
  }
  EXPECT_NEAR(seen[5].at_s, 0.012, 1e-9);
}

TEST(Scenario, TheSameBytesAreTheSameUnlessTheContentDiffers) {
  const std::vector<Seen> seen =
      tape_of(played("c > s data 0:100\nc > s data 50:150\nc > s data 0:100 content 1\n"));
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_TRUE(
      std::ranges::equal(seen[0].packet.payload.subspan(50), seen[1].packet.payload.first(50)));
  EXPECT_FALSE(std::ranges::equal(seen[0].packet.payload, seen[2].packet.payload));
}

TEST(Scenario, IcmpQuotesTheLengthItIsToldTo) {
  const std::vector<Seen> seen =
      tape_of(played("c > s data 0:1460\nicmp frag-needed mtu 1400 from 10.0.0.9 quoting c > s "
                     "data 0:1460 length 2960\n"));
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[1].packet.kind, wire::PacketKind::icmp);
  EXPECT_EQ(seen[1].packet.icmp_mtu, 1400u);
  EXPECT_EQ(seen[1].packet.quote.ip_total_len, 2960u);
  EXPECT_EQ(seen[1].packet.quote.sequence, seen[0].packet.sequence);
}

TEST(Scenario, PingsFallIntoFragments) {
  const std::vector<Seen> seen = tape_of(
      played("ping c > s bytes 3000 fragments 1480 last-first without 2\nping s > c reply\n"));
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].packet.fragment_offset, 2960u);
  EXPECT_EQ(seen[1].packet.kind, wire::PacketKind::icmp);
  EXPECT_TRUE(seen[1].packet.more_fragments);
  EXPECT_EQ(seen[2].packet.icmp_type, 0);
}

/// How far behind the segment before it the ACK of the handshake passes, seen at each place.
double second_leg_s(const std::string& vantage) {
  const std::vector<Seen> seen = tape_of(played("vantage " + vantage + "\nhandshake rtt 100ms\n"));
  return seen.size() == 3 ? seen[2].at_s - seen[1].at_s : -1;
}

TEST(Scenario, TimesAreThoseOfTheVantage) {
  EXPECT_NEAR(second_leg_s("client"), 0, 1e-6);
  EXPECT_NEAR(second_leg_s("server"), 0.1, 1e-6);
  EXPECT_NEAR(second_leg_s("midpath 30%"), 0.03, 1e-6);
}

TEST(Transfer, EveryByteIsCarriedInOrderOverACleanPath) {
  const std::vector<Seen> data = data_of(played("handshake\ntransfer c > s bytes 100K rate 20M\n"));
  std::int64_t next = 0;
  for (const Seen& seen : data) {
    EXPECT_EQ(seen.packet.sequence - data[0].packet.sequence, next);
    next += seen.packet.payload_len;
    EXPECT_LE(seen.packet.payload_len, 1448u);
  }
  EXPECT_EQ(next, 100 * 1024);
}

TEST(Transfer, RateAndRoundTripBoundItsTime) {
  const std::vector<Seen> all =
      tape_of(played("handshake rtt 40ms\ntransfer c > s bytes 2M rate 20M\n"));
  const double least_s = 8 * 2 * 1048576 / 20e6;
  EXPECT_GT(all.back().at_s, least_s);
  EXPECT_LT(all.back().at_s, 1.4 * least_s);
}

TEST(Transfer, TheWindowIsNeverExceeded) {
  const std::vector<Seen> all =
      tape_of(played("handshake\ntransfer c > s bytes 500K window 20K\n"));
  SeqNum edge = all[1].packet.acknowledgment + 65535;
  for (const Seen& seen : all) {
    if (seen.packet.source_port == 80 && (seen.packet.tcp_flags & wire::kSyn) == 0) {
      edge = seen.packet.acknowledgment + (std::uint32_t{seen.packet.tcp_window} << 7);
    }
    if (seen.packet.payload_len > 0) {
      EXPECT_LE(seen.packet.sequence + seen.packet.payload_len, edge);
    }
  }
}

TEST(Transfer, WhatIsLostBehindTheTapIsSeenTwiceBeforeItOnce) {
  const std::string transfer = "handshake\ntransfer c > s bytes 100K lose number 5,20\n";
  EXPECT_EQ(data_of(played("vantage client\n" + transfer)).size(), 73u);
  EXPECT_EQ(data_of(played("vantage server\n" + transfer)).size(), 71u);
}

TEST(Transfer, TheTimerRepairsTheEndAndTheTailProbeIsFaster) {
  const std::string transfer = "handshake\ntransfer c > s bytes 14480 lose number 10";
  EXPECT_GT(data_of(played(transfer)).back().at_s, 0.2);
  EXPECT_LT(data_of(played(transfer + " tail-probe")).back().at_s, 0.15);
}

TEST(Transfer, TheServerSpeaksOnlyWhenItHasHeardTheClient) {
  const std::string transfers =
      "handshake rtt 100ms\ntransfer s > c bytes 100\ntransfer c > s bytes 100\ntransfer s > c "
      "bytes 100\n";
  const std::vector<Seen> data = data_of(played("vantage client\n" + transfers));
  ASSERT_EQ(data.size(), 3u);
  EXPECT_NEAR(data[0].at_s, 0.2, 0.001);                 // SYN, SYN-ACK, ACK, data
  EXPECT_NEAR(data[1].at_s - data[0].at_s, 0, 0.001);    // at once
  EXPECT_NEAR(data[2].at_s - data[1].at_s, 0.1, 0.001);  // a round trip
}

TEST(Transfer, ASlowReaderSetsThePace) {
  const std::vector<Seen> all =
      tape_of(played("handshake\ntransfer c > s bytes 500K window 64K reader-rate 4M\n"));
  const double least_s = 8 * (500 - 64) * 1024 / 4e6;
  EXPECT_GT(all.back().at_s, least_s);
  EXPECT_LT(all.back().at_s, 1.3 * least_s);
}

TEST(Transfer, WithoutSackItRecoversAsWell) {
  const std::vector<Seen> data =
      data_of(played("handshake no-sack\ntransfer c > s bytes 300K lose every 40\n"));
  const auto last = std::ranges::max(
      data, {}, [&](const Seen& seen) { return seen.packet.sequence - data[0].packet.sequence; });
  EXPECT_EQ(last.packet.sequence - data[0].packet.sequence +
                static_cast<std::int32_t>(last.packet.payload_len),
            300 * 1024);
  EXPECT_LT(data.back().at_s, 2.0);
}

TEST(Transfer, SuperframesAreWholeAtTheSenderOnly) {
  const std::string transfer = "handshake\ntransfer c > s bytes 200K superframe 16K\n";
  const auto largest = [](const std::vector<Seen>& data) {
    return std::ranges::max(data, {}, [](const Seen& it) { return it.packet.payload_len; })
        .packet.payload_len;
  };
  EXPECT_EQ(largest(data_of(played("vantage client\noffload client\n" + transfer))), 11u * 1448);
  EXPECT_EQ(largest(data_of(played("vantage server\noffload client\n" + transfer))), 1448u);
  const auto sent = data_of(played("vantage client\noffload client\n" + transfer));
  EXPECT_EQ(wire::verify_checksum(sent[0].packet), wire::ChecksumState::partial);
}

TEST(Transfer, AStalledReaderClosesTheWindowAndOpensItAgain) {
  const std::vector<Seen> all =
      tape_of(played("handshake\ntransfer c > s bytes 300K window 64K reader-stalls 2s at 100K\n"));
  double shut_s = -1, opened_s = -1;
  for (const Seen& seen : all) {
    if (seen.packet.source_port != 80) continue;
    if (seen.packet.tcp_window == 0 && shut_s < 0) shut_s = seen.at_s;
    if (seen.packet.tcp_window > 0 && shut_s >= 0 && opened_s < 0) opened_s = seen.at_s;
  }
  ASSERT_GE(shut_s, 0);
  EXPECT_GT(opened_s - shut_s, 1.8);
  EXPECT_LT(opened_s - shut_s, 2.1);
}

TEST(Scenario, LimitsHoldWhateverTheTextClaims) {
  const Limits limits{
      .text_bytes = 1000, .statements = 100, .frames = 50, .payload_bytes = 100'000, .events = 200};
  for (const std::string text :
       {"repeat 100000 {\nrepeat 100000 {\nwait 1s\n}\n}\n", "repeat 1000 {\nc > s push\n}\n",
        "transfer c > s bytes 200M\n", "repeat 90 {\nc > s data 0:60000\n}\n"}) {
    const Scenario scenario = played(text, limits);
    EXPECT_TRUE(scenario.mistake) << text;
    EXPECT_LE(scenario.tape->size(), limits.frames);
  }
}

}  // namespace
}  // namespace slowpath::test::scenario

// SPDX-License-Identifier: Apache-2.0
// TCP options: each kind, wrong lengths, and headers that the snap length cut.
#include <gtest/gtest.h>

#include "unit/wire/samples.h"
#include "wire/packet.h"

namespace slowpath::wire {
namespace {

using namespace slowpath::test;

template <typename... Fields>
Packet segment(Fields... fields) {
  const BuiltFrame built =
      packet().ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(syn, fields...).payload(3).build();
  Packet p;
  decode(built.frame(), p);
  p.transport = p.payload = {};
  return p;
}

template <typename... Fields>
TcpOptions options_of(Fields... fields) {
  return segment(fields...).options;
}

TEST(TcpOptions, reads_those_of_a_handshake) {
  const TcpOptions o =
      options_of(mss(1460), sack_permitted(), timestamps(1, 2), nop(), window_scale(7));
  EXPECT_TRUE(o.has_mss);
  EXPECT_EQ(o.mss, 1460);
  EXPECT_TRUE(o.sack_permitted);
  EXPECT_TRUE(o.has_timestamps);
  EXPECT_EQ(o.ts_value, 1u);
  EXPECT_EQ(o.ts_echo, 2u);
  EXPECT_TRUE(o.has_window_scale);
  EXPECT_EQ(o.window_scale, 7);
  EXPECT_FALSE(o.malformed);
}

TEST(TcpOptions, reads_timestamps_in_every_place) {
  EXPECT_EQ(options_of(timestamps(5, 6)).ts_value, 5u);
  EXPECT_EQ(options_of(option(8, bytes_of({0, 0, 0, 5, 0, 0, 0, 6}))).ts_echo, 6u);
  EXPECT_EQ(options_of(nop(), timestamps(5, 6), nop()).ts_echo, 6u);
}

TEST(TcpOptions, reads_sack_blocks) {
  const TcpOptions o = options_of(sack({{1, 2}, {3, 4}, {0xfffffffe, 6}, {7, 8}}));
  ASSERT_EQ(o.sack_count, 4);
  EXPECT_EQ(o.sack[2].begin, SeqNum{0xfffffffe});
  EXPECT_EQ(o.sack[3].end, SeqNum{8});
  EXPECT_EQ(options_of(sack({{1, 2}})).sack_count, 1);
}

TEST(TcpOptions, knows_the_rare_kinds) {
  EXPECT_TRUE(options_of(option(19, Buffer(16))).has_md5);
  EXPECT_TRUE(options_of(option(29, Buffer(14))).has_ao);
  EXPECT_TRUE(options_of(option(30, Buffer(10))).has_mptcp);
  EXPECT_TRUE(options_of(option(34, Buffer(8))).has_fast_open);
  EXPECT_TRUE(options_of(option(254, bytes_of({0xf9, 0x89, 1, 2}))).has_fast_open);
  EXPECT_FALSE(options_of(option(254, bytes_of({0xf9, 0x88, 1, 2}))).has_fast_open);
  const TcpOptions o = options_of(option(77, Buffer(5)), mss(9));
  EXPECT_EQ(o.mss, 9);
  EXPECT_FALSE(o.malformed);
}

TEST(TcpOptions, says_malformed_and_keeps_what_came_before) {
  const auto broken = [](std::initializer_list<unsigned> bytes) {
    return options_of(mss(536), raw_options(bytes_of(bytes)));
  };
  for (const auto& o : {
           broken({3, 0, 7, 1}),         // length 0
           broken({3, 1, 7, 1}),         // length 1
           broken({1, 1, 1, 8}),         // no room for a length
           broken({8, 10, 1, 2, 3, 4}),  // longer than the header
           broken({3, 4, 7, 1}),         // wrong for its kind
           broken({5, 9, 1, 2, 3, 4, 5, 6, 7, 1, 1, 1}),
       }) {
    EXPECT_TRUE(o.malformed);
    EXPECT_EQ(o.mss, 536);
    EXPECT_FALSE(o.has_window_scale);
    EXPECT_FALSE(o.has_timestamps);
    EXPECT_EQ(o.sack_count, 0);
  }
}

TEST(TcpOptions, stops_at_the_end_mark) {
  const TcpOptions o = options_of(raw_options(bytes_of({0, 2, 4, 0, 9, 9, 9, 9})));
  EXPECT_FALSE(o.malformed);
  EXPECT_FALSE(o.has_mss);
}

TEST(Tcp, refuses_a_header_length_that_cannot_be) {
  EXPECT_EQ(segment(data_offset(4)).kind, PacketKind::malformed);
  EXPECT_EQ(segment(data_offset(6)).kind, PacketKind::malformed);
  EXPECT_EQ(segment(data_offset(5)).kind, PacketKind::tcp);
}

TEST(Tcp, reads_a_header_whose_options_were_not_captured) {
  const BuiltFrame whole = packet()
                               .ethernet()
                               .ipv4("10.0.0.1", "10.0.0.2")
                               .tcp(ack, seq(4), mss(100), timestamps(5, 6))
                               .payload(1000)
                               .snap(14 + 20 + 20 + 6)
                               .build();
  Packet p;
  decode(whole.frame(), p);
  EXPECT_EQ(p.kind, PacketKind::tcp);
  EXPECT_EQ(p.options.mss, 100);
  EXPECT_FALSE(p.options.has_timestamps);
  EXPECT_FALSE(p.options.malformed);
  EXPECT_TRUE(p.options.cut);
  EXPECT_FALSE(p.options.lacks_window_scale()) << "it may have been there";
  EXPECT_FALSE(p.options.lacks_sack());
  EXPECT_FALSE(p.options.lacks_mss());
  EXPECT_EQ(p.tcp_header_len, 36);
  EXPECT_EQ(p.payload_len, 1000u);
  EXPECT_TRUE(p.payload.empty());
}

}  // namespace
}  // namespace slowpath::wire

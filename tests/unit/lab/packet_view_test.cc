// SPDX-License-Identifier: Apache-2.0
// Headers found, and edits whose checksums are judged by plain sums.
#include "lab/packet_view.h"

#include <random>

#include <gtest/gtest.h>

#include "support/lab/stage_test_context.h"
#include "wire/packet.h"

namespace slowpath::lab {
namespace {

using namespace slowpath::test;

TEST(PacketView, finds_tcp) {
  FramePool pool;
  for (const bool ipv6 : {false, true}) {
    const FramePtr frame = tcp_frame(pool, ack | psh, 77, {.seq = 5, .ack = 6, .ipv6 = ipv6});
    const PacketView packet = view(*frame);
    const unsigned ip = ipv6 ? 40 : 20;
    EXPECT_EQ(packet.ip_version, ipv6 ? 6 : 4);
    EXPECT_TRUE(packet.is_tcp);
    EXPECT_TRUE(packet.dont_fragment);
    EXPECT_FALSE(packet.is_fragment);
    EXPECT_EQ(packet.ip_offset, 14);
    EXPECT_EQ(packet.l4_offset, 14 + ip);
    EXPECT_EQ(packet.payload_offset, 14 + ip + 32);
    EXPECT_EQ(packet.payload_len, 77U);
    EXPECT_EQ(packet.ip_len, ip + 32 + 77);
    EXPECT_EQ(packet.tcp_flags, wire::kAck | wire::kPsh);
    EXPECT_EQ(packet.source_port, 5001);
    EXPECT_EQ(packet.destination_port, 40000);
    EXPECT_EQ(packet.sequence, 5U);
    EXPECT_EQ(packet.acknowledgment, 6U);
    EXPECT_EQ(packet.window, 512);
  }
}

TEST(PacketView, finds_fragments) {
  FramePool pool;
  for (const bool ipv6 : {false, true}) {
    const Look look{.ip_id = 9, .ipv6 = ipv6};
    const PacketView first = view(*fragment_frame(pool, 0, true, 800, look));
    EXPECT_TRUE(first.is_fragment);
    EXPECT_TRUE(first.more_fragments);
    EXPECT_EQ(first.source_port, 5001);
    EXPECT_EQ(first.ip_id, 9);
    EXPECT_EQ(first.protocol, 17);
    const PacketView last = view(*fragment_frame(pool, 808, false, 100, look));
    EXPECT_TRUE(last.is_fragment);
    EXPECT_FALSE(last.more_fragments);
    EXPECT_EQ(last.fragment_offset, 808);
    EXPECT_EQ(last.source_port, 0);
    EXPECT_EQ(last.payload_len, 100U);
    EXPECT_EQ(last.payload_offset, last.l4_offset);
  }
}

TEST(PacketView, stays_inside_whatever_the_bytes_are) {
  FramePool pool;
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    const FramePtr whole = round % 2 == 0 ? tcp_frame(pool, ack, 30, {.ipv6 = round % 4 == 0})
                                          : echo_frame(pool, 9, {.ipv6 = round % 3 == 0});
    const FramePtr frame = pool.make(static_cast<std::uint32_t>(random() % (whole->len + 1)));
    std::memcpy(frame->data, whole->data, frame->len);
    for (int flips = 0; flips < 3 && frame->len > 12; ++flips) {
      frame->data[12 + random() % (frame->len - 12)] = static_cast<std::byte>(random());
    }
    const PacketView packet = view(*frame);
    ASSERT_LE(packet.payload_offset, frame->len);
    ASSERT_LE(packet.l4_offset, packet.payload_offset);
    ASSERT_GE(packet.payload_offset - packet.l4_offset, packet.is_tcp ? 20 : 0);
    if (packet.ip_version == 0) {
      ASSERT_FALSE(packet.is_tcp);
    } else {
      ASSERT_EQ(packet.payload_offset + packet.payload_len, frame->len);
    }
    find_tcp_option(*frame, packet, 8);
    blank_tcp_option(*frame, packet, 3);
  }
}

TEST(PacketView, leaves_what_is_not_ip) {
  FramePool pool;
  const FramePtr arp = pool.make(42);
  std::fill_n(arp->data, 42, std::byte{0});
  store_be16(arp->data + 12, 0x0806);
  EXPECT_EQ(view(*arp).ip_version, 0);
  EXPECT_EQ(view(*frame_of(pool, packet().ethernet().vlan(5).ipv4("10.0.0.1", "10.0.0.2").tcp(ack)))
                .ip_version,
            0);
}

TEST(PacketView, edits_keep_checksums_right) {
  FramePool pool;
  for (const bool ipv6 : {false, true}) {
    for (const bool partial : {false, true}) {
      const FramePtr frame = tcp_frame(pool, ack, 101, {.ipv6 = ipv6, .partial_checksum = partial});
      const PacketView packet = view(*frame);
      ASSERT_TRUE(checksums_right(*frame));
      set_l4_field16(*frame, packet, static_cast<std::uint16_t>(packet.l4_offset + 14), 4321);
      set_l4_field32(*frame, packet, static_cast<std::uint16_t>(packet.l4_offset + 4), 0xfffffffeU);
      // At an odd offset, as an option behind one NOP is.
      set_l4_field16(*frame, packet, static_cast<std::uint16_t>(packet.payload_offset + 3), 0xabcd);
      EXPECT_TRUE(checksums_right(*frame));
      EXPECT_EQ(view(*frame).window, 4321);
      EXPECT_EQ(view(*frame).sequence, 0xfffffffeU);
      EXPECT_EQ(frame->vnet.needs_checksum(), partial);
      complete_checksum(*frame);
      EXPECT_FALSE(frame->vnet.needs_checksum());
      EXPECT_TRUE(checksums_right(*frame));
    }
  }
}

TEST(PacketView, rewrites_addresses) {
  FramePool pool;
  for (const bool partial : {false, true}) {
    const FramePtr frame = tcp_frame(pool, ack, 10, {.partial_checksum = partial});
    set_ip4_address(*frame, view(*frame), true, 0xc0a80105);
    set_ip4_address(*frame, view(*frame), false, 0xffffffff);
    EXPECT_TRUE(checksums_right(*frame));
    EXPECT_EQ(load_be32(frame->data + 26), 0xc0a80105U);
    EXPECT_EQ(load_be32(frame->data + 30), 0xffffffffU);
  }
  const FramePtr datagram = udp_frame(pool, 33);
  set_ip4_address(*datagram, view(*datagram), true, 0x01020304);
  EXPECT_TRUE(checksums_right(*datagram));
  const FramePtr echo = echo_frame(pool, 8);
  set_ip4_address(*echo, view(*echo), false, 0x01020304);
  EXPECT_TRUE(checksums_right(*echo));
}

TEST(PacketView, computes_whole_checksums) {
  FramePool pool;
  for (const bool ipv6 : {false, true}) {
    const Look look{.ipv6 = ipv6};
    for (const auto& frame :
         {tcp_frame(pool, ack, 101, look).release(), udp_frame(pool, 33, look).release(),
          echo_frame(pool, 21, look).release()}) {
      const FramePtr owned(frame);
      owned->data[owned->len - 1] ^= std::byte{0x55};
      EXPECT_FALSE(checksums_right(*owned));
      finish_l4_checksum(*owned, view(*owned));
      EXPECT_TRUE(checksums_right(*owned));
    }
  }
  const FramePtr frame = tcp_frame(pool, ack, 0);
  frame->data[22] = std::byte{3};  // TTL
  EXPECT_FALSE(checksums_right(*frame));
  finish_ip_header(*frame, view(*frame));
  EXPECT_TRUE(checksums_right(*frame));
}

TEST(PacketView, does_not_believe_a_lying_offload_header) {
  FramePool pool;
  const FramePtr frame = tcp_frame(pool, ack, 0, {.partial_checksum = true});
  frame->vnet.csum_start = 65000;
  complete_checksum(*frame);
  EXPECT_FALSE(frame->vnet.needs_checksum());
}

TEST(PacketView, finds_and_blanks_options) {
  FramePool pool;
  const FramePtr frame = syn_frame(pool);
  const PacketView packet = view(*frame);
  for (const std::uint8_t kind : std::initializer_list<std::uint8_t>{2, 4, 8, 3}) {
    const std::uint16_t at = find_tcp_option(*frame, packet, kind);
    ASSERT_GT(at, packet.l4_offset);
    EXPECT_EQ(load_u8(frame->data + at), kind);
  }
  EXPECT_EQ(find_tcp_option(*frame, packet, 5), 0);
  EXPECT_TRUE(blank_tcp_option(*frame, packet, 3));  // three bytes, odd
  EXPECT_EQ(find_tcp_option(*frame, packet, 3), 0);
  EXPECT_TRUE(checksums_right(*frame));
  EXPECT_TRUE(blank_tcp_option(*frame, packet, 8));
  EXPECT_FALSE(blank_tcp_option(*frame, packet, 8));
  EXPECT_TRUE(checksums_right(*frame));
  EXPECT_NE(find_tcp_option(*frame, packet, 2), 0);
  EXPECT_NE(find_tcp_option(*frame, packet, 4), 0);
}

}  // namespace
}  // namespace slowpath::lab

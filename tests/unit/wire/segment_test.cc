// SPDX-License-Identifier: Apache-2.0
// Cut segments against headers that packet_builder writes by itself, and against tshark.
#include "wire/segment.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include <gtest/gtest.h>

#include "support/packet_builder.h"
#include "wire/packet.h"

namespace slowpath::wire {
namespace {

using namespace slowpath::test;

struct Shape {
  bool ipv6 = false;
  std::uint32_t seq = 1000;
  std::uint16_t id = 7;
  Flags flags = ack;
  bool options = true;
};

Buffer pattern(std::size_t len) {
  Buffer bytes(len);
  for (std::size_t i = 0; i < len; ++i) bytes[i] = static_cast<std::byte>(i * 31 + i / 251);
  return bytes;
}

/// The frame as it should be, written by the builder: the oracle, and with a partial sum the
/// super-frame.
Buffer built(const Shape& shape, Buffer payload, ChecksumKind kind = ChecksumKind::right) {
  PacketBuilder builder;
  builder.ethernet();
  if (shape.ipv6) {
    builder.ipv6("fd00::1", "fd00::2", ttl(61), tos(2));
  } else {
    builder.ipv4("10.0.0.1", "10.0.0.2", ttl(61), tos(2), ip_id(shape.id));
  }
  builder.tcp(shape.flags, ports(5001, 40000), seq(shape.seq), ack_number(77), window(501),
              checksum(kind), [&](TcpFields& tcp) {
                if (shape.options) timestamps(11, 22)(tcp);
              });
  return builder.payload(std::move(payload)).bytes();
}

SuperSegment layout(const Shape& shape, const Buffer& frame, std::uint16_t segment_payload) {
  SuperSegment found;
  found.ip_offset = 14;
  found.tcp_offset = static_cast<std::uint16_t>(14 + (shape.ipv6 ? 40 : 20));
  found.payload_offset = static_cast<std::uint16_t>(found.tcp_offset + (shape.options ? 32 : 20));
  found.payload_len = static_cast<std::uint32_t>(frame.size() - found.payload_offset);
  found.segment_payload = segment_payload;
  found.is_ipv6 = shape.ipv6;
  return found;
}

Buffer cut(const Buffer& super, const SuperSegment& found, std::uint32_t index,
           SegmentChecksum kind = SegmentChecksum::complete,
           std::uint32_t payload_of = UINT32_MAX) {
  Buffer out(std::size_t{found.payload_offset} + found.segment_payload);
  out.resize(cut_segment(super, found, index, kind, out, payload_of));
  return out;
}

Buffer part(const Buffer& bytes, std::size_t begin, std::size_t len) {
  const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(begin);
  return {first, first + static_cast<std::ptrdiff_t>(std::min(len, bytes.size() - begin))};
}

/// Every segment of a super-frame, byte for byte what the builder makes of its part.
void expect_cut_right(const Shape& shape, std::size_t payload_len, std::uint16_t mss) {
  const Buffer payload = pattern(payload_len);
  const Buffer super = built(shape, payload, ChecksumKind::partial);
  const SuperSegment found = layout(shape, super, mss);
  const std::uint32_t count = segment_count(found);
  ASSERT_EQ(count, std::max<std::size_t>(1, (payload_len + mss - 1) / mss));
  for (std::uint32_t i = 0; i < count; ++i) {
    Shape one = shape;
    one.seq = shape.seq + i * mss;
    one.id = static_cast<std::uint16_t>(shape.id + i);
    if (i + 1 < count) one.flags.bits = static_cast<std::uint8_t>(one.flags.bits & ~(kFin | kPsh));
    if (i > 0) one.flags.bits = static_cast<std::uint8_t>(one.flags.bits & ~kCwr);
    const Buffer bytes = part(payload, std::size_t{i} * mss, mss);
    EXPECT_EQ(cut(super, found, i), built(one, bytes)) << "segment " << i << " of " << count;
    EXPECT_EQ(cut(super, found, i, SegmentChecksum::partial),
              built(one, bytes, ChecksumKind::partial));
  }
}

TEST(Segment, cuts_as_the_builder_builds) {
  for (const bool ipv6 : {false, true}) {
    expect_cut_right({.ipv6 = ipv6}, 5000, 1448);
    expect_cut_right({.ipv6 = ipv6, .options = false}, 5001, 1461);  // odd lengths
    expect_cut_right({.ipv6 = ipv6}, 2896, 1448);                    // no short last one
    expect_cut_right({.ipv6 = ipv6}, 100, 1448);                     // one segment
    expect_cut_right({.ipv6 = ipv6}, 0, 1448);
    expect_cut_right({.ipv6 = ipv6}, 2000, 1);
    expect_cut_right({.ipv6 = ipv6}, 65400, 8948);
  }
}

TEST(Segment, shares_flags_out) {
  for (const bool ipv6 : {false, true}) {
    expect_cut_right({.ipv6 = ipv6, .flags = ack | psh | fin | cwr | ece}, 4000, 1448);
    expect_cut_right({.ipv6 = ipv6, .flags = ack | psh | cwr}, 1000, 1448);
  }
}

TEST(Segment, wraps_identification_and_sequence) {
  expect_cut_right({.seq = 0xfffffa00, .id = 0xfffe}, 9000, 1448);
  expect_cut_right({.ipv6 = true, .seq = 0xffffffff}, 9000, 1448);
}

TEST(Segment, sums_the_wrong_length_if_asked) {
  const Shape shape;
  const Buffer super = built(shape, pattern(3000), ChecksumKind::partial);
  const SuperSegment found = layout(shape, super, 1448);
  for (std::uint32_t i = 0; i < 3; ++i) {
    const Buffer bytes = cut(super, found, i, SegmentChecksum::wrong_seed);
    Packet packet;
    decode({.bytes = bytes, .original_len = static_cast<std::uint32_t>(bytes.size())}, packet);
    EXPECT_EQ(verify_checksum(packet), ChecksumState::bad);
    // Constant where a fixed thing is summed wrongly: the difference of the lengths.
    const auto own = static_cast<std::uint32_t>(bytes.size()) - found.payload_offset;
    EXPECT_EQ(checksum_error(packet), static_cast<std::uint16_t>(~(3000 - own)));
  }
}

TEST(Segment, takes_a_stale_payload_if_asked) {
  const Shape shape;
  const Buffer payload = pattern(3000);
  const Buffer super = built(shape, payload, ChecksumKind::partial);
  const Buffer stale = cut(super, layout(shape, super, 1448), 2, SegmentChecksum::complete, 1);
  Shape last = shape;
  last.seq += 2 * 1448;
  last.id = static_cast<std::uint16_t>(last.id + 2);
  EXPECT_EQ(stale, built(last, part(payload, 1448, 3000 - 2896)));
}

TEST(Segment, merged_again_is_what_was_cut) {
  for (const bool ipv6 : {false, true}) {
    for (const std::size_t len : {2896U, 3001U, 65000U}) {
      const Shape shape{.ipv6 = ipv6, .seq = 0xfffff000, .id = 0xfff0, .flags = ack | psh};
      const Buffer super = built(shape, pattern(len), ChecksumKind::partial);
      const SuperSegment found = layout(shape, super, 1448);
      Buffer held = cut(super, found, 0);
      SuperSegment held_layout = layout(shape, held, 1448);
      auto used = static_cast<std::uint32_t>(held.size());
      held.resize(70000);
      for (std::uint32_t i = 1; i < segment_count(found); ++i) {
        const Buffer next = cut(super, found, i);
        const SuperSegment next_layout = layout(shape, next, 1448);
        ASSERT_TRUE(can_merge(Bytes(held).first(used), held_layout, next, next_layout)) << i;
        used = merge_segment(held, used, held_layout, next, next_layout);
      }
      held.resize(used);
      EXPECT_EQ(held, super);
    }
  }
}

TEST(Segment, merges_nothing_that_differs) {
  const Shape shape;
  const auto next_shape = [&](auto change) {
    Shape next = shape;
    next.seq += 1000;
    next.id = 8;
    change(next);
    return next;
  };
  const auto merges = [&](const Shape& first, const Shape& next, std::size_t next_len = 1000,
                          std::size_t first_len = 1000) {
    const Buffer a = built(first, pattern(first_len)), b = built(next, pattern(next_len));
    return can_merge(a, layout(first, a, 1000), b, layout(next, b, 1000));
  };
  EXPECT_TRUE(merges(shape, next_shape([](Shape&) {})));
  EXPECT_TRUE(merges(shape, next_shape([](Shape& next) { next.flags = ack | psh; })));
  EXPECT_TRUE(merges(shape, next_shape([](Shape&) {}), 1));
  EXPECT_FALSE(merges(shape, next_shape([](Shape& next) { next.seq += 1; })));
  EXPECT_FALSE(merges(shape, next_shape([](Shape& next) { next.flags = ack | fin; })));
  EXPECT_FALSE(merges(shape, next_shape([](Shape& next) { next.flags = ack | ece; })));
  EXPECT_FALSE(merges(shape, next_shape([](Shape& next) { next.options = false; })));
  EXPECT_FALSE(merges(shape, next_shape([](Shape& next) { next.ipv6 = true; })));
  EXPECT_FALSE(merges(shape, next_shape([](Shape&) {}), 0));
  EXPECT_FALSE(merges(shape, next_shape([](Shape&) {}), 1001));  // larger than a segment
  Shape pushed = shape;
  pushed.flags = ack | psh;
  EXPECT_FALSE(merges(pushed, next_shape([](Shape&) {})));
  // Held ended by a short segment.
  EXPECT_FALSE(merges(shape, next_shape([](Shape& next) { next.seq += 500; }), 1000, 1500));
  // Together more than an IP packet can say.
  EXPECT_FALSE(merges(shape, next_shape([](Shape& next) { next.seq += 64000; }), 1000, 65000));
  EXPECT_TRUE(merges(shape, next_shape([](Shape& next) { next.seq += 63000; }), 1000, 64000));
  // TTL, ToS, another option value, window, acknowledgment, port, a fragment: byte by byte.
  const Shape next = next_shape([](Shape&) {});
  const Buffer a = built(shape, pattern(1000));
  for (const std::size_t at : {15U, 20U, 22U, 26U, 35U, 45U, 46U, 49U, 52U, 58U, 65U}) {
    Buffer b = built(next, pattern(1000));
    b[at] ^= std::byte{0x20};
    EXPECT_FALSE(can_merge(a, layout(shape, a, 1000), b, layout(next, b, 1000))) << at;
  }
}

/// Classic pcap, Ethernet, so that another program judges.
void write_pcap(const std::filesystem::path& file, const std::vector<Buffer>& frames) {
  std::ofstream out(file, std::ios::binary);
  const auto put = [&](std::uint32_t value) {
    out.write(reinterpret_cast<const char*>(&value), sizeof value);
  };
  for (const std::uint32_t word : {0xa1b2c3d4U, 0x00040002U, 0U, 0U, 262144U, 1U}) put(word);
  for (const auto& frame : frames) {
    const auto len = static_cast<std::uint32_t>(frame.size());
    for (const std::uint32_t word : {1U, 0U, len, len}) put(word);
    out.write(reinterpret_cast<const char*>(frame.data()), static_cast<std::streamsize>(len));
  }
}

TEST(Segment, tshark_finds_the_checksums_right) {
  if (std::system("tshark --version > /dev/null 2>&1") != 0) {
    GTEST_SKIP() << "no tshark (Debian package tshark)";
  }
  std::vector<Buffer> frames;
  for (const bool ipv6 : {false, true}) {
    const Shape shape{.ipv6 = ipv6, .flags = ack | psh | fin};
    const Buffer super = built(shape, pattern(8001), ChecksumKind::partial);
    const SuperSegment found = layout(shape, super, 1448);
    for (std::uint32_t i = 0; i < segment_count(found); ++i) frames.push_back(cut(super, found, i));
  }
  const Shape shape;
  const Buffer super = built(shape, pattern(3000), ChecksumKind::partial);
  frames.push_back(cut(super, layout(shape, super, 1448), 0, SegmentChecksum::wrong_seed));
  const auto directory = std::filesystem::path(testing::TempDir());
  const std::string name = "segment_test." + std::to_string(getpid());
  const auto pcap = directory / (name + ".pcap"), text = directory / (name + ".txt");
  write_pcap(pcap, frames);
  const std::string command =
      "tshark -r " + pcap.string() +
      " -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -T fields -e tcp.checksum.status > " +
      text.string() + " 2>/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::vector<std::string> states;
  std::ifstream in(text);
  for (std::string line; std::getline(in, line);) states.push_back(line);
  ASSERT_EQ(states.size(), frames.size());
  // Wireshark writes 1 (or Good) for right, 0 (or Bad) for wrong.
  const auto right = [](const std::string& state) { return state == "1" || state == "Good"; };
  EXPECT_FALSE(right(states.back()));
  states.pop_back();
  for (const auto& state : states) EXPECT_TRUE(right(state)) << state;
  std::filesystem::remove(pcap);
  std::filesystem::remove(text);
}

}  // namespace
}  // namespace slowpath::wire

// SPDX-License-Identifier: Apache-2.0
// The quick decoder against its twin, which goes through decode(): every wrapping, cut anywhere,
// with any byte changed.
#include "wire/light_packet.h"

#include <array>
#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "samples.h"
#include "support/light_packets.h"
#include "wire/checksum.h"
#include "wire/common_segment.h"

namespace slowpath::test {
namespace {

void compare_common(const wire::Frame& frame, const wire::LightPacket& plain, bool verify,
                    const std::string& what);

void compare(const wire::Frame& frame, const std::string& what) {
  wire::LightPacket quick, plain;
  wire::Packet scratch;
  for (const bool verify : {false, true}) {
    wire::decode_light(frame, verify, quick, scratch);
    wire::decode_light_plain(frame, verify, plain, scratch);
    ASSERT_EQ(difference(quick, plain), "") << what << " of " << frame.bytes.size() << " bytes";
    compare_common(frame, plain, verify, what + " of " + std::to_string(frame.bytes.size()));
  }
  wire::EndsKey key;
  const std::uint64_t hash = wire::hash_of_usual_frame(frame, key);
  if (hash != 0 && plain.kind == wire::PacketKind::tcp) {
    ASSERT_EQ(hash, plain.hash) << what;
    ASSERT_TRUE(key == plain.key) << what;
  }
}

/// What is read in place against what is decoded, of frames that can be.
void compare_common(const wire::Frame& frame, const wire::LightPacket& plain, bool verify,
                    const std::string& what) {
  if (!wire::CommonSegment::is_tcp4(frame)) return;
  const wire::CommonSegment segment(frame);
  if (!segment.is_common() || (segment.flags() & wire::kSyn) != 0) return;
  ASSERT_EQ(plain.kind, wire::PacketKind::tcp) << what;
  const wire::CommonEnds ends = wire::CommonSegment::ends_of(frame);
  ASSERT_TRUE(ends.key() == plain.key && wire::hash_of(ends.key()) == plain.hash) << what;
  ASSERT_EQ(ends.from_lower, plain.from_lower) << what;
  ASSERT_EQ(segment.sequence(), plain.sequence) << what;
  ASSERT_EQ(segment.acknowledgment(), plain.acknowledgment) << what;
  ASSERT_EQ(segment.payload_len(), plain.payload_len) << what;
  ASSERT_EQ(segment.flags(), plain.flags) << what;
  ASSERT_EQ(segment.window(), plain.window) << what;
  ASSERT_EQ(segment.ip_id(), plain.ip_id) << what;
  ASSERT_EQ(segment.has_timestamps(), plain.has_timestamps) << what;
  ASSERT_EQ(segment.congestion_experienced(), plain.congestion_experienced) << what;
  ASSERT_EQ(segment.is_ip_header_bad(), plain.ip_header_bad) << what;
  ASSERT_FALSE(plain.is_fragment || plain.authenticated || plain.sack_count != 0) << what;
  ASSERT_FALSE(plain.len_beyond_frame || plain.ip_len_zero) << what;
  // Good is good; what is not may still be one that was left for the NIC.
  if (verify && segment.is_cut_or_good()) {
    ASSERT_FALSE(plain.checksum_bad) << what;
  }
  wire::Packet packet;
  wire::decode(frame, packet);
  if (wire::verify_checksum(packet) == wire::ChecksumState::good) {
    ASSERT_TRUE(segment.is_cut_or_good()) << what;
  }
}

/// Whether the quick way alone does it: else the comparison would compare decode() with itself.
bool is_usual(const wire::Frame& frame) {
  wire::EndsKey key;
  return wire::hash_of_usual_frame(frame, key) != 0;
}

std::vector<Sample> usual_samples() {
  std::vector<Sample> all;
  const auto add = [&](std::string name, PacketBuilder in) {
    PacketBuilder six = in;
    all.push_back({name + " v4", sample_segment(v4(in)), 0, false});
    all.push_back({name + " v6", sample_segment(v6(six)), 0, true});
  };
  add("ethernet", packet().ethernet());
  add("vlan", packet().ethernet().vlan(7));
  add("sll", packet().linux_sll());
  add("raw", packet());
  all.push_back({"timestamps",
                 packet()
                     .ethernet()
                     .ipv4("10.0.0.9", "10.0.0.2")
                     .tcp(psh | ack, ports(4000, 80), timestamps(11, 12))
                     .payload(1448)
                     .build(),
                 0, false});
  all.push_back({"no options",
                 packet()
                     .ethernet()
                     .ipv4("10.0.0.9", "10.0.0.2", tos(3))
                     .tcp(fin | ack, ports(80, 4000))
                     .build(),
                 0, false});
  for (const ChecksumKind kind : {ChecksumKind::partial, ChecksumKind::partial_no_length,
                                  ChecksumKind::zero, ChecksumKind::wrong}) {
    all.push_back({"checksum",
                   packet()
                       .ethernet()
                       .ipv4("10.0.0.9", "10.0.0.2")
                       .tcp(psh | ack, ports(80, 4000), checksum(kind))
                       .payload(101)
                       .build(),
                   0, false});
  }
  return all;
}

TEST(LightPacket, TheUsualShapesNeedNoCloserLook) {
  for (const Sample& sample : usual_samples()) {
    EXPECT_TRUE(is_usual(sample.built.frame())) << sample.name;
    compare(sample.built.frame(), sample.name);
  }
}

TEST(LightPacket, MostFramesAreReadInPlace) {
  for (const std::size_t len : {0U, 1U, 1448U}) {
    const auto stamped = packet()
                             .ethernet()
                             .ipv4("10.0.0.9", "10.0.0.2", ip_id(7))
                             .tcp(psh | ack, ports(4000, 80), timestamps(11, 12))
                             .payload(len)
                             .build();
    const auto bare = packet()
                          .ethernet()
                          .ipv4("10.0.0.2", "10.0.0.9", ip_id(8))
                          .tcp(ack, ports(80, 4000))
                          .payload(len)
                          .build();
    for (const BuiltFrame* built : {&stamped, &bare}) {
      ASSERT_TRUE(wire::CommonSegment::is_tcp4(built->frame()));
      const wire::CommonSegment segment(built->frame());
      EXPECT_TRUE(segment.is_common() && segment.is_cut_or_good() && !segment.is_ip_header_bad());
      BuiltFrame damaged = *built;
      damaged.bytes[14 + 20 + 8] ^= std::byte{1};
      EXPECT_FALSE(wire::CommonSegment(damaged.frame()).is_cut_or_good());
      damaged.bytes[14 + 8] ^= std::byte{1};
      EXPECT_TRUE(wire::CommonSegment(damaged.frame()).is_ip_header_bad());
    }
  }
}

TEST(LightPacket, OnesComplementIn64BitsIsThatIn16) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::array<std::byte, 32> bytes;
    for (std::byte& byte : bytes) {
      byte = static_cast<std::byte>(random() % 3 == 0 ? 0xff : random() & 0xff);
    }
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
      sum = wire::ones_add64(sum, load_le64(bytes.data() + at));
    }
    ASSERT_EQ(std::byteswap(wire::ones_fold64(sum)), wire::ones_sum_plain(bytes));
    ASSERT_EQ(wire::is_ones_whole(sum), wire::ones_fold64(sum) == 0xffff);
  }
}

TEST(LightPacket, SumsThatAreWholeAreToldFromTheirNeighbours) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t whole = (random() >> (16 + i % 40)) * 0xffff;
    for (const std::uint64_t sum : {whole, whole + 1, whole - 1, ~whole, random()}) {
      if (sum == 0) continue;
      ASSERT_EQ(wire::is_ones_whole(sum), wire::ones_fold64(sum) == 0xffff) << sum;
    }
  }
  EXPECT_TRUE(wire::is_ones_whole(~std::uint64_t{0}));
}

TEST(LightPacket, QuickHashIsThatOfTheKeyInBothDirections) {
  std::mt19937 random(5);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 300; ++i) {
    const auto one = static_cast<std::uint16_t>(random()), other = static_cast<std::uint16_t>(i);
    const std::string near = "10.1." + std::to_string(random() % 256) + ".7", far = "192.168.3.4";
    const auto there = packet().ethernet().ipv4(near, far).tcp(ack, ports(one, other)).build();
    const auto back = packet().ethernet().ipv4(far, near).tcp(ack, ports(other, one)).build();
    const auto hash = wire::CommonSegment::quick_hash(there.frame().bytes);
    EXPECT_EQ(hash, wire::CommonSegment::quick_hash(back.frame().bytes));
    const auto ends = wire::CommonSegment::ends_of(there.frame());
    EXPECT_EQ(hash, wire::CommonSegment::quick_hash(ends.key()));
    seen.insert(hash);
  }
  EXPECT_GT(seen.size(), 290U);
}

TEST(LightPacket, EveryWrappingReadsAsWithTheTwin) {
  for (const Sample& sample : link_samples()) compare(sample.built.frame(), sample.name);
}

TEST(LightPacket, CutAnywhere) {
  for (const Sample& sample : usual_samples()) {
    wire::Frame frame = sample.built.frame();
    const Bytes whole = frame.bytes;
    for (std::size_t len = 0; len <= whole.size(); ++len) {
      frame.bytes = whole.first(len);
      compare(frame, sample.name);
      frame.original_len = static_cast<std::uint32_t>(len);  // And never longer on the wire.
      compare(frame, sample.name);
      frame.original_len = static_cast<std::uint32_t>(whole.size());
    }
  }
}

TEST(LightPacket, AnyByteChanged) {
  std::mt19937 random(1);
  for (const Sample& sample : usual_samples()) {
    for (std::size_t at = 0; at < std::min<std::size_t>(sample.built.bytes.size(), 100); ++at) {
      for (int turn = 0; turn < 40; ++turn) {
        BuiltFrame changed = sample.built;
        changed.bytes[at] = static_cast<std::byte>(random() & 0xff);
        if (turn % 4 == 0) changed.bytes[random() % 40] = static_cast<std::byte>(random() & 0xff);
        compare(changed.frame(), sample.name);
      }
    }
  }
}

TEST(LightPacket, BothDirectionsHaveOneKeyAndItTellsTheEnds) {
  const auto there =
      packet().ethernet().ipv6("2001:db8::1", "2001:db8::2").tcp(ack, ports(4000, 80)).build();
  const auto back =
      packet().ethernet().ipv6("2001:db8::2", "2001:db8::1").tcp(ack, ports(80, 4000)).build();
  wire::LightPacket a, b;
  wire::Packet scratch;
  wire::decode_light(there.frame(), false, a, scratch);
  wire::decode_light(back.frame(), false, b, scratch);
  EXPECT_TRUE(a.key == b.key);
  EXPECT_EQ(a.hash, b.hash);
  EXPECT_NE(a.from_lower, b.from_lower);
  const auto ends = wire::ends_of(a.key);
  const Endpoint client{address("2001:db8::1"), 4000}, server{address("2001:db8::2"), 80};
  EXPECT_EQ(ends[a.from_lower ? 0 : 1], client);
  EXPECT_EQ(ends[a.from_lower ? 1 : 0], server);
}

TEST(LightPacket, AnIpv4KeyTellsItsEnds) {
  const Endpoint client{address("192.0.2.200"), 65535}, server{address("10.1.2.3"), 1};
  bool first_is_lower = true;
  const wire::EndsKey key = wire::key_of(client, server, first_is_lower);
  EXPECT_FALSE(first_is_lower);
  EXPECT_EQ(wire::ends_of(key)[0], server);
  EXPECT_EQ(wire::ends_of(key)[1], client);
}

}  // namespace
}  // namespace slowpath::test

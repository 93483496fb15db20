// SPDX-License-Identifier: Apache-2.0
// Sums against known vectors and the plain twin, and what a stored checksum is called.
#include "wire/checksum.h"

#include <random>

#include <gtest/gtest.h>

#include "support/packet_builder.h"
#include "unit/wire/samples.h"
#include "wire/packet.h"

namespace slowpath::wire {
namespace {

using namespace slowpath::test;

Buffer random_bytes(std::size_t n, std::uint32_t seed) {
  std::mt19937 random(seed);
  Buffer bytes(n);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

TEST(Checksum, agrees_with_known_vectors) {
  // RFC 1071 section 3: the sum of 0001 f203 f4f5 f6f7 is ddf2.
  const Buffer rfc = bytes_of({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7});
  EXPECT_EQ(ones_sum(rfc), 0xddf2);
  EXPECT_EQ(checksum(rfc), 0x220d);
  // An IPv4 header of common fame: its checksum is b861.
  const Buffer header = bytes_of(
      {0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0, 0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7});
  EXPECT_EQ(checksum(header), 0xb861);
  EXPECT_EQ(checksum({}), 0xffff);
  EXPECT_EQ(ones_sum(bytes_of({0x12})), 0x1200);
}

TEST(Checksum, agrees_with_the_plain_twin) {
  const Buffer bytes = random_bytes(3000, 1);
  for (std::size_t len = 0; len < 300; ++len) {
    for (std::size_t begin = 0; begin < 9; ++begin) {
      const Bytes part = Bytes(bytes).subspan(begin, len);
      ASSERT_EQ(ones_sum(part), ones_sum_plain(part)) << begin << "+" << len;
    }
  }
  EXPECT_EQ(ones_sum(bytes), ones_sum_plain(bytes));
  const Buffer ones(65535, std::byte{0xff});
  EXPECT_EQ(ones_sum(ones), ones_sum_plain(ones));
}

TEST(Checksum, is_updated_as_if_summed_anew) {
  Buffer bytes = random_bytes(64, 2);
  const std::uint16_t before = checksum(bytes);
  const std::uint32_t old_field = load_be32(bytes.data() + 8);
  for (std::size_t i = 8; i < 12; ++i) bytes[i] ^= std::byte{0x5a};
  const std::uint32_t new_field = load_be32(bytes.data() + 8);
  EXPECT_EQ(checksum_update32(before, old_field, new_field), checksum(bytes));
  // RFC 1624 section 4: ~(~dd2f + ~5555 + 3285) is 0000, where RFC 1141 had ffff.
  EXPECT_EQ(checksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
}

TEST(Checksum, counts_both_zeros_as_one) {
  EXPECT_EQ(ones_subtract(0xffff, 0), 0);
  EXPECT_EQ(ones_subtract(5, 5), 0);
  EXPECT_EQ(ones_subtract(5, 6), 0xfffe);
  EXPECT_TRUE(ones_equal(0xffff, 0x0000));
  EXPECT_FALSE(ones_equal(1, 0));
}

struct Stored {
  BuiltFrame built;
  Packet packet;
  explicit Stored(PacketBuilder in) : built(in.build()) { decode(built.frame(), packet); }
};

ChecksumState state_of(PacketBuilder in) { return verify_checksum(Stored(in).packet); }

PacketBuilder segment(ChecksumKind kind, std::size_t len = 1001, bool six = false) {
  PacketBuilder in = packet().ethernet();
  return (six ? v6(in) : v4(in)).tcp(ack, seq(9), test::checksum(kind)).payload(len);
}

TEST(VerifyChecksum, names_what_is_stored) {
  for (const bool six : {false, true}) {
    for (const std::size_t len : {0u, 1u, 1001u, 20000u}) {
      EXPECT_EQ(state_of(segment(ChecksumKind::right, len, six)), ChecksumState::good);
      EXPECT_EQ(state_of(segment(ChecksumKind::partial, len, six)), ChecksumState::partial);
      EXPECT_EQ(state_of(segment(ChecksumKind::partial_no_length, len, six)),
                ChecksumState::partial_no_length);
      EXPECT_EQ(state_of(segment(ChecksumKind::zero, len, six)), ChecksumState::zero);
      EXPECT_EQ(state_of(segment(ChecksumKind::wrong, len, six)), ChecksumState::bad);
    }
  }
}

TEST(VerifyChecksum, knows_what_is_left_for_the_nic_without_the_payload) {
  const auto snapped = [](ChecksumKind kind) { return state_of(segment(kind).snap(96)); };
  EXPECT_EQ(snapped(ChecksumKind::right), ChecksumState::unverifiable);
  EXPECT_EQ(snapped(ChecksumKind::wrong), ChecksumState::unverifiable);
  EXPECT_EQ(snapped(ChecksumKind::partial), ChecksumState::partial);
  EXPECT_EQ(snapped(ChecksumKind::partial_no_length), ChecksumState::partial_no_length);
  EXPECT_EQ(snapped(ChecksumKind::zero), ChecksumState::zero);
}

TEST(VerifyChecksum, does_not_judge_what_is_not_all_there) {
  const auto part = [](IpField field) {
    return state_of(packet()
                        .ethernet()
                        .ipv4("10.0.0.1", "10.0.0.2", field)
                        .tcp(ack, test::checksum(ChecksumKind::wrong))
                        .payload(100));
  };
  EXPECT_EQ(part(total_length(140)), ChecksumState::bad);
  EXPECT_EQ(part(total_length(141)), ChecksumState::unverifiable);  // beyond the frame
  EXPECT_EQ(part(fragment(0, true)), ChecksumState::unverifiable);
  Packet udp;
  const BuiltFrame built = packet().ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).build();
  decode(built.frame(), udp);
  EXPECT_EQ(verify_checksum(udp), ChecksumState::not_checked);
}

TEST(VerifyChecksum, takes_the_length_of_a_super_frame_from_the_wire) {
  const Stored super(packet()
                         .ethernet()
                         .ipv4("10.0.0.1", "10.0.0.2", total_length(0))
                         .tcp(ack, test::checksum(ChecksumKind::partial))
                         .payload(70000));
  EXPECT_TRUE(super.packet.ip_len_zero);
  EXPECT_EQ(super.packet.payload_len, 70000u);
  EXPECT_EQ(verify_checksum(super.packet), ChecksumState::partial);
}

// A right sum of 0 may be stored as 0000 or ffff (RFC 1624 section 3 tells how the latter arises).
TEST(VerifyChecksum, takes_either_zero_for_a_right_one) {
  const std::uint16_t sum = Stored(segment(ChecksumKind::right, 0)).packet.checksum;
  const auto with = [&](std::uint16_t stored) {
    // The window takes up the sum, so that the right checksum is zero.
    return state_of(packet()
                        .ethernet()
                        .ipv4("10.0.0.1", "10.0.0.2")
                        .tcp(ack, seq(9), window(ones_add(65535, sum)), stored_checksum(stored)));
  };
  EXPECT_EQ(with(0x0000), ChecksumState::good);
  EXPECT_EQ(with(0xffff), ChecksumState::good);
  EXPECT_EQ(with(0x0001), ChecksumState::bad);
}

TEST(ChecksumError, is_stored_less_correct) {
  const std::uint16_t right = Stored(segment(ChecksumKind::right)).packet.checksum;
  const auto error = [&](std::uint16_t stored) {
    return checksum_error(
        Stored(v4(packet().ethernet()).tcp(ack, seq(9), stored_checksum(stored)).payload(1001))
            .packet);
  };
  EXPECT_EQ(error(right), 0);
  EXPECT_EQ(error(ones_add(right, 1)), 1);
  EXPECT_EQ(error(ones_add(right, 0x1234)), 0x1234);
  EXPECT_EQ(error(ones_add(right, 0xfffe)), 0xfffe);  // one less
  EXPECT_EQ(checksum_error(Stored(segment(ChecksumKind::wrong).snap(90)).packet), 0);
}

}  // namespace
}  // namespace slowpath::wire

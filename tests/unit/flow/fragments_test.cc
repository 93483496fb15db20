// SPDX-License-Identifier: Apache-2.0
// Fragments joined into packets, and what became of fragmented datagrams.
#include "flow/fragments.h"

#include <array>

#include <gtest/gtest.h>

#include "support/exchange.h"

namespace slowpath::flow {
namespace {

using namespace std::chrono_literals;

class FragmentsTest : public ::testing::Test {
 protected:
  /// A fragment of a datagram that begins with a TCP header of 20 bytes.
  std::optional<wire::Packet> add(std::uint32_t id, std::uint32_t offset, std::uint32_t len,
                                  bool more, std::uint32_t host = 0, std::uint8_t header = 1) {
    const std::array<std::byte, 8> transport{std::byte{0}, std::byte{header}};
    wire::Packet packet;
    packet.kind = offset == 0 ? wire::PacketKind::tcp : wire::PacketKind::fragment;
    // As the decoder leaves them: only the first piece has a transport header.
    if (offset == 0) packet.transport = transport;
    packet.payload = transport;
    packet.is_fragment = true;
    packet.more_fragments = more;
    packet.fragment_offset = offset;
    packet.source = test::address("10.0.0.1");
    packet.source.bytes[2] = static_cast<std::uint8_t>(host);
    packet.source.bytes[1] = static_cast<std::uint8_t>(host >> 8);
    packet.destination = test::address("10.0.0.2");
    packet.protocol = protocol;
    packet.ip_id = id;
    packet.ip_header_len = 20;
    packet.tcp_header_len = 20;
    packet.ip_total_len = 20 + len;
    packet.ip_header_checksum_bad = header_checksum_bad;
    frame.time += 1us;
    ++frame.number;
    return fragments.add(frame, packet);
  }
  FragmentFacts facts() {
    std::vector<PathFacts> paths;
    fragments.finish(paths);
    return paths.at(0).fragments[0];
  }

  bool header_checksum_bad = false;
  std::uint8_t protocol = 6;
  Fragments fragments;
  wire::Frame frame;
};

TEST_F(FragmentsTest, JoinToOnePacket) {
  EXPECT_FALSE(add(7, 0, 1480, true));
  EXPECT_FALSE(add(7, 1480, 1480, true));
  const auto joined = add(7, 2960, 500, false);
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->payload_len, 3460u - 20);
  EXPECT_EQ(joined->ip_total_len, 3480u);
  EXPECT_TRUE(joined->payload.empty());
  const FragmentFacts f = facts();
  EXPECT_EQ(f.fragments, 3u);
  EXPECT_EQ(f.complete, 1u);
  EXPECT_EQ(f.out_of_order, 0u);
  EXPECT_EQ(f.incomplete, 0u);
}

TEST_F(FragmentsTest, WhatNeverCameWholeIsCountedByWhatThereIsOfIt) {
  protocol = 17;
  add(7, 0, 1480, true);
  add(8, 1480, 100, false);
  const FragmentFacts f = facts();
  EXPECT_EQ(f.incomplete, 2u);
  EXPECT_EQ(f.first_only, 1u);
  EXPECT_EQ(f.garbled, 0u);
}

// Bit errors make fragments of packets that are none.
TEST_F(FragmentsTest, AHeaderThatFailsItsChecksumIsNoWitness) {
  header_checksum_bad = true;
  add(7, 2720, 62, true);
  const FragmentFacts f = facts();
  EXPECT_EQ(f.incomplete, 0u);
  EXPECT_EQ(f.garbled, 1u);
}

TEST_F(FragmentsTest, TheLastMayComeFirst) {
  EXPECT_FALSE(add(7, 1480, 100, false));
  EXPECT_TRUE(add(7, 0, 1480, true));
  EXPECT_EQ(facts().out_of_order, 1u);
}

TEST_F(FragmentsTest, CopiesFromAnotherTapAreNoFurtherDatagram) {
  for (const std::uint32_t offset : {0u, 1480u}) {
    for (int tap = 0; tap < 2; ++tap) add(7, offset, offset == 0 ? 1480 : 100, offset == 0);
  }
  const FragmentFacts f = facts();
  EXPECT_EQ(f.fragments, 2u);
  EXPECT_EQ(f.datagrams, 1u);
  EXPECT_EQ(f.complete, 1u);
  EXPECT_EQ(f.incomplete, 0u);
  EXPECT_EQ(f.out_of_order, 0u);
}

TEST_F(FragmentsTest, AnIdUsedAgainMuchLaterIsAnotherDatagram) {
  add(7, 0, 1480, true);
  frame.time += 100s;
  add(7, 0, 1480, true);
  EXPECT_TRUE(add(7, 1480, 100, false));
  const FragmentFacts f = facts();
  EXPECT_EQ(f.datagrams, 2u);
  EXPECT_EQ(f.incomplete, 1u);
}

TEST_F(FragmentsTest, AnIdUsedAgainWhileAPieceIsMissingMixesTwoDatagrams) {
  add(7, 0, 1480, true);
  frame.time += 2s;
  add(7, 0, 1480, true, 0, 2);
  EXPECT_TRUE(add(7, 1480, 100, false, 0, 2));
  const FragmentFacts f = facts();
  EXPECT_EQ(f.id_reuses, 1u);
  EXPECT_EQ(f.id_reuses_open, 1u);
  EXPECT_NEAR(f.id_reuse_shortest_s, 2, 0.001);
  EXPECT_EQ(f.id_reuse_frames.count, 1u);
  EXPECT_EQ(f.datagrams, 2u);
  EXPECT_EQ(f.incomplete, 1u);
}

TEST_F(FragmentsTest, AfterALostFirstPieceEachRestIsJoinedWithTheNextFirstPiece) {
  add(7, 1480, 100, false, 0, 1);
  for (std::uint8_t datagram = 2; datagram < 6; ++datagram) {
    frame.time += 10ms;
    add(7, 0, 1480, true, 0, datagram);
    add(7, 1480, 100, false, 0, datagram);
  }
  EXPECT_EQ(facts().id_reuses_open, 4u);
}

TEST_F(FragmentsTest, AnIdUsedAgainAfterAWholeDatagramMixesNothing) {
  add(7, 0, 1480, true);
  EXPECT_TRUE(add(7, 1480, 100, false));
  add(7, 0, 1480, true, 0, 2);
  EXPECT_TRUE(add(7, 1480, 100, false, 0, 2));
  const FragmentFacts f = facts();
  EXPECT_EQ(f.id_reuses, 1u);
  EXPECT_EQ(f.id_reuses_open, 0u);
  EXPECT_EQ(f.complete, 2u);
}

TEST_F(FragmentsTest, RestsThatOvertakeTheirOwnFirstPieceAreNotMixed) {
  for (std::uint8_t datagram = 1; datagram < 6; ++datagram) {
    frame.time += 10ms;
    add(7, 1480, 100, false, 0, datagram);
    add(7, 0, 1480, true, 0, datagram);
  }
  const FragmentFacts f = facts();
  EXPECT_EQ(f.id_reuses, 4u);
  EXPECT_EQ(f.id_reuses_open, 0u);
}

TEST_F(FragmentsTest, CrumbsOfManyDatagramsAreBoundedTogether) {
  constexpr std::uint32_t kPieces = 8000;
  const auto datagrams = static_cast<std::uint32_t>(Fragments::kMaxOpenPieces / kPieces + 4);
  for (std::uint32_t id = 0; id < datagrams; ++id) {
    // The last piece never comes.
    for (std::uint32_t i = 0; i < kPieces; ++i) add(id, 8 * i, 8, true);
    EXPECT_LE(fragments.open_pieces(), Fragments::kMaxOpenPieces);
  }
  // The newest are still open and become whole.
  EXPECT_TRUE(add(datagrams - 1, 8 * kPieces, 8, false));
  const FragmentFacts f = facts();
  EXPECT_EQ(f.datagrams, datagrams);
  EXPECT_EQ(f.complete, 1u);
  EXPECT_EQ(f.incomplete, datagrams - 1);
}

TEST_F(FragmentsTest, AFloodOfOpenOnesIsBoundedAndCounted) {
  constexpr std::uint32_t kFlood = 200'000;
  for (std::uint32_t i = 0; i < kFlood; ++i) add(i, 8, 8, true, i % 65'536);
  std::vector<PathFacts> paths;
  fragments.finish(paths);
  EXPECT_LE(paths.size(), Fragments::kMaxPairs);
  EXPECT_EQ(fragments.fragments(), kFlood);
  std::uint64_t incomplete = 0;
  for (const PathFacts& path : paths)
    incomplete += path.fragments[0].incomplete + path.fragments[1].incomplete;
  EXPECT_GT(incomplete, Fragments::kMaxPairs);
}

}  // namespace
}  // namespace slowpath::flow

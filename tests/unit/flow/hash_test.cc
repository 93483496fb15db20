// SPDX-License-Identifier: Apache-2.0
// The hash of a four-tuple: nobody who chooses addresses makes all of them fall together.
#include <array>
#include <set>

#include <gtest/gtest.h>

#include "flow/flow_table.h"
#include "support/packet_builder.h"
#include "wire/ends_key.h"

namespace slowpath::flow {
namespace {

/// `word` as one half of an IPv6 address, `number` as the other.
Endpoint end_of(std::uint64_t word, std::uint64_t number, bool in_network) {
  Endpoint end{test::address("2001:db8::1"), 443};
  // As hash_of() loads them: in the machine's order, and in the network's.
  for (std::size_t i = 0; i < 8; ++i) {
    const auto at = static_cast<unsigned>(8 * i);
    end.address.bytes[in_network ? i : 8 + i] = static_cast<std::uint8_t>(word >> at);
    end.address.bytes[in_network ? 8 + i : i] = static_cast<std::uint8_t>(number >> at);
  }
  return end;
}

TEST(HashOfEnds, AddressesThatCancelTheMultipliersDoNotFallTogether) {
  constexpr std::uint64_t kMany = 1000;
  const Endpoint server{test::address("fd00::1"), 443};
  constexpr std::uint64_t kMultipliers[] = {0x9e3779b97f4a7c15U, 0xc2b2ae3d27d4eb4fU,
                                            0x157c4a7fb979379eU, 0x4febd4273daeb2c2U};
  for (std::size_t n = 0; n < 3 * std::size(kMultipliers); ++n) {
    // A factor of zero, and of one: in the machine's order, and in the network's.
    constexpr std::uint64_t kMakes[] = {0, 1, std::uint64_t{1} << 56};
    const std::uint64_t word = kMultipliers[n / 3] ^ kMakes[n % 3];
    for (const bool in_network : {true, false}) {
      std::set<std::uint64_t> hashes, light;
      for (std::uint64_t i = 1; i <= kMany; ++i) {
        const Endpoint client = end_of(word, i, in_network);
        bool unused = false;
        hashes.insert(hash_of(client, server));
        light.insert(wire::hash_of(wire::key_of(client, server, unused)));
      }
      EXPECT_EQ(hashes.size(), kMany) << word << in_network;
      EXPECT_EQ(light.size(), kMany) << word << in_network;
    }
  }
}

/// The step of a hash that anybody can compute, and so undo.
std::uint64_t known_step(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
  return hash ^ hash >> 32;
}

TEST(HashOfEnds, AddressesMadeForAKnownHashDoNotFallTogether) {
  constexpr std::uint64_t kMany = 1000;
  const Endpoint server{test::address("fd00::1"), 443};
  for (const std::uint64_t begin : {0, 4, 6}) {
    for (const bool reverse : {false, true}) {
      std::set<std::uint64_t> hashes, light;
      for (std::uint64_t i = 1; i <= kMany; ++i) {
        // What the first half makes of the hash, the second takes back.
        const std::uint64_t first = reverse ? __builtin_bswap64(i) : i;
        const std::uint64_t second = known_step(begin, i);
        const Endpoint client = end_of(first, reverse ? __builtin_bswap64(second) : second, true);
        bool unused = false;
        hashes.insert(hash_of(client, server));
        light.insert(wire::hash_of(wire::key_of(client, server, unused)));
      }
      EXPECT_EQ(hashes.size(), kMany) << begin << reverse;
      EXPECT_EQ(light.size(), kMany) << begin << reverse;
    }
  }
}

TEST(HashOfEnds, ShardsAreTheSameInEveryProcessAndEvenlyUsed) {
  constexpr std::size_t kMany = 64'000;
  const Endpoint server{test::address("192.0.2.1"), 443};
  std::array<std::size_t, 64> used{};
  for (std::uint32_t i = 0; i < kMany; ++i) {
    Endpoint client{test::address("10.0.0.1"), static_cast<std::uint16_t>(1024 + i % 60'000)};
    client.address.bytes[2] = static_cast<std::uint8_t>(i / 1000);
    bool unused = false;
    const wire::EndsKey key = wire::key_of(client, server, unused);
    ++used[wire::shard_of(key)];
    ASSERT_EQ(wire::hash_of(key) >> 58, wire::shard_of(key));
  }
  for (const std::size_t count : used) EXPECT_NEAR(static_cast<double>(count), 1000, 250);
  bool unused = false;
  EXPECT_EQ(wire::shard_of(wire::key_of({test::address("10.0.0.1"), 1024}, server, unused)), 26U);
}

}  // namespace
}  // namespace slowpath::flow

// SPDX-License-Identifier: Apache-2.0
// A four-tuple in a form that is the same for both directions, quick to make, compare and hash.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "base/hash_seed.h"
#include "facts/address.h"

namespace slowpath::wire {

/// Both ends of a connection in an order that does not depend on who speaks: the lower first.
/// IPv4: two words, address << 16 | port. IPv6: two words for each address, then both ports.
struct EndsKey {
  std::array<std::uint64_t, 5> words;
  std::uint8_t version;  // 4 or 6; 0: none

  friend bool operator==(const EndsKey& a, const EndsKey& b) {
    if (a.version != b.version || ((a.words[0] ^ b.words[0]) | (a.words[1] ^ b.words[1])) != 0) {
      return false;
    }
    return a.version == 4 ||
           ((a.words[2] ^ b.words[2]) | (a.words[3] ^ b.words[3]) | (a.words[4] ^ b.words[4])) == 0;
  }
};

/// The key of two ends; `first_is_lower` says which of them comes first in it.
EndsKey key_of(const Endpoint& first, const Endpoint& second, bool& first_is_lower);
/// And back. Lower end first.
std::array<Endpoint, 2> ends_of(const EndsKey& key);

/// One of 64, the same in every process: which connections lie together decides which are let go
/// when memory ends, and that is a part of the answer.
inline std::uint64_t shard_of(const EndsKey& key) {
  const auto turned = [](std::uint64_t word, int by) { return std::rotl(word, by); };
  std::uint64_t all = key.words[0] ^ turned(key.words[1], 7);
  if (key.version != 4) {
    all ^= turned(key.words[2], 19) ^ turned(key.words[3], 31) ^ turned(key.words[4], 43);
  }
  return all * 0x9e3779b97f4a7c15U >> 58;  // Odd: 2^64 over the golden ratio.
}

/// 64 bits; never 0. The highest six are shard_of(key); the others, but for the lowest, are well
/// mixed and belong to this process (base/hash_seed.h).
inline std::uint64_t hash_of(const EndsKey& key) {
  std::uint64_t hash = seeded_hash(key.words[0], key.words[1]);
  if (key.version != 4) {
    hash = seeded_hash(hash ^ key.words[2], key.words[3]);
    hash = seeded_hash(hash, key.words[4]);
  }
  hash = seeded_hash(hash, key.version);
  return shard_of(key) << 58 | (hash & ~(std::uint64_t{63} << 58)) | 1;
}

}  // namespace slowpath::wire

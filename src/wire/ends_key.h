// SPDX-License-Identifier: Apache-2.0
// A four-tuple in a form that is the same for both directions, quick to make, compare and hash.
#pragma once

#include <array>
#include <cstdint>

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

/// 64 well-mixed bits; never 0.
inline std::uint64_t hash_of(const EndsKey& key) {
  // A factor that somebody's addresses make zero must not make the result the same for all.
  const auto mix = [](std::uint64_t a, std::uint64_t b) {
    a ^= 0x9e3779b97f4a7c15u;
    b ^= 0xc2b2ae3d27d4eb4fu;
    const auto product = static_cast<unsigned __int128>(a) * b;
    return a ^ b ^ static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  std::uint64_t hash = mix(key.words[0], key.words[1]);
  if (key.version != 4) {
    hash = mix(hash ^ key.words[4], mix(key.words[2], key.words[3]));
  }
  // A second round: the high bits choose the shard, the low ones the slot.
  return mix(hash, hash >> 32) | 1;
}

}  // namespace slowpath::wire

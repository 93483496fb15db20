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

/// `hash` with `word` taken in. One-to-one in each of the two while the other stands, so no word
/// that somebody chooses makes all others fall together, as a factor of zero or one would.
constexpr std::uint64_t with_word(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15U;  // Odd: 2^64 over the golden ratio.
  return hash ^ hash >> 32;
}

/// 64 well-mixed bits; never 0. Of two keys that differ in one word the same for at most two.
inline std::uint64_t hash_of(const EndsKey& key) {
  std::uint64_t hash = with_word(key.version, key.words[0]);
  hash = with_word(hash, key.words[1]);
  if (key.version != 4) {
    hash = with_word(hash, key.words[2]);
    hash = with_word(hash, key.words[3]);
    hash = with_word(hash, key.words[4]);
  }
  // Another round for the last word: the high bits choose the shard, the low ones the slot.
  return with_word(hash, 0) | 1;
}

}  // namespace slowpath::wire

// SPDX-License-Identifier: Apache-2.0
// What makes the hashes of one process its own, so that nobody who chooses what is hashed can make
// it fall together. Where in a table something lies may depend on it; no answer may.
#pragma once

#include <cstdint>

namespace slowpath {

struct HashSeed {
  std::uint64_t first, second;
};

/// Random, the same as long as the process lives. Set before main().
extern const HashSeed kHashSeed;

/// `a` and `b` taken together: 64 bits that depend on all of theirs and on the seed. Both halves of
/// a product of 128 bits, the factors unknown to whoever chose `a` and `b`. One chance in 2^64 or
/// so that two pairs give the same.
inline std::uint64_t seeded_hash(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ kHashSeed.first) * (b ^ kHashSeed.second);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace slowpath

// SPDX-License-Identifier: Apache-2.0
// One word of the pattern, and the way back from it (pattern.h).
#pragma once

#include <cstdint>

namespace slowpath::probe {

/// 2^64 divided by the golden ratio, odd: successive multiples spread over all values (Knuth, The
/// Art of Computer Programming, volume 3, section 6.4).
inline constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;

constexpr std::uint64_t fold(std::uint64_t value) { return value ^ (value >> 32U); }

constexpr std::uint64_t pattern_word(std::uint64_t word, std::uint64_t key) {
  return fold(word * kStep + key);
}

/// The number whose product with `odd` is 1 modulo 2^64, by Newton's iteration.
constexpr std::uint64_t inverse_of(std::uint64_t odd) {
  std::uint64_t inverse = odd;  // right in three bits; each round doubles them
  for (int i = 0; i < 5; ++i) inverse *= 2 - odd * inverse;
  return inverse;
}
static_assert(inverse_of(kStep) * kStep == 1);

/// The index of the word that has this value: folding twice is the identity.
constexpr std::uint64_t index_of(std::uint64_t value, std::uint64_t key) {
  return (fold(value) - key) * inverse_of(kStep);
}
static_assert(index_of(pattern_word(123456789, 42), 42) == 123456789);

}  // namespace slowpath::probe

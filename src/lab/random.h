// SPDX-License-Identifier: Apache-2.0
// A seeded generator of our own, so that a seed means the same run with every standard library.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

namespace slowpath::lab {

/// xoshiro256++ seeded by splitmix64 (Blackman and Vigna, prng.di.unimi.it; public domain
/// algorithms).
class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15U;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
      z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
      word = z ^ (z >> 31U);
    }
  }
  /// A generator of its own for a named part: adding a stage does not change what the others draw.
  [[nodiscard]] static Random for_part(std::uint64_t seed, std::string_view name,
                                       std::uint64_t index) {
    std::uint64_t hash = 0xcbf29ce484222325U ^ seed;  // FNV-1a
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return Random{hash ^ (index * 0x9e3779b97f4a7c15U)};
  }

  std::uint64_t next() {
    const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return result;
  }
  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform on a logarithmic scale; 0 < low <= high.
  double log_uniform(double low, double high) { return low * std::pow(high / low, uniform()); }
  /// 0 .. bound-1; bound > 0.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool chance(double probability) { return uniform() < probability; }

 private:
  static std::uint64_t rotate(std::uint64_t x, unsigned k) { return (x << k) | (x >> (64U - k)); }
  std::uint64_t state_[4]{};
};

}  // namespace slowpath::lab

// SPDX-License-Identifier: Apache-2.0
// Random numbers of the generator: the same for the same seed on every machine.
#pragma once

#include <cmath>
#include <cstdint>

namespace slowpath::bench {

/// One step of splitmix64: a good hash of `x`.
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix(seed)) {}
  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }
  /// In [0, 1).
  double share() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// In [low, high).
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + static_cast<std::uint64_t>(share() * static_cast<double>(high - low));
  }
  /// Exponentially distributed.
  double exponential(double mean) { return -mean * std::log1p(-share()); }

 private:
  std::uint64_t state_;
};

}  // namespace slowpath::bench

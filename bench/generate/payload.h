// SPDX-License-Identifier: Apache-2.0
// What the connections carry: blocks of random bytes, made once, with their sums, so that a
// segment costs no walk over its payload, and one that is cut by the snap length has the checksum
// of the whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace slowpath::bench {

struct Payload {
  const std::byte* bytes = nullptr;
  std::uint32_t len = 0;
  std::uint64_t sum = 0;  // Ones' complement sum of the 16-bit words, in network order, unfolded.
};

class PayloadBlocks {
 public:
  /// Blocks of `block_len` bytes (even).
  PayloadBlocks(std::uint32_t block_len, std::uint64_t seed);

  /// The first `len` bytes of block number `block` (any number: they repeat after kBlocks).
  Payload at(std::uint64_t block, std::uint32_t len) const;

 private:
  static constexpr std::uint64_t kBlocks = 512;

  std::uint32_t block_len_;
  std::vector<std::byte> bytes_;
  std::vector<std::uint64_t> sums_;  // Of each whole block.
};

/// Ones' complement sum of 16-bit words in network order, unfolded; an odd last byte counts as a
/// high byte (RFC 1071).
std::uint64_t sum_of(const std::byte* bytes, std::size_t len);

}  // namespace slowpath::bench

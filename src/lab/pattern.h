// SPDX-License-Identifier: Apache-2.0
// Data of which every byte is known from its position and a seed, made and compared at the speed of
// memory, so that a receiver sees what was changed, shifted, repeated or left out.
//
// A block of 8 KiB of random words repeats, combined by exclusive or with a key drawn from the
// block's number: the same bytes never come twice, neither at another place in a block (a stale
// segment) nor at the same place of another block. A plain counter would do that too, but has
// nearly equal neighbours; a generator that must run through cannot be compared from the middle.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace slowpath::lab {

class Pattern {
 public:
  explicit Pattern(std::uint64_t seed);

  /// The bytes from `offset` on.
  void fill(std::uint64_t offset, std::span<std::byte> out) const;
  /// Whether `data` is what belongs at `offset`.
  [[nodiscard]] bool matches(std::uint64_t offset, Bytes data) const;
  [[nodiscard]] std::byte at(std::uint64_t offset) const;

 private:
  static constexpr std::size_t kWords = 1024;
  static constexpr std::size_t kBlockBytes = kWords * 8;

  [[nodiscard]] std::uint64_t key_of(std::uint64_t block) const;

  std::uint64_t seed_;
  std::array<std::uint64_t, kWords> words_;
};

/// A run of bytes that are not the pattern's; gaps of fewer than kGap equal bytes (which come by
/// chance) are part of it.
struct Difference {
  static constexpr std::uint64_t kGap = 8;
  std::uint64_t offset = 0, length = 0;
  std::string expected_hex, found_hex;  // the first 16 bytes of each
};

/// Compares a stream with its pattern, piece by piece.
class PatternCheck {
 public:
  static constexpr std::size_t kMost = 32;

  explicit PatternCheck(const Pattern& pattern) : pattern_(pattern) {}
  /// The next bytes of the stream.
  void take(Bytes data);
  /// Bytes that came somewhere in it: a datagram.
  void take_at(std::uint64_t offset, Bytes data);

  [[nodiscard]] std::uint64_t taken() const { return taken_; }
  /// Bytes that are not the pattern's.
  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }
  /// The first kMost differences.
  [[nodiscard]] const std::vector<Difference>& differences() const { return differences_; }

 private:
  void note(std::uint64_t offset, std::byte expected, std::byte found);

  const Pattern& pattern_;
  std::uint64_t taken_ = 0, wrong_ = 0;
  std::uint64_t last_wrong_end_ = 0;  // of the difference that may still grow
  bool listed_ = false;               // whether that one is in the list
  std::vector<Difference> differences_;
};

/// SHA-256 as lower-case hex; empty data too.
std::string sha256_hex(Bytes data);
/// The same of the pattern's first `length` bytes.
std::string sha256_hex(const Pattern& pattern, std::uint64_t length);

}  // namespace slowpath::lab

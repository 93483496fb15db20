// SPDX-License-Identifier: Apache-2.0
// A set of hashes that is asked for every packet of a capture and nearly always says no: small
// enough for the second-level cache, and wrong once in a hundred times at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace slowpath {

/// Of well mixed hashes, as of wire::hash_of(). May be asked by any thread while nobody adds.
class HashFilter {
 public:
  void add(std::uint64_t hash) { words_[word_of(hash)] |= std::uint64_t{1} << (hash >> 6 & 63); }
  /// False for nearly all that were not added; never for one that was.
  [[nodiscard]] bool may_contain(std::uint64_t hash) const {
    return (words_[word_of(hash)] >> (hash >> 6 & 63) & 1) != 0;
  }

 private:
  // 512 Kibit: a few thousand members let hardly one in a hundred others pass.
  static constexpr std::size_t kWords = std::size_t{1} << 13;
  static std::size_t word_of(std::uint64_t hash) {
    return static_cast<std::size_t>(hash >> 12) & (kWords - 1);
  }

  std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>(kWords);
};

}  // namespace slowpath

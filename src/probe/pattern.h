// SPDX-License-Identifier: Apache-2.0
// What a test sends: bytes that follow from their position, so that the receiver knows each of them
// without having been told, and so that a byte in the wrong place is as wrong as a flipped one.
//
// The pattern is 64-bit words, little endian, word i being
//   v = i * kStep + key;  v ^ (v >> 32)
// No two words of a stream are equal (the step is odd, and folding the upper half in can be
// undone), so any eight bytes of it tell where they belong. A Weyl sequence rather than a generator
// of numbers, because its next vector is one addition away: it is made and checked as fast as the
// second-level cache gives bytes, where a hash for each word would cost as much as the network
// stack. The fold takes the short period from the lower bytes, which a compressor would find.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace slowpath::probe {

enum class ContentKind : std::uint8_t {
  random,  // the pattern: no compressor makes it smaller
  text,    // lines of English with their number: compressible to about a fifth
  zeros,   // all zero: swaps and shifts cannot be seen in it
  memory,  // given bytes, over and over
};
/// "random", "text", "zeros", "file".
std::string_view to_string(ContentKind kind);

/// The bytes of one stream. Cheap to copy; read by any number of threads.
class Content {
 public:
  /// `period` > 0: begins again after so many bytes (a multiple of 64), for sends from a file that
  /// is kept in memory.
  static Content random(std::uint64_t key, std::uint64_t period = 0);
  static Content text(std::uint64_t key);
  static Content zeros();
  /// `bytes` must not be empty.
  static Content memory(std::shared_ptr<const std::vector<std::byte>> bytes);

  [[nodiscard]] ContentKind kind() const { return kind_; }
  /// The bytes from `offset` of the stream on.
  void fill(std::span<std::byte> out, std::uint64_t offset) const;
  /// How many of `seen` are as they should be from `offset` on, up to the first that is not.
  [[nodiscard]] std::size_t equal_prefix(Bytes seen, std::uint64_t offset) const;
  /// Where in the stream `seen` begins, by its first 23 bytes; with a period the place nearest to
  /// `near`. None where these are no bytes of the stream, or the kind cannot tell.
  [[nodiscard]] std::optional<std::uint64_t> locate(Bytes seen, std::uint64_t near) const;

 private:
  explicit Content(ContentKind kind, std::uint64_t key = 0, std::uint64_t period = 0)
      : kind_(kind), key_(key), period_(period) {}
  void fill_within(std::span<std::byte> out, std::uint64_t offset) const;
  [[nodiscard]] std::size_t equal_within(Bytes seen, std::uint64_t offset) const;

  ContentKind kind_;
  std::uint64_t key_ = 0;
  std::uint64_t period_ = 0;  // 0 = none
  std::shared_ptr<const std::vector<std::byte>> bytes_;
};

/// The pattern's loops over whole words, `word` being the index of the first: the fast ones, chosen
/// by the processor, and their plain twins, which tests compare.
void fill_words(std::span<std::byte> out, std::uint64_t word, std::uint64_t key);
void fill_words_plain(std::span<std::byte> out, std::uint64_t word, std::uint64_t key);
/// Whether all words are as they should be.
bool words_match(Bytes seen, std::uint64_t word, std::uint64_t key);
bool words_match_plain(Bytes seen, std::uint64_t word, std::uint64_t key);

}  // namespace slowpath::probe

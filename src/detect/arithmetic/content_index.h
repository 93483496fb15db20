// SPDX-License-Identifier: Apache-2.0
// Where in a stream bytes stand that turned up elsewhere: hashes of blocks in a table, and a window
// that rolls over the bytes in question (Rabin and Karp 1987). A stretch of twice a block's length
// is found wherever it came from; shorter ones are found where they hold a whole block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace slowpath::arithmetic {

/// Of any number of bytes; equal bytes, equal value.
std::uint64_t rolling_hash(Bytes bytes);

class ContentIndex {
 public:
  /// Room for `blocks` blocks of so many bytes.
  ContentIndex(std::size_t block_bytes, std::size_t blocks);

  /// Whole blocks of content that stands at `offset`. A later block replaces an equal earlier one.
  void add(Bytes content, std::uint64_t offset);
  /// The same, already hashed.
  void add(std::span<const std::uint64_t> hashes, std::uint64_t offset);

  struct Found {
    std::size_t at = 0;        // in the bytes asked about
    std::uint64_t offset = 0;  // in the stream
  };
  /// The first block within `bytes` that is known from another place than its own; `offset` is that
  /// of bytes[0]. Blocks of one repeated byte are passed over: they stand everywhere.
  [[nodiscard]] std::optional<Found> find(Bytes bytes, std::uint64_t offset) const;

 private:
  struct Slot {
    std::uint64_t hash = 0, offset = 0;
    bool used = false;
  };
  void insert(std::uint64_t hash, std::uint64_t offset);
  [[nodiscard]] const Slot* lookup(std::uint64_t hash) const;

  std::size_t block_bytes_;
  std::uint64_t oldest_weight_ = 1;  // of the byte that leaves the window
  std::vector<Slot> slots_;          // a power of two, at most half of it used
  std::size_t used_ = 0;
};

}  // namespace slowpath::arithmetic

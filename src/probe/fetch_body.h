// SPDX-License-Identifier: Apache-2.0
// One body on its way through: hashed as a whole and block by block, laid beside the bytes it is
// compared with, and only the blocks that differ are kept. Memory does not grow with the body but
// for 8 bytes a block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "facts/fetch.h"
#include "probe/digest.h"
#include "probe/fetch_store.h"

namespace slowpath::probe {

inline constexpr std::size_t kFetchBlock = 64 << 10;

struct KeptBlock {
  std::uint64_t index = 0;
  std::vector<std::byte> bytes;
};

struct BodyRecord {
  std::vector<std::uint64_t> blocks;  // block_digest() of each whole block, and of the last
  std::uint64_t bytes = 0;
  std::vector<KeptBlock> kept;  // those that differ from the store, ascending
  std::uint64_t left_out = 0;   // blocks that differ and were too many to keep
};

/// How many more blocks may be kept, over all copies: 64 MiB.
struct KeepBudget {
  std::uint64_t blocks = 1024;
};

class FetchBody {
 public:
  /// `store` is written to where `is_reference`, else compared with; it and `budget` must outlive
  /// the body.
  FetchBody(FetchStore& store, bool is_reference, KeepBudget& budget);

  /// SHA-256 is always made; another where somebody states or expects one.
  void want_digest(std::string_view algorithm);
  void add(Bytes bytes);
  /// No more bytes will come.
  BodyRecord finish(std::vector<FetchDigest>& digests);

 private:
  void end_block();

  FetchStore& store_;
  bool is_reference_;
  KeepBudget& budget_;
  std::vector<Digest> digests_;
  std::vector<std::byte> block_;
  std::vector<std::byte> reference_;
  BodyRecord record_;
};

}  // namespace slowpath::probe

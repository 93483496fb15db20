// SPDX-License-Identifier: Apache-2.0
// The bytes that copies are compared with: a local file, or the first whole copy in a nameless
// temporary file, up to a limit. Read by offset; never held in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/descriptor.h"
#include "base/result.h"

namespace slowpath::probe {

class FetchStore {
 public:
  /// A local file. Errors: cannot be opened, or is no regular file (input).
  static Result<FetchStore> open(const std::string& file);
  /// An empty temporary file in $TMPDIR, else /var/tmp, that vanishes with the descriptor. Errors:
  /// cannot be made (environment).
  static Result<FetchStore> make(std::uint64_t limit_bytes);

  /// Adds at the end; what is beyond the limit, or does not fit the disk, is left out for good.
  void append(Bytes bytes);
  void clear();
  /// How many bytes of `into` could be filled from `offset` on.
  [[nodiscard]] std::size_t read(std::uint64_t offset, std::span<std::byte> into) const;
  /// So many bytes from `offset` on, or those there are.
  [[nodiscard]] std::vector<std::byte> bytes_at(std::uint64_t offset, std::size_t len) const;
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  FetchStore(Descriptor file, std::uint64_t size, std::uint64_t limit)
      : file_(std::move(file)), size_(size), limit_(limit) {}
  Descriptor file_;
  std::uint64_t size_ = 0, limit_ = 0;
};

}  // namespace slowpath::probe

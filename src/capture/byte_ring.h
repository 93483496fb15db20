// SPDX-License-Identifier: Apache-2.0
// A ring of bytes mapped twice in a row, so that every stretch of it is contiguous in memory and
// nothing is ever moved. Positions are absolute: the number of bytes written before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace slowpath::capture {

/// Holds the last `capacity` bytes written. Memory is used only as far as it was written to.
class ByteRing {
 public:
  /// `capacity` is a multiple of the page size. Error: the system gives no memory (environment).
  static Result<ByteRing> make(std::size_t capacity);

  ByteRing(ByteRing&& other) noexcept;
  ByteRing& operator=(ByteRing&&) = delete;
  ByteRing(const ByteRing&) = delete;
  ByteRing& operator=(const ByteRing&) = delete;
  ~ByteRing();

  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::uint64_t written() const { return written_; }
  /// Where the byte at an absolute position is; valid for positions not yet overwritten.
  [[nodiscard]] const std::byte* at(std::uint64_t position) const {
    return memory_ + position % capacity_;
  }
  /// `len` bytes at `position`, or an empty span when they are gone or not there yet.
  [[nodiscard]] Bytes view(std::uint64_t position, std::size_t len) const;

  /// Room for the next at most `max` bytes; the oldest are overwritten. May be shorter than `max`
  /// at the seam, so that writing touches the first mapping only and memory is not counted twice.
  [[nodiscard]] std::span<std::byte> room(std::size_t max);
  /// The first `len` bytes of room() were filled.
  void commit(std::size_t len) { written_ += len; }
  /// Copies `bytes`, at most capacity(), into the ring.
  void append(Bytes bytes);

 private:
  ByteRing(std::byte* memory, std::size_t capacity) : memory_(memory), capacity_(capacity) {}

  std::byte* memory_;
  std::size_t capacity_;
  std::uint64_t written_ = 0;
};

}  // namespace slowpath::capture

// SPDX-License-Identifier: Apache-2.0
// What a format reader sees of its input: a contiguous view that begins at the current position and
// grows on demand. The same for a mapped file (the view is the file) and for a stream (the view is
// a ring that keeps the last kRetainedBytes). The common case is inlined: no call, no copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "capture/byte_ring.h"
#include "capture/byte_supply.h"
#include "capture/file_mapping.h"

namespace slowpath::capture {

/// A position in the input and the bytes that follow it. One thread.
class ByteWindow {
 public:
  /// The most that ensure() is asked for: room for the largest record and the headers after it.
  static constexpr std::size_t kMaxEnsure = 28u << 20;

  ByteWindow(const ByteWindow&) = delete;
  ByteWindow& operator=(const ByteWindow&) = delete;
  virtual ~ByteWindow() = default;

  /// Sees to it that `len` bytes (at most kMaxEnsure) can be read at data(), waiting for them if
  /// need be. Returns how many there are: fewer than `len` only when the input ends before.
  std::size_t ensure(std::size_t len) {
    const auto have = static_cast<std::size_t>(end_ - at_);
    return have >= len ? have : refill(len);
  }
  [[nodiscard]] const std::byte* data() const { return at_; }
  /// What can be read without waiting.
  [[nodiscard]] std::size_t unread() const { return static_cast<std::size_t>(end_ - at_); }
  /// `len` is at most unread().
  void advance(std::size_t len) { at_ += len; }
  /// Position in the decompressed input of data().
  [[nodiscard]] std::uint64_t offset() const {
    return reinterpret_cast<std::uintptr_t>(at_) - origin_;
  }
  /// Everything that was read before is done with, but for what is retained.
  void begin_batch() { batch_begin_ = offset(); }
  [[nodiscard]] std::uint64_t batch_begin() const { return batch_begin_; }
  /// Passes over `len` bytes, however many; returns how many there were.
  std::uint64_t skip(std::uint64_t len);

  /// See Source::bytes_at.
  [[nodiscard]] virtual Bytes bytes_at(std::uint64_t offset, std::size_t len) const = 0;
  /// Position in the file as stored.
  [[nodiscard]] virtual std::uint64_t position() const = 0;
  /// True when every byte stays where it is for the life of the window.
  [[nodiscard]] virtual bool is_stable() const = 0;
  /// True when the next bytes may be long in coming: hand over what there is before waiting.
  [[nodiscard]] virtual bool may_wait() const = 0;
  /// Why the input ended early, or empty. Final once ensure() fell short.
  [[nodiscard]] virtual std::string problem() const { return {}; }

 protected:
  ByteWindow() = default;
  virtual std::size_t refill(std::size_t len) = 0;

  const std::byte* at_ = nullptr;
  const std::byte* end_ = nullptr;
  // The address that offset 0 has, or would have: in a ring it lies outside the memory, so it is a
  // number.
  std::uintptr_t origin_ = 0;

 private:
  std::uint64_t batch_begin_ = 0;
};

/// The whole input in memory, or a file that is mapped: of this, pages behind the position are
/// given back as it moves on, so that a file larger than memory can be read. Not of memory that is
/// somebody else's, though a file may be mapped there.
class MemoryWindow final : public ByteWindow {
 public:
  explicit MemoryWindow(Bytes all);
  explicit MemoryWindow(std::unique_ptr<FileMapping> mapping);

  [[nodiscard]] Bytes bytes_at(std::uint64_t offset, std::size_t len) const override;
  [[nodiscard]] std::uint64_t position() const override { return offset(); }
  [[nodiscard]] bool is_stable() const override { return true; }
  [[nodiscard]] bool may_wait() const override { return false; }
  [[nodiscard]] std::string problem() const override { return FileMapping::problem_of(all_); }

 private:
  std::size_t refill(std::size_t len) override;
  void bring_to(std::size_t position);

  Bytes all_;
  std::size_t brought_ = 0;               // before this offset pages are mapped
  std::unique_ptr<FileMapping> mapping_;  // of a file; null: somebody else's memory
  std::size_t released_ = 0;              // pages before this offset were given back
};

/// A stream seen through a ring.
class StreamWindow final : public ByteWindow {
 public:
  /// Error: no memory for the ring. `interactive`: fed by a program that may pause.
  static Result<std::unique_ptr<ByteWindow>> make(std::unique_ptr<ByteSupply> supply,
                                                  bool interactive);

  [[nodiscard]] Bytes bytes_at(std::uint64_t offset, std::size_t len) const override;
  [[nodiscard]] std::uint64_t position() const override { return supply_->position(); }
  [[nodiscard]] bool is_stable() const override { return false; }
  [[nodiscard]] bool may_wait() const override { return interactive_ && !ended_; }
  [[nodiscard]] std::string problem() const override { return supply_->problem(); }

 private:
  StreamWindow(ByteRing ring, std::unique_ptr<ByteSupply> supply, bool interactive);
  std::size_t refill(std::size_t len) override;

  ByteRing ring_;
  std::unique_ptr<ByteSupply> supply_;
  bool interactive_;
  bool ended_ = false;
};

}  // namespace slowpath::capture

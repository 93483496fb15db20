// SPDX-License-Identifier: Apache-2.0
// Where bytes come from before a format reader sees them: a mapped file, memory, or a descriptor
// that may still be written to. Decompression (decompress.h) is laid over the same interface.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace slowpath::capture {

/// Stored bytes as they lie in the file, lent out in stretches. Not yet decompressed.
class StoredBytes {
 public:
  virtual ~StoredBytes() = default;
  /// What is at hand and not consumed. Blocks only when nothing is; empty means the end was
  /// reached.
  virtual Bytes peek() = 0;
  /// At least `len` bytes from here if the input has so many; for recognising formats. `len` is at
  /// most kRecogniseLen.
  virtual Bytes peek_at_least(std::size_t len) = 0;
  virtual void consume(std::size_t len) = 0;
  /// Bytes consumed so far.
  [[nodiscard]] virtual std::uint64_t position() const = 0;
  /// Why reading stopped before the end, or empty.
  [[nodiscard]] virtual std::string problem() const { return {}; }
};

/// Enough to see a tar header, the farthest of the signatures (foreign_format.h).
inline constexpr std::size_t kRecogniseLen = 4096;

/// Bytes already in memory; they outlive this.
class MemoryBytes final : public StoredBytes {
 public:
  explicit MemoryBytes(Bytes bytes) : bytes_(bytes) {}
  Bytes peek() override { return bytes_.subspan(position_); }
  Bytes peek_at_least(std::size_t) override { return peek(); }
  void consume(std::size_t len) override { position_ += len; }
  [[nodiscard]] std::uint64_t position() const override { return position_; }

 private:
  Bytes bytes_;
  std::size_t position_ = 0;
};

/// A pipe, terminal, socket or any file that cannot be mapped. Owns the descriptor.
class DescriptorBytes final : public StoredBytes {
 public:
  /// `stop` and `closing`, where given, are looked at at least five times a second while waiting;
  /// once one is true the input has ended.
  DescriptorBytes(int fd, const std::atomic<bool>* stop,
                  const std::atomic<bool>* closing = nullptr);
  DescriptorBytes(const DescriptorBytes&) = delete;
  DescriptorBytes& operator=(const DescriptorBytes&) = delete;
  ~DescriptorBytes() override;

  Bytes peek() override;
  Bytes peek_at_least(std::size_t len) override;
  void consume(std::size_t len) override;
  [[nodiscard]] std::uint64_t position() const override { return position_; }
  [[nodiscard]] std::string problem() const override { return problem_; }

 private:
  bool read_more();
  [[nodiscard]] bool is_told_to_end() const {
    return (stop_ != nullptr && stop_->load()) || (closing_ != nullptr && closing_->load());
  }

  int fd_;
  const std::atomic<bool>* stop_;
  const std::atomic<bool>* closing_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t position_ = 0;
  bool ended_ = false;
  std::string problem_;
};

/// A stream of bytes ready for a format reader, decompressed where needed.
class ByteSupply {
 public:
  virtual ~ByteSupply() = default;
  /// Fills the front of `out` with at least one byte; 0 means no more will come.
  virtual std::size_t read(std::span<std::byte> out) = 0;
  /// So much room for read() is best: what comes of it is still in the second-level cache of
  /// whoever looks at it next.
  [[nodiscard]] virtual std::size_t good_read_len() const { return std::size_t{256} << 10; }
  /// Once read() gave 0: why it ended early ("gzip data is damaged ..."), or empty.
  [[nodiscard]] virtual std::string problem() const = 0;
  /// How far the stored input was read.
  [[nodiscard]] virtual std::uint64_t position() const = 0;
};

/// Hands on stored bytes unchanged.
std::unique_ptr<ByteSupply> make_plain_supply(std::unique_ptr<StoredBytes> stored);

}  // namespace slowpath::capture

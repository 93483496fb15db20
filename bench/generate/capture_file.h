// SPDX-License-Identifier: Apache-2.0
// Writes frames as classic pcap (nanoseconds) or pcapng. One buffer; a failed write ends the
// program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace slowpath::bench {

enum class FileFormat : std::uint8_t { pcap, pcapng };

class CaptureFile {
 public:
  /// Writes to `fd`, which stays the caller's. `snap_len` 0 keeps whole frames.
  CaptureFile(int fd, FileFormat format, std::uint32_t snap_len);

  /// One frame, given in two pieces. Times must not go back: the caller sees to that.
  void write(std::uint64_t time_ns, std::span<const std::byte> head,
             std::span<const std::byte> rest);
  void flush();
  std::uint64_t frames() const { return frames_; }
  std::uint64_t bytes() const { return flushed_ + used_; }

 private:
  void put(std::uint32_t word);
  void put(std::span<const std::byte> bytes);
  void put_file_header();

  int fd_;
  FileFormat format_;
  std::uint32_t snap_len_;
  std::vector<std::byte> buffer_;
  std::size_t used_ = 0;
  std::uint64_t flushed_ = 0;
  std::uint64_t frames_ = 0;
};

}  // namespace slowpath::bench

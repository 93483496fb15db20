// SPDX-License-Identifier: Apache-2.0
// The two file formats, in the byte order of this machine, as both allow.
#include "generate/capture_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace slowpath::bench {

namespace {

constexpr std::size_t kBufferBytes = 4 << 20;
constexpr std::size_t kMaxRecordBytes = 70'000;  // A frame and what is written around it.
constexpr std::uint32_t kEthernet = 1;           // LINKTYPE_ETHERNET.
constexpr std::uint32_t kWhole = 262'144;        // What tcpdump writes for "no snap length".

constexpr std::uint32_t padded(std::uint32_t len) { return (len + 3) & ~3U; }

}  // namespace

CaptureFile::CaptureFile(int fd, FileFormat format, std::uint32_t snap_len)
    : fd_(fd),
      format_(format),
      snap_len_(snap_len == 0 ? kWhole : snap_len),
      buffer_(kBufferBytes) {
  put_file_header();
}

void CaptureFile::put(std::uint32_t word) {
  std::memcpy(buffer_.data() + used_, &word, sizeof word);
  used_ += sizeof word;
}

void CaptureFile::put(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  std::memcpy(buffer_.data() + used_, bytes.data(), bytes.size());
  used_ += bytes.size();
}

void CaptureFile::put_file_header() {
  if (format_ == FileFormat::pcap) {
    constexpr std::uint32_t kMagicNanoseconds = 0xa1b23c4d;
    constexpr std::uint32_t kVersion = 2 | 4 << 16;
    for (const std::uint32_t word : {kMagicNanoseconds, kVersion, 0U, 0U, snap_len_, kEthernet}) {
      put(word);
    }
    return;
  }
  // Section header: length unknown (-1). Interface description with if_tsresol (option 9) = 10^-9.
  constexpr std::uint32_t kByteOrder = 0x1a2b3c4d;
  for (const std::uint32_t word : {0x0a0d0d0aU, 28U, kByteOrder, 1U, ~0U, ~0U, 28U}) put(word);
  for (const std::uint32_t word : {1U, 32U, kEthernet, snap_len_, 9U | 1U << 16, 9U, 0U, 32U})
    put(word);
}

void CaptureFile::write(std::uint64_t time_ns, std::span<const std::byte> head,
                        std::span<const std::byte> rest) {
  if (used_ + kMaxRecordBytes > buffer_.size()) flush();
  const auto len = static_cast<std::uint32_t>(head.size() + rest.size());
  const std::uint32_t kept = std::min(len, snap_len_);
  const std::uint32_t of_head = std::min(kept, static_cast<std::uint32_t>(head.size()));
  const std::uint32_t block = 32 + padded(kept);
  if (format_ == FileFormat::pcap) {
    put(static_cast<std::uint32_t>(time_ns / 1'000'000'000));
    put(static_cast<std::uint32_t>(time_ns % 1'000'000'000));
  } else {
    for (const std::uint32_t word : {6U, block, 0U, static_cast<std::uint32_t>(time_ns >> 32),
                                     static_cast<std::uint32_t>(time_ns)}) {
      put(word);
    }
  }
  put(kept);
  put(len);
  put(head.first(of_head));
  put(rest.first(kept - of_head));
  if (format_ == FileFormat::pcapng) {
    std::memset(buffer_.data() + used_, 0, padded(kept) - kept);
    used_ += padded(kept) - kept;
    put(block);
  }
  ++frames_;
}

void CaptureFile::flush() {
  for (std::size_t done = 0; done < used_;) {
    const ssize_t got = ::write(fd_, buffer_.data() + done, used_ - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      std::fprintf(stderr, "generate_capture: cannot write the capture: %s\n",
                   std::strerror(errno));
      std::exit(1);
    }
    done += static_cast<std::size_t>(got);
  }
  flushed_ += used_;
  used_ = 0;
}

}  // namespace slowpath::bench

// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets of the capture formats share: open, read every frame, touch every byte, and
// hold the reader to its account of the input. The same input read in batches, the fast way, must
// give the same frames.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/assert.h"
#include "capture/source.h"

namespace slowpath::fuzz {

/// The frames of a source, one by one, that are read in batches of changing size.
class InBatches {
 public:
  explicit InBatches(capture::Source& source) : source_(source) {}
  const wire::Frame* next() {
    if (at_ == count_) {
      size_ = size_ % batch_.size() + 1;
      count_ = source_.next_batch(std::span(batch_).first(size_));
      SLOWPATH_ASSERT(count_ <= size_);
      at_ = 0;
    }
    return at_ < count_ ? &batch_[at_++] : nullptr;
  }

 private:
  capture::Source& source_;
  std::array<wire::Frame, 5> batch_{};
  std::size_t size_ = 0, count_ = 0, at_ = 0;
};

inline void check_same(const wire::Frame& frame, const wire::Frame& other) {
  SLOWPATH_ASSERT(frame.number == other.number && frame.time == other.time);
  SLOWPATH_ASSERT(frame.has_time == other.has_time && frame.direction == other.direction);
  SLOWPATH_ASSERT(frame.link_type == other.link_type && frame.interface == other.interface);
  SLOWPATH_ASSERT(frame.original_len == other.original_len);
  SLOWPATH_ASSERT(frame.byte_offset == other.byte_offset);
  SLOWPATH_ASSERT(frame.bytes.size() == other.bytes.size());
}

/// Reads each byte. The result is kept, so that the reads are made.
inline void touch(Bytes bytes) {
  unsigned sum = 0;
  for (const std::byte byte : bytes) sum += std::to_integer<unsigned>(byte);
  const volatile unsigned keep = sum;
  (void)keep;
}

inline void check_account(const capture::SourceInfo& info, std::uint64_t frames, std::size_t size) {
  SLOWPATH_ASSERT(info.frames == frames);
  SLOWPATH_ASSERT(info.damage.size() <= 16 && info.damage.size() <= info.damage_count);
  SLOWPATH_ASSERT(!info.compression.empty() || info.bytes_read == size);
}

inline void read_capture(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  const auto source = capture::open_memory(bytes, "fuzz", 0);
  const auto twin = capture::open_memory(bytes, "fuzz", 0);
  SLOWPATH_ASSERT(source.has_value() == twin.has_value());
  if (!source) return;
  InBatches batches(**twin);
  wire::Frame frame;
  std::uint64_t count = 0;
  std::uint64_t number = 0;
  while ((*source)->next(frame)) {
    ++count;
    SLOWPATH_ASSERT(frame.number > number && frame.number >= count);
    number = frame.number;
    SLOWPATH_ASSERT(frame.bytes.size() <= frame.original_len);
    touch(frame.bytes);
    const Bytes again = (*source)->bytes_at(frame.byte_offset, frame.bytes.size());
    SLOWPATH_ASSERT(again.size() == frame.bytes.size() &&
                    (again.empty() || again.data() != nullptr));
    const wire::Frame* const other = batches.next();
    SLOWPATH_ASSERT(other != nullptr);
    check_same(frame, *other);
  }
  SLOWPATH_ASSERT(batches.next() == nullptr);
  SLOWPATH_ASSERT(!(*source)->next(frame));
  check_account((*source)->info(), count, size);
  check_account((*twin)->info(), count, size);
}

}  // namespace slowpath::fuzz

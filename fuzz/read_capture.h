// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets of the capture formats share: open, read every frame, touch every byte, and
// hold the reader to its account of the input.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "capture/source.h"

namespace slowpath::fuzz {

inline void read_capture(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  const auto source = capture::open_memory(bytes, "fuzz", 0);
  if (!source) return;
  wire::Frame frame;
  std::uint64_t count = 0;
  std::uint64_t number = 0;
  unsigned sum = 0;
  while ((*source)->next(frame)) {
    ++count;
    SLOWPATH_ASSERT(frame.number > number && frame.number >= count);
    number = frame.number;
    SLOWPATH_ASSERT(frame.bytes.size() <= frame.original_len);
    for (const std::byte byte : frame.bytes) sum += std::to_integer<unsigned>(byte);
    const Bytes again = (*source)->bytes_at(frame.byte_offset, frame.bytes.size());
    SLOWPATH_ASSERT(again.size() == frame.bytes.size() &&
                    (again.empty() || again.data() != nullptr));
  }
  const volatile unsigned keep = sum;  // so that the reads above are made
  (void)keep;
  const capture::SourceInfo& info = (*source)->info();
  SLOWPATH_ASSERT(info.frames == count);
  SLOWPATH_ASSERT(info.damage.size() <= 16 && info.damage.size() <= info.damage_count);
  SLOWPATH_ASSERT(!info.compression.empty() || info.bytes_read == size);
  SLOWPATH_ASSERT(!(*source)->next(frame));
}

}  // namespace slowpath::fuzz

// SPDX-License-Identifier: Apache-2.0
// One stretch of bytes that differ, read alone. Internal to corruption_pattern.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "detect/arithmetic/content_index.h"
#include "detect/arithmetic/corruption_pattern.h"

namespace slowpath::arithmetic {

/// Equal bytes within a stretch come by chance; so many in a row end it.
inline constexpr std::size_t kGap = 8;

/// Positions within an input, the end exclusive. The first and the last byte differ.
struct DifferingRun {
  std::size_t begin = 0, end = 0;
  std::size_t differing = 0;
  bool first = true;  // of its input
  [[nodiscard]] std::size_t len() const { return end - begin; }
};

/// Calls `take` for each stretch, in order. One pass.
template <typename Take>
void for_each_run(Bytes expected, Bytes seen, Take take) {
  constexpr std::size_t kStride = 256;
  const std::size_t len = std::min(expected.size(), seen.size());
  bool first = true;
  for (std::size_t at = 0; at < len;) {
    const std::size_t stride = std::min(kStride, len - at);
    if (std::memcmp(expected.data() + at, seen.data() + at, stride) == 0) {
      at += stride;
      continue;
    }
    while (expected[at] == seen[at]) ++at;
    DifferingRun run{at, at, 0, first};
    first = false;
    for (std::size_t equal = 0; at < len && equal < kGap; ++at) {
      equal = expected[at] == seen[at] ? equal + 1 : 0;
      if (equal > 0) continue;
      run.end = at + 1;
      ++run.differing;
    }
    take(run);
  }
}

/// What a stretch is by itself. Only what belongs to its kind is filled.
struct RunReading {
  CorruptionKind kind = CorruptionKind::unknown;
  Swap swap = Swap::none;
  std::uint8_t fill = 0;
  std::int64_t distance = 0, shift = 0;
  // How far the same reading goes beyond the stretch, over bytes that are equal by chance.
  std::size_t earliest_begin = 0, latest_end = 0;
};

/// Where bytes of the inputs stand in the stream. Built when first asked for.
class StreamContent {
 public:
  explicit StreamContent(std::span<const CorruptionInput> inputs) : inputs_(inputs) {}
  [[nodiscard]] std::optional<ContentIndex::Found> find(Bytes bytes, std::uint64_t offset);

 private:
  void build();
  std::span<const CorruptionInput> inputs_;
  std::optional<ContentIndex> content_, hashed_;
};

RunReading read_run(const CorruptionInput& input, const DifferingRun& run, StreamContent& content);

}  // namespace slowpath::arithmetic

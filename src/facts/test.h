// SPDX-License-Identifier: Apache-2.0
// What an active test measured between two hosts: amounts over time, the kernels' own account of
// each socket, the processors, and whether what arrived is what was sent. Made by probe/; plain
// data. Seconds are doubles, counted from the test's start unless told otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "facts/machine.h"

namespace slowpath {

/// A stretch of a stream that arrived otherwise than it was sent. Two stretches with fewer than 64
/// equal bytes between them are one.
struct ContentDifference {
  static constexpr std::size_t kExcerptBytes = 1536;  // a segment of Ethernet's size
  std::uint64_t offset = 0;     // of its first byte, in the stream as it was received
  std::uint64_t length = 0;     // from the first byte that differs to the last
  std::uint64_t differing = 0;  // bytes
  // Both from `offset` on, as far as `length`, at most kExcerptBytes.
  std::vector<std::byte> expected, seen;
  /// Where in the stream as it was sent these bytes belong, if they are bytes of it at all: a stale
  /// or repeated segment, or bytes put in or left out before it.
  std::optional<std::uint64_t> found_at;
};

struct IntegrityFacts {
  static constexpr std::size_t kKept = 64;
  std::uint64_t checked_bytes = 0;
  std::uint64_t differing_bytes = 0;  // those that stand in another place than they belong, too
  std::uint64_t places = 0;           // stretches that differ
  std::vector<ContentDifference> differences;  // the first kKept
  /// Where the stream ended, bytes stood so far from where they belong: positive = bytes were left
  /// out, negative = bytes were put in. 0 = in place.
  std::int64_t displaced_by = 0;
};

}  // namespace slowpath

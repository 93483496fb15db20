// SPDX-License-Identifier: Apache-2.0
// TCP sequence numbers as a type: 32 bits that wrap, with only the operations that make sense.
#pragma once

#include <cstdint>

namespace slowpath {

/// A position in TCP's 32-bit sequence space (RFC 9293 section 3.4). Ordered only between positions
/// less than 2^31 apart.
struct SeqNum {
  std::uint32_t value = 0;

  friend constexpr bool operator==(SeqNum, SeqNum) = default;
  friend constexpr SeqNum operator+(SeqNum a, std::uint32_t n) { return {a.value + n}; }
  /// Signed distance b -> a: negative when a is before b.
  friend constexpr std::int32_t operator-(SeqNum a, SeqNum b) { return static_cast<std::int32_t>(a.value - b.value); }
  friend constexpr bool operator<(SeqNum a, SeqNum b) { return a - b < 0; }
  friend constexpr bool operator<=(SeqNum a, SeqNum b) { return a - b <= 0; }
  friend constexpr bool operator>(SeqNum a, SeqNum b) { return a - b > 0; }
  friend constexpr bool operator>=(SeqNum a, SeqNum b) { return a - b >= 0; }
};

}  // namespace slowpath

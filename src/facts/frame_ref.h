// SPDX-License-Identifier: Apache-2.0
// Pointers to frames, as evidence: which file, which frame number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace slowpath {

/// A frame of one of the inputs. Numbers are 1-based per file, as Wireshark shows them; 0 means "none".
struct FrameRef {
  std::uint64_t packed = 0;  // input index in the upper 16 bits, frame number in the lower 48

  constexpr FrameRef() = default;
  constexpr FrameRef(std::uint16_t input, std::uint64_t number) : packed(std::uint64_t{input} << 48 | number) {}
  [[nodiscard]] constexpr std::uint16_t input() const { return static_cast<std::uint16_t>(packed >> 48); }
  [[nodiscard]] constexpr std::uint64_t number() const { return packed & 0xffff'ffff'ffffu; }
  [[nodiscard]] constexpr explicit operator bool() const { return number() != 0; }
  friend constexpr bool operator==(FrameRef, FrameRef) = default;
};

/// How often something was seen, and the first frames that show it.
struct Exemplars {
  static constexpr std::size_t kKept = 6;
  std::uint64_t count = 0;
  std::array<FrameRef, kKept> first{};

  [[nodiscard]] constexpr std::size_t kept() const { return count < kKept ? static_cast<std::size_t>(count) : kKept; }
};

/// Counts one more and keeps its frame if there is room.
constexpr void note(Exemplars& exemplars, FrameRef frame) {
  if (exemplars.count < Exemplars::kKept) exemplars.first[static_cast<std::size_t>(exemplars.count)] = frame;
  ++exemplars.count;
}

}  // namespace slowpath

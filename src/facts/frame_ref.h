// SPDX-License-Identifier: Apache-2.0
// Pointers to frames, as evidence: which file, which frame number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

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

/// A few frames. Most such lists of a connection stay empty: memory is taken when the first one is written.
class FewFrames {
 public:
  static constexpr std::size_t kSize = 6;
  using Frames = std::array<FrameRef, kSize>;

  FewFrames() = default;
  FewFrames(const FewFrames& other) : frames_(other.frames_ ? std::make_unique<Frames>(*other.frames_) : nullptr) {}
  FewFrames(FewFrames&&) noexcept = default;
  FewFrames& operator=(const FewFrames& other) { return *this = FewFrames(other); }
  FewFrames& operator=(FewFrames&&) noexcept = default;
  ~FewFrames() = default;

  [[nodiscard]] FrameRef operator[](std::size_t i) const { return begin()[i]; }
  /// To write to.
  FrameRef& operator[](std::size_t i) {
    if (!frames_) frames_ = std::make_unique<Frames>();
    return (*frames_)[i];
  }
  [[nodiscard]] const FrameRef* begin() const { return frames_ ? frames_->data() : kNone.data(); }
  [[nodiscard]] const FrameRef* end() const { return begin() + kSize; }

 private:
  static constexpr Frames kNone{};
  std::unique_ptr<Frames> frames_;
};

/// How often something was seen, and the first frames that show it.
struct Exemplars {
  static constexpr std::size_t kKept = FewFrames::kSize;
  std::uint64_t count = 0;
  FewFrames first;

  [[nodiscard]] std::size_t kept() const { return count < kKept ? static_cast<std::size_t>(count) : kKept; }
};

/// Counts one more and keeps its frame if there is room.
inline void note(Exemplars& exemplars, FrameRef frame) {
  if (exemplars.count < Exemplars::kKept) exemplars.first[static_cast<std::size_t>(exemplars.count)] = frame;
  ++exemplars.count;
}

}  // namespace slowpath

// SPDX-License-Identifier: Apache-2.0
// Who is due next among many: a timing wheel of two levels. Inserting and taking cost the same for
// a thousand connections and for a million. Order within one tick (4.1 us) is arbitrary.
#pragma once

#include <cstdint>
#include <vector>

namespace slowpath::bench {

class Wheel {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr unsigned kTickBits = 12;  // A tick is 4096 ns.

  /// `count` members, numbered from 0. None is due yet.
  explicit Wheel(std::uint32_t count)
      : fine_(kFine, kNone), coarse_(kCoarse, kNone), next_(count), due_(count) {}

  /// Member is due at `due_ns`, at once if that is past. Each member at most once at a time.
  void insert(std::uint32_t member, std::uint64_t due_ns) {
    std::uint64_t tick = due_ns >> kTickBits;
    if (tick < now_) tick = now_;
    due_[member] = due_ns;
    if (tick >> kFineBits == now_ >> kFineBits) {
      push(fine_[tick % kFine], member);
    } else {
      push(coarse_[(tick >> kFineBits) % kCoarse], member);
    }
  }

  /// The members of the next tick that has any, as a list to follow with `next`; kNone when there
  /// is no member at all within 2^10 turns of the fine level.
  std::uint32_t take() {
    for (std::uint64_t turns = 0; turns <= kCoarse;) {
      const std::uint32_t head = fine_[now_ % kFine];
      if (head != kNone) {
        fine_[now_ % kFine] = kNone;
        return head;
      }
      if (++now_ % kFine == 0) {
        refill();
        ++turns;
      }
    }
    return kNone;
  }
  std::uint32_t next(std::uint32_t member) const { return next_[member]; }
  std::uint64_t due_ns(std::uint32_t member) const { return due_[member]; }

 private:
  static constexpr unsigned kFineBits = 16;  // One turn is 268 ms.
  static constexpr std::uint64_t kFine = 1 << kFineBits;
  static constexpr std::uint64_t kCoarse = 1 << 10;

  void push(std::uint32_t& head, std::uint32_t member) {
    next_[member] = head;
    head = member;
  }

  void refill() {
    std::uint32_t& head = coarse_[(now_ >> kFineBits) % kCoarse];
    std::uint32_t member = head;
    head = kNone;
    while (member != kNone) {
      const std::uint32_t following = next_[member];
      insert(member, due_[member]);
      member = following;
    }
  }

  std::vector<std::uint32_t> fine_;
  std::vector<std::uint32_t> coarse_;
  std::vector<std::uint32_t> next_;
  std::vector<std::uint64_t> due_;
  std::uint64_t now_ = 0;  // The tick that `take` looks at.
};

}  // namespace slowpath::bench

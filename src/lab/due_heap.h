// SPDX-License-Identifier: Apache-2.0
// What is to happen later: frames on their way to a step, and stages to be woken. Earliest first;
// what is due at the same time happens in the order in which it was asked for. A binary heap is
// enough up to some 300,000 entries a second (reference/lab.md); entries are plain data.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/time.h"
#include "lab/frame.h"

namespace slowpath::lab {

struct Due {
  Time when{};
  std::uint64_t order = 0;
  std::uint32_t direction = 0;
  std::uint32_t step = 0;  // where the frame goes on, or the step whose stage is woken
  Frame* frame = nullptr;  // owned; null for a wake
};

class DueHeap {
 public:
  DueHeap() = default;
  DueHeap(const DueHeap&) = delete;
  DueHeap& operator=(const DueHeap&) = delete;
  ~DueHeap() { clear(); }

  void push(Time when, std::uint32_t direction, std::uint32_t step, FramePtr frame) {
    entries_.push_back({when, next_order_++, direction, step, frame.release()});
    std::ranges::push_heap(entries_, later);
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] Time next() const { return entries_.front().when; }
  /// The earliest; its frame is the caller's.
  std::pair<Due, FramePtr> pop() {
    std::ranges::pop_heap(entries_, later);
    const Due due = entries_.back();
    entries_.pop_back();
    return {due, FramePtr(due.frame)};
  }
  /// Lets every frame go.
  void clear() {
    for (const Due& due : entries_) {
      if (due.frame != nullptr) ReturnToPool{}(due.frame);
    }
    entries_.clear();
  }

 private:
  static bool later(const Due& a, const Due& b) {
    return a.when != b.when ? a.when > b.when : a.order > b.order;
  }

  std::vector<Due> entries_;
  std::uint64_t next_order_ = 0;
};

}  // namespace slowpath::lab

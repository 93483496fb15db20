// SPDX-License-Identifier: Apache-2.0
#include "cli/frame_feed.h"

#include <algorithm>
#include <utility>

namespace slowpath::cli {

FrameFeed::FrameFeed(Work work, bool with_thread)
    : work_(std::move(work)),
      slots_(with_thread ? kSlots : 1),
      relay_(with_thread ? 1 : 0, slots_.size(),
             [this](std::size_t slot, std::size_t) { work_(slots_[slot]); }) {}

void FrameFeed::add(std::span<const wire::Frame> frames) {
  while (!frames.empty()) {
    if (filling_ == nullptr) {
      filling_ = &slots_[relay_.free_slot()];
      filling_->clear();
    }
    const std::size_t count = std::min(frames.size(), kBatch - filling_->size());
    const auto part = frames.first(count);
    filling_->insert(filling_->end(), part.begin(), part.end());
    frames = frames.subspan(count);
    if (filling_->size() >= kBatch) hand_over();
  }
}

void FrameFeed::hand_over() {
  if (filling_ == nullptr) return;
  filling_ = nullptr;
  relay_.hand_over();
}

void FrameFeed::finish() {
  hand_over();
  relay_.drain();
}

}  // namespace slowpath::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/engine_feed.h"

namespace slowpath::cli {

EngineFeed::EngineFeed(flow::Engine& engine, bool with_thread)
    : engine_(engine),
      slots_(with_thread ? kSlots : 1),
      relay_(with_thread ? 1 : 0, slots_.size(),
             [this](std::size_t slot, std::size_t) { engine_.add(slots_[slot]); }) {}

void EngineFeed::add(std::span<const wire::Frame> frames) {
  for (const wire::Frame& frame : frames) {
    if (filling_ == nullptr) {
      filling_ = &slots_[relay_.free_slot()];
      filling_->clear();
    }
    filling_->push_back(frame);
    if (filling_->size() >= kBatch) hand_over();
  }
}

void EngineFeed::hand_over() {
  if (filling_ == nullptr) return;
  filling_ = nullptr;
  relay_.hand_over();
}

void EngineFeed::finish() {
  hand_over();
  relay_.drain();
}

}  // namespace slowpath::cli

// SPDX-License-Identifier: Apache-2.0
// Hands frames on from the thread that reads them, gathered to batches that can be worked on
// together, to a thread of its own if there is one to spare.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "flow/screen/relay.h"
#include "wire/frame.h"

namespace slowpath::cli {

/// The frames' bytes have to stay valid until finish() returned.
class FrameFeed {
 public:
  using Work = std::function<void(std::span<const wire::Frame>)>;

  FrameFeed(Work work, bool with_thread);

  void add(std::span<const wire::Frame> frames);
  /// Waits until all is worked on. Throws what that threw.
  void finish();

 private:
  static constexpr std::size_t kBatch = 256, kSlots = 128;
  void hand_over();

  Work work_;
  std::vector<std::vector<wire::Frame>> slots_;
  std::vector<wire::Frame>* filling_ = nullptr;
  flow::Relay relay_;
};

}  // namespace slowpath::cli

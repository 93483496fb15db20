// SPDX-License-Identifier: Apache-2.0
// Gives an engine the few frames that a walk over many finds, gathered to batches that it can work
// on together, on a thread of its own if there is one to spare.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "flow/engine.h"
#include "flow/screen/relay.h"
#include "wire/frame.h"

namespace slowpath::cli {

/// The frames' bytes have to stay valid until finish() returned.
class EngineFeed {
 public:
  EngineFeed(flow::Engine& engine, bool with_thread);

  void add(std::span<const wire::Frame> frames);
  /// Waits until the engine has all. Throws what it threw.
  void finish();

 private:
  static constexpr std::size_t kBatch = 256, kSlots = 128;
  void hand_over();

  flow::Engine& engine_;
  std::vector<std::vector<wire::Frame>> slots_;
  std::vector<wire::Frame>* filling_ = nullptr;
  flow::Relay relay_;
};

}  // namespace slowpath::cli

// SPDX-License-Identifier: Apache-2.0
// A receive ring that a slow host empties too late: bursts longer than the ring overflow.
#include "lab/make_stage.h"
#include "lab/virtual_queue.h"

namespace slowpath::lab::stages {
namespace {

class RingDrop final : public Stage {
 public:
  explicit RingDrop(Settings& settings)
      : queue_(static_cast<double>(settings.number("pps", 1, 1)),
               static_cast<double>(settings.number("ring", 256, 1))) {}

  void take(FramePtr frame, StageContext& context) override {
    if (const auto leaves = queue_.admit(context.now(), 1)) {
      context.pass_at(*leaves, std::move(frame));
    } else {
      context.drop(std::move(frame), "receive ring full");
    }
  }

 private:
  VirtualQueue queue_;
};

}  // namespace

extern const StageKind ring_drop;
const StageKind ring_drop{
    .name = "ring-drop",
    .level = Level::nic_rx,
    .needs_segments = true,
    .summary =
        "a receive ring of `ring` frames (256) that the host empties at `pps` frames a second",
    .make = [](Settings& settings) { return make_stage<RingDrop>(settings, {"pps"}); },
};

}  // namespace slowpath::lab::stages

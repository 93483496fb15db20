// SPDX-License-Identifier: Apache-2.0
// TCP segmentation offload as it should be: super-frames cut, checksums completed.
#include "lab/make_stage.h"
#include "lab/stage.h"
#include "lab/super_frame.h"

namespace slowpath::lab::stages {
namespace {

class Segment final : public Stage {
 public:
  explicit Segment(Settings&) {}

  void take(FramePtr frame, StageContext& context) override {
    PacketView packet;
    if (!needs_cutting(frame, packet, context)) return;
    const wire::SuperSegment layout = layout_of(packet, frame->vnet.gso_size);
    const std::uint32_t count = wire::segment_count(layout);
    for (std::uint32_t i = 0; i < count; ++i) {
      context.pass(cut(context.pool(), *frame, layout, i));
    }
  }
};

}  // namespace

extern const StageKind segment;
const StageKind segment{
    .name = "segment",
    .level = Level::segmentation,
    .needs_segments = false,
    .summary = "cuts super-frames into segments and completes checksums",
    .make = [](Settings& settings) { return make_stage<Segment>(settings); },
};

}  // namespace slowpath::lab::stages

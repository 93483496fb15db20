// SPDX-License-Identifier: Apache-2.0
// Segmentation offload that sums the super-frame's length into every segment's pseudo-header: the
// receiver discards them all, while frames that needed no cutting are fine.
#include "lab/make_stage.h"
#include "lab/predicate.h"
#include "lab/stage.h"
#include "lab/super_frame.h"

namespace slowpath::lab::stages {
namespace {

class SegmentWrongSeed final : public Stage {
 public:
  explicit SegmentWrongSeed(Settings& settings) : predicate_(Predicate::read(settings)) {}

  void take(FramePtr frame, StageContext& context) override {
    PacketView packet;
    if (!needs_cutting(frame, packet, context)) return;
    const wire::SuperSegment layout = layout_of(packet, frame->vnet.gso_size);
    const std::uint32_t count = wire::segment_count(layout);
    // A single segment has the super-frame's length: its sum is right.
    const bool wrong =
        predicate_.holds(*frame, packet, context.now(), context.random()) && count > 1;
    const auto checksum =
        wrong ? wire::SegmentChecksum::wrong_seed : wire::SegmentChecksum::complete;
    for (std::uint32_t i = 0; i < count; ++i) {
      FramePtr segment = cut(context.pool(), *frame, layout, i, checksum);
      if (wrong) context.touched(*segment, "checksum with the super-frame's length");
      context.pass(std::move(segment));
    }
  }

 private:
  Predicate predicate_;
};

}  // namespace

extern const StageKind segment_wrong_seed;
const StageKind segment_wrong_seed{
    .name = "segment-wrong-seed",
    .level = Level::segmentation,
    .needs_segments = false,
    .summary =
        "cuts super-frames, but sums their length into the segments' checksums (predicate: "
        "of super-frames)",
    .make = [](Settings& settings) { return make_stage<SegmentWrongSeed>(settings); },
};

}  // namespace slowpath::lab::stages

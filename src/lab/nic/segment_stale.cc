// SPDX-License-Identifier: Apache-2.0
// Segmentation offload whose buffer is stale now and then: a segment carries the payload of the one
// before it, under a checksum computed over it. No checksum finds that.
#include <fmt/format.h>

#include "lab/make_stage.h"
#include "lab/predicate.h"
#include "lab/stage.h"
#include "lab/super_frame.h"

namespace slowpath::lab::stages {
namespace {

class SegmentStale final : public Stage {
 public:
  explicit SegmentStale(Settings& settings) : predicate_(Predicate::read(settings)) {}

  void take(FramePtr frame, StageContext& context) override {
    PacketView packet;
    if (!needs_cutting(frame, packet, context)) return;
    const wire::SuperSegment layout = layout_of(packet, frame->vnet.gso_size);
    const std::uint32_t count = wire::segment_count(layout);
    for (std::uint32_t i = 0; i < count; ++i) {
      FramePtr segment = cut(context.pool(), *frame, layout, i);
      const bool stale =
          i > 0 && predicate_.holds(*segment, view(*segment), context.now(), context.random());
      if (stale) {
        segment = cut(context.pool(), *frame, layout, i, wire::SegmentChecksum::complete, i - 1);
        context.touched(
            *segment, "stale payload",
            fmt::format("segment {} of {} has the payload of segment {}", i + 1, count, i));
      }
      context.pass(std::move(segment));
    }
  }

 private:
  Predicate predicate_;
};

}  // namespace

extern const StageKind segment_stale;
const StageKind segment_stale{
    .name = "segment-stale",
    .level = Level::segmentation,
    .needs_segments = false,
    .summary =
        "cuts super-frames; segments that the predicate picks (never the first of a "
        "super-frame) carry the payload of the one before",
    .make = [](Settings& settings) { return make_stage<SegmentStale>(settings); },
};

}  // namespace slowpath::lab::stages

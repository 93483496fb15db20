// SPDX-License-Identifier: Apache-2.0
// A virtual NIC that offers segmentation and then loses what it was to cut: story S1. Frames that
// need no cutting pass.
#include "lab/make_stage.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

class TsoDrop final : public Stage {
 public:
  explicit TsoDrop(Settings& settings)
      : predicate_(Predicate::read(settings)), above_(settings.bytes("above")) {}

  void take(FramePtr frame, StageContext& context) override {
    const auto packet = view(*frame);
    if (frame->is_super_frame() && packet.ip_len > above_ &&
        predicate_.holds(*frame, packet, context.now(), context.random())) {
      context.drop(std::move(frame), "large send not segmented");
    } else {
      context.pass(std::move(frame));
    }
  }

 private:
  Predicate predicate_;
  std::uint64_t above_;
};

}  // namespace

extern const StageKind tso_drop;
const StageKind tso_drop{
    .name = "tso-drop",
    .level = Level::nic_tx,
    .needs_segments = false,
    .summary = "super-frames of more than `above` bytes of IP (default all) vanish; predicate",
    .make = [](Settings& settings) { return make_stage<TsoDrop>(settings); },
};

}  // namespace slowpath::lab::stages

// SPDX-License-Identifier: Apache-2.0
// A segmentation engine that damages large sends above a size, before their checksums: story S0.
// What keeps sends small (a small window, segmentation off) hides it.
#include "lab/make_stage.h"
#include "lab/payload_fault.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

class CorruptSuper final : public Stage {
 public:
  explicit CorruptSuper(Settings& settings)
      : predicate_(Predicate::read(settings)),
        flip_(PayloadFlip::read(settings)),
        above_(settings.bytes("above")) {}

  void take(FramePtr frame, StageContext& context) override {
    const auto packet = view(*frame);
    if (frame->is_super_frame() && packet.ip_len > above_ && can_corrupt_unseen(packet, flip_) &&
        predicate_.holds(*frame, packet, context.now(), context.random())) {
      corrupt_unseen(*frame, packet, flip_, context);
    }
    context.pass(std::move(frame));
  }

 private:
  Predicate predicate_;
  PayloadFlip flip_;
  std::uint64_t above_;
};

}  // namespace

extern const StageKind corrupt_super;
const StageKind corrupt_super{
    .name = "corrupt-super",
    .level = Level::nic_tx,
    .needs_segments = false,
    .summary = "as corrupt-before-csum, in super-frames of more than `above` bytes of IP only",
    .make = [](Settings& settings) { return make_stage<CorruptSuper>(settings); },
};

}  // namespace slowpath::lab::stages

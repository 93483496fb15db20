// SPDX-License-Identifier: Apache-2.0
// A NIC or its memory path damages payload before the checksum is computed: the file arrives wrong
// and every counter stays silent.
#include "lab/make_stage.h"
#include "lab/payload_fault.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

class CorruptBeforeCsum final : public Stage {
 public:
  explicit CorruptBeforeCsum(Settings& settings)
      : predicate_(Predicate::read(settings)), flip_(PayloadFlip::read(settings)) {}

  void take(FramePtr frame, StageContext& context) override {
    const auto packet = view(*frame);
    if (can_corrupt_unseen(packet, flip_) &&
        predicate_.holds(*frame, packet, context.now(), context.random())) {
      corrupt_unseen(*frame, packet, flip_, context);
    }
    context.pass(std::move(frame));
  }

 private:
  Predicate predicate_;
  PayloadFlip flip_;
};

}  // namespace

extern const StageKind corrupt_before_csum;
const StageKind corrupt_before_csum{
    .name = "corrupt-before-csum",
    .level = Level::nic_tx,
    .needs_segments = false,
    .summary =
        "`bits` (1) of the payload turn over, `at` an offset or random, before the checksum "
        "is computed; predicate",
    .make = [](Settings& settings) { return make_stage<CorruptBeforeCsum>(settings); },
};

}  // namespace slowpath::lab::stages

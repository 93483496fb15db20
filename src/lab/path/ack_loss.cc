// SPDX-License-Identifier: Apache-2.0
// Pure acknowledgments lost, as on a crowded return path; everything else passes.
#include "lab/make_stage.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

class AckLoss final : public Stage {
 public:
  explicit AckLoss(Settings& settings)
      : predicate_(Predicate::read(settings)), share_(settings.share("share", 1)) {}

  void take(FramePtr frame, StageContext& context) override {
    const auto packet = view(*frame);
    if (is_pure_ack(packet) && predicate_.holds(*frame, packet, context.now(), context.random()) &&
        context.random().chance(share_)) {
      context.drop(std::move(frame), "acknowledgment lost");
    } else {
      context.pass(std::move(frame));
    }
  }

 private:
  Predicate predicate_;
  double share_;
};

}  // namespace

extern const StageKind ack_loss;
const StageKind ack_loss{
    .name = "ack-loss",
    .level = Level::path,
    .needs_segments = true,
    .summary = "a random `share` (default all) of pure ACKs that the predicate chooses is lost",
    .make = [](Settings& settings) { return make_stage<AckLoss>(settings); },
};

}  // namespace slowpath::lab::stages

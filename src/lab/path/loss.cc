// SPDX-License-Identifier: Apache-2.0
// Frames lost one by one, each with the same chance and without regard to the one before.
#include "lab/make_stage.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

class Loss final : public Stage {
 public:
  explicit Loss(Settings& settings)
      : predicate_(Predicate::read(settings)), share_(settings.share("share", 1)) {}

  void take(FramePtr frame, StageContext& context) override {
    if (predicate_.holds(*frame, view(*frame), context.now(), context.random()) &&
        context.random().chance(share_)) {
      context.drop(std::move(frame), "lost");
    } else {
      context.pass(std::move(frame));
    }
  }

 private:
  Predicate predicate_;
  double share_;
};

}  // namespace

extern const StageKind loss;
const StageKind loss{
    .name = "loss",
    .level = Level::path,
    .needs_segments = true,
    .summary = "a random `share` (default all) of the frames that the predicate chooses is lost",
    .make = [](Settings& settings) { return make_stage<Loss>(settings); },
};

}  // namespace slowpath::lab::stages

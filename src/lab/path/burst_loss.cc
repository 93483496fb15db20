// SPDX-License-Identifier: Apache-2.0
// Loss in bursts: Gilbert and Elliott's chain of two states (Bell System Technical Journal 39,
// 1960, and 42, 1963). Each chosen frame first may change the state, then is lost with the state's
// share. The mean burst is 1/r frames long, and p/(p+r) of the frames fall into one.
#include "lab/make_stage.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

class BurstLoss final : public Stage {
 public:
  explicit BurstLoss(Settings& settings)
      : predicate_(Predicate::read(settings)),
        to_bad_(settings.share("p")),
        to_good_(settings.share("r")),
        loss_good_(settings.share("loss_good", 0)),
        loss_bad_(settings.share("loss_bad", 1)) {}

  void take(FramePtr frame, StageContext& context) override {
    auto& random = context.random();
    if (predicate_.holds(*frame, view(*frame), context.now(), random) && is_lost(random)) {
      context.drop(std::move(frame), "lost in a burst");
    } else {
      context.pass(std::move(frame));
    }
  }

 private:
  bool is_lost(Random& random) {
    if (random.chance(is_bad_ ? to_good_ : to_bad_)) is_bad_ = !is_bad_;
    return random.chance(is_bad_ ? loss_bad_ : loss_good_);
  }

  Predicate predicate_;
  double to_bad_, to_good_, loss_good_, loss_bad_;
  bool is_bad_ = false;
};

}  // namespace

extern const StageKind burst_loss;
const StageKind burst_loss{
    .name = "burst-loss",
    .level = Level::path,
    .needs_segments = true,
    .summary =
        "a bad state begins with chance `p` a frame and ends with `r`; loss_good (0) and "
        "loss_bad (100%) are the shares lost in each; predicate",
    .make = [](Settings& settings) { return make_stage<BurstLoss>(settings, {"p", "r"}); },
};

}  // namespace slowpath::lab::stages

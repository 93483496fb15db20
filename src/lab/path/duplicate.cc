// SPDX-License-Identifier: Apache-2.0
// Frames that arrive twice: the copy right behind the original, or later.
#include "lab/make_stage.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

class Duplicate final : public Stage {
 public:
  explicit Duplicate(Settings& settings)
      : predicate_(Predicate::read(settings)), by_(settings.duration("by")) {}

  void take(FramePtr frame, StageContext& context) override {
    if (!predicate_.holds(*frame, view(*frame), context.now(), context.random())) {
      return context.pass(std::move(frame));
    }
    auto copy = context.pool().copy(*frame);
    context.pass(std::move(frame));
    context.touched(*copy, "duplicated");
    if (by_ > Duration{0}) {
      context.pass_at(context.now() + by_, std::move(copy));
    } else {
      context.pass(std::move(copy));
    }
  }

 private:
  Predicate predicate_;
  Duration by_;
};

}  // namespace

extern const StageKind duplicate;
const StageKind duplicate{
    .name = "duplicate",
    .level = Level::path,
    .needs_segments = true,
    .summary = "frames that the predicate chooses arrive twice, the copy `by` later (default 0)",
    .make = [](Settings& settings) { return make_stage<Duplicate>(settings); },
};

}  // namespace slowpath::lab::stages

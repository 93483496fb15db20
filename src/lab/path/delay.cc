// SPDX-License-Identifier: Apache-2.0
// The time a signal takes: the same for every frame, so their order stays.
#include "lab/make_stage.h"

namespace slowpath::lab::stages {
namespace {

class Delay final : public Stage {
 public:
  explicit Delay(Settings& settings) : time_(settings.duration("time")) {}

  void take(FramePtr frame, StageContext& context) override {
    context.pass_at(context.now() + time_, std::move(frame));
  }

 private:
  Duration time_;
};

}  // namespace

extern const StageKind delay;
const StageKind delay{
    .name = "delay",
    .level = Level::path,
    .needs_segments = false,
    .summary = "every frame arrives `time` later",
    .make = [](Settings& settings) { return make_stage<Delay>(settings, {"time"}); },
};

}  // namespace slowpath::lab::stages

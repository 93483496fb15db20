// SPDX-License-Identifier: Apache-2.0
// Chosen frames take a longer way and are overtaken by those behind them.
#include <fmt/core.h>

#include "base/format.h"
#include "lab/make_stage.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

class Reorder final : public Stage {
 public:
  explicit Reorder(Settings& settings)
      : predicate_(Predicate::read(settings)), by_(settings.duration("by")) {}

  void take(FramePtr frame, StageContext& context) override {
    if (!predicate_.holds(*frame, view(*frame), context.now(), context.random())) {
      return context.pass(std::move(frame));
    }
    context.touched(*frame, "held back", fmt::format("by {}", format_duration(by_)));
    context.pass_at(context.now() + by_, std::move(frame));
  }

 private:
  Predicate predicate_;
  Duration by_;
};

}  // namespace

extern const StageKind reorder;
const StageKind reorder{
    .name = "reorder",
    .level = Level::path,
    .needs_segments = true,
    .summary = "frames that the predicate chooses arrive `by` later than the others",
    .make = [](Settings& settings) { return make_stage<Reorder>(settings, {"by"}); },
};

}  // namespace slowpath::lab::stages

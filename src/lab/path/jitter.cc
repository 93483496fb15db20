// SPDX-License-Identifier: Apache-2.0
// Delay that varies from frame to frame, evenly from nothing to a bound: a radio link, a busy
// hypervisor. With keep_order frames queue behind a late one; without, they overtake it.
#include <algorithm>

#include "lab/make_stage.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

class Jitter final : public Stage {
 public:
  explicit Jitter(Settings& settings)
      : predicate_(Predicate::read(settings)),
        time_(settings.duration("time")),
        keep_order_(settings.flag("keep_order", true)) {}

  void take(FramePtr frame, StageContext& context) override {
    Time due = context.now();
    if (predicate_.holds(*frame, view(*frame), due, context.random())) {
      const auto steps = static_cast<std::uint64_t>(time_.count()) + 1;
      due += Duration{static_cast<std::int64_t>(context.random().below(steps))};
    }
    if (keep_order_) due = last_due_ = std::max(due, last_due_);
    context.pass_at(due, std::move(frame));
  }

 private:
  Predicate predicate_;
  Duration time_;
  bool keep_order_;
  Time last_due_{};
};

}  // namespace

extern const StageKind jitter;
const StageKind jitter{
    .name = "jitter",
    .level = Level::path,
    .needs_segments = true,
    .summary = "frames arrive 0 to `time` later; keep_order = true (default) or false; predicate",
    .make = [](Settings& settings) { return make_stage<Jitter>(settings, {"time"}); },
};

}  // namespace slowpath::lab::stages

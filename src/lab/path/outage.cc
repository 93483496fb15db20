// SPDX-License-Identifier: Apache-2.0
// Nothing passes for a while, once or again and again. Times run from the first frame seen, so an
// idle beginning does not count.
#include <optional>

#include "lab/make_stage.h"

namespace slowpath::lab::stages {
namespace {

class Outage final : public Stage {
 public:
  explicit Outage(Settings& settings)
      : from_(settings.duration("from")),
        for_(settings.duration("for")),
        every_(settings.duration("every")) {}

  [[nodiscard]] std::string complaint() const {
    return every_ > Duration{0} && every_ <= for_ ? "every must be longer than for" : "";
  }

  void take(FramePtr frame, StageContext& context) override {
    if (is_out(context.now())) {
      context.drop(std::move(frame), "outage");
    } else {
      context.pass(std::move(frame));
    }
  }

 private:
  bool is_out(Time now) {
    if (!first_) first_ = now;
    auto since = now - *first_ - from_;
    if (since < Duration{0}) return false;
    if (every_ > Duration{0}) since %= every_;
    return since < for_;
  }

  Duration from_, for_, every_;
  std::optional<Time> first_;
};

}  // namespace

extern const StageKind outage;
const StageKind outage{
    .name = "outage",
    .level = Level::path,
    .needs_segments = false,
    .summary =
        "all frames are lost `for` a time, `from` the first frame on, again `every` so often",
    .make = [](Settings& settings) { return make_stage<Outage>(settings, {"for"}); },
};

}  // namespace slowpath::lab::stages

// SPDX-License-Identifier: Apache-2.0
// A token bucket that drops what comes too fast and queues nothing. Bytes as in rate.cc.
#include <algorithm>
#include <optional>

#include "lab/make_stage.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

class Policer final : public Stage {
 public:
  explicit Policer(Settings& settings)
      : predicate_(Predicate::read(settings)),
        bytes_per_second_(settings.rate_bps("rate") / 8),
        burst_(static_cast<double>(settings.bytes("burst"))),
        tokens_(burst_) {}

  [[nodiscard]] std::string complaint() const {
    if (bytes_per_second_ <= 0) return "rate must be above 0";
    return burst_ < kLeastBurst ? "burst must hold a full frame of 1514 bytes" : "";
  }

  void take(FramePtr frame, StageContext& context) override {
    if (!predicate_.holds(*frame, view(*frame), context.now(), context.random())) {
      return context.pass(std::move(frame));
    }
    refill(context.now());
    if (tokens_ < frame->len) return context.drop(std::move(frame), "above the policed rate");
    tokens_ -= frame->len;
    context.pass(std::move(frame));
  }

 private:
  static constexpr double kLeastBurst = 1514;  // less would pass no full frame, ever

  void refill(Time now) {
    if (filled_) tokens_ += to_seconds(now - *filled_) * bytes_per_second_;
    tokens_ = std::min(tokens_, burst_);
    filled_ = now;
  }

  Predicate predicate_;
  double bytes_per_second_;
  double burst_, tokens_;  // bytes
  std::optional<Time> filled_;
};

}  // namespace

extern const StageKind policer;
const StageKind policer{
    .name = "policer",
    .level = Level::path,
    .needs_segments = true,
    .summary =
        "a token bucket of `burst` bytes filled at `rate`; what finds it empty is dropped; "
        "predicate",
    .make = [](Settings& settings) { return make_stage<Policer>(settings, {"rate", "burst"}); },
};

}  // namespace slowpath::lab::stages

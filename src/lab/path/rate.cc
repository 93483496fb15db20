// SPDX-License-Identifier: Apache-2.0
// A link of a given speed with a drop-tail queue in front. Bytes are those of Ethernet frames
// without preamble, check sequence and gap.
#include <algorithm>

#include "lab/make_stage.h"
#include "lab/virtual_queue.h"

namespace slowpath::lab::stages {
namespace {

// Without a queue of its own a link gets 100 ms of its rate, one bandwidth-delay product of a long
// path, and never less than a few full frames.
constexpr double kDefaultQueueSeconds = 0.1;
constexpr double kLeastDefaultQueueBytes = 4 * 1514;

class Rate final : public Stage {
 public:
  explicit Rate(Settings& settings)
      : bytes_per_second_(settings.rate_bps("rate") / 8),
        queue_(bytes_per_second_, queue_bytes(settings, bytes_per_second_)) {}

  [[nodiscard]] std::string complaint() const {
    return bytes_per_second_ > 0 ? "" : "rate must be above 0";
  }

  void take(FramePtr frame, StageContext& context) override {
    if (const auto leaves = queue_.admit(context.now(), frame->len)) {
      context.pass_at(*leaves, std::move(frame));
    } else {
      context.drop(std::move(frame), "queue full");
    }
  }

 private:
  static double queue_bytes(Settings& settings, double bytes_per_second) {
    if (const auto given = settings.bytes("queue"); given > 0) return static_cast<double>(given);
    return std::max(bytes_per_second * kDefaultQueueSeconds, kLeastDefaultQueueBytes);
  }

  double bytes_per_second_;
  VirtualQueue queue_;
};

}  // namespace

extern const StageKind rate;
const StageKind rate{
    .name = "rate",
    .level = Level::path,
    .needs_segments = true,
    .summary = "a link of `rate` with a drop-tail queue of `queue` bytes (default 100 ms of it)",
    .make = [](Settings& settings) { return make_stage<Rate>(settings, {"rate"}); },
};

}  // namespace slowpath::lab::stages

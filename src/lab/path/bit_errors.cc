// SPDX-License-Identifier: Apache-2.0
// Bits that turn over with a chance of their own, so that long packets suffer more: one of n bits
// is hit with probability 1-(1-rate)^n. All bits of the IP packet are at risk; the link's header is
// not, because no switch passes on a frame that its check sequence refuses.
#include <algorithm>
#include <cmath>

#include "lab/bit_flip.h"
#include "lab/make_stage.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

class BitErrors final : public Stage {
 public:
  explicit BitErrors(Settings& settings)
      : predicate_(Predicate::read(settings)), rate_(settings.share("rate")) {}

  [[nodiscard]] std::string complaint() const {
    return rate_ > 0 && rate_ < 1 ? "" : "rate must be above 0 and below 1";
  }

  void take(FramePtr frame, StageContext& context) override {
    const auto packet = view(*frame);
    if (packet.ip_version != 0 &&
        predicate_.holds(*frame, packet, context.now(), context.random())) {
      expose(*frame, packet, context);
    }
    context.pass(std::move(frame));
  }

 private:
  // Instead of a draw for each bit, the number of good bits up to the next error is drawn: it is
  // geometric. What is left of it at the end of a packet goes on in the next.
  void expose(Frame& frame, const PacketView& packet, StageContext& context) {
    if (!drawn_) good_bits_ = draw(context.random());
    drawn_ = true;
    const auto bits = std::uint64_t{packet.ip_len} * 8;
    std::uint64_t at = 0;  // first bit not yet looked at
    BitFlips flips;
    while (good_bits_ < bits - at) {
      at += good_bits_;
      flips.flip(frame, std::uint64_t{packet.ip_offset} * 8 + at);
      ++at;
      good_bits_ = draw(context.random());
    }
    good_bits_ -= bits - at;
    if (!flips.detail().empty()) context.touched(frame, "bit error", flips.detail());
  }

  [[nodiscard]] std::uint64_t draw(Random& random) const {
    const double bits = std::floor(std::log1p(-random.uniform()) / std::log1p(-rate_));
    constexpr double kMost = 1e18;  // far beyond any run, and an integer
    return static_cast<std::uint64_t>(std::min(bits, kMost));
  }

  Predicate predicate_;
  double rate_;
  bool drawn_ = false;
  std::uint64_t good_bits_ = 0;
};

}  // namespace

extern const StageKind bit_errors;
const StageKind bit_errors{
    .name = "bit-errors",
    .level = Level::path,
    .needs_segments = true,
    .summary = "each bit of the IP packet turns over with chance `rate` (\"1e-7\"); predicate",
    .make = [](Settings& settings) { return make_stage<BitErrors>(settings, {"rate"}); },
};

}  // namespace slowpath::lab::stages

// SPDX-License-Identifier: Apache-2.0
// Payload bits turned over on the way, after the sender's checksum: the receiver sees it and drops
// the packet. Headers stay whole, so the packet still finds its connection.
#include "lab/bit_flip.h"
#include "lab/make_stage.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

class Corrupt final : public Stage {
 public:
  explicit Corrupt(Settings& settings)
      : predicate_(Predicate::read(settings)), flip_(PayloadFlip::read(settings)) {}

  void take(FramePtr frame, StageContext& context) override {
    const auto packet = view(*frame);
    if (flip_.fits(packet) && predicate_.holds(*frame, packet, context.now(), context.random())) {
      const auto detail = flip_.flip(*frame, packet, context.random(), true);
      context.touched(*frame, "corrupted", detail);
    }
    context.pass(std::move(frame));
  }

 private:
  Predicate predicate_;
  PayloadFlip flip_;
};

}  // namespace

extern const StageKind corrupt;
const StageKind corrupt{
    .name = "corrupt",
    .level = Level::path,
    .needs_segments = true,
    .summary =
        "`bits` (1) of the payload turn over, `at` an offset or random, in frames that the "
        "predicate chooses; their checksums do not follow",
    .make = [](Settings& settings) { return make_stage<Corrupt>(settings); },
};

}  // namespace slowpath::lab::stages

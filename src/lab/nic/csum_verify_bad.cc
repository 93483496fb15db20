// SPDX-License-Identifier: Apache-2.0
// A receiving NIC that takes good checksums for bad and drops the packets.
#include "lab/make_stage.h"
#include "lab/predicate.h"
#include "lab/transport_checksum.h"

namespace slowpath::lab::stages {
namespace {

class CsumVerifyBad final : public Stage {
 public:
  explicit CsumVerifyBad(Settings& settings) : predicate_(Predicate::read(settings)) {}

  void take(FramePtr frame, StageContext& context) override {
    const auto packet = view(*frame);
    if (has_transport_checksum(*frame, packet) &&
        predicate_.holds(*frame, packet, context.now(), context.random())) {
      context.drop(std::move(frame), "checksum judged bad");
    } else {
      context.pass(std::move(frame));
    }
  }

 private:
  Predicate predicate_;
};

}  // namespace

extern const StageKind csum_verify_bad;
const StageKind csum_verify_bad{
    .name = "csum-verify-bad",
    .level = Level::nic_rx,
    .needs_segments = true,
    .summary =
        "the receiving NIC drops TCP and UDP packets that the predicate chooses as if their "
        "checksum were bad",
    .make = [](Settings& settings) { return make_stage<CsumVerifyBad>(settings); },
};

}  // namespace slowpath::lab::stages

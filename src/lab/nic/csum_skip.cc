// SPDX-License-Identifier: Apache-2.0
// A virtual NIC that does not complete the checksums left to it: the folded pseudo-header goes out
// instead, and a receiver that checks drops the packet. Frames whose checksum the sender completed
// itself are out of its reach. Of a super-frame each segment is so, where a segmentation stage cuts
// it.
#include "lab/make_stage.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

class CsumSkip final : public Stage {
 public:
  explicit CsumSkip(Settings& settings) : predicate_(Predicate::read(settings)) {}

  void take(FramePtr frame, StageContext& context) override {
    if (frame->vnet.needs_checksum() &&
        predicate_.holds(*frame, view(*frame), context.now(), context.random())) {
      skip(*frame);
      context.touched(*frame, "checksum not completed");
    }
    context.pass(std::move(frame));
  }

 private:
  static void skip(Frame& frame) {
    frame.leave_checksum = true;
    if (frame.vnet.gso_type != VnetHeader::kGsoNone) return;  // cutting needs what the header says
    frame.vnet.flags = static_cast<std::uint8_t>(frame.vnet.flags & ~VnetHeader::kNeedsChecksum);
  }

  Predicate predicate_;
};

}  // namespace

extern const StageKind csum_skip;
const StageKind csum_skip{
    .name = "csum-skip",
    .level = Level::nic_tx,
    .needs_segments = false,
    .summary = "checksums left to the NIC stay partial in frames that the predicate chooses",
    .make = [](Settings& settings) { return make_stage<CsumSkip>(settings); },
};

}  // namespace slowpath::lab::stages

// SPDX-License-Identifier: Apache-2.0
// A receiving NIC that calls every checksum good: damage on the way reaches the application. Tun
// ignores "data valid" (reference/lab.md), so each TCP and UDP frame is handed up with a partial
// checksum, which the host does not check; those that were bad are noted.
#include "lab/make_stage.h"
#include "lab/predicate.h"
#include "lab/transport_checksum.h"

namespace slowpath::lab::stages {
namespace {

class RxCsumTrust final : public Stage {
 public:
  explicit RxCsumTrust(Settings& settings) : predicate_(Predicate::read(settings)) {}

  void take(FramePtr frame, StageContext& context) override {
    const auto packet = view(*frame);
    if (!frame->vnet.needs_checksum() && has_transport_checksum(*frame, packet) &&
        predicate_.holds(*frame, packet, context.now(), context.random())) {
      const bool was_good = is_transport_checksum_good(*frame, packet);
      make_checksum_partial(*frame, packet);
      if (!was_good) context.touched(*frame, "bad checksum accepted");
    }
    context.pass(std::move(frame));
  }

 private:
  Predicate predicate_;
};

}  // namespace

extern const StageKind rx_csum_trust;
const StageKind rx_csum_trust{
    .name = "rx-csum-trust",
    .level = Level::nic_rx,
    .needs_segments = true,
    .summary = "the receiving NIC calls all checksums good, the bad ones too; predicate",
    .make = [](Settings& settings) { return make_stage<RxCsumTrust>(settings); },
};

}  // namespace slowpath::lab::stages

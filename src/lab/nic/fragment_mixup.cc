// SPDX-License-Identifier: Apache-2.0
// Identifications of fragments that come round too soon, as at high rates with 16 bits (RFC 4963):
// where a fragment was lost, the receiver's own stack joins the rest with a later packet's. Only
// the identification is made so; the mixing is the kernel's, and needs loss before this stage.
#include <fmt/core.h>

#include "base/bytes.h"
#include "lab/make_stage.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

class FragmentMixup final : public Stage {
 public:
  explicit FragmentMixup(Settings& settings)
      : predicate_(Predicate::read(settings)),
        ids_(static_cast<std::uint32_t>(settings.number("ids", 8, 1, UINT16_MAX))) {}

  void take(FramePtr frame, StageContext& context) override {
    const auto packet = view(*frame);
    if (packet.is_fragment && predicate_.holds(*frame, packet, context.now(), context.random())) {
      reduce(*frame, packet, context);
    }
    context.pass(std::move(frame));
  }

 private:
  void reduce(Frame& frame, const PacketView& packet, StageContext& context) const {
    std::uint32_t before = 0, after = 0;
    if (packet.ip_version == 4) {
      before = packet.ip_id;
      after = before % ids_;
      store_be16(frame.data + packet.ip_offset + 4, static_cast<std::uint16_t>(after));
      finish_ip_header(frame, packet);
    } else {
      // The last 4 bytes of the fragment header (RFC 8200 section 4.5).
      auto* field = frame.data + packet.l4_offset - 4;
      before = load_be32(field);
      after = before % ids_;
      store_be16(field, static_cast<std::uint16_t>(after >> 16));
      store_be16(field + 2, static_cast<std::uint16_t>(after));
    }
    if (before == after) return;
    context.touched(frame, "identification reused", fmt::format("{} -> {}", before, after));
  }

  Predicate predicate_;
  std::uint32_t ids_;
};

}  // namespace

extern const StageKind fragment_mixup;
const StageKind fragment_mixup{
    .name = "fragment-mixup",
    .level = Level::nic_rx,
    .needs_segments = true,
    .summary =
        "fragments get one of `ids` (8) identifications in turn, so that after a loss the "
        "receiver joins those of different packets; predicate",
    .make = [](Settings& settings) { return make_stage<FragmentMixup>(settings); },
};

}  // namespace slowpath::lab::stages

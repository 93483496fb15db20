// SPDX-License-Identifier: Apache-2.0
// A NIC, driver or virtual port that silently loses packets above a size, although the host was
// told that they fit. A super-frame counts as what it would be cut into: it is lost whole where its
// full segments are too large.
#include <algorithm>

#include "lab/make_stage.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

/// Bytes of IP of the largest packet that this frame puts on the wire.
std::uint32_t largest_packet(const Frame& frame, const PacketView& packet) {
  if (!frame.is_super_frame()) return packet.ip_len;
  const std::uint32_t headers = packet.ip_len - packet.payload_len;
  return headers + std::min<std::uint32_t>(frame.vnet.gso_size, packet.payload_len);
}

class MtuDropTx final : public Stage {
 public:
  explicit MtuDropTx(Settings& settings)
      : predicate_(Predicate::read(settings)), above_(settings.bytes("above")) {}

  void take(FramePtr frame, StageContext& context) override {
    const auto packet = view(*frame);
    if (largest_packet(*frame, packet) > above_ &&
        predicate_.holds(*frame, packet, context.now(), context.random())) {
      context.drop(std::move(frame), "too large for the NIC");
    } else {
      context.pass(std::move(frame));
    }
  }

 private:
  Predicate predicate_;
  std::uint64_t above_;
};

}  // namespace

extern const StageKind mtu_drop_tx;
const StageKind mtu_drop_tx{
    .name = "mtu-drop-tx",
    .level = Level::nic_tx,
    .needs_segments = false,
    .summary = "packets of more than `above` bytes of IP vanish in the sending NIC; predicate",
    .make = [](Settings& settings) { return make_stage<MtuDropTx>(settings, {"above"}); },
};

}  // namespace slowpath::lab::stages

// SPDX-License-Identifier: Apache-2.0
// A virtual NIC that hands on a super-frame without saying that it is one: a single packet above
// the MTU with a right checksum. A host behind takes it; a router answers with ICMP: story S4.
#include <fmt/core.h>

#include "base/bytes.h"
#include "lab/make_stage.h"
#include "lab/predicate.h"

namespace slowpath::lab::stages {
namespace {

constexpr std::uint32_t kIpv6HeaderBytes = 40;

class TsoWhole final : public Stage {
 public:
  explicit TsoWhole(Settings& settings) : predicate_(Predicate::read(settings)) {}

  void take(FramePtr frame, StageContext& context) override {
    const auto packet = view(*frame);
    if (frame->is_super_frame() && packet.is_tcp && !packet.is_fragment &&
        predicate_.holds(*frame, packet, context.now(), context.random())) {
      make_plain(*frame, packet);
      context.touched(*frame, "delivered whole",
                      fmt::format("{} bytes of IP in one packet", packet.ip_len));
    }
    context.pass(std::move(frame));
  }

 private:
  static void make_plain(Frame& frame, const PacketView& packet) {
    // IPv4: total length at 2. IPv6: payload length at 4. What does not fit stays as it is.
    const bool is_ipv4 = packet.ip_version == 4;
    const auto len = is_ipv4 ? packet.ip_len : packet.ip_len - kIpv6HeaderBytes;
    if (len <= UINT16_MAX) {
      store_be16(frame.data + packet.ip_offset + (is_ipv4 ? 2 : 4),
                 static_cast<std::uint16_t>(len));
    }
    finish_ip_header(frame, packet);
    finish_l4_checksum(frame, packet);
    frame.vnet = {};
  }

  Predicate predicate_;
};

}  // namespace

extern const StageKind tso_whole;
const StageKind tso_whole{
    .name = "tso-whole",
    .level = Level::nic_tx,
    .needs_segments = false,
    .summary = "super-frames leave uncut as one packet above the MTU, checksum right; predicate",
    .make = [](Settings& settings) { return make_stage<TsoWhole>(settings); },
};

}  // namespace slowpath::lab::stages

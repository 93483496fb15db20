// SPDX-License-Identifier: Apache-2.0
// A firewall that randomises initial sequence numbers: what one end sends is shifted, what is
// acknowledged to it is shifted back. The broken ones forget the edges of SACK blocks (RFC 2018),
// which then lie outside everything that was sent.
#include <array>
#include <cstdint>
#include <utility>

#include "lab/box_pair.h"
#include "lab/packet_edit.h"
#include "wire/packet.h"

namespace slowpath::lab::stages {
namespace {

class SequenceShifter {
 public:
  explicit SequenceShifter(Settings& settings)
      : filter_(FlowFilter::read(settings)),
        offset_(
            static_cast<std::uint32_t>(settings.number("offset", 1'000'000'007, 0, UINT32_MAX))),
        shifts_sack_(settings.flag("sack", true)) {}

  void take_forward(FramePtr frame, StageContext& context) {
    const PacketView packet = view(*frame);
    if (packet.is_tcp && filter_.holds(packet)) {
      set_l4_field32(*frame, packet, static_cast<std::uint16_t>(packet.l4_offset + 4),
                     packet.sequence + offset_);
      context.touched(*frame, "sequence shifted");
    }
    context.pass(std::move(frame));
  }

  void take_backward(FramePtr frame, StageContext& context) {
    const PacketView packet = view(*frame);
    if (has_flag(packet, wire::kAck) && filter_.holds(packet)) {
      set_l4_field32(*frame, packet, static_cast<std::uint16_t>(packet.l4_offset + 8),
                     packet.acknowledgment - offset_);
      if (shifts_sack_) shift_blocks(*frame, packet);
      context.touched(*frame, "acknowledgment shifted back");
    }
    context.pass(std::move(frame));
  }

 private:
  void shift_blocks(Frame& frame, const PacketView& packet) const {
    const Bytes edges = tcp_option_value(frame, packet, kOptionSack);
    const auto first = static_cast<std::uint32_t>(edges.data() - frame.data);
    for (std::uint32_t at = 0; at + 4 <= edges.size(); at += 4) {
      std::array<std::byte, 4> edge{};
      store_be32(edge.data(), load_be32(frame.data + first + at) - offset_);
      patch_l4(frame, packet, first + at, edge);
    }
  }

  FlowFilter filter_;
  std::uint32_t offset_;
  bool shifts_sack_;
};

Result<StagePair> make(Settings& settings) {
  return make_box_pair(settings, SequenceShifter{settings});
}

}  // namespace

extern const StageKind sequence_shift;
const StageKind sequence_shift{
    .name = "sequence-shift",
    .level = Level::middlebox,
    .summary =
        "adds offset to sequence numbers, takes it from acknowledgments of the other "
        "direction; keys: offset, sack = true (default) | false (blocks are forgotten), port",
    .make = make};

}  // namespace slowpath::lab::stages

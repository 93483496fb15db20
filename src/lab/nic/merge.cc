// SPDX-License-Identifier: Apache-2.0
// Receive offload (GRO, LRO): segments of one flow that follow each other become a super-frame.
//
// Only what a NIC would merge is merged: data with a right checksum (or one that the NIC was told
// to trust, then it is partial), flags ACK and PSH alone. Everything else of a flow lets go first
// of what is held of that flow, so that order stays. A segment with a bad checksum is handed up as
// it is: merged it would be believed.
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "facts/address.h"
#include "lab/stage.h"
#include "lab/super_frame.h"
#include "wire/checksum.h"
#include "wire/packet.h"

namespace slowpath::lab::stages {
namespace {

constexpr std::size_t kMostFlows =
    64;  // held at a time: more than a burst has; then the oldest goes

struct Flow {
  std::array<std::byte, 32> addresses{};
  std::uint32_t ports = 0;
  friend bool operator==(const Flow&, const Flow&) = default;
};

Flow flow_of(const Frame& frame, const PacketView& packet) {
  Flow flow;
  const bool is_ipv6 = packet.ip_version == 6;
  std::memcpy(flow.addresses.data(), frame.data + packet.ip_offset + (is_ipv6 ? 8 : 12),
              is_ipv6 ? 32 : 8);
  flow.ports = load_be32(frame.data + packet.l4_offset);
  return flow;
}

/// Summed anew: what the NIC checks before it merges.
bool checksum_right(const Frame& frame, const PacketView& packet) {
  const std::byte* ip = frame.data + packet.ip_offset;
  const Bytes addresses = packet.ip_version == 6 ? Bytes{ip + 8, 32} : Bytes{ip + 12, 8};
  const Bytes segment = frame.bytes().subspan(packet.l4_offset);
  const std::uint16_t pseudo =
      wire::ones_add(wire::ones_sum(addresses), static_cast<std::uint16_t>(6 + segment.size()));
  return wire::ones_add(pseudo, wire::ones_sum(segment)) == 0xffff;
}

bool can_be_held(const Frame& frame, const PacketView& packet) {
  return !packet.is_fragment && packet.payload_len > 0 && packet.payload_len <= UINT16_MAX &&
         frame.vnet.gso_type == VnetHeader::kGsoNone &&
         (packet.tcp_flags & ~wire::kPsh) == wire::kAck && packet.ip_len <= UINT16_MAX &&
         (frame.vnet.needs_checksum() || checksum_right(frame, packet));
}

class Merge final : public Stage {
 public:
  explicit Merge(std::uint32_t most_bytes) : most_bytes_(most_bytes) { held_.reserve(kMostFlows); }

  void take(FramePtr frame, StageContext& context) override {
    const PacketView packet = view(*frame);
    if (!packet.is_tcp) return context.pass(std::move(frame));
    const Flow flow = flow_of(*frame, packet);
    const auto held = std::ranges::find(held_, flow, &Held::flow);
    if (!can_be_held(*frame, packet)) {
      if (held != held_.end()) let_go(held, context);
      return context.pass(std::move(frame));
    }
    const auto layout = layout_of(packet, static_cast<std::uint16_t>(packet.payload_len));
    if (held != held_.end()) {
      const bool fits = held->frame->len - packet.ip_offset + packet.payload_len <= most_bytes_;
      if (fits && wire::can_merge(held->frame->bytes(), held->layout, frame->bytes(), layout)) {
        return append(held, *frame, layout, context);
      }
      let_go(held, context);
    }
    hold(flow, std::move(frame), layout, context);
  }

  void flush(StageContext& context) override {
    for (auto& held : held_) pass(held, context);
    held_.clear();
  }

 private:
  struct Held {
    Flow flow;
    FramePtr frame;  // the first segment itself, or a large frame once a second came
    wire::SuperSegment layout;
  };
  using Iterator = std::vector<Held>::iterator;

  void hold(const Flow& flow, FramePtr frame, const wire::SuperSegment& layout,
            StageContext& context) {
    if (held_.size() == kMostFlows) let_go(held_.begin(), context);
    held_.push_back({flow, std::move(frame), layout});
    if (ended(held_.back())) let_go(held_.end() - 1, context);
  }

  void append(Iterator held, const Frame& next, const wire::SuperSegment& layout,
              StageContext& context) {
    FramePtr& super = held->frame;
    if (super->capacity < FramePool::kLargeBytes) {
      FramePtr large = context.pool().make(FramePool::kLargeBytes);
      std::memcpy(large->data, super->data, super->len);
      large->len = super->len;
      large->arrived = super->arrived;
      super = std::move(large);
    }
    super->len = wire::merge_segment({super->data, super->capacity}, super->len, held->layout,
                                     next.bytes(), layout);
    mark_merged(*super, held->layout);
    if (ended(*held)) let_go(held, context);
  }

  /// Nothing can follow: it was pushed, its last segment is short, or it is full.
  [[nodiscard]] bool ended(const Held& held) const {
    const std::byte flags = held.frame->data[held.layout.tcp_offset + 13];
    return (load_u8(&flags) & wire::kPsh) != 0 ||
           held.layout.payload_len % held.layout.segment_payload != 0 ||
           held.frame->len - held.layout.ip_offset + held.layout.segment_payload > most_bytes_;
  }

  void let_go(Iterator held, StageContext& context) {
    Held gone = std::move(*held);
    held_.erase(held);
    pass(gone, context);
  }

  static void pass(Held& held, StageContext& context) { context.pass(std::move(held.frame)); }

  std::vector<Held> held_;  // oldest first
  std::uint32_t most_bytes_;
};

Result<StagePair> make(Settings& settings) {
  constexpr std::uint64_t kMostIpBytes = 65535;
  const std::uint64_t most = settings.bytes("max", kMostIpBytes);
  if (auto ok = settings.check(); !ok) return std::unexpected(ok.error());
  if (most == 0 || most > kMostIpBytes) {
    return fail(ErrorKind::usage, "cannot make " + settings.where(),
                "max is not a size of an IP packet", "give 1 to 65535 bytes");
  }
  return StagePair{std::make_unique<Merge>(static_cast<std::uint32_t>(most)), nullptr};
}

}  // namespace

extern const StageKind merge;
const StageKind merge{.name = "merge",
                      .level = Level::nic_rx,
                      .needs_segments = true,
                      .summary =
                          "merges segments that follow each other into super-frames of at "
                          "most `max` bytes of IP (GRO, LRO)",
                      .make = make};

}  // namespace slowpath::lab::stages

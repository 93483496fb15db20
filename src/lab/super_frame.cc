// SPDX-License-Identifier: Apache-2.0
// Cuts lab frames.
#include "lab/super_frame.h"

#include <algorithm>
#include <utility>

namespace slowpath::lab {

wire::SuperSegment layout_of(const PacketView& packet, std::uint16_t segment_payload) {
  return {.ip_offset = packet.ip_offset,
          .tcp_offset = packet.l4_offset,
          .payload_offset = packet.payload_offset,
          .payload_len = packet.payload_len,
          .segment_payload = segment_payload,
          .is_ipv6 = packet.ip_version == 6};
}

FramePtr cut(FramePool& pool, const Frame& super, const wire::SuperSegment& layout,
             std::uint32_t index, wire::SegmentChecksum checksum, std::uint32_t payload_of) {
  const std::uint32_t most =
      layout.payload_offset + std::min<std::uint32_t>(layout.segment_payload, layout.payload_len);
  FramePtr segment = pool.make(most);
  if (super.leave_checksum) checksum = wire::SegmentChecksum::partial;
  segment->len = wire::cut_segment(super.bytes(), layout, index, checksum,
                                   {segment->data, segment->capacity}, payload_of);
  segment->arrived = super.arrived;
  segment->parent = super.id;
  segment->leave_checksum = super.leave_checksum;
  return segment;
}

bool needs_cutting(FramePtr& frame, PacketView& packet, StageContext& context) {
  if (frame->is_super_frame() && frame->vnet.gso_size != 0) {
    packet = view(*frame);
    if (packet.is_tcp && !packet.is_fragment) return true;
  }
  if (frame->vnet.gso_type != VnetHeader::kGsoNone) {
    // UDP super-frames are not offered to hosts; a header that does not fit its frame is a bug.
    context.drop(std::move(frame), "super-frame that is not TCP");
    return false;
  }
  if (!frame->leave_checksum) complete_checksum(*frame);
  frame->vnet = {};
  context.pass(std::move(frame));
  return false;
}

void mark_merged(Frame& frame, const wire::SuperSegment& layout) {
  frame.vnet.flags = VnetHeader::kNeedsChecksum;
  frame.vnet.gso_type = layout.is_ipv6 ? VnetHeader::kGsoTcp6 : VnetHeader::kGsoTcp4;
  frame.vnet.gso_size = layout.segment_payload;
  frame.vnet.hdr_len = layout.payload_offset;
  frame.vnet.csum_start = layout.tcp_offset;
  frame.vnet.csum_offset = 16;
}

}  // namespace slowpath::lab

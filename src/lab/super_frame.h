// SPDX-License-Identifier: Apache-2.0
// Between lab frames and the cutting and merging of wire/segment.h.
#pragma once

#include <cstdint>

#include "lab/frame.h"
#include "lab/packet_view.h"
#include "lab/stage.h"
#include "wire/segment.h"

namespace slowpath::lab {

/// The layout of a TCP frame; packet.is_tcp. `segment_payload` is what each segment carries.
wire::SuperSegment layout_of(const PacketView& packet, std::uint16_t segment_payload);

/// Segment `index` of a super-frame as a frame of its own, child of `super`. Checksum as asked,
/// unless a stage before asked to leave it (Frame::leave_checksum): then partial. Either way the
/// NIC is done with it: kNeedsChecksum is off.
FramePtr cut(FramePool& pool, const Frame& super, const wire::SuperSegment& layout,
             std::uint32_t index, wire::SegmentChecksum checksum = wire::SegmentChecksum::complete,
             std::uint32_t payload_of = UINT32_MAX);

/// What every segmentation does first: a frame that needs no cutting gets its checksum and is
/// passed on; one that cannot be cut is dropped. True if `frame` is still there, a TCP super-frame
/// that `packet` describes.
bool needs_cutting(FramePtr& frame, PacketView& packet, StageContext& context);

/// Makes `frame`, whose headers `layout` describes, one that the receiving kernel takes for a
/// merged super-frame: partial checksum (already in the TCP header), gso_size.
void mark_merged(Frame& frame, const wire::SuperSegment& layout);

}  // namespace slowpath::lab

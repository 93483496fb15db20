// SPDX-License-Identifier: Apache-2.0
// Payload bits turned over in a sending NIC before it computes the checksum, which then vouches for
// the damage: nobody on the way can notice. Shared by the kinds that differ in which frames.
#pragma once

#include "lab/bit_flip.h"
#include "lab/frame.h"
#include "lab/packet_view.h"
#include "lab/stage.h"

namespace slowpath::lab {

/// The damage can be done so that a checksum covers it: a whole TCP or UDP packet with the bytes
/// that are to be hit.
bool can_corrupt_unseen(const PacketView& packet, const PayloadFlip& flip);
/// Does it, completes anew a checksum that was complete, and notes it.
void corrupt_unseen(Frame& frame, const PacketView& packet, const PayloadFlip& flip,
                    StageContext& context);

}  // namespace slowpath::lab

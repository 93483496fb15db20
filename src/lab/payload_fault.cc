// SPDX-License-Identifier: Apache-2.0
// Damage that a checksum vouches for.
#include "lab/payload_fault.h"

namespace slowpath::lab {

bool can_corrupt_unseen(const PacketView& packet, const PayloadFlip& flip) {
  constexpr std::uint8_t kProtocolUdp = 17;
  const bool has_checksum = packet.is_tcp || packet.protocol == kProtocolUdp;
  return has_checksum && !packet.is_fragment && flip.fits(packet);
}

void corrupt_unseen(Frame& frame, const PacketView& packet, const PayloadFlip& flip,
                    StageContext& context) {
  const auto detail = flip.flip(frame, packet, context.random(), false);
  if (!frame.vnet.needs_checksum()) finish_l4_checksum(frame, packet);
  context.touched(frame, "corrupted before its checksum", detail);
}

}  // namespace slowpath::lab

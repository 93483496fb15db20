// SPDX-License-Identifier: Apache-2.0
// Any bytes as a frame of any link type: the first byte picks the type, the second how much longer
// than captured the frame was on the wire. Checks what must hold for whatever comes out.
#include <cstdint>
#include <iterator>

#include "require.h"
#include "unit/wire/describe.h"
#include "wire/checksum.h"
#include "wire/packet.h"

namespace {

using namespace slowpath;
using namespace slowpath::wire;
using fuzz::require;

constexpr std::uint16_t kLinkTypes[] = {1,   0,   9,   50,  51,  12,  14, 101, 105,
                                        108, 113, 127, 204, 228, 229, 10, 276, 147};

bool lies_within(Bytes part, Bytes whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// A packet that something else was decoded into before.
Packet used_packet() {
  Packet packet;
  packet.kind = PacketKind::icmp;
  packet.quote.present = packet.quote.is_tcp = packet.ip_len_zero = true;
  packet.quote.source.address.version = 6;
  packet.options.sack_count = 4;
  packet.options.sack[3].end = SeqNum{7};
  packet.link_hash = 99;
  return packet;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  Frame frame;
  frame.link_type = static_cast<LinkType>(kLinkTypes[data[0] % std::size(kLinkTypes)]);
  frame.bytes = {reinterpret_cast<const std::byte*>(data) + 2, size - 2};
  frame.original_len = static_cast<std::uint32_t>(frame.bytes.size() + data[1]);

  Packet packet;
  decode(frame, packet);
  Packet again = used_packet();
  decode(frame, again);
  require(test::describe(packet) == test::describe(again));
  require(lies_within(packet.transport, frame.bytes));
  require(lies_within(packet.payload, frame.bytes));
  require(packet.payload.size() <= packet.payload_len);
  require(packet.tunnel_depth <= kMaxTunnelDepth && packet.vlan_count <= kMaxVlanTags);
  require(packet.options.sack_count <= kMaxSackBlocks);

  const ChecksumState state = verify_checksum(packet);
  require((state == ChecksumState::not_checked) == (packet.kind != PacketKind::tcp));
  if (state == ChecksumState::good) require(checksum_error(packet) == 0);
  if (state == ChecksumState::bad) require(checksum_error(packet) != 0);
  require(ones_sum(frame.bytes) == ones_sum_plain(frame.bytes));
  return 0;
}

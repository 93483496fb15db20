// SPDX-License-Identifier: Apache-2.0
// Transport checksums judged and made partial.
#include "lab/transport_checksum.h"

#include "base/bytes.h"
#include "wire/checksum.h"

namespace slowpath::lab {
namespace {

constexpr std::uint8_t kProtocolUdp = 17;

std::uint16_t field_offset(const PacketView& packet) { return packet.is_tcp ? 16 : 6; }

std::uint16_t pseudo_header_sum(const Frame& frame, const PacketView& packet) {
  const auto ip = frame.bytes().subspan(packet.ip_offset);
  const auto addresses = packet.ip_version == 4 ? ip.subspan(12, 8) : ip.subspan(8, 32);
  const std::uint32_t len = frame.len - packet.l4_offset;  // above 65535 only in a jumbogram
  auto sum = wire::ones_add(wire::ones_sum(addresses), packet.protocol);
  sum = wire::ones_add(sum, static_cast<std::uint16_t>(len >> 16));
  return wire::ones_add(sum, static_cast<std::uint16_t>(len));
}

}  // namespace

bool has_transport_checksum(const Frame& frame, const PacketView& packet) {
  if (packet.ip_version == 0 || packet.is_fragment) return false;
  if (packet.is_tcp) return true;
  return packet.protocol == kProtocolUdp && load_be16(frame.data + packet.l4_offset + 6) != 0;
}

bool is_transport_checksum_good(const Frame& frame, const PacketView& packet) {
  const auto segment = frame.bytes().subspan(packet.l4_offset);
  const auto sum = wire::ones_add(wire::ones_sum(segment), pseudo_header_sum(frame, packet));
  return wire::ones_equal(sum, 0);
}

void make_checksum_partial(Frame& frame, const PacketView& packet) {
  const auto offset = field_offset(packet);
  store_be16(frame.data + packet.l4_offset + offset, pseudo_header_sum(frame, packet));
  frame.vnet.flags = VnetHeader::kNeedsChecksum;
  frame.vnet.csum_start = packet.l4_offset;
  frame.vnet.csum_offset = offset;
}

}  // namespace slowpath::lab

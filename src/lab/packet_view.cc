// SPDX-License-Identifier: Apache-2.0
// Finds headers, and edits them. The transport checksum of a frame is complete, or partial where
// the sending kernel left it to the NIC (VnetHeader::kNeedsChecksum): then the field holds the
// folded sum of the pseudo-header, not its complement, and covers no byte of the segment.
#include "lab/packet_view.h"

#include <bit>
#include <cstring>

#include "facts/address.h"
#include "wire/checksum.h"

namespace slowpath::lab {
namespace {

constexpr std::uint16_t kEthernetBytes = 14;
constexpr std::uint16_t kIpv6Bytes = 40, kFragmentHeaderBytes = 8;
constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIpv6Fragment = 44, kIcmp6 = 58;

/// Reads the IPv4 header behind Ethernet; false if there is none.
bool read_ipv4(Bytes bytes, PacketView& packet) {
  if (bytes.size() < kEthernetBytes + 20) return false;
  const std::byte* ip = bytes.data() + kEthernetBytes;
  const unsigned header = (load_u8(ip) & 0xfU) * 4;
  if (load_u8(ip) >> 4U != 4 || header < 20 || kEthernetBytes + header > bytes.size()) return false;
  const std::uint16_t fragment = load_be16(ip + 6);
  packet.ip_version = 4;
  packet.protocol = load_u8(ip + 9);
  packet.ip_id = load_be16(ip + 4);
  packet.dont_fragment = (fragment & 0x4000) != 0;
  packet.more_fragments = (fragment & 0x2000) != 0;
  packet.fragment_offset = static_cast<std::uint16_t>((fragment & 0x1fff) * 8);
  packet.is_fragment = packet.more_fragments || packet.fragment_offset != 0;
  packet.l4_offset = static_cast<std::uint16_t>(kEthernetBytes + header);
  return true;
}

bool read_ipv6(Bytes bytes, PacketView& packet) {
  if (bytes.size() < kEthernetBytes + kIpv6Bytes) return false;
  const std::byte* ip = bytes.data() + kEthernetBytes;
  if (load_u8(ip) >> 4U != 6) return false;
  packet.ip_version = 6;
  packet.protocol = load_u8(ip + 6);
  packet.dont_fragment = true;
  packet.l4_offset = kEthernetBytes + kIpv6Bytes;
  if (packet.protocol != kIpv6Fragment) return true;
  if (bytes.size() < std::size_t{packet.l4_offset} + kFragmentHeaderBytes) return false;
  const std::byte* header = bytes.data() + packet.l4_offset;
  const std::uint16_t fragment = load_be16(header + 2);
  packet.protocol = load_u8(header);
  packet.fragment_offset = fragment & 0xfff8U;
  packet.more_fragments = (fragment & 1U) != 0;
  packet.is_fragment = true;
  packet.ip_id = load_be16(header + 6);  // the low half of 32 bits
  packet.l4_offset = static_cast<std::uint16_t>(packet.l4_offset + kFragmentHeaderBytes);
  return true;
}

/// False if the transport header that should be here is not whole.
bool read_transport(Bytes bytes, PacketView& packet) {
  packet.payload_offset = packet.l4_offset;
  if (packet.fragment_offset != 0) return true;
  const std::byte* l4 = bytes.data() + packet.l4_offset;
  const std::size_t room = bytes.size() - packet.l4_offset;
  unsigned header = 0;
  if (packet.protocol == kTcp) {
    header = room < 20 ? 20U : (load_u8(l4 + 12) >> 4U) * 4U;
    if (header < 20 || header > room) return false;
    packet.is_tcp = true;
    packet.sequence = load_be32(l4 + 4);
    packet.acknowledgment = load_be32(l4 + 8);
    packet.tcp_flags = load_u8(l4 + 13);
    packet.window = load_be16(l4 + 14);
  } else if (packet.protocol == kUdp || packet.protocol == kIcmp || packet.protocol == kIcmp6) {
    header = 8;
    if (header > room) return false;
  }
  if (packet.protocol == kTcp || packet.protocol == kUdp) {
    packet.source_port = load_be16(l4);
    packet.destination_port = load_be16(l4 + 2);
  }
  packet.payload_offset = static_cast<std::uint16_t>(packet.l4_offset + header);
  return true;
}

/// Where this frame's transport checksum is; 0 if it has none (or is not the first fragment).
std::uint16_t checksum_field(const PacketView& packet) {
  if (packet.ip_version == 0 || packet.fragment_offset != 0) return 0;
  unsigned within = 0;
  if (packet.protocol == kTcp) within = 16;
  if (packet.protocol == kUdp) within = 6;
  if (packet.protocol == kIcmp || packet.protocol == kIcmp6) within = 2;
  return static_cast<std::uint16_t>(within == 0 ? 0 : packet.l4_offset + within);
}

bool has_pseudo_header(const PacketView& packet) { return packet.protocol != kIcmp; }

/// RFC 768: a UDP checksum that comes out as zero is sent as all ones; zero means none.
void store_checksum(Frame& frame, const PacketView& packet, std::uint16_t field,
                    std::uint16_t value) {
  if (packet.protocol == kUdp && value == 0) value = 0xffff;
  store_be16(frame.data + field, value);
}

/// The stored checksum follows a covered word that changed; `odd` says that the word begins at an
/// odd offset, where its bytes count in the other order.
void update_complete(Frame& frame, const PacketView& packet, std::uint16_t before,
                     std::uint16_t after, bool odd) {
  const std::uint16_t field = checksum_field(packet);
  if (field == 0 || frame.vnet.needs_checksum()) return;
  const std::uint16_t old = load_be16(frame.data + field);
  if (packet.protocol == kUdp && old == 0) return;
  if (odd) before = std::byteswap(before), after = std::byteswap(after);
  store_checksum(frame, packet, field, wire::checksum_update(old, before, after));
}

IpAddress address_at(const Frame& frame, const PacketView& packet, bool source) {
  IpAddress address;
  address.version = packet.ip_version;
  const std::size_t len = packet.ip_version == 4 ? 4 : 16;
  const std::size_t first = packet.ip_version == 4 ? 12 : 8;
  std::memcpy(address.bytes.data(), frame.data + packet.ip_offset + first + (source ? 0 : len),
              len);
  return address;
}

}  // namespace

PacketView view(const Frame& frame) {
  PacketView packet;
  const Bytes bytes = frame.bytes();
  if (bytes.size() < kEthernetBytes) return packet;
  const std::uint16_t ether_type = load_be16(bytes.data() + 12);
  const bool read = (ether_type == 0x0800 && read_ipv4(bytes, packet)) ||
                    (ether_type == 0x86dd && read_ipv6(bytes, packet));
  if (!read || !read_transport(bytes, packet)) return {};
  packet.ip_offset = kEthernetBytes;
  packet.ip_len = static_cast<std::uint32_t>(bytes.size() - packet.ip_offset);
  packet.payload_len = static_cast<std::uint32_t>(bytes.size() - packet.payload_offset);
  return packet;
}

void set_l4_field16(Frame& frame, const PacketView& packet, std::uint16_t offset,
                    std::uint16_t value) {
  if (std::size_t{offset} + 2 > frame.len) return;
  const std::uint16_t before = load_be16(frame.data + offset);
  store_be16(frame.data + offset, value);
  if (offset == checksum_field(packet)) return;
  const bool odd = ((offset - packet.l4_offset) & 1) != 0;
  update_complete(frame, packet, before, value, odd);
}

void set_l4_field32(Frame& frame, const PacketView& packet, std::uint16_t offset,
                    std::uint32_t value) {
  set_l4_field16(frame, packet, offset, static_cast<std::uint16_t>(value >> 16));
  set_l4_field16(frame, packet, static_cast<std::uint16_t>(offset + 2),
                 static_cast<std::uint16_t>(value));
}

void set_ip4_address(Frame& frame, const PacketView& packet, bool source, std::uint32_t address) {
  if (packet.ip_version != 4) return;
  std::byte* ip = frame.data + packet.ip_offset;
  std::byte* at = ip + (source ? 12 : 16);
  const std::uint32_t before = load_be32(at);
  store_be32(at, address);
  store_be16(ip + 10, wire::checksum_update32(load_be16(ip + 10), before, address));
  const std::uint16_t field = checksum_field(packet);
  if (field == 0 || !has_pseudo_header(packet)) return;
  const std::uint16_t old = load_be16(frame.data + field);
  if (frame.vnet.needs_checksum()) {
    const auto sum = wire::checksum_update32(static_cast<std::uint16_t>(~old), before, address);
    store_be16(frame.data + field, static_cast<std::uint16_t>(~sum));
  } else if (packet.protocol != kUdp || old != 0) {
    store_checksum(frame, packet, field, wire::checksum_update32(old, before, address));
  }
}

void finish_ip_header(Frame& frame, const PacketView& packet) {
  if (packet.ip_version != 4) return;
  std::byte* ip = frame.data + packet.ip_offset;
  const std::size_t len = (load_u8(ip) & 0xfU) * std::size_t{4};
  if (packet.ip_offset + len > frame.len) return;
  store_be16(ip + 10, 0);
  store_be16(ip + 10, wire::checksum({ip, len}));
}

void finish_l4_checksum(Frame& frame, const PacketView& packet) {
  const std::uint16_t field = checksum_field(packet);
  if (field == 0 || packet.is_fragment) return;
  store_be16(frame.data + field, 0);
  const Bytes segment = frame.bytes().subspan(packet.l4_offset);
  std::uint16_t sum = wire::ones_sum(segment);
  if (has_pseudo_header(packet)) {
    sum = wire::ones_add(sum, wire::pseudo_header_sum(
                                  address_at(frame, packet, true), address_at(frame, packet, false),
                                  packet.protocol, static_cast<std::uint32_t>(segment.size())));
  }
  store_checksum(frame, packet, field, static_cast<std::uint16_t>(~sum));
  frame.vnet.flags = static_cast<std::uint8_t>(frame.vnet.flags & ~VnetHeader::kNeedsChecksum);
}

void complete_checksum(Frame& frame) {
  if (!frame.vnet.needs_checksum()) return;
  frame.vnet.flags = static_cast<std::uint8_t>(frame.vnet.flags & ~VnetHeader::kNeedsChecksum);
  const std::size_t start = frame.vnet.csum_start;
  const std::size_t field = start + frame.vnet.csum_offset;
  if (field + 2 > frame.len) return;  // a header that lies about its frame: nothing to complete
  auto value = static_cast<std::uint16_t>(~wire::ones_sum(frame.bytes().subspan(start)));
  // As the kernel does (CSUM_MANGLED_0): right for every protocol, and UDP must not store zero.
  if (value == 0) value = 0xffff;
  store_be16(frame.data + field, value);
}

std::uint16_t find_tcp_option(const Frame& frame, const PacketView& packet, std::uint8_t kind) {
  if (!packet.is_tcp) return 0;
  std::size_t at = packet.l4_offset + std::size_t{20};
  while (at < packet.payload_offset) {
    const std::uint8_t found = load_u8(frame.data + at);
    if (found == 0) return 0;  // end of options (RFC 9293 section 3.2)
    std::size_t len = 1;
    if (found != 1) {
      len = at + 1 < packet.payload_offset ? load_u8(frame.data + at + 1) : 0U;
      if (len < 2 || at + len > packet.payload_offset) return 0;
    }
    if (found == kind) return static_cast<std::uint16_t>(at);
    at += len;
  }
  return 0;
}

bool blank_tcp_option(Frame& frame, const PacketView& packet, std::uint8_t kind) {
  const std::uint16_t first = find_tcp_option(frame, packet, kind);
  if (first == 0 || kind <= 1) return false;
  const unsigned len = load_u8(frame.data + first + 1);
  // Word after word; an odd last byte is stored together with the byte before it, a NOP by then.
  for (unsigned i = 0; i + 1 < len; i += 2) {
    set_l4_field16(frame, packet, static_cast<std::uint16_t>(first + i), 0x0101);
  }
  if (len % 2 != 0) {
    set_l4_field16(frame, packet, static_cast<std::uint16_t>(first + len - 2), 0x0101);
  }
  return true;
}

}  // namespace slowpath::lab

// SPDX-License-Identifier: Apache-2.0
// Builds Ethernet, IP and TCP headers around numbers taken from the packet that is answered.
#include "lab/tcp_answer.h"

#include <cstring>

#include "base/assert.h"
#include "facts/address.h"
#include "lab/packet_edit.h"
#include "wire/packet.h"

namespace slowpath::lab {
namespace {

constexpr std::uint32_t kEthernetLen = 14, kIp4Len = 20, kIp6Len = 40, kTcpLen = 20;

void write_ethernet(std::byte* at, const Frame& cause, bool same_way, bool is_v4) {
  std::memcpy(at, cause.data + (same_way ? 0 : 6), 6);
  std::memcpy(at + 6, cause.data + (same_way ? 6 : 0), 6);
  store_be16(at + 12, is_v4 ? 0x0800 : 0x86dd);
}

void write_ip(std::byte* ip, const IpAddress& source, const IpAddress& destination,
              const ForgedSegment& segment) {
  if (source.version == 4) {
    store_be16(ip, 0x4500);
    store_be16(ip + 2, kIp4Len + kTcpLen);
    store_be16(ip + 4, segment.ip_id);
    store_be16(ip + 6, 0);
    store_u8(ip + 8, segment.ttl);
    store_u8(ip + 9, kTcp);
    store_be16(ip + 10, 0);
    std::memcpy(ip + 12, source.bytes.data(), 4);
    std::memcpy(ip + 16, destination.bytes.data(), 4);
  } else {
    store_be32(ip, 0x60000000);
    store_be16(ip + 4, kTcpLen);
    store_u8(ip + 6, kTcp);
    store_u8(ip + 7, segment.ttl);
    std::memcpy(ip + 8, source.bytes.data(), 16);
    std::memcpy(ip + 24, destination.bytes.data(), 16);
  }
}

void write_tcp(std::byte* tcp, std::uint16_t source_port, std::uint16_t destination_port,
               const ForgedSegment& segment) {
  store_be16(tcp, source_port);
  store_be16(tcp + 2, destination_port);
  store_be32(tcp + 4, segment.sequence);
  store_be32(tcp + 8, segment.acknowledgment);
  store_u8(tcp + 12, (kTcpLen / 4) << 4);
  store_u8(tcp + 13, segment.flags);
  store_be16(tcp + 14, segment.window);
  store_be32(tcp + 16, 0);  // checksum, urgent pointer
}

}  // namespace

FramePtr make_segment(FramePool& pool, const Frame& cause, const PacketView& packet,
                      const ForgedSegment& segment) {
  SLOWPATH_ASSERT(packet.is_tcp && packet.ip_offset >= kEthernetLen);
  const bool same_way = segment.from == ForgedFrom::its_sender;
  const bool is_v4 = packet.ip_version == 4;
  const std::uint32_t ip_len = is_v4 ? kIp4Len : kIp6Len;
  FramePtr made = pool.make(kEthernetLen + ip_len + kTcpLen);
  write_ethernet(made->data, cause, same_way, is_v4);
  write_ip(made->data + kEthernetLen, ip_address(cause, packet, same_way),
           ip_address(cause, packet, !same_way), segment);
  write_tcp(made->data + kEthernetLen + ip_len,
            same_way ? packet.source_port : packet.destination_port,
            same_way ? packet.destination_port : packet.source_port, segment);
  const PacketView written = view(*made);
  finish_ip_header(*made, written);
  finish_l4_checksum(*made, written);
  return made;
}

ForgedSegment reset_for_sender(const PacketView& packet) {
  if ((packet.tcp_flags & wire::kAck) != 0) {
    return {.sequence = packet.acknowledgment, .flags = wire::kRst};
  }
  return {.sequence = 0,
          .acknowledgment = packet.sequence + sequence_len(packet),
          .flags = wire::kRst | wire::kAck};
}

ForgedSegment reset_for_receiver(const PacketView& packet) {
  return {.from = ForgedFrom::its_sender,
          .sequence = packet.sequence + sequence_len(packet),
          .flags = wire::kRst};
}

std::uint32_t sequence_len(const PacketView& packet) {
  std::uint32_t len = packet.payload_len;
  if ((packet.tcp_flags & wire::kSyn) != 0) ++len;
  if ((packet.tcp_flags & wire::kFin) != 0) ++len;
  return len;
}

}  // namespace slowpath::lab

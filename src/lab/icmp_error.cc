// SPDX-License-Identifier: Apache-2.0
// Builds "fragmentation needed" and "packet too big" byte by byte.
#include "lab/icmp_error.h"

#include <algorithm>
#include <cstring>

#include "lab/packet_edit.h"

namespace slowpath::lab {
namespace {

constexpr std::uint32_t kEthernetLen = 14, kIp4Len = 20, kIp6Len = 40, kIcmpLen = 8;
constexpr std::uint32_t kMaxError4 = 576, kMaxError6 = 1280;  // whole IP packets
constexpr std::uint8_t kRouterTtl = 64;
constexpr std::uint8_t kInternetControl = 0xc0;  // precedence of Linux's ICMP errors (RFC 1812)

void write_ip4(std::byte* ip, std::uint32_t ip_len, std::uint16_t ip_id, const IpAddress& from,
               const std::byte* rejected_ip) {
  store_u8(ip, 0x45);
  store_u8(ip + 1, kInternetControl);
  store_be16(ip + 2, static_cast<std::uint16_t>(ip_len));
  store_be16(ip + 4, ip_id);
  store_be16(ip + 6, 0);
  store_u8(ip + 8, kRouterTtl);
  store_u8(ip + 9, kIcmp4);
  store_be16(ip + 10, 0);
  std::memcpy(ip + 12, from.bytes.data(), 4);
  std::memcpy(ip + 16, rejected_ip + 12, 4);
}

void write_ip6(std::byte* ip, std::uint32_t ip_len, const IpAddress& from,
               const std::byte* rejected_ip) {
  store_be32(ip, 0x60000000);
  store_be16(ip + 4, static_cast<std::uint16_t>(ip_len - kIp6Len));
  store_u8(ip + 6, kIcmp6);
  store_u8(ip + 7, kRouterTtl);
  std::memcpy(ip + 8, from.bytes.data(), 16);
  std::memcpy(ip + 24, rejected_ip + 8, 16);
}

/// Type and code, a checksum still to be computed, and the MTU: 16 bits after 16 unused ones in
/// version 4, 32 bits in version 6.
void write_icmp(std::byte* icmp, bool is_v4, std::uint32_t mtu) {
  store_u8(icmp, is_v4 ? 3 : 2);
  store_u8(icmp + 1, is_v4 ? 4 : 0);
  store_be16(icmp + 2, 0);
  store_be32(icmp + 4, is_v4 ? std::min(mtu, 0xffffU) : mtu);
}

}  // namespace

FramePtr make_too_big(FramePool& pool, const Frame& rejected, const PacketView& packet,
                      const IpAddress& router, std::uint32_t mtu, std::uint16_t ip_id) {
  const bool is_v4 = packet.ip_version == 4;
  if (packet.ip_version == 0 || packet.fragment_offset != 0) return nullptr;
  if (packet.ip_offset < kEthernetLen || router.version != packet.ip_version) return nullptr;
  if (is_icmp_error(rejected, packet)) return nullptr;
  const std::uint32_t headers = (is_v4 ? kIp4Len : kIp6Len) + kIcmpLen;
  const std::uint32_t quote = std::min(packet.ip_len, (is_v4 ? kMaxError4 : kMaxError6) - headers);
  FramePtr error = pool.make(kEthernetLen + headers + quote);
  std::byte* ethernet = error->data;
  std::memcpy(ethernet, rejected.data + 6, 6);
  std::memcpy(ethernet + 6, rejected.data, 6);
  store_be16(ethernet + 12, is_v4 ? 0x0800 : 0x86dd);
  std::byte* ip = ethernet + kEthernetLen;
  const std::byte* rejected_ip = rejected.data + packet.ip_offset;
  if (is_v4) {
    write_ip4(ip, headers + quote, ip_id, router, rejected_ip);
  } else {
    write_ip6(ip, headers + quote, router, rejected_ip);
  }
  std::byte* icmp = ip + headers - kIcmpLen;
  write_icmp(icmp, is_v4, mtu);
  std::memcpy(icmp + kIcmpLen, rejected_ip, quote);
  const PacketView made = view(*error);
  finish_ip_header(*error, made);
  finish_l4_checksum(*error, made);
  return error;
}

IpAddress default_router(const IpAddress& destination) {
  IpAddress router = destination;
  const std::size_t last = destination.version == 4 ? 3 : 15;
  const std::uint8_t host = 254;
  router.bytes.at(last) = destination.bytes.at(last) == host ? host - 1 : host;
  return router;
}

bool is_icmp_error(const Frame& frame, const PacketView& packet) {
  if (packet.ip_version == 0 || packet.fragment_offset != 0) return false;
  if (frame.len < packet.l4_offset + kIcmpLen) return false;
  const std::uint8_t type = load_u8(frame.data + packet.l4_offset);
  if (packet.protocol == kIcmp4 && packet.ip_version == 4) {
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
  }
  return packet.protocol == kIcmp6 && packet.ip_version == 6 && type < 128;  // RFC 4443 section 2.1
}

}  // namespace slowpath::lab

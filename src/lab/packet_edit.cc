// SPDX-License-Identifier: Apache-2.0
// Edits under a checksum: RFC 1624 over whatever 16-bit words the changed bytes touch.
#include "lab/packet_edit.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "wire/checksum.h"
#include "wire/packet.h"

namespace slowpath::lab {
namespace {

constexpr std::uint16_t kTcpChecksumOffset = 16, kUdpChecksumOffset = 6;
constexpr std::uint16_t kIp4ChecksumOffset = 10;

/// Where the transport checksum is within the frame; 0 where there is none that is whole.
std::uint32_t checksum_offset(const Frame& frame, const PacketView& packet) {
  if (packet.fragment_offset != 0) return 0;
  if (packet.is_tcp) return packet.l4_offset + std::uint32_t{kTcpChecksumOffset};
  if (packet.protocol != kUdp || frame.len < packet.l4_offset + 8U) return 0;
  const std::uint32_t at = packet.l4_offset + std::uint32_t{kUdpChecksumOffset};
  return load_be16(frame.data + at) == 0 ? 0 : at;
}

void store_corrected(Frame& frame, std::uint32_t at, std::uint16_t before, std::uint16_t after,
                     bool is_partial) {
  // A partial checksum is the sum itself, a complete one its complement.
  const std::uint16_t stored = load_be16(frame.data + at);
  store_be16(frame.data + at, is_partial
                                  ? wire::ones_add(stored, wire::ones_subtract(after, before))
                                  : wire::checksum_update(stored, before, after));
}

/// Sum of the bytes as words counted from the transport header: those at an odd offset are low
/// bytes.
std::uint16_t aligned_sum(Bytes bytes, bool odd) {
  const std::uint16_t sum = wire::ones_sum(bytes);
  return odd ? std::byteswap(sum) : sum;
}

}  // namespace

void store_u8(std::byte* at, std::uint8_t value) { *at = std::byte{value}; }
void store_be16(std::byte* at, std::uint16_t value) {
  value = std::byteswap(value);
  std::memcpy(at, &value, sizeof value);
}
void store_be32(std::byte* at, std::uint32_t value) {
  value = std::byteswap(value);
  std::memcpy(at, &value, sizeof value);
}

void patch_l4(Frame& frame, const PacketView& packet, std::uint32_t offset, Bytes replacement) {
  if (offset < packet.l4_offset || offset + replacement.size() > frame.len) return;
  const bool odd = (offset - packet.l4_offset) % 2 != 0;
  const Bytes old{frame.data + offset, replacement.size()};
  const std::uint16_t before = aligned_sum(old, odd);
  std::memcpy(frame.data + offset, replacement.data(), replacement.size());
  const std::uint32_t checksum = checksum_offset(frame, packet);
  if (checksum == 0 || frame.vnet.needs_checksum()) return;
  store_corrected(frame, checksum, before, aligned_sum(replacement, odd), false);
}

Bytes tcp_option_value(const Frame& frame, const PacketView& packet, std::uint8_t kind) {
  const std::uint16_t at = find_tcp_option(frame, packet, kind);
  if (at == 0 || at + 2U > packet.payload_offset) return {};
  const std::uint8_t len = load_u8(frame.data + at + 1);
  if (len < 2 || std::uint32_t{at} + len > packet.payload_offset) return {};
  return {frame.data + at + 2, std::size_t{len} - 2U};
}

std::optional<std::uint32_t> read_tcp_option(const Frame& frame, const PacketView& packet,
                                             std::uint8_t kind, std::uint8_t value_len) {
  const Bytes value = tcp_option_value(frame, packet, kind);
  if (value.size() != value_len) return std::nullopt;
  std::uint32_t number = 0;
  for (const std::byte byte : value) number = number << 8 | std::to_integer<std::uint32_t>(byte);
  return number;
}

bool write_tcp_option(Frame& frame, const PacketView& packet, std::uint8_t kind,
                      std::uint8_t value_len, std::uint32_t value) {
  const Bytes old = tcp_option_value(frame, packet, kind);
  if (old.size() != value_len || value_len > sizeof value) return false;
  std::array<std::byte, sizeof value> bytes{};
  store_be32(bytes.data(), value);
  const auto offset = static_cast<std::uint32_t>(old.data() - frame.data);
  patch_l4(frame, packet, offset, Bytes{bytes}.last(value_len));
  return true;
}

std::optional<std::uint32_t> timestamp_value(const Frame& frame, const PacketView& packet) {
  if (!packet.is_tcp) return std::nullopt;
  const Bytes value = tcp_option_value(frame, packet, kOptionTimestamps);
  if (value.size() != 8) return std::nullopt;
  return load_be32(value.data());
}

IpAddress ip_address(const Frame& frame, const PacketView& packet, bool source) {
  IpAddress address;
  if (packet.ip_version == 0) return address;
  address.version = packet.ip_version;
  const bool is_v4 = packet.ip_version == 4;
  const std::size_t len = is_v4 ? 4 : 16;
  const std::size_t at = packet.ip_offset + (is_v4 ? 12U : 8U) + (source ? 0 : len);
  std::memcpy(address.bytes.data(), frame.data + at, len);
  return address;
}

void set_ip_address(Frame& frame, const PacketView& packet, bool source, const IpAddress& address) {
  if (packet.ip_version == 0 || address.version != packet.ip_version) return;
  const bool is_v4 = packet.ip_version == 4;
  const std::size_t len = is_v4 ? 4 : 16;
  const std::size_t at = packet.ip_offset + (is_v4 ? 12U : 8U) + (source ? 0 : len);
  const std::uint16_t before = wire::ones_sum({frame.data + at, len});
  std::memcpy(frame.data + at, address.bytes.data(), len);
  const std::uint16_t after = wire::ones_sum({frame.data + at, len});
  if (is_v4) store_corrected(frame, packet.ip_offset + kIp4ChecksumOffset, before, after, false);
  const std::uint32_t checksum = checksum_offset(frame, packet);
  if (checksum != 0) {
    store_corrected(frame, checksum, before, after, frame.vnet.needs_checksum());
  }
}

void set_port(Frame& frame, const PacketView& packet, bool source, std::uint16_t port) {
  std::array<std::byte, 2> bytes{};
  store_be16(bytes.data(), port);
  patch_l4(frame, packet, packet.l4_offset + (source ? 0U : 2U), bytes);
}

bool is_opening_syn(const PacketView& packet) {
  return packet.is_tcp && (packet.tcp_flags & (wire::kSyn | wire::kAck)) == wire::kSyn;
}

}  // namespace slowpath::lab

// SPDX-License-Identifier: Apache-2.0
#include "detect/arithmetic/packet_size.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

namespace slowpath::arithmetic {
namespace {

std::uint32_t less(std::uint32_t from, std::uint32_t amount) {
  return from > amount ? from - amount : 0;
}

}  // namespace

std::uint32_t min_mtu(IpVersion version) { return version == IpVersion::v4 ? 68 : 1280; }

std::uint32_t ip_header_bytes(IpVersion version) { return version == IpVersion::v4 ? 20 : 40; }

std::uint32_t mss_bytes(std::uint32_t mtu, IpVersion version) {
  return less(mtu, ip_header_bytes(version) + kTcpHeaderBytes);
}

std::uint32_t segment_payload_bytes(std::uint32_t mtu, IpVersion version, bool timestamps) {
  return less(mss_bytes(mtu, version), timestamps ? kTimestampsBytes : 0);
}

std::uint32_t ping_payload_bytes(std::uint32_t mtu, IpVersion version) {
  constexpr std::uint32_t kIcmpHeaderBytes = 8;
  return less(mtu, ip_header_bytes(version) + kIcmpHeaderBytes);
}

std::uint32_t wire_bytes(std::uint32_t packet_bytes) {
  // IEEE 802.3 section 3.2.7: shorter payloads are padded.
  constexpr std::uint32_t kLeastPayloadBytes = 46;
  return std::max(packet_bytes, kLeastPayloadBytes) + kEthernetOverheadBytes;
}

double efficiency(std::uint32_t mtu, IpVersion version, bool timestamps) {
  return static_cast<double>(segment_payload_bytes(mtu, version, timestamps)) / wire_bytes(mtu);
}

double serialisation_s(double bytes, double rate_bps) {
  if (rate_bps <= 0) return std::numeric_limits<double>::infinity();
  return bytes * 8 / rate_bps;
}

double packets_per_second(std::uint32_t packet_bytes, double rate_bps) {
  return rate_bps / (8.0 * wire_bytes(packet_bytes));
}

const Tunnel* find_tunnel(std::string_view name) {
  const auto* found = std::ranges::find(kTunnels, name, &Tunnel::name);
  return found == kTunnels.end() ? nullptr : found;
}

std::uint32_t tunnel_mtu(std::uint32_t link_mtu, const Tunnel& tunnel) {
  const std::uint32_t room = less(link_mtu, tunnel.outer_bytes);
  return less(room - room % tunnel.block_bytes, tunnel.trailer_bytes);
}

std::uint32_t tunnelled_bytes(std::uint32_t packet_bytes, const Tunnel& tunnel) {
  const std::uint32_t inside = packet_bytes + tunnel.trailer_bytes + tunnel.block_bytes - 1;
  return tunnel.outer_bytes + inside - inside % tunnel.block_bytes;
}

}  // namespace slowpath::arithmetic

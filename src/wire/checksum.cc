// SPDX-License-Identifier: Apache-2.0
// Sums bytes and judges the checksum that a TCP packet stores.
#include "wire/checksum.h"

#include "wire/packet.h"

namespace slowpath::wire {
namespace {

constexpr std::uint8_t kProtocolTcp = 6;

std::uint16_t fold(std::uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

/// Bytes of the whole segment on the wire.
std::uint32_t segment_len(const Packet& packet) {
  return packet.tcp_header_len + packet.payload_len;
}

/// Whether every byte that the checksum covers is here.
bool is_covered(const Packet& packet) {
  return !packet.is_fragment && !packet.ip_len_beyond_frame &&
         packet.transport.size() == segment_len(packet);
}

std::uint16_t tcp_pseudo_sum(const Packet& packet, std::uint32_t len) {
  return pseudo_header_sum(packet.source, packet.destination, kProtocolTcp, len);
}

std::uint16_t full_sum(const Packet& packet) {
  return ones_add(tcp_pseudo_sum(packet, segment_len(packet)), ones_sum(packet.transport));
}

}  // namespace

// The sum does not depend on byte order but for a final swap (RFC 1071 section 2), so words are
// added as they lie in memory, 32 bits into 64: carries collect in the upper half, and the compiler
// can use vector registers. Eight independent lanes also keep a scalar build from waiting on
// itself.
std::uint16_t ones_sum(Bytes bytes) {
  constexpr std::size_t kLanes = 8;
  constexpr std::size_t kBlock = kLanes * sizeof(std::uint32_t);
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t lanes[kLanes] = {};
  for (; left >= kBlock; at += kBlock, left -= kBlock) {
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] += load_le32(at + i * sizeof(std::uint32_t));
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t lane : lanes) sum += lane;
  for (; left >= 4; at += 4, left -= 4) sum += load_le32(at);
  if (left >= 2) {
    sum += load_le16(at);
    at += 2;
    left -= 2;
  }
  if (left != 0) sum += load_u8(at);
  return std::byteswap(fold(sum));
}

std::uint16_t ones_sum_plain(Bytes bytes) {
  std::uint16_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const unsigned high = load_u8(bytes.data() + i);
    const unsigned low = i + 1 < bytes.size() ? load_u8(bytes.data() + i + 1) : 0;
    sum = ones_add(sum, static_cast<std::uint16_t>(high << 8 | low));
  }
  return sum;
}

std::uint16_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                                std::uint8_t protocol, std::uint32_t transport_len) {
  // IPv4 addresses are followed by zeros, which add nothing: both versions are summed alike.
  std::uint64_t sum = 0;
  for (const IpAddress* address : {&source, &destination}) {
    const auto* at = reinterpret_cast<const std::byte*>(address->bytes.data());
    for (std::size_t i = 0; i < 16; i += 4) sum += load_le32(at + i);
  }
  sum += std::byteswap(transport_len);
  sum += std::byteswap(std::uint32_t{protocol});
  return std::byteswap(fold(sum));
}

// 1. A segment that is here in full and sums to all ones is good, whatever the value looks like.
// 2. A value left for the NIC is a pure function of the pseudo-header, so it is known even when the
//    snap length cut the payload. A chance match has probability 2^-16.
// 3. Only then do missing bytes make it unverifiable.
// A fragment does not tell the length of its datagram: only the sum without length can be told.
ChecksumState verify_checksum(const Packet& packet) {
  if (packet.kind != PacketKind::tcp) return ChecksumState::not_checked;
  const bool covered = is_covered(packet);
  if (covered && full_sum(packet) == 0xffff) return ChecksumState::good;
  const std::uint32_t len = segment_len(packet);
  if (!packet.is_fragment && packet.checksum == tcp_pseudo_sum(packet, len)) {
    return ChecksumState::partial;
  }
  if (packet.checksum == tcp_pseudo_sum(packet, 0)) return ChecksumState::partial_no_length;
  if (packet.checksum == 0) return ChecksumState::zero;
  return covered ? ChecksumState::bad : ChecksumState::unverifiable;
}

// The stored value takes part in the sum S of everything: correct = ~(S - stored), so
// stored - correct = stored + (S - stored) = S, with 0xffff being zero.
std::uint16_t checksum_error(const Packet& packet) {
  if (packet.kind != PacketKind::tcp || !is_covered(packet)) return 0;
  const std::uint16_t sum = full_sum(packet);
  return sum == 0xffff ? std::uint16_t{0} : sum;
}

}  // namespace slowpath::wire

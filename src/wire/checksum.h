// SPDX-License-Identifier: Apache-2.0
// The Internet checksum (RFC 1071): one's complement sums over bytes, the pseudo-header of TCP and
// UDP, and the incremental update (RFC 1624). Values are in host order, as load_be16() reads them.
// What a stored value means (good, partial, bad) is judged by verify_checksum() in packet.h.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "facts/address.h"

namespace slowpath::wire {

/// Adds with end-around carry.
constexpr std::uint16_t ones_add(std::uint16_t a, std::uint16_t b) {
  const std::uint32_t sum = std::uint32_t{a} + b;
  return static_cast<std::uint16_t>((sum & 0xffff) + (sum >> 16));
}

/// a - b in one's complement, with the two zeros (0x0000 and 0xffff) both given as 0x0000.
constexpr std::uint16_t ones_subtract(std::uint16_t a, std::uint16_t b) {
  const std::uint16_t difference = ones_add(a, static_cast<std::uint16_t>(~b));
  return difference == 0xffff ? std::uint16_t{0} : difference;
}

/// Equal as one's complement numbers: 0x0000 and 0xffff are the same value.
constexpr bool ones_equal(std::uint16_t a, std::uint16_t b) { return ones_subtract(a, b) == 0; }

/// Folded sum of the bytes as 16-bit words in network order, an odd last byte padded with zero.
std::uint16_t ones_sum(Bytes bytes);
/// The same, two bytes at a time: the twin that tests and the fuzzer compare with.
std::uint16_t ones_sum_plain(Bytes bytes);

/// What a header stores over `bytes` (its own field zero): the complement of the sum.
inline std::uint16_t checksum(Bytes bytes) { return static_cast<std::uint16_t>(~ones_sum(bytes)); }
inline std::uint16_t checksum_plain(Bytes bytes) {
  return static_cast<std::uint16_t>(~ones_sum_plain(bytes));
}

/// Folded sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1). A length of 0
/// gives what Windows leaves in the field for a NIC that cuts segments.
std::uint16_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                                std::uint8_t protocol, std::uint32_t transport_len);

/// The checksum after a 16-bit word it covers was changed (RFC 1624, equation 3).
constexpr std::uint16_t checksum_update(std::uint16_t checksum, std::uint16_t before,
                                        std::uint16_t after) {
  const auto sum = ones_add(static_cast<std::uint16_t>(~checksum),
                            ones_add(static_cast<std::uint16_t>(~before), after));
  return static_cast<std::uint16_t>(~sum);
}
/// The same for a 32-bit field that begins at an even offset.
constexpr std::uint16_t checksum_update32(std::uint16_t checksum, std::uint32_t before,
                                          std::uint32_t after) {
  checksum = checksum_update(checksum, static_cast<std::uint16_t>(before >> 16),
                             static_cast<std::uint16_t>(after >> 16));
  return checksum_update(checksum, static_cast<std::uint16_t>(before),
                         static_cast<std::uint16_t>(after));
}

}  // namespace slowpath::wire

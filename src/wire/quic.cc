// SPDX-License-Identifier: Apache-2.0
// Whether a UDP payload looks like QUIC, so that a capture of QUIC is told so instead of called
// healthy.
#include "wire/walk.h"

namespace slowpath::wire {
namespace {

constexpr std::uint16_t kPortHttps = 443;
constexpr std::uint8_t kLongHeader = 0x80;
constexpr std::uint8_t kFixedBit = 0x40;
constexpr std::uint8_t kMaxConnectionIdLen = 20;  // RFC 9000 section 17.2

bool is_known_version(std::uint32_t version) {
  return version == 0x00000001 ||                 // RFC 9000
         version == 0x6b3343cf ||                 // version 2, RFC 9369
         (version & 0xffffff00) == 0xff000000 ||  // drafts
         (version & 0x0f0f0f0f) == 0x0a0a0a0a ||  // reserved for forcing negotiation
         (version & 0xffff0000) == 0x51300000;    // Google's, "Q0.."
}

// Long header: 0 form bit, fixed bit, type | 1 version | 5 length of the destination connection id.
bool is_long_header(Bytes payload) {
  if (payload.size() < 6) return false;
  const std::uint8_t first = load_u8(payload.data());
  return (first & (kLongHeader | kFixedBit)) == (kLongHeader | kFixedBit) &&
         is_known_version(load_be32(payload.data() + 1)) &&
         load_u8(payload.data() + 5) <= kMaxConnectionIdLen;
}

}  // namespace

bool looks_like_quic(Bytes payload, std::uint16_t source_port, std::uint16_t destination_port) {
  if (payload.empty()) return false;
  if (is_long_header(payload)) return true;
  const bool is_https = source_port == kPortHttps || destination_port == kPortHttps;
  return is_https && (load_u8(payload.data()) & kFixedBit) != 0;
}

}  // namespace slowpath::wire

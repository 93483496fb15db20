// SPDX-License-Identifier: Apache-2.0
// Sends what fits no packet as fragments that are made here, the last one first (RFC 791 section
// 3.2, RFC 8200 section 4.5): the kernel would send them in order. Needs a raw socket. Connection
// tracking for IPv6 on this very host puts them in order again; for IPv4 it is told not to.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/descriptor.h"
#include "base/result.h"
#include "facts/address.h"

namespace slowpath::probe {

/// Without options (RFC 791 section 3.1), and without extension headers (RFC 8200 section 3).
constexpr std::uint32_t ip_header_bytes(int ip_version) { return ip_version == 6 ? 40 : 20; }
/// With the fragment header of IPv6 (RFC 8200 section 4.5).
constexpr std::uint32_t fragment_headers(int ip_version) {
  return ip_header_bytes(ip_version) + (ip_version == 6 ? 8 : 0);
}
/// Payload of every fragment but the last: a multiple of eight.
constexpr std::uint32_t fragment_payload(std::uint32_t mtu_bytes, int ip_version) {
  return (mtu_bytes - fragment_headers(ip_version)) / 8 * 8;
}

class FragmentSender {
 public:
  /// Errors: environment, with what would allow it.
  static Result<FragmentSender> open(const IpAddress& local, const IpAddress& target);

  /// The checksum of a transport header with its field zero, over all of `message`.
  [[nodiscard]] std::uint16_t checksum_of(std::uint8_t protocol, Bytes message) const;
  /// Whether all fragments of a message left this host; else errno says why one did not.
  bool send(std::uint8_t protocol, Bytes message, std::uint32_t mtu_bytes);

 private:
  FragmentSender(const IpAddress& local, const IpAddress& target);
  struct Piece {
    std::uint32_t offset = 0;  // bytes, a multiple of eight
    bool is_last = false;
  };
  [[nodiscard]] std::vector<std::byte> packet_of(std::uint8_t protocol, Bytes part,
                                                 const Piece& piece) const;

  IpAddress local_, target_;
  Descriptor socket_;
  std::uint32_t id_;
};

}  // namespace slowpath::probe

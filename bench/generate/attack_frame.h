// SPDX-License-Identifier: Apache-2.0
// A frame put together field by field, right or wrong as the caller says: what no stack would send,
// beside segment.h, which makes what stacks do send.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace slowpath::bench {

constexpr std::uint8_t kIpInIp = 4, kTcpProtocol = 6, kGre = 47;
constexpr std::uint16_t kEtherIp4 = 0x0800, kEtherIp6 = 0x86dd, kEtherVlan = 0x8100;

struct Ip4Fields {
  std::uint32_t source = 0x0a000001, destination = 0xc0000201;
  std::uint16_t id = 0, fragment = 0;  // as in the header: MF is 0x2000, offsets in eights
  std::uint8_t protocol = kTcpProtocol;
  std::size_t option_words = 0;  // of NOPs
};

struct Ip6Fields {
  std::uint64_t source_network = 0, source_host = 0;
  std::uint64_t destination_network = 0, destination_host = 0;
};

struct TcpFields {
  std::uint16_t source_port = 1000, destination_port = 443;
  std::uint32_t seq = 0, ack = 0;
  std::uint8_t flags = 0;
  std::uint16_t window = 65535;
  std::span<const std::byte> options = {};  // whole words, ten at most
};

/// Layers are put from the outside in. A layer's `len` is that of what it carries.
class AttackFrame {
 public:
  void clear() { bytes_.clear(); }
  void put8(std::uint32_t value) { bytes_.push_back(static_cast<std::byte>(value)); }
  void put16(std::uint32_t value);
  void put32(std::uint32_t value);
  void put64(std::uint64_t value);
  void fill(std::size_t count, std::uint8_t value) {
    bytes_.resize(bytes_.size() + count, static_cast<std::byte>(value));
  }

  void ethernet(std::uint16_t ether_type);
  void ip4(const Ip4Fields& fields, std::size_t len);
  void ip6(const Ip6Fields& fields, std::size_t len);
  /// With a right checksum, where the addresses stand right before it (no IPv4 options) and
  /// `payload_len` bytes of `fill_byte` end the frame.
  void tcp(const TcpFields& fields, std::size_t payload_len, std::uint8_t fill_byte, bool ipv6);
  static std::size_t tcp_len(const TcpFields& fields, std::size_t payload_len) {
    return 20 + fields.options.size() + payload_len;
  }

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  void store16(std::size_t at, std::uint32_t value);

  std::vector<std::byte> bytes_;
};

}  // namespace slowpath::bench

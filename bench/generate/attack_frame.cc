// SPDX-License-Identifier: Apache-2.0
#include "generate/attack_frame.h"

#include "generate/payload.h"

namespace slowpath::bench {

namespace {

std::uint32_t complement(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint32_t>(~sum & 0xffff);
}

}  // namespace

void AttackFrame::put16(std::uint32_t value) {
  put8(value >> 8);
  put8(value & 0xff);
}
void AttackFrame::put32(std::uint32_t value) {
  put16(value >> 16);
  put16(value & 0xffff);
}
void AttackFrame::put64(std::uint64_t value) {
  put32(static_cast<std::uint32_t>(value >> 32));
  put32(static_cast<std::uint32_t>(value));
}

void AttackFrame::store16(std::size_t at, std::uint32_t value) {
  bytes_[at] = static_cast<std::byte>(value >> 8);
  bytes_[at + 1] = static_cast<std::byte>(value);
}

void AttackFrame::ethernet(std::uint16_t ether_type) {
  put32(0x02000000);
  put16(1);
  put32(0x02000000);
  put16(2);
  put16(ether_type);
}

void AttackFrame::ip4(const Ip4Fields& fields, std::size_t len) {
  const std::size_t begin = bytes_.size();
  const std::size_t header_len = 20 + 4 * fields.option_words;
  put16(static_cast<std::uint32_t>(0x4000 + (header_len / 4 << 8)));
  put16(static_cast<std::uint32_t>(header_len + len));
  put16(fields.id);
  put16(fields.fragment);
  put8(64);
  put8(fields.protocol);
  put16(0);
  put32(fields.source);
  put32(fields.destination);
  fill(4 * fields.option_words, 1);
  store16(begin + 10, complement(sum_of(bytes_.data() + begin, header_len)));
}

void AttackFrame::ip6(const Ip6Fields& fields, std::size_t len) {
  put32(0x60000000);
  put16(static_cast<std::uint32_t>(len));
  put8(kTcpProtocol);
  put8(64);
  put64(fields.source_network);
  put64(fields.source_host);
  put64(fields.destination_network);
  put64(fields.destination_host);
}

void AttackFrame::tcp(const TcpFields& fields, std::size_t payload_len, std::uint8_t fill_byte,
                      bool ipv6) {
  const std::size_t begin = bytes_.size();
  put16(fields.source_port);
  put16(fields.destination_port);
  put32(fields.seq);
  put32(fields.ack);
  put8(static_cast<std::uint32_t>((20 + fields.options.size()) / 4 << 4));
  put8(fields.flags);
  put16(fields.window);
  put32(0);
  bytes_.insert(bytes_.end(), fields.options.begin(), fields.options.end());
  fill(payload_len, fill_byte);
  const std::size_t address_bytes = ipv6 ? 32 : 8;
  const std::uint64_t sum =
      sum_of(bytes_.data() + begin - address_bytes, bytes_.size() - begin + address_bytes) +
      kTcpProtocol + (bytes_.size() - begin);
  store16(begin + 16, complement(sum));
}

}  // namespace slowpath::bench

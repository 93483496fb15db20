// SPDX-License-Identifier: Apache-2.0
// Headers, field by field (RFC 791, 8200, 9293, 7323, 2018).
#include "generate/segment.h"

namespace slowpath::bench {

namespace {

constexpr std::uint8_t kTcp = 6;

/// Appends fields in network order.
class Head {
 public:
  explicit Head(std::byte* at) : begin_(at), at_(at) {}
  void put8(std::uint32_t value) { *at_++ = static_cast<std::byte>(value); }
  void put16(std::uint32_t value) {
    put8(value >> 8);
    put8(value & 0xff);
  }
  void put32(std::uint32_t value) {
    put16(value >> 16);
    put16(value & 0xffff);
  }
  std::byte* at() const { return at_; }
  std::size_t len() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  std::byte* begin_;
  std::byte* at_;
};

void store16(std::byte* at, std::uint32_t value) {
  at[0] = static_cast<std::byte>(value >> 8);
  at[1] = static_cast<std::byte>(value);
}

std::uint32_t complement(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint32_t>(~sum & 0xffff);
}

void put_ethernet(Head& head, const Segment& segment, bool ipv6) {
  // The server's own card and the router before it (RFC 7042: locally administered).
  const std::uint32_t to = segment.from_client ? 1 : 2;
  head.put16(0x0200);
  head.put32(to);
  head.put16(0x0200);
  head.put32(3 - to);
  head.put16(ipv6 ? 0x86dd : 0x0800);
}

std::uint32_t client_ip4(const Ends& ends) {
  return 0x0a000000 | static_cast<std::uint32_t>(ends.client & 0xffffff);
}
std::uint32_t server_ip4(const Ends& ends) { return 0xc0000200 | ends.server; }  // 192.0.2.0/24.

void put_ip4(Head& head, const Ends& ends, const Segment& segment, std::uint32_t tcp_len) {
  std::byte* const begin = head.at();
  head.put16(0x4500);
  head.put16(20 + tcp_len);
  head.put16(segment.ip_id);
  head.put16(0x4000);  // Do not fragment.
  head.put8(segment.from_client ? 52 : 64);
  head.put8(kTcp);
  head.put16(0);
  head.put32(segment.from_client ? client_ip4(ends) : server_ip4(ends));
  head.put32(segment.from_client ? server_ip4(ends) : client_ip4(ends));
  store16(begin + 10, complement(sum_of(begin, 20)));
}

void put_address6(Head& head, std::uint32_t network, std::uint64_t host) {
  head.put32(0x20010db8);  // RFC 3849.
  head.put32(network);
  head.put32(static_cast<std::uint32_t>(host >> 32));
  head.put32(static_cast<std::uint32_t>(host));
}

void put_ip6(Head& head, const Ends& ends, const Segment& segment, std::uint32_t tcp_len) {
  head.put32(0x60000000);
  head.put16(tcp_len);
  head.put8(kTcp);
  head.put8(segment.from_client ? 52 : 64);
  const auto put_client = [&] { put_address6(head, 2, ends.client); };
  const auto put_server = [&] { put_address6(head, 1, ends.server); };
  segment.from_client ? put_client() : put_server();
  segment.from_client ? put_server() : put_client();
}

std::uint32_t options_len(const Segment& segment) {
  const std::uint32_t timestamps = segment.has_timestamps ? 12 : 0;
  if (segment.mss != 0) return 4 + timestamps + (segment.sack_permitted ? 4 : 0) + 4;
  return timestamps + (segment.sack_count == 0 ? 0 : 4 + 8U * segment.sack_count);
}

void put_timestamps(Head& head, const Segment& segment) {
  head.put32(0x0101080a);
  head.put32(segment.tsval);
  head.put32(segment.tsecr);
}

void put_options(Head& head, const Segment& segment) {
  if (segment.mss != 0) {
    head.put16(0x0204);
    head.put16(segment.mss);
    if (segment.sack_permitted) head.put32(0x01010402);
    if (segment.has_timestamps) put_timestamps(head, segment);
    head.put32(0x01030300U | segment.window_scale);
    return;
  }
  if (segment.has_timestamps) put_timestamps(head, segment);
  if (segment.sack_count == 0) return;
  head.put16(0x0101);
  head.put16(0x0500 | (2 + 8U * segment.sack_count));
  for (std::size_t i = 0; i < segment.sack_count; ++i) {
    head.put32(segment.sack[i].begin);
    head.put32(segment.sack[i].end);
  }
}

}  // namespace

std::size_t write_headers(const Ends& ends, const Segment& segment,
                          std::array<std::byte, kMaxHeadBytes>& out) {
  Head head(out.data());
  const std::uint32_t header_len = 20 + options_len(segment);
  const std::uint32_t tcp_len = header_len + segment.payload.len;
  put_ethernet(head, segment, ends.ipv6);
  ends.ipv6 ? put_ip6(head, ends, segment, tcp_len) : put_ip4(head, ends, segment, tcp_len);
  std::byte* const tcp = head.at();
  const std::size_t address_bytes = ends.ipv6 ? 32 : 8;
  head.put16(segment.from_client ? ends.client_port : kServerPort);
  head.put16(segment.from_client ? kServerPort : ends.client_port);
  head.put32(segment.seq);
  head.put32(segment.ack);
  head.put8(header_len / 4 << 4);
  head.put8(segment.flags);
  head.put16(segment.window);
  head.put32(0);
  put_options(head, segment);
  const std::uint64_t pseudo_header = sum_of(tcp - address_bytes, address_bytes) + kTcp + tcp_len;
  store16(tcp + 16, complement(pseudo_header + sum_of(tcp, header_len) + segment.payload.sum));
  return head.len();
}

}  // namespace slowpath::bench

// SPDX-License-Identifier: Apache-2.0
#include "support/two_points.h"

#include <algorithm>

#include "wire/packet.h"

namespace slowpath::test {
namespace {

constexpr std::uint32_t kClientIsn = 1000, kServerIsn = 0xffff'f000;  // the server's wraps soon

std::byte content(std::uint32_t position) {
  return static_cast<std::byte>((position * 2654435761U) >> 24);
}

}  // namespace

TwoPoints::TwoPoints(Boxes boxes, std::size_t memory_bytes)
    : boxes_(std::move(boxes)),
      comparison_({.memory_bytes = memory_bytes,
                   .bytes_at =
                       [this](std::uint16_t input, std::uint64_t offset, std::size_t len) {
                         const Buffer& bytes = bytes_.at(input);
                         return offset + len <= bytes.size() ? Bytes(bytes).subspan(offset, len)
                                                             : Bytes{};
                       }},
                  2) {}

void TwoPoints::record(std::size_t point, Duration time, const BuiltFrame& built) {
  frames_.at(point).emplace_back(time, built);
}

BuiltFrame TwoPoints::syn(std::size_t point, bool from_client) const {
  const bool there = point == 1;
  const auto ports_here =
      from_client ? ports(there ? boxes_.client_port : 40000, there ? boxes_.server_port : 80)
                  : ports(there ? boxes_.server_port : 80, there ? boxes_.client_port : 40000);
  const std::string client = there ? boxes_.client : "10.0.0.1";
  const std::string server = there ? boxes_.server : "10.0.0.2";
  const std::uint32_t isn = from_client ? kClientIsn + (there ? boxes_.client_shift : 0)
                                        : kServerIsn + (there ? boxes_.server_shift : 0);
  const std::uint32_t acked = kClientIsn + 1 + (there ? boxes_.client_shift : 0);
  const bool arrived = there == from_client;
  const auto hops = static_cast<std::uint8_t>(64 - (arrived ? boxes_.routers : 0));
  const TcpField scale =
      arrived && boxes_.strips_window_scale ? [](TcpFields&) {} : window_scale(7);
  const TcpField stamp =
      stamps ? timestamps(static_cast<std::uint32_t>(now_ / std::chrono::milliseconds{1}), 0)
             : TcpField{[](TcpFields&) {}};
  return packet()
      .ethernet()
      .ipv4(from_client ? client : server, from_client ? server : client, ttl(hops),
            ip_id(next_id_))
      .tcp(from_client ? test::syn : test::syn | test::ack, ports_here, seq(isn),
           ack_number(from_client ? 0 : acked), mss(1460), sack_permitted(), scale, stamp)
      .build();
}

void TwoPoints::handshake() {
  record(0, now_, syn(0, true));
  record(1, now_ + path, syn(1, true));
  after(path);
  ++next_id_;
  record(1, now_, syn(1, false));
  record(0, now_ + path, syn(0, false));
  after(path);
  ++next_id_;
  to_server({.from = 0, .len = 0});
  after(path);
}

BuiltFrame TwoPoints::segment(std::size_t point, bool to_server, const Passed& passed,
                              std::uint32_t from, std::uint32_t len, bool arrived) const {
  const bool there = point == 1;
  const std::uint32_t client_base = kClientIsn + 1 + (there ? boxes_.client_shift : 0);
  const std::uint32_t server_base = kServerIsn + 1 + (there ? boxes_.server_shift : 0);
  const std::string client = there ? boxes_.client : "10.0.0.1";
  const std::string server = there ? boxes_.server : "10.0.0.2";
  const std::uint16_t client_port = there ? boxes_.client_port : std::uint16_t{40000};
  const std::uint16_t server_port = there ? boxes_.server_port : std::uint16_t{80};
  Buffer payload;
  for (std::uint32_t i = 0; i < len; ++i) payload.push_back(content(from + i));
  if (arrived && passed.flip_at && *passed.flip_at >= from && *passed.flip_at < from + len)
    payload[*passed.flip_at - from] ^= std::byte{1};
  const auto hops = static_cast<std::uint8_t>(passed.ttl - (arrived ? boxes_.routers : 0));
  ChecksumKind kind = ChecksumKind::right;
  if (arrived && passed.damaged) kind = ChecksumKind::wrong;
  if (!arrived && passed.unfinished) kind = ChecksumKind::partial;
  const TcpField stamp =
      stamps ? timestamps(static_cast<std::uint32_t>(now_ / std::chrono::milliseconds{1}), 1)
             : TcpField{[](TcpFields&) {}};
  return packet()
      .ethernet()
      .ipv4(to_server ? client : server, to_server ? server : client, ttl(hops),
            ip_id(passed.ip_id != 0 ? passed.ip_id : next_id_))
      .tcp(test::ack, to_server ? ports(client_port, server_port) : ports(server_port, client_port),
           seq((to_server ? client_base : server_base) + from),
           ack_number((to_server ? server_base : client_base) + passed.ack), test::checksum(kind),
           stamp)
      .payload(payload)
      .build();
}

void TwoPoints::pass(bool to_server, const Passed& passed) {
  const std::size_t first = to_server ? 0 : 1;
  if (!passed.unseen)
    record(first, now_, segment(first, to_server, passed, passed.from, passed.len, false));
  if (!passed.lost) {
    const Duration there = now_ + passed.delay.value_or(path);
    const std::uint32_t step = passed.cut != 0 ? passed.cut : std::max(passed.len, 1U);
    std::uint32_t at = 0;
    do {
      const std::uint32_t len = std::min(step, passed.len - at);
      record(1 - first, there, segment(1 - first, to_server, passed, passed.from + at, len, true));
      at += len;
    } while (at < passed.len);
  }
  ++next_id_;
}

void TwoPoints::icmp_to_server(std::uint32_t quoted_from, std::uint32_t quoted_len,
                               std::uint16_t mtu, bool seen_at_client) {
  const auto error = [&](std::size_t point) {
    const bool there = point == 1;
    Buffer quoted =
        packet()
            .ipv4(there ? boxes_.server : "10.0.0.2", there ? boxes_.client : "10.0.0.1",
                  total_length(static_cast<std::uint16_t>(quoted_len + 40)))
            .tcp(test::ack,
                 ports(there ? boxes_.server_port : 80, there ? boxes_.client_port : 40000),
                 seq(kServerIsn + 1 + (there ? boxes_.server_shift : 0) + quoted_from))
            .bytes();
    quoted.resize(28);
    return packet()
        .ethernet()
        .ipv4("10.9.9.9", there ? boxes_.server : "10.0.0.2")
        .icmp(3, 4, mtu)
        .payload(quoted)
        .build();
  };
  if (seen_at_client) record(0, now_, error(0));
  record(1, now_, error(1));
}

ComparisonFacts TwoPoints::finish() {
  for (std::size_t point = 0; point < 2; ++point) {
    const std::size_t number = comparison_.point_of(point == 0 ? "client" : "server");
    comparison_.add_input(number, static_cast<std::uint16_t>(point));
    std::ranges::stable_sort(frames_[point], {}, [](const auto& frame) { return frame.first; });
    std::uint64_t count = 0;
    for (const auto& [time, built] : frames_[point]) {
      wire::Frame frame = built.frame();
      frame.input = static_cast<std::uint16_t>(point);
      frame.number = ++count;
      frame.byte_offset = bytes_[point].size();
      frame.time =
          Time{} + std::chrono::hours{24} + time + (point == 1 ? server_clock(time) : Duration{0});
      wire::Packet decoded;
      wire::decode(frame, decoded);
      comparison_.add(number, frame, decoded);
      bytes_[point].insert(bytes_[point].end(), built.bytes.begin(), built.bytes.end());
    }
  }
  return comparison_.finish();
}

}  // namespace slowpath::test

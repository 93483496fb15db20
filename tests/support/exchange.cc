// SPDX-License-Identifier: Apache-2.0
#include "support/exchange.h"

#include <algorithm>
#include <utility>

namespace slowpath::test {
namespace {

// Any instant will do; this one is in 2023.
constexpr Time kStart = time_from_ns(1'700'000'000'000'000'000);

constexpr std::size_t index(Direction way) { return static_cast<std::size_t>(way); }

}  // namespace

TcpOptions syn_options(std::optional<std::uint8_t> window_scale, bool timestamps) {
  TcpOptions options;
  options.has_mss = true;
  options.mss = 1460;
  options.sack_permitted = true;
  options.has_window_scale = window_scale.has_value();
  options.window_scale = window_scale.value_or(0);
  options.has_timestamps = timestamps;
  return options;
}

Exchange::Exchange(flow::EngineOptions options)
    : engine_([&] {
        options.bytes_at = [this](std::uint16_t, std::uint64_t offset, std::size_t len) {
          return Bytes(bytes_).subspan(static_cast<std::size_t>(offset), len);
        };
        return std::move(options);
      }()) {}

wire::Packet Exchange::blank(Direction way) const {
  wire::Packet packet;
  const bool to_server = way == Direction::to_server;
  packet.kind = wire::PacketKind::tcp;
  packet.source = address(to_server ? "10.0.0.1" : "10.0.0.2");
  packet.destination = address(to_server ? "10.0.0.2" : "10.0.0.1");
  packet.source_port = to_server ? client_port : 80;
  packet.destination_port = to_server ? 80 : client_port;
  packet.protocol = 6;
  packet.ttl = to_server ? client_ttl : server_ttl;
  packet.dont_fragment = true;
  packet.ip_header_len = 20;
  packet.tcp_header_len = 20;
  packet.ip_total_len = 40;
  packet.link_hash = 1;
  packet.tcp_window = 65535;
  return packet;
}

wire::Packet Exchange::packet_of(Direction way, const Sent& sent) {
  wire::Packet packet = blank(way);
  const std::size_t own = index(way), other = 1 - own;
  const bool to_server = way == Direction::to_server;
  const std::uint32_t own_isn = to_server ? client_isn : server_isn;
  const std::uint32_t other_isn = to_server ? server_isn : client_isn;
  const auto position = [](std::uint32_t isn, std::int64_t at) {
    return SeqNum{isn} + 1u + static_cast<std::uint32_t>(at);
  };
  const std::int64_t from = sent.from.value_or(next_[own]);
  next_[own] = std::max(next_[own], from + sent.len + ((sent.flags & wire::kFin) != 0 ? 1 : 0));
  packet.tcp_flags = sent.flags;
  packet.sequence = position(own_isn, from);
  if ((sent.flags & wire::kAck) != 0) {
    packet.acknowledgment = position(other_isn, sent.ack.value_or(next_[other]));
  }
  packet.tcp_window = sent.window;
  packet.ttl = sent.ttl.value_or(packet.ttl);
  packet.ip_id = sent.ip_id;
  packet.link_hash = sent.link;
  packet.payload_len = sent.len;
  packet.ip_total_len += sent.len;
  if (sent.ts_value != 0 || sent.ts_echo != 0) {
    packet.options.has_timestamps = true;
    packet.options.ts_value = sent.ts_value;
    packet.options.ts_echo = sent.ts_echo;
    packet.tcp_header_len = 32;
    packet.ip_total_len += 12;
  }
  for (const auto& [begin, end] : sent.sack) {
    packet.options.sack[packet.options.sack_count++] = {position(other_isn, begin),
                                                        position(other_isn, end)};
  }
  if (sent.fill != 0) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sent.len, static_cast<std::byte>(sent.fill));
    packet.payload = Bytes(bytes_).subspan(at, sent.len);
  }
  return packet;
}

std::uint64_t Exchange::send_syn(Direction way, std::uint8_t flags, const TcpOptions& options) {
  wire::Packet packet = blank(way);
  packet.tcp_flags = flags;
  packet.sequence = SeqNum{way == Direction::to_server ? client_isn : server_isn};
  if ((flags & wire::kAck) != 0) packet.acknowledgment = SeqNum{client_isn} + 1u;
  packet.options = options;
  packet.tcp_header_len = 40;
  packet.ip_total_len = 60;
  return add(packet);
}

std::uint64_t Exchange::syn() { return send_syn(Direction::to_server, wire::kSyn, client_options); }
std::uint64_t Exchange::syn_ack() {
  return send_syn(Direction::to_client, wire::kSyn | wire::kAck, server_options);
}

void Exchange::handshake(Duration server_leg, Duration client_leg) {
  syn();
  after(server_leg).syn_ack();
  after(client_leg).to_server({.from = 0, .ack = 0});
}

std::uint64_t Exchange::add(const BuiltFrame& built) {
  const wire::Frame frame = built.frame();
  wire::Packet packet;
  wire::decode(frame, packet);
  const std::uint64_t offset = bytes_.size();
  bytes_.insert(bytes_.end(), frame.bytes.begin(), frame.bytes.end());
  return add(packet, frame.bytes, offset);
}

std::uint64_t Exchange::add(const wire::Packet& packet) {
  const auto offset = packet.payload.empty()
                          ? std::uint64_t{0}
                          : static_cast<std::uint64_t>(packet.payload.data() - bytes_.data());
  return add(packet, packet.payload, offset);
}

std::uint64_t Exchange::add(const wire::Packet& packet, Bytes bytes, std::uint64_t offset) {
  wire::Frame frame;
  frame.bytes = bytes;
  frame.original_len = packet.ip_total_len + 14;
  frame.time = has_time ? kStart + now_ : Time{};
  frame.has_time = has_time;
  frame.input = input;
  frame.number = ++frames_;
  frame.byte_offset = offset;
  engine_.add(frame, packet);
  return frames_;
}

}  // namespace slowpath::test

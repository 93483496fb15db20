// SPDX-License-Identifier: Apache-2.0
#include "support/scenario/connection.h"

#include <algorithm>

namespace slowpath::test::scenario {
namespace {

constexpr std::uint32_t kTimestampBytes = 12;  // with two NOPs
constexpr std::uint64_t kClientMac = 0x020000000001, kServerMac = 0x020000000002;

Buffer payload_of(const Segment& segment, bool to_server) {
  Buffer bytes(static_cast<std::size_t>(segment.data.second - segment.data.first));
  const auto first = static_cast<std::uint64_t>(segment.data.first);
  const std::uint64_t salt = segment.content * 0x9e37'79b9'7f4a'7c15 + (to_server ? 1 : 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint64_t mixed = (first + i + salt) * 0xbf58'476d'1ce4'e5b9;
    bytes[i] = static_cast<std::byte>(mixed >> 56);
  }
  return bytes;
}

void add_options(const Connection& connection, const Segment& segment, TcpFields& fields) {
  const End& own = connection[segment.from];
  const End& peer = connection[other(segment.from)];
  if (segment.announces) {
    const bool answers = (segment.flags.bits & ack.bits) != 0;
    mss(own.mss)(fields);
    // A SYN-ACK scales only if the SYN did (RFC 7323 section 1.3).
    if (own.window_scale && (!answers || peer.window_scale))
      window_scale (*own.window_scale)(fields);
    if (connection.sack) sack_permitted()(fields);
  }
  if (segment.md5) option(19, Buffer(16))(fields);
  if (segment.fast_open) option(34, Buffer(8))(fields);
  if (segment.stamps) timestamps(segment.stamps->value, segment.stamps->echo)(fields);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> blocks;
  for (const auto& [begin, end] : segment.sack) {
    if (blocks.size() == (segment.stamps ? 3u : 4u)) break;
    const std::uint32_t zero = peer.initial_sequence + 1;
    blocks.emplace_back(zero + static_cast<std::uint32_t>(begin),
                        zero + static_cast<std::uint32_t>(end));
  }
  if (!blocks.empty()) sack(blocks)(fields);
}

TcpField tcp_fields(const Connection& connection, const Segment& segment) {
  return [&](TcpFields& fields) {
    const End& own = connection[segment.from];
    const End& peer = connection[other(segment.from)];
    ports(own.at.port, peer.at.port)(fields);
    fields.seq = own.initial_sequence + 1 + static_cast<std::uint32_t>(segment.data.first);
    if (segment.acknowledged) {
      fields.ack = peer.initial_sequence + 1 + static_cast<std::uint32_t>(*segment.acknowledged);
    }
    const bool is_syn = (segment.flags.bits & syn.bits) != 0;
    const unsigned shift = is_syn ? 0u : connection.shift(segment.from);
    const auto scaled = std::min<std::uint64_t>(segment.window_bytes >> shift, 65535);
    fields.window = segment.raw_window.value_or(static_cast<std::uint16_t>(scaled));
    fields.checksum = segment.checksum;
    const std::int64_t payload = segment.data.second - segment.data.first;
    fields.length_error = static_cast<int>(segment.summed_payload.value_or(payload) - payload);
    add_options(connection, segment, fields);
  };
}

void add_layers(PacketBuilder& builder, const Connection& connection, const Segment& segment,
                const IpField& ip) {
  const std::string source = to_string(connection[segment.from].at.address);
  const std::string destination = to_string(connection[other(segment.from)].at.address);
  if (connection[segment.from].at.address.version == 4) {
    builder.ipv4(source, destination, ip);
  } else {
    builder.ipv6(source, destination, ip);
  }
  builder.tcp(segment.flags, tcp_fields(connection, segment));
}

IpField ip_fields(const Segment& segment) {
  return [&](IpFields& fields) {
    fields.ttl = segment.ttl;
    fields.id = segment.ip_id;
    fields.tos = segment.ecn;
    fields.dont_fragment = segment.dont_fragment;
  };
}

}  // namespace

std::uint8_t Connection::shift(Side side) const {
  return scaled() ? std::min<std::uint8_t>(*(*this)[side].window_scale, 14) : std::uint8_t{0};
}

std::uint32_t Connection::segment_size(Side side) const {
  const std::uint32_t least = std::min((*this)[side].mss, (*this)[other(side)].mss);
  const std::uint32_t options = timestamps ? kTimestampBytes : 0;
  return std::max<std::uint32_t>(least, options + 1) - options;
}

std::uint64_t Connection::sayable_window(Side side, std::uint64_t bytes) const {
  const unsigned bits = shift(side);
  return std::min<std::uint64_t>(bytes >> bits, 65535) << bits;
}

std::uint32_t Connection::timestamp(Side side, Duration now) const {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  return (*this)[side].timestamp_base + static_cast<std::uint32_t>(ms);
}

BuiltFrame build_frame(const Connection& connection, const Segment& segment) {
  const bool to_server = segment.from == Side::client;
  PacketBuilder builder;
  const std::uint64_t tap = segment.link << 8;
  builder.ethernet((to_server ? kServerMac : kClientMac) + tap,
                   (to_server ? kClientMac : kServerMac) + tap);
  if (connection.vxlan) {
    builder.ipv4("192.0.2.1", "192.0.2.2").udp(50000, 4789).vxlan();
    builder.ethernet(kServerMac, kClientMac);
  }
  add_layers(builder, connection, segment, ip_fields(segment));
  builder.payload(payload_of(segment, to_server));
  return builder.build();
}

Buffer quote(const Connection& connection, const Segment& segment, std::uint16_t ip_len) {
  PacketBuilder builder;
  const bool is_v6 = connection[segment.from].at.address.version == 6;
  const int claimed = is_v6 ? ip_len - 40 : ip_len;
  const IpField plain = ip_fields(segment);
  add_layers(builder, connection, segment, [&](IpFields& fields) {
    plain(fields);
    fields.total_length = claimed;
  });
  return builder.bytes();
}

}  // namespace slowpath::test::scenario

// SPDX-License-Identifier: Apache-2.0
// The statement `ping`: an echo request or its answer, whole or in fragments (RFC 792, 791, 4443).
#include <algorithm>
#include <optional>
#include <set>

#include "support/scenario/player.h"

namespace slowpath::test::scenario {
namespace {

struct Ping {
  Side from = Side::client;
  std::size_t bytes = 56;
  std::uint32_t sequence = 1;
  bool reply = false, reversed = false;
  std::size_t fragment_len = 0;  // payload of a fragment; 0: not fragmented
  std::set<std::size_t> without;
  std::optional<std::uint16_t> ip_id;  // else the next of its host
};

Ping read_ping(Words& words) {
  Ping ping;
  ping.from = read_way(words);
  while (!words.done()) {
    if (words.take("bytes")) {
      ping.bytes = static_cast<std::size_t>(words.number("a size", 0, 65000));
    } else if (words.take("seq")) {
      ping.sequence = static_cast<std::uint32_t>(words.number("a number", 0, 65535));
    } else if (words.take("reply")) {
      ping.reply = true;
    } else if (words.take("fragments")) {
      ping.fragment_len =
          static_cast<std::size_t>(words.number("a fragment's payload", 64, 65000)) &
          ~std::size_t{7};
    } else if (words.take("last-first")) {
      ping.reversed = true;
    } else if (words.take("without")) {
      ping.without.insert(static_cast<std::size_t>(words.number("a fragment's number", 1, 1000)));
    } else if (words.take("ipid")) {
      ping.ip_id = static_cast<std::uint16_t>(words.number("an IP ID", 0, 65535));
    } else {
      words.finish();
    }
  }
  return ping;
}

struct Addresses {
  std::string source, destination;
  bool is_v6 = false;
};

void add_ip(PacketBuilder& builder, const Addresses& addresses, const IpField& fields) {
  if (addresses.is_v6) {
    builder.ipv6(addresses.source, addresses.destination, fields);
  } else {
    builder.ipv4(addresses.source, addresses.destination, fields);
  }
}

PacketBuilder whole(const Addresses& addresses, const Ping& ping, const IpField& fields) {
  const unsigned type = addresses.is_v6 ? (ping.reply ? 129 : 128) : (ping.reply ? 0 : 8);
  PacketBuilder builder;
  builder.ethernet();
  add_ip(builder, addresses, fields);
  builder.icmp(static_cast<std::uint8_t>(type), 0, 0x0777'0000u | ping.sequence)
      .payload(ping.bytes);
  return builder;
}

}  // namespace

void play_ping(Player& player, Words& words) {
  const Ping ping = read_ping(words);
  if (words.problem()) return;
  Connection& connection = player.current();
  End& own = connection[ping.from];
  const Addresses addresses{to_string(own.at.address),
                            to_string(connection[other(ping.from)].at.address),
                            own.at.address.version == 6};
  const std::uint16_t id = ping.ip_id ? *ping.ip_id : own.ip_id++;
  const IpField plain = [=](IpFields& fields) { fields.id = id; };
  const BuiltFrame frame = whole(addresses, ping, plain).build();
  if (ping.fragment_len == 0) {
    player.tape.record(player.now, frame);
    return;
  }
  const std::size_t header = 14 + (addresses.is_v6 ? 40u : 20u);
  std::vector<BuiltFrame> pieces;
  for (std::size_t at = header; at < frame.bytes.size(); at += ping.fragment_len) {
    const std::size_t end = std::min(at + ping.fragment_len, frame.bytes.size());
    PacketBuilder builder;
    builder.ethernet();
    add_ip(builder, addresses, [&](IpFields& fields) {
      plain(fields);
      fragment(static_cast<std::uint32_t>(at - header), end < frame.bytes.size())(fields);
      fields.protocol = addresses.is_v6 ? 58 : 1;
    });
    builder.payload(Buffer(frame.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                           frame.bytes.begin() + static_cast<std::ptrdiff_t>(end)));
    if (!ping.without.contains(pieces.size() + 1)) {
      pieces.push_back(builder.build());
    } else {
      pieces.emplace_back();
    }
  }
  if (ping.reversed) std::ranges::reverse(pieces);
  for (const BuiltFrame& piece : pieces) {
    if (!piece.bytes.empty()) player.tape.record(player.now, piece);
    player.now += std::chrono::microseconds(12);
  }
}

}  // namespace slowpath::test::scenario

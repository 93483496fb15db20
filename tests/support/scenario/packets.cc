// SPDX-License-Identifier: Apache-2.0
// The statements that name single packets. Their times are those of the capture.
#include <algorithm>
#include <array>

#include "support/scenario/player.h"

namespace slowpath::test::scenario {
namespace {

constexpr std::int64_t kMostPayload = 65400;  // IP's length field, less the longest headers

/// What a packet's words ask for; `connection` is a copy, changed for this packet alone.
struct Wanted {
  Segment segment;
  Connection connection;
  bool tap_copy = false;
  bool no_timestamps = false;
  std::optional<Timestamps> stamps;
};

void read_checksum(Segment& segment, Words& words) {
  if (words.take("for")) {
    segment.summed_payload = words.number("a payload's length", 0, kMostPayload);
    return;
  }
  static constexpr std::array<std::string_view, 5> kNames{"good", "partial", "partial-no-length",
                                                          "zero", "bad"};
  segment.checksum = static_cast<ChecksumKind>(words.choice(kNames));
}

ByteRange read_payload(Words& words) {
  const ByteRange data = words.range();
  if (data.second - data.first > kMostPayload) words.fail("at most 65400 bytes in a packet");
  return data;
}

std::vector<ByteRange> read_blocks(Words& words) {
  std::vector<ByteRange> blocks;
  do {
    blocks.push_back(words.range());
  } while (words.take("and") && blocks.size() < 4);
  return blocks;
}

bool read_flag(Wanted& wanted, Words& words) {
  static constexpr std::array<std::pair<std::string_view, Flags>, 6> kFlags{
      {{"syn", syn}, {"fin", fin}, {"rst", rst}, {"push", psh}, {"ece", ece}, {"cwr", cwr}}};
  for (const auto& [name, flag] : kFlags) {
    if (!words.take(name)) continue;
    wanted.segment.flags = wanted.segment.flags | flag;
    wanted.segment.announces |= name == "syn";
    return true;
  }
  return false;
}

bool read_option_change(Wanted& wanted, Words& words) {
  End& own = wanted.connection[wanted.segment.from];
  if (words.take("mss")) {
    own.mss = static_cast<std::uint16_t>(words.number("an MSS", 0, 65535));
  } else if (words.take("wscale")) {
    if (words.take("none")) {
      own.window_scale.reset();
    } else {
      own.window_scale =
          static_cast<std::uint8_t>(words.number("a window scale or 'none'", 0, 255));
    }
  } else if (words.take("no-sack")) {
    wanted.connection.sack = false;
  } else if (words.take("md5")) {
    wanted.segment.md5 = true;
  } else if (words.take("fast-open")) {
    wanted.segment.fast_open = true;
  } else if (words.take("no-timestamps")) {
    wanted.no_timestamps = true;
  } else if (words.take("stamps")) {
    wanted.stamps.emplace();
    wanted.stamps->value = static_cast<std::uint32_t>(words.number("a timestamp", 0, 0xffff'ffff));
    wanted.stamps->echo = static_cast<std::uint32_t>(words.number("a timestamp", 0, 0xffff'ffff));
  } else {
    return false;
  }
  return true;
}

bool read_header_field(Wanted& wanted, Words& words) {
  Segment& segment = wanted.segment;
  if (words.take("ttl")) {
    segment.ttl = static_cast<std::uint8_t>(words.number("a TTL", 1, 255));
  } else if (words.take("ipid")) {
    segment.ip_id = static_cast<std::uint16_t>(words.number("an IP ID", 0, 65535));
  } else if (words.take("ecn")) {
    segment.ecn = static_cast<std::uint8_t>(words.number("an ECN field", 0, 3));
  } else if (words.take("no-df")) {
    segment.dont_fragment = false;
  } else if (words.take("checksum")) {
    read_checksum(segment, words);
  } else if (words.take("content")) {
    segment.content = static_cast<std::uint64_t>(words.number("a number", 0, 1'000'000));
  } else if (words.take("link")) {
    segment.link = static_cast<std::uint64_t>(words.number("a number", 0, 1000));
  } else if (words.take("tap-copy")) {
    wanted.tap_copy = true;
  } else {
    return false;
  }
  return true;
}

bool read_stream_field(Wanted& wanted, Words& words) {
  Segment& segment = wanted.segment;
  if (words.take("data")) {
    segment.data = read_payload(words);
  } else if (words.take("seq")) {
    const auto at = words.number("a position", -1'000'000'000, std::int64_t{1} << 33);
    segment.data = {at, at};
  } else if (words.take("ack")) {
    segment.acknowledged = words.number("a position", -1'000'000'000, std::int64_t{1} << 33);
    segment.flags = segment.flags | ack;
  } else if (words.take("no-ack")) {
    segment.flags = Flags{static_cast<std::uint8_t>(segment.flags.bits & ~ack.bits)};
    segment.acknowledged.reset();
  } else if (words.take("win")) {
    segment.window_bytes =
        static_cast<std::uint64_t>(words.number("a window in bytes", 0, 1 << 30));
  } else if (words.take("raw-win")) {
    segment.raw_window = static_cast<std::uint16_t>(words.number("a window field", 0, 65535));
  } else if (words.take("sack")) {
    segment.sack = read_blocks(words);
  } else {
    return false;
  }
  return true;
}

/// Where the stream stands, unless words say otherwise.
Wanted next_packet(const Connection& connection, Side from) {
  Wanted wanted{.segment = {},
                .connection = connection,
                .tap_copy = false,
                .no_timestamps = false,
                .stamps = {}};
  Segment& segment = wanted.segment;
  segment.from = from;
  segment.data = {connection[from].next, connection[from].next};
  segment.acknowledged = connection[other(from)].next;
  segment.window_bytes = connection[from].window_bytes;
  segment.ip_id = connection[from].ip_id;
  segment.ttl = connection[from].ttl;
  return wanted;
}

void settle_flags(Wanted& wanted, bool ack_was_given) {
  Segment& segment = wanted.segment;
  const bool is_syn = (segment.flags.bits & syn.bits) != 0;
  if (!is_syn) return;
  segment.data = {-1, segment.data.second > segment.data.first ? segment.data.second - 1 : -1};
  if (!ack_was_given && segment.from == Side::client) {
    segment.flags = Flags{static_cast<std::uint8_t>(segment.flags.bits & ~ack.bits)};
    segment.acknowledged.reset();
  }
}

Wanted read_packet(Player& player, Words& words, Side from) {
  Wanted wanted = next_packet(player.current(), from);
  bool ack_was_given = false;
  while (!words.done()) {
    ack_was_given |= words.peek() == "ack";
    if (!read_flag(wanted, words) && !read_stream_field(wanted, words) &&
        !read_header_field(wanted, words) && !read_option_change(wanted, words)) {
      words.finish();
    }
  }
  settle_flags(wanted, ack_was_given);
  return wanted;
}

void remember(Connection& connection, const Segment& segment) {
  End& own = connection[segment.from];
  own.next = std::max(own.next, segment.data.second);
  own.window_bytes = segment.window_bytes;
  own.ip_id = static_cast<std::uint16_t>(segment.ip_id + 1);
  if (segment.stamps) connection[other(segment.from)].timestamp_seen = segment.stamps->value;
}

}  // namespace

void play_packet(Player& player, Words& words) {
  const Side from = read_way(words);
  Wanted wanted = read_packet(player, words, from);
  if (words.problem()) return;
  Connection& connection = player.current();
  Segment& segment = wanted.segment;
  if (connection.timestamps && !wanted.no_timestamps) {
    segment.stamps =
        Timestamps{connection.timestamp(from, player.now), connection[from].timestamp_seen};
  }
  if (wanted.stamps) segment.stamps = wanted.stamps;
  player.tape.record(player.now, wanted.connection, segment);
  remember(connection, segment);
  for (End& end : connection.ends) end.ahead = Duration{0};
  if (!wanted.tap_copy) return;
  --segment.ttl;
  ++segment.link;
  player.tape.record(player.now + std::chrono::microseconds(10), wanted.connection, segment);
}

void play_close(Player& player, Words& words) {
  static constexpr std::array<std::string_view, 2> kKinds{"fin", "rst"};
  static constexpr std::array<std::string_view, 2> kEnds{"client", "server"};
  const bool resets = words.choice(kKinds) == 1;
  const Side first = words.take("by") ? static_cast<Side>(words.choice(kEnds)) : Side::client;
  words.finish();
  if (words.problem()) return;
  Connection& connection = player.current();
  const double place = player.tape.settings.place;
  const auto record = [&](Side from, Flags flags, std::int64_t finished,
                          std::int64_t acknowledged) {
    Segment segment = next_packet(connection, from).segment;
    segment.flags = flags;
    segment.data = {connection[from].next + finished, connection[from].next + finished};
    segment.acknowledged = connection[other(from)].next + acknowledged;
    if (connection.timestamps) {
      segment.stamps =
          Timestamps{connection.timestamp(from, player.now), connection[from].timestamp_seen};
    }
    const double way = from == Side::client ? place : 1 - place;
    player.tape.record(player.now + from_seconds(to_seconds(connection.rtt) / 2 * way), connection,
                       segment);
    segment.data = {0, 0};  // a FIN's number is no byte of the stream
    remember(connection, segment);
    player.now += connection.rtt / 2;
  };
  if (resets) return record(first, rst | ack, 0, 0);
  record(first, fin | ack, 0, 0);
  record(other(first), fin | ack, 0, 1);
  record(first, ack, 1, 1);
}

// icmp frag-needed mtu 1500 from 10.0.0.9 quoting c > s data 0:1460 [length 2960]
void play_icmp(Player& player, Words& words) {
  unsigned type = 3, code = 4;
  std::uint32_t rest = 0;
  Connection& connection = player.current();
  const bool is_v6 = connection[Side::client].at.address.version == 6;
  if (words.take("frag-needed")) {
    if (is_v6) type = 2, code = 0;
    words.need("mtu");
    rest = static_cast<std::uint32_t>(words.number("an MTU", 0, 65535));
  } else {
    words.need("type");
    type = static_cast<unsigned>(words.number("an ICMP type", 0, 255));
    words.need("code");
    code = static_cast<unsigned>(words.number("an ICMP code", 0, 255));
  }
  words.need("from");
  const IpAddress from = words.address();
  if ((from.version == 6) != is_v6) words.fail("an address of the connection's family");
  words.need("quoting");
  const Side side = read_way(words);
  words.need("data");
  Segment segment = next_packet(connection, side).segment;
  segment.data = read_payload(words);
  std::int64_t length = segment.data.second - segment.data.first + (is_v6 ? 60 : 40);
  if (words.take("length")) length = words.number("an IP length", 40, 65535);
  if (words.take("ipid"))
    segment.ip_id = static_cast<std::uint16_t>(words.number("an IP ID", 0, 65535));
  words.finish();
  if (words.problem()) return;
  const std::string source = to_string(from), destination = to_string(connection[side].at.address);
  PacketBuilder builder;
  builder.ethernet();
  is_v6 ? builder.ipv6(source, destination, ttl(60)) : builder.ipv4(source, destination, ttl(60));
  builder.icmp(static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(code), rest);
  builder.payload(quote(connection, segment, static_cast<std::uint16_t>(length)));
  player.tape.record(player.now, builder.build());
}

}  // namespace slowpath::test::scenario

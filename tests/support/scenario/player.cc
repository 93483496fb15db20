// SPDX-License-Identifier: Apache-2.0
// The statements that set the scene: connections, their options, and where and what is captured.
#include "support/scenario/player.h"

#include <algorithm>
#include <array>

namespace slowpath::test::scenario {
namespace {

Endpoint make_endpoint(std::uint8_t last, std::uint16_t port) {
  Endpoint endpoint;
  endpoint.address.version = 4;
  endpoint.address.bytes = {10, 0, 0, last};
  endpoint.port = port;
  return endpoint;
}

/// "7" or "none".
std::optional<std::uint8_t> read_scale(Words& words) {
  if (words.take("none")) return std::nullopt;
  return static_cast<std::uint8_t>(words.number("a window scale or 'none'", 0, 255));
}

std::uint16_t read_mss(Words& words) {
  return static_cast<std::uint16_t>(words.number("an MSS", 64, 65535));
}

/// The same four-tuple for another connection: new sequence numbers, positions from 0.
void use_again(Connection& connection) {
  for (End& end : connection.ends) {
    end.initial_sequence += 64'000'000;
    end.next = 0;
  }
}

/// One word of those that `options` and `handshake` share; false if it is none of them.
bool read_option(Connection& connection, Words& words) {
  End& client = connection[Side::client];
  End& server = connection[Side::server];
  if (words.take("mss")) {
    client.mss = server.mss = read_mss(words);
  } else if (words.take("client-mss")) {
    client.mss = read_mss(words);
  } else if (words.take("server-mss")) {
    server.mss = read_mss(words);
  } else if (words.take("client-wscale")) {
    client.window_scale = read_scale(words);
  } else if (words.take("server-wscale")) {
    server.window_scale = read_scale(words);
  } else if (words.take("no-wscale")) {
    client.window_scale = server.window_scale = std::nullopt;
  } else if (words.take("no-sack")) {
    connection.sack = false;
  } else if (words.take("no-timestamps")) {
    connection.timestamps = false;
  } else if (words.take("new-use")) {
    use_again(connection);
  } else if (words.take("vxlan")) {
    connection.vxlan = true;
  } else if (words.take("rtt")) {
    connection.rtt = words.duration();
  } else {
    return false;
  }
  return true;
}

}  // namespace

Connection& Player::select(const Endpoint& client, const Endpoint& server) {
  for (Connection& known : connections) {
    if (known[Side::client].at == client && known[Side::server].at == server) {
      connection = &known;
      return known;
    }
  }
  connection = &connections.emplace_back();
  const auto number = static_cast<std::uint32_t>(connections.size());
  for (const Side side : {Side::client, Side::server}) {
    End& end = (*connection)[side];
    const auto which = static_cast<std::uint32_t>(side);
    end.at = side == Side::client ? client : server;
    end.initial_sequence = 1'000'000'000 * (which + 1) + number * 10'000'019;
    end.timestamp_base = 10'000'000 * (which + 1);
    end.ip_id = static_cast<std::uint16_t>(1000 * number + 20'000 * which);
  }
  return *connection;
}

Connection& Player::current() {
  return connection != nullptr ? *connection
                               : select(make_endpoint(1, 40000), make_endpoint(2, 80));
}

Side read_way(Words& words) {
  static constexpr std::array<std::string_view, 2> kEnds{"c", "s"};
  const auto from = static_cast<Side>(words.choice(kEnds));
  words.need(">");
  words.need(kEnds[static_cast<std::size_t>(other(from))]);
  return from;
}

void play_connection(Player& player, Words& words) {
  const Endpoint client = words.endpoint();
  words.need(">");
  const Endpoint server = words.endpoint();
  if (client.address.version != server.address.version)
    words.fail("two addresses of the same family");
  if (!words.problem()) player.select(client, server);
}

void play_options(Player& player, Words& words) {
  Connection& connection = player.current();
  while (read_option(connection, words)) {
  }
}

void play_handshake(Player& player, Words& words) {
  Connection& connection = player.current();
  std::uint64_t window = 65535;
  while (!words.done()) {
    if (read_option(connection, words)) continue;
    if (!words.take("window")) return words.finish();
    window = static_cast<std::uint64_t>(words.number("a window", 0, 65535));
  }
  if (words.problem()) return;
  const Duration half = connection.rtt / 2;
  const double place = player.tape.settings.place;
  const auto record = [&](Side from, Flags flags, std::int64_t seq_at, Duration sent) {
    Segment segment;
    segment.from = from;
    segment.flags = flags;
    segment.data = {seq_at, seq_at};
    segment.announces = (flags.bits & syn.bits) != 0;
    if ((flags.bits & ack.bits) != 0) segment.acknowledged = 0;
    segment.window_bytes = window;
    segment.ip_id = connection[from].ip_id++;
    segment.ttl = connection[from].ttl;
    End& peer = connection[other(from)];
    if (connection.timestamps) {
      segment.stamps = {connection.timestamp(from, sent), connection[from].timestamp_seen};
      peer.timestamp_seen = segment.stamps->value;
    }
    const double way = from == Side::client ? place : 1 - place;
    player.tape.record(sent + from_seconds(to_seconds(half) * way), connection, segment);
  };
  record(Side::client, syn, -1, player.now);
  record(Side::server, syn | ack, -1, player.now + half);
  record(Side::client, ack, 0, player.now + 2 * half);
  // The client may send as soon as it has answered, the server when that has arrived.
  player.now += 3 * half + std::chrono::microseconds(50);
  connection[Side::client].ahead = half;
  connection[Side::server].ahead = Duration{0};
}

void play_vantage(Player& player, Words& words) {
  static constexpr std::array<std::string_view, 3> kPlaces{"client", "server", "midpath"};
  const std::size_t place = words.choice(kPlaces);
  const double share = place == 2 ? words.share() : static_cast<double>(place);
  if (player.tape.size() > 0) words.fail("the vantage before the first packet");
  if (!words.problem()) player.tape.settings.place = share;
}

void play_snap(Player& player, Words& words) {
  player.tape.settings.snap_len =
      static_cast<std::uint32_t>(words.number("a snap length", 14, 262144));
}

void play_capture(Player& player, Words& words) {
  static constexpr std::array<std::string_view, 3> kWhat{"from", "to", "misses"};
  switch (words.choice(kWhat)) {
    case 0:
      player.tape.settings.from = words.duration();
      break;
    case 1:
      player.tape.settings.to = words.duration();
      break;
    default:
      player.tape.settings.misses.push_back(Predicate::parse(words));
  }
}

void play_offload(Player& player, Words& words) {
  static constexpr std::array<std::string_view, 2> kEnds{"client", "server"};
  const auto side = static_cast<Side>(words.choice(kEnds));
  player.current()[side].partial_checksums = true;
}

void play_wait(Player& player, Words& words) { player.now += words.duration(); }

}  // namespace slowpath::test::scenario

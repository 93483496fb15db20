// SPDX-License-Identifier: Apache-2.0
#include "flow/witness.h"

#include <algorithm>
#include <map>

#include "facts/clock_error.h"
#include "facts/packet_too_big.h"
#include "flow/clock.h"
#include "flow/leg_meter.h"
#include "flow/scale_guess.h"

namespace slowpath::flow {
namespace {

// A leg shorter than this share of the round trip means that the tap sits at that end.
constexpr double kNearShare = 0.2;
// Below this round trip timing cannot tell the ends apart; what offloads leave in the packets still
// can.
constexpr Duration kTooShort = std::chrono::microseconds(300);
// Unless one leg is all but nothing beside the other, as long as a hop or two, from the handshake
// on: kernels answer each other within a host in microseconds, both ways.
constexpr Duration kShortHop = std::chrono::microseconds(100);
constexpr double kFarNearer = 1.0 / 16;
// From this round trip on timing is believed against unfinished sums of the end that is far by it:
// hosts answer much faster, and a NIC that forgets to finish sums sends them across the whole path.
constexpr Duration kLongEnough = std::chrono::milliseconds(2);
// Bytes that the timestamp option takes from each data segment (RFC 7323 appendix A).
constexpr std::uint32_t kTimestampBytes = 12;

/// What one end's packets look like where the tap sees them.
struct EndLooks {
  std::uint64_t packets = 0, partial = 0, complete = 0;
  std::uint8_t ttl_max = 0;
};

// Only the host that is about to send a packet sees its checksum unfinished.
bool captured_at(const EndLooks& end) { return end.partial > 0 && end.partial * 4 >= end.packets; }

TapPlace place_by_looks(const EndLooks& client, const EndLooks& server) {
  if (captured_at(client) && captured_at(server)) return TapPlace::at_both;
  if (captured_at(client)) return TapPlace::near_client;
  if (captured_at(server)) return TapPlace::near_server;
  return TapPlace::unknown;
}

TapPlace place_by_ttl(const EndLooks& client, const EndLooks& server) {
  const bool client_here = is_initial_ttl(client.ttl_max),
             server_here = is_initial_ttl(server.ttl_max);
  if (client.packets == 0 || server.packets == 0 || client_here == server_here) {
    return !client_here && !server_here && client.packets > 0 && server.packets > 0
               ? TapPlace::midpath
               : TapPlace::unknown;
  }
  return client_here ? TapPlace::near_client : TapPlace::near_server;
}

TapPlace place_by_legs(const std::array<std::optional<Duration>, 2>& leg, bool from_handshake) {
  if (!leg[0] || !leg[1]) return TapPlace::unknown;
  const double client = to_seconds(*leg[0]), server = to_seconds(*leg[1]), total = client + server;
  const bool is_short = total < to_seconds(kTooShort);
  if (is_short && (!from_handshake || total < to_seconds(kShortHop))) return TapPlace::unknown;
  const double near = (is_short ? kFarNearer : kNearShare) * total;
  if (client < near) return TapPlace::near_client;
  if (server < near) return TapPlace::near_server;
  return is_short ? TapPlace::unknown : TapPlace::midpath;
}

/// Two ends within one host answer each other at once: one tick apart, where they lie about it.
bool may_be_one_host(Duration tick, const std::array<std::optional<Duration>, 2>& leg) {
  const Duration trip = leg[0].value_or(Duration{0}) + leg[1].value_or(Duration{0});
  return tick == Duration{0} || trip <= tick;
}

/// A clock that ticks seldom tells long legs, and no others.
bool tells_legs(Duration tick, const std::array<std::optional<Duration>, 2>& leg) {
  if (tick == Duration{0}) return true;
  return leg[0] && leg[1] && *leg[0] + *leg[1] >= kTicksThatTell * tick;
}

using Lengths = std::map<std::uint32_t, std::uint32_t>;  // of payload, and how many packets

/// Whether data is sent in segments that leave room for timestamps, of which none was captured.
bool fit_stamped(const Lengths& lengths, std::uint32_t mss) {
  if (mss <= kTimestampBytes) return false;
  std::uint32_t full = 0, stamped = 0;
  for (const auto& [len, n] : lengths) {
    full += len % mss == 0 ? n : 0;
    stamped += len % (mss - kTimestampBytes) == 0 ? n : 0;
  }
  return stamped > full;
}

/// From IP's on; 0: the packet does not say.
std::uint32_t header_bytes(const Record& r) { return r.ip_len - std::min(r.ip_len, r.payload_len); }

/// What a router's message about the path's MTU made of full segments; 0 without one that the
/// sender obeyed: most of what it sent from then on is a multiple of that.
std::uint32_t size_after_message(std::span<const Record> records, std::span<const IcmpFacts> icmp,
                                 Direction way) {
  constexpr std::uint32_t kLeast = 8;
  std::uint32_t headers = 0, next_hop_mtu = 0, sent = 0, fitting = 0;
  for (const Record& r : records) {
    if (r.icmp_index != kNone) {
      const IcmpFacts& message = icmp[r.icmp_index];
      if (!is_packet_too_big(message) || message.about != way || message.next_hop_mtu == 0)
        continue;
      if (next_hop_mtu != 0 && message.next_hop_mtu >= next_hop_mtu) continue;
      next_hop_mtu = message.next_hop_mtu;
      sent = fitting = 0;
    } else if (r.direction == way && r.payload_len > 0) {
      if (headers == 0) headers = header_bytes(r);
      if (next_hop_mtu <= headers) continue;
      ++sent;
      fitting += r.payload_len % (next_hop_mtu - headers) == 0;
    }
  }
  return fitting >= kLeast && fitting * 2 >= sent ? next_hop_mtu - headers : 0;
}

constexpr std::uint32_t kSmallestFull = 512, kEthernetFull = 1460;

/// Full segments where no handshake was seen: the length that most packets have, or are a multiple
/// of where they are longer than Ethernet's frames. An Ethernet's own full segments are tried even
/// where large frames hide them, and the longest wins of those that fit nearly as often: what is a
/// multiple of a segment is one of its half. `headers` of its packets, from IP's on; 0 unknown.
std::uint32_t commonest_segment(const Lengths& lengths, std::uint32_t headers) {
  constexpr std::uint32_t kFits = 2, kNearly = 9, kNearlyOf = 10, kMtus[] = {1500, 9000};
  std::uint32_t best = 0, most = 0;
  const std::uint32_t largest = lengths.empty() ? 0 : lengths.rbegin()->first;
  const auto packets_of = [&](std::uint32_t len) {
    const auto at = lengths.find(len);
    return at == lengths.end() ? 0 : at->second;
  };
  const auto try_size = [&](std::uint32_t size) {
    std::uint32_t fitting = packets_of(size);
    const std::uint32_t first_large = std::max(2u, kEthernetFull / size + 1);
    for (std::uint32_t len = first_large * size; len <= largest; len += size)
      fitting += packets_of(len);
    if (fitting * kNearlyOf >= most * kNearly) best = size;
    most = std::max(most, fitting);
  };
  for (const auto& [len, n] : lengths) {
    if (len >= kSmallestFull && len <= kEthernetFull) try_size(len);
  }
  for (const std::uint32_t mtu : kMtus) {
    if (headers > 0 && headers < mtu && largest > std::max(kEthernetFull, mtu - headers - 1))
      try_size(mtu - headers);
  }
  return most >= kFits ? best : std::min(largest, kEthernetFull);
}

/// What the receiver of this direction said; 0: its SYN was not seen, or said nothing.
std::uint32_t receiver_mss(const HandshakeFacts& handshake, Direction way) {
  const auto& receiver = way == Direction::to_server ? handshake.syn_ack : handshake.syn;
  return receiver && receiver->options.has_mss ? receiver->options.mss : 0;
}

std::uint32_t segment_size_of(const HandshakeFacts& handshake, std::span<const Record> records,
                              Direction way) {
  bool timestamps = false, options_cut = false;
  Lengths lengths;
  auto newest = lengths.end();  // most packets are as long as the one before
  std::uint32_t largest = 0, packets = 0, headers = 0;
  for (const Record& r : records) {
    if (r.direction != way || r.payload_len == 0 || r.icmp_index != kNone) continue;
    ++packets;
    if (const std::uint32_t bytes = header_bytes(r); bytes > 0) headers = bytes;
    timestamps |= r.has_timestamps;
    options_cut |= r.options_cut;
    largest = std::max(largest, r.payload_len);
    if (newest == lengths.end() || newest->first != r.payload_len)
      newest = lengths.try_emplace(r.payload_len, 0).first;
    ++newest->second;
  }
  // The receiver's MSS option limits the sender (RFC 9293 section 3.7.1); the sender's own MTU
  // shows in its own option.
  const auto& sender = way == Direction::to_server ? handshake.syn : handshake.syn_ack;
  if (std::uint32_t mss = receiver_mss(handshake, way); mss > 0) {
    if (sender && sender->options.has_mss && sender->options.mss > 0)
      mss = std::min<std::uint32_t>(mss, sender->options.mss);
    if (options_cut && !timestamps) timestamps = fit_stamped(lengths, mss);
    if (timestamps && mss > kTimestampBytes) mss -= kTimestampBytes;
    // A path MTU learnt elsewhere, or options not seen here: what most segments carry is the full
    // size then.
    const auto full = lengths.find(largest);
    const bool lower = largest < mss && largest >= kSmallestFull && full->second >= 8 &&
                       full->second * 2 >= packets;
    return lower ? largest : mss;
  }
  return commonest_segment(lengths, headers);
}

void find_scale(Witness& witness, std::span<const Record> records,
                const HandshakeFacts& handshake) {
  const bool both = handshake.syn && handshake.syn_ack;
  const auto offers = [](const std::optional<SynFacts>& syn) {
    return syn && syn->options.has_window_scale;
  };
  const auto lacks = [](const std::optional<SynFacts>& syn) {
    return syn && syn->options.lacks_window_scale();
  };
  const bool not_in_use = lacks(handshake.syn) || lacks(handshake.syn_ack);
  const bool in_use = offers(handshake.syn_ack) && (!handshake.syn || offers(handshake.syn));
  for (std::size_t way = 0; way < 2; ++way) {
    const auto& own = way == index(Direction::to_server) ? handshake.syn : handshake.syn_ack;
    // An option that the snap length cut away is neither there nor missing.
    const bool seen = both || (own && way == index(Direction::to_client));
    if (seen && (in_use || not_in_use)) {
      witness.scale[way] = in_use ? ScaleKnowledge::negotiated : ScaleKnowledge::not_in_use;
      // RFC 7323 section 2.3: a shift above 14 is used as 14.
      witness.window_shift[way] =
          in_use ? std::min<std::uint8_t>(own->options.window_scale, 14) : 0;
      continue;
    }
    const ScaleGuess guess =
        guess_scale(records, static_cast<Direction>(way), witness.segment_size[1 - way]);
    witness.window_shift[way] = guess.shift;
    witness.scale[way] = guess.told ? ScaleKnowledge::guessed : ScaleKnowledge::unknown;
  }
}

}  // namespace

bool is_initial_ttl(std::uint8_t ttl) { return ttl == 64 || ttl == 128 || ttl == 255; }

Vantage Witness::vantage(Direction direction) const {
  switch (place) {
    case TapPlace::unknown:
      return Vantage::unknown;
    case TapPlace::at_both:
      return Vantage::both;
    case TapPlace::midpath:
      return Vantage::midpath;
    case TapPlace::near_client:
      return direction == Direction::to_server ? Vantage::sender : Vantage::receiver;
    case TapPlace::near_server:
      return direction == Direction::to_server ? Vantage::receiver : Vantage::sender;
  }
  return Vantage::unknown;
}

Duration Witness::sender_leg(Direction direction) const {
  return leg[direction == Direction::to_server ? 0 : 1].value_or(Duration{0});
}

Witness examine(std::span<const Record> records, const HandshakeFacts& handshake,
                std::span<const IcmpFacts> icmp) {
  Witness witness;
  LegMeter meter;
  std::array<EndLooks, 2> looks{};
  for (const Record& r : records) {
    if (r.tap_copy || r.network_copy || r.icmp_index != kNone) continue;
    meter.add(r);
    EndLooks& end = looks[index(r.direction)];
    ++end.packets;
    using wire::ChecksumState;
    end.partial +=
        r.checksum == ChecksumState::partial || r.checksum == ChecksumState::partial_no_length;
    end.complete += r.checksum == ChecksumState::good;
    end.ttl_max = std::max(end.ttl_max, r.ttl);
  }
  witness.clock_tick = coarse_tick(records);
  witness.clock_skew = skew_of_ways(records);
  witness.leg = meter.legs();
  if (handshake.legs_known) {
    shorten(witness.leg[0], from_seconds(handshake.client_leg_s));
    shorten(witness.leg[1], from_seconds(handshake.server_leg_s));
  }
  const bool one_host = may_be_one_host(witness.clock_tick, witness.leg);
  if (!tells_legs(witness.clock_tick, witness.leg)) witness.leg = {};
  // Namespaces and virtual machines leave sums unfinished both ways: then time is the better
  // witness.
  witness.place = place_by_looks(looks[0], looks[1]);
  const TapPlace timed = place_by_legs(witness.leg, handshake.legs_known);
  const bool both_near = witness.place == TapPlace::at_both &&
                         (timed == TapPlace::near_client || timed == TapPlace::near_server);
  const bool opposed = (witness.place == TapPlace::near_client && timed == TapPlace::near_server) ||
                       (witness.place == TapPlace::near_server && timed == TapPlace::near_client);
  const bool timing_is_sure = opposed && *witness.leg[0] + *witness.leg[1] >= kLongEnough;
  const bool apart = witness.place == TapPlace::at_both && !one_host;
  if (witness.place == TapPlace::unknown || both_near || timing_is_sure || apart) {
    witness.place = timed;
  }
  if (witness.place == TapPlace::unknown) witness.place = place_by_ttl(looks[0], looks[1]);
  for (Direction way : {Direction::to_server, Direction::to_client}) {
    const std::uint32_t size = segment_size_of(handshake, records, way);
    const std::uint32_t reported = icmp.empty() ? 0 : size_after_message(records, icmp, way);
    witness.segment_size[index(way)] = size;
    const std::uint32_t on_path = reported == 0 ? size : std::min(size, reported);
    witness.path_segment_size[index(way)] = on_path;
    witness.message_below[index(way)] =
        receiver_mss(handshake, way) > 0 ? on_path : std::max(on_path, kSmallestFull);
  }
  find_scale(witness, records, handshake);
  return witness;
}

}  // namespace slowpath::flow

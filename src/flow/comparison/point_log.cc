// SPDX-License-Identifier: Apache-2.0
#include "flow/comparison/point_log.h"

#include <algorithm>

#include "flow/comparison/payload_hash.h"

namespace slowpath::flow::comparison {
namespace {

/// Enough bytes to be one stream's own, few enough for captures cut behind the headers.
constexpr std::size_t kFingerprintLen = 24;

std::pair<Endpoint, Endpoint> sorted(const Endpoint& a, const Endpoint& b) {
  return a < b ? std::pair{a, b} : std::pair{b, a};
}

/// Where `sequence` lies on the line without wraps, near the newest position.
std::int64_t unwrap(WayLog& way, SeqNum sequence) {
  constexpr std::int64_t kWrap = std::int64_t{1} << 32;
  if (!way.first_sequence) {
    way.first_sequence = sequence;
    way.newest = kWrap + sequence.value;
    return way.newest;
  }
  const SeqNum newest{static_cast<std::uint32_t>(way.newest)};
  const std::int64_t position = way.newest + (sequence - newest);
  way.newest = std::max(way.newest, position);
  return position;
}

void note_fingerprint(WayLog& way, const wire::Packet& packet) {
  if (way.fingerprints.size() >= WayLog::kFingerprints || packet.payload.size() < kFingerprintLen)
    return;
  const auto is_known = [&](const Fingerprint& known) {
    return known.sequence == packet.sequence.value;
  };
  if (std::ranges::any_of(way.fingerprints, is_known)) return;
  way.fingerprints.push_back(
      {payload_hash(packet.payload.first(kFingerprintLen)), packet.sequence.value});
}

/// The client is who sends a SYN or is sent a SYN-ACK; else the higher port, as servers' are low.
bool comes_from_client(const wire::Packet& packet) {
  if ((packet.tcp_flags & wire::kSyn) != 0) return (packet.tcp_flags & wire::kAck) == 0;
  return packet.source_port >= packet.destination_port;
}

}  // namespace

PointLog::PointLog(std::string name, bool verify_checksums, std::uint64_t memory_bytes)
    : verify_checksums_(verify_checksums), memory_bytes_(memory_bytes) {
  facts_.name = std::move(name);
}

void PointLog::add(const wire::Frame& frame, const wire::Packet& packet) {
  if (!frame.has_time) return;
  if (packet.kind == wire::PacketKind::tcp) {
    ++facts_.tcp_packets;
    add_tcp(frame, packet);
  } else if (packet.kind == wire::PacketKind::icmp && packet.quote.is_tcp &&
             packet.quote.has_ports) {
    add_icmp(frame, packet);
  }
}

bool PointLog::has_room() {
  // Vectors double, so half of what they hold may be waste.
  full_ = full_ || used_bytes_ * 2 > memory_bytes_;
  return !full_;
}

bool PointLog::begins_anew(const ConnectionLog& log, const wire::Packet& packet) const {
  if ((packet.tcp_flags & (wire::kSyn | wire::kAck)) != wire::kSyn) return false;
  const WayLog& way = log[Direction::to_server];
  const bool same_client =
      log.client.address == packet.source && log.client.port == packet.source_port;
  return !same_client || (way.initial_sequence && *way.initial_sequence != packet.sequence) ||
         (!way.initial_sequence && log.packets() > 0 && !log.client_known);
}

ConnectionLog& PointLog::begin_connection(const Key& key, const wire::Packet& packet) {
  newest_[key] = connections_.size();
  ConnectionLog& log = connections_.emplace_back();
  used_bytes_ += sizeof(ConnectionLog);
  ++facts_.connections;
  const Endpoint source{packet.source, packet.source_port};
  const Endpoint destination{packet.destination, packet.destination_port};
  const bool from_client = comes_from_client(packet);
  log.client = from_client ? source : destination;
  log.server = from_client ? destination : source;
  log.client_known = (packet.tcp_flags & wire::kSyn) != 0;
  return log;
}

ConnectionLog& PointLog::connection_of(const wire::Packet& packet) {
  const Key key =
      sorted({packet.source, packet.source_port}, {packet.destination, packet.destination_port});
  const auto found = newest_.find(key);
  if (found == newest_.end() || begins_anew(connections_[found->second], packet))
    return begin_connection(key, packet);
  return connections_[found->second];
}

Copy PointLog::copy_of(const wire::Frame& frame, const wire::Packet& packet, WayLog& way) const {
  Copy copy;
  copy.begin = unwrap(way, packet.sequence) + (packet.tcp_flags & wire::kSyn ? 1 : 0);
  copy.time = frame.time;
  copy.frame = FrameRef(frame.input, frame.number);
  copy.payload_at = frame.byte_offset +
                    static_cast<std::uint64_t>(
                        packet.payload.empty() ? 0 : packet.payload.data() - frame.bytes.data());
  copy.hash = packet.payload.empty() ? 0 : payload_hash(packet.payload);
  copy.len = packet.payload_len;
  copy.captured_len = static_cast<std::uint32_t>(packet.payload.size());
  copy.ip_len = packet.ip_total_len;
  copy.ack = packet.acknowledgment;
  copy.has_sack = packet.options.sack_count > 0;
  if (copy.has_sack) copy.sack_begin = packet.options.sack[0].begin;
  copy.has_timestamps = packet.options.has_timestamps;
  copy.ts_value = packet.options.ts_value;
  copy.ip_id = static_cast<std::uint16_t>(packet.ip_id);
  copy.window = packet.tcp_window;
  if (verify_checksums_) copy.checksum = wire::verify_checksum(packet);
  copy.flags = packet.tcp_flags;
  copy.ttl = packet.ttl;
  copy.ecn = packet.ecn;
  copy.dont_fragment = packet.dont_fragment;
  return copy;
}

bool PointLog::is_tap_copy(const std::vector<Copy>& copies, const Copy& copy) {
  constexpr std::size_t kLookBack = 32;
  constexpr Duration kSoon = std::chrono::milliseconds{5};
  const std::size_t from = copies.size() > kLookBack ? copies.size() - kLookBack : 0;
  return std::any_of(
      copies.begin() + static_cast<std::ptrdiff_t>(from), copies.end(), [&](const Copy& other) {
        return other.begin == copy.begin && other.len == copy.len && other.ip_id == copy.ip_id &&
               other.ip_id != 0 && other.ack == copy.ack && other.flags == copy.flags &&
               other.ttl != copy.ttl && other.has_timestamps == copy.has_timestamps &&
               other.ts_value == copy.ts_value && copy.time - other.time < kSoon;
      });
}

void PointLog::add_tcp(const wire::Frame& frame, const wire::Packet& packet) {
  if (!has_room()) {
    ++facts_.forgotten_packets;
    return;
  }
  if (facts_.first == Time{} || frame.time < facts_.first) facts_.first = frame.time;
  facts_.last = std::max(facts_.last, frame.time);
  ConnectionLog& log = connection_of(packet);
  const bool from_client =
      log.client.address == packet.source && log.client.port == packet.source_port;
  const Direction direction = from_client ? Direction::to_server : Direction::to_client;
  WayLog& way = log[direction];
  const Copy copy = copy_of(frame, packet, way);
  std::vector<Copy>& copies = copy.len > 0 ? way.data : way.bare;
  if (is_tap_copy(copies, copy)) {
    ++facts_.tap_copies;
    return;
  }
  if (!log.first_frame) {
    log.first_frame = copy.frame;
    log.first = copy.time;
  }
  log.last = std::max(log.last, copy.time);
  if (copy.is_syn()) {
    if (!way.initial_sequence) way.initial_sequence = packet.sequence;
    if (way.syns.size() < WayLog::kSyns && copy.len == 0)
      way.syns.push_back({copies.size(), packet.options});
    if (packet.options.has_mss) log[opposite(direction)].peer_mss = packet.options.mss;
  } else if (copy.has_timestamps) {
    ++way.stamped;
  }
  if (copy.len > 0) note_fingerprint(way, packet);
  copies.push_back(copy);
  used_bytes_ += sizeof(Copy);
}

void PointLog::add_icmp(const wire::Frame& frame, const wire::Packet& packet) {
  const wire::IcmpQuote& quote = packet.quote;
  const auto found = newest_.find(sorted(quote.source, quote.destination));
  if (found == newest_.end()) return;
  ConnectionLog& log = connections_[found->second];
  if (log.icmp.size() >= ConnectionLog::kMostIcmp || !has_room()) return;
  used_bytes_ += sizeof(IcmpSeen);
  log.icmp.push_back({frame.time, FrameRef(frame.input, frame.number), packet.source,
                      packet.source.version, packet.icmp_type, packet.icmp_code, packet.icmp_mtu,
                      quote.ip_total_len, quote.sequence, quote.has_sequence,
                      quote.source == log.client ? Direction::to_server : Direction::to_client});
}

}  // namespace slowpath::flow::comparison

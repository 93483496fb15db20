// SPDX-License-Identifier: Apache-2.0
// The life of a connection. What happens within a transfer is in traffic_transfer.cc.
#include "generate/traffic.h"

#include <algorithm>
#include <cmath>

namespace slowpath::bench {

namespace {

constexpr std::uint64_t kBeginNs = 1'767'225'600'000'000'000;  // 2026-01-01.
constexpr std::uint32_t kMss = 1448;                           // 1500 - 20 - 32.
constexpr std::uint16_t kSynWindow = 64240;
constexpr std::uint8_t kWindowScale = 7;
constexpr std::uint16_t kWindow = 16384;  // 2 MiB when scaled: never the limit.
constexpr double kNsPerByte = 0.32;       // The tap is on a 25 Gbit/s link.
constexpr std::uint64_t kHostsPerServer = 64;
constexpr std::uint32_t kServers = 16;
constexpr std::uint64_t kPortsPerHost = 8;
constexpr std::uint32_t kRequestLen = 400;
constexpr std::uint32_t kReplyLen = 180;
constexpr double kMeanRttNs = 25e6;
constexpr std::uint64_t kIdleResetNs = 200'000'000;  // RFC 5681 section 4.1: after an RTO's time.

/// Round-trip times differ between hosts: 1 to 120 ms, most below 30.
std::uint32_t rtt_of(std::uint64_t host) {
  const double share = static_cast<double>(mix(host) >> 11) * 0x1p-53;
  return static_cast<std::uint32_t>(1e6 * std::pow(120.0, share));
}

}  // namespace

Traffic::Traffic(const TrafficOptions& options, CaptureFile& file)
    : options_(options),
      file_(file),
      random_(options.seed),
      mss_(options.timestamps ? kMss : kMss + 12),
      payload_(mss_, options.seed),
      wheel_(options.connections),
      connections_(options.connections),
      flights_(new Flight[std::size_t{options.connections} * options.window]) {
  set_pace();
}

void Traffic::set_pace() {
  const double segments = options_.transfer_segments;
  const double packets = segments * 1.5 + 3 + 6 / options_.transfers_per_connection;
  const double cycle_ns = 1e9 * options_.connections * packets / options_.packets_per_second;
  segment_ns_ = std::clamp(cycle_ns / 2 / segments, 12e3, 1.5e6);
  pause_ns_ = std::max(cycle_ns - segments * segment_ns_ - 3 * kMeanRttNs, 1e6);
}

void Traffic::run() {
  // All open within the first part of the capture.
  const double ramp_ns =
      0.15e9 * static_cast<double>(options_.packets) / options_.packets_per_second;
  for (std::uint32_t i = 0; i < options_.connections; ++i) {
    begin(connections_[i]);
    wheel_.insert(i, static_cast<std::uint64_t>(random_.share() * ramp_ns));
  }
  for (;;) {
    std::uint32_t member = wheel_.take();
    while (member != Wheel::kNone) {
      const std::uint32_t following = wheel_.next(member);
      if (following != Wheel::kNone) __builtin_prefetch(&connections_[following]);
      wheel_.insert(member, step(member, wheel_.due_ns(member)));
      if (done()) return;
      member = following;
    }
  }
}

void Traffic::begin(Connection& connection) {
  connection = {};
  const std::uint64_t serial = serial_++;
  const std::uint64_t host = serial / kPortsPerHost + 1;
  const std::uint64_t hash = mix(options_.seed ^ mix(host));
  connection.serial = serial;
  connection.ends.client = host;
  connection.ends.server = static_cast<std::uint32_t>(host / kHostsPerServer % kServers) + 1;
  connection.ends.client_port =
      static_cast<std::uint16_t>(32768 + serial % kPortsPerHost * 4001 + (host >> 24) % 4001);
  connection.ends.ipv6 = static_cast<double>(hash & 0xffff) < options_.ipv6 * 65536;
  connection.client_tsval_offset = static_cast<std::uint32_t>(hash);
  connection.server_tsval_offset = static_cast<std::uint32_t>(hash >> 32);
  connection.client_seq = static_cast<std::uint32_t>(random_.next());
  connection.server_seq = static_cast<std::uint32_t>(random_.next());
  connection.uploads = random_.share() < options_.uploads;
  connection.transfers_left = static_cast<std::uint16_t>(
      1 + std::min(random_.exponential(options_.transfers_per_connection - 0.5), 60'000.0));
  connection.transfer.rtt_ns = rtt_of(hash);
  connection.transfer.segment_ns = static_cast<std::uint32_t>(
      segment_ns_ * (0.5 + static_cast<double>(hash >> 40 & 0xff) / 256));
  connection.transfer.cwnd = std::min(10.0F, static_cast<float>(options_.window));
}

std::uint64_t Traffic::soon(std::uint64_t now_ns, std::uint64_t low_us, std::uint64_t high_us) {
  return now_ns + 1000 * random_.between(low_us, high_us);
}

std::uint64_t Traffic::step(std::uint32_t index, std::uint64_t now_ns) {
  Connection& connection = connections_[index];
  switch (connection.phase) {
    case Phase::syn:
    case Phase::syn_ack:
    case Phase::handshake_ack:
      return open(connection, now_ns);
    case Phase::request:
    case Phase::respond:
    case Phase::transfer:
    case Phase::reply:
    case Phase::reply_ack:
      return exchange(index, now_ns);
    case Phase::fin:
    case Phase::fin_ack:
    case Phase::last_ack:
      return close(connection, now_ns);
  }
  return now_ns;
}

std::uint64_t Traffic::open(Connection& connection, std::uint64_t now_ns) {
  if (connection.phase == Phase::handshake_ack) {
    write_small(connection, true, kAck, 0, now_ns);
    connection.phase = Phase::request;
    return soon(now_ns, 20, 500);
  }
  const bool from_client = connection.phase == Phase::syn;
  Segment segment = blank(connection, from_client, now_ns);
  segment.flags = from_client ? kSyn : kSyn | kAck;
  segment.mss = 1460;
  segment.window = kSynWindow;
  segment.window_scale = kWindowScale;
  segment.sack_permitted = options_.sack;
  if (from_client) segment.ack = 0;
  write(connection, segment, now_ns);
  ++(from_client ? connection.client_seq : connection.server_seq);
  connection.phase = from_client ? Phase::syn_ack : Phase::handshake_ack;
  return from_client ? soon(now_ns, 20, 60) : now_ns + connection.transfer.rtt_ns;
}

std::uint64_t Traffic::exchange(std::uint32_t index, std::uint64_t now_ns) {
  Connection& connection = connections_[index];
  switch (connection.phase) {
    case Phase::request:
      if (connection.uploads) {
        start_transfer(index, now_ns);
        return next_due(index, now_ns);
      }
      write_small(connection, true, kPsh | kAck, kRequestLen, now_ns);
      connection.phase = Phase::respond;
      return soon(now_ns, 50, 2000);
    case Phase::respond:
      start_transfer(index, now_ns);
      return next_due(index, now_ns);
    case Phase::reply:
      write_small(connection, false, kPsh | kAck, kReplyLen, now_ns);
      connection.phase = Phase::reply_ack;
      return now_ns + connection.transfer.rtt_ns;
    case Phase::reply_ack:
      write_small(connection, true, kAck, 0, now_ns);
      return after_exchange(connection, now_ns);
    default:
      return go_on(index, now_ns);
  }
}

std::uint64_t Traffic::after_exchange(Connection& connection, std::uint64_t now_ns) {
  const bool last = --connection.transfers_left == 0;
  connection.phase = last ? Phase::fin : Phase::request;
  if (last) return soon(now_ns, 50, 500);
  return now_ns + 20'000 + static_cast<std::uint64_t>(random_.exponential(pause_ns_));
}

std::uint64_t Traffic::close(Connection& connection, std::uint64_t now_ns) {
  switch (connection.phase) {
    case Phase::fin:
      write_small(connection, false, kFin | kAck, 0, now_ns);
      connection.phase = Phase::fin_ack;
      return now_ns + connection.transfer.rtt_ns;
    case Phase::fin_ack:
      write_small(connection, true, kFin | kAck, 0, now_ns);
      connection.phase = Phase::last_ack;
      return soon(now_ns, 10, 40);
    default:
      write_small(connection, false, kAck, 0, now_ns);
      begin(connection);
      return soon(now_ns, 20, 200);
  }
}

void Traffic::start_transfer(std::uint32_t index, std::uint64_t now_ns) {
  Connection& connection = connections_[index];
  Transfer& transfer = connection.transfer;
  const double segments = random_.exponential(options_.transfer_segments - 0.5);
  transfer.start(1 + static_cast<std::uint32_t>(std::min(segments, 1e6)), connection.uploads);
  if (now_ns > transfer.arrival_ns + kIdleResetNs) {
    transfer.cwnd = std::min({transfer.cwnd, 10.0F, static_cast<float>(options_.window)});
  }
  connection.last_len = static_cast<std::uint16_t>(random_.between(1, mss_ + 1));
  connection.phase = Phase::transfer;
  send_allowed(index, now_ns);
}

Segment Traffic::blank(Connection& connection, bool from_client, std::uint64_t now_ns) const {
  Segment segment;
  segment.from_client = from_client;
  segment.seq = from_client ? connection.client_seq : connection.server_seq;
  segment.ack = from_client ? connection.server_seq : connection.client_seq;
  segment.window = kWindow;
  segment.ip_id = from_client ? connection.client_ip_id++ : connection.server_ip_id++;
  segment.has_timestamps = options_.timestamps;
  if (!options_.timestamps) return segment;
  const std::uint64_t sent_ns =
      from_client ? now_ns + kBeginNs - connection.transfer.rtt_ns / 2 : now_ns + kBeginNs;
  segment.tsval = static_cast<std::uint32_t>(sent_ns / 1'000'000) +
                  (from_client ? connection.client_tsval_offset : connection.server_tsval_offset);
  segment.tsecr = from_client ? connection.client_tsecr : connection.server_tsecr;
  return segment;
}

void Traffic::write_small(Connection& connection, bool from_client, std::uint8_t flags,
                          std::uint32_t len, std::uint64_t now_ns) {
  Segment segment = blank(connection, from_client, now_ns);
  segment.flags = flags;
  if (len != 0) segment.payload = payload_.at(connection.serial, len);
  write(connection, segment, now_ns);
  (from_client ? connection.client_seq : connection.server_seq) += len + ((flags & kFin) != 0);
  (from_client ? connection.server_tsecr : connection.client_tsecr) = segment.tsval;
}

void Traffic::write(Connection& connection, const Segment& segment, std::uint64_t now_ns) {
  if (done()) return;
  std::array<std::byte, kMaxHeadBytes> head;
  const std::size_t head_len = write_headers(connection.ends, segment, head);
  last_ns_ = std::max(last_ns_, now_ns);
  file_.write(kBeginNs + last_ns_, {head.data(), head_len},
              {segment.payload.bytes, segment.payload.len});
  last_ns_ += static_cast<std::uint64_t>(kNsPerByte *
                                         static_cast<double>(head_len + segment.payload.len + 24));
}

}  // namespace slowpath::bench

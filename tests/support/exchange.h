// SPDX-License-Identifier: Apache-2.0
// Packets of one connection, said in a line each, and the flow engine that reads them:
//
//   Exchange x;
//   x.handshake(20ms);
//   x.at(100ms).to_server({.len = 1000});
//   x.after(20ms).to_client({});
//   const ConnectionFacts c = x.connection();
//
// Positions are those of the stream: 0 is the first byte after the SYN. Segments reach the engine
// decoded; what has to stand on the wire is built with packet_builder and given to add().
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "facts/case.h"
#include "flow/engine.h"
#include "support/packet_builder.h"
#include "wire/packet.h"

namespace slowpath::test {

using namespace std::chrono_literals;

/// A segment of one end. Unset, `from` goes on from what this end has sent, and `ack` takes all of
/// what the other end has.
struct Sent {
  std::uint8_t flags = wire::kAck;
  std::optional<std::int64_t> from = {};
  std::uint32_t len = 0;
  std::optional<std::int64_t> ack = {};
  std::uint16_t window = 65535;
  std::optional<std::uint8_t> ttl = {};
  std::uint16_t ip_id = 0;
  std::uint64_t link = 1;                   // Packet::link_hash: another one is another tap
  std::uint32_t ts_value = 0, ts_echo = 0;  // 0 and 0: no timestamps
  std::vector<std::pair<std::int64_t, std::int64_t>> sack = {};
  char fill = 0;  // every byte of its payload; 0: none is captured
};

/// The usual options of a SYN: MSS 1460, SACK, and what is given.
TcpOptions syn_options(std::optional<std::uint8_t> window_scale = 7, bool timestamps = false);

class Exchange {
 public:
  Exchange() : Exchange(flow::EngineOptions{.verify_checksums = false}) {}
  /// `options.bytes_at` is replaced by the bytes of this exchange.
  explicit Exchange(flow::EngineOptions options);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Said before the SYNs.
  TcpOptions client_options = syn_options(), server_options = syn_options();
  std::uint32_t client_isn = 1000, server_isn = 5000;
  std::uint8_t client_ttl = 64, server_ttl = 64;

  Exchange& at(Duration time) {
    now_ = time;
    return *this;
  }
  Exchange& after(Duration time) { return at(now_ + time); }
  [[nodiscard]] Duration now() const { return now_; }

  // Each gives the number of its frame.
  std::uint64_t to_server(const Sent& sent) { return send(Direction::to_server, sent); }
  std::uint64_t to_client(const Sent& sent) { return send(Direction::to_client, sent); }
  std::uint64_t send(Direction way, const Sent& sent) { return add(packet_of(way, sent)); }
  std::uint64_t syn();
  std::uint64_t syn_ack();
  /// SYN now, SYN-ACK after `server_leg`, the client's ACK after `client_leg`; the clock stands
  /// there.
  void handshake(Duration server_leg, Duration client_leg = Duration{0});
  /// A frame as it stands on the wire, or a decoded packet, now.
  std::uint64_t add(const BuiltFrame& built);
  std::uint64_t add(const wire::Packet& packet);

  /// What send() hands over. Moves the stream on.
  [[nodiscard]] wire::Packet packet_of(Direction way, const Sent& sent);
  /// A packet of this connection that is yet to be filled in.
  [[nodiscard]] wire::Packet blank(Direction way) const;

  /// `threads`: that end the connections.
  Case finish(std::size_t threads = 1) {
    engine_.set_threads(threads);
    return engine_.finish();
  }
  /// The first one.
  ConnectionFacts connection() { return std::move(finish().connections.at(0)); }

  /// What the frames that follow say about themselves.
  std::uint16_t input = 0;
  bool has_time = true;
  std::uint16_t client_port = 40000;

 private:
  std::uint64_t send_syn(Direction way, std::uint8_t flags, const TcpOptions& options);
  std::uint64_t add(const wire::Packet& packet, Bytes bytes, std::uint64_t offset);

  Duration now_{0};
  std::uint64_t frames_ = 0;
  std::array<std::int64_t, 2> next_{};
  Buffer bytes_;  // of all frames, one after the other
  flow::Engine engine_;
};

}  // namespace slowpath::test

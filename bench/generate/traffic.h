// SPDX-License-Identifier: Apache-2.0
// Many connections to a few servers, seen by a tap at the servers: each opens, exchanges requests
// and responses (or uploads), pauses between them, closes; another begins in its place. Packets
// come out in the order of time. Memory follows the number of live connections and the window
// alone.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "generate/capture_file.h"
#include "generate/payload.h"
#include "generate/random.h"
#include "generate/segment.h"
#include "generate/transfer.h"
#include "generate/wheel.h"

namespace slowpath::bench {

struct TrafficOptions {
  std::uint64_t packets = 1'000'000;
  std::uint32_t connections = 2000;     // Live at once.
  double packets_per_second = 1e6;      // Of all together, about.
  double loss = 0;                      // Share of data segments.
  double ipv6 = 0;                      // Share of client hosts.
  double uploads = 0.2;                 // Share of connections whose data goes to the server.
  double transfer_segments = 64;        // Mean; a transfer has one at least.
  double transfers_per_connection = 4;  // Mean.
  std::uint32_t window = kMaxWindow;    // Segments in flight at most; a power of two.
  bool timestamps = true;
  bool sack = true;
  std::uint64_t seed = 1;
};

class Traffic {
 public:
  Traffic(const TrafficOptions& options, CaptureFile& file);
  void run();

 private:
  enum class Phase : std::uint8_t {
    syn,
    syn_ack,
    handshake_ack,
    request,
    respond,
    transfer,
    reply,
    reply_ack,
    fin,
    fin_ack,
    last_ack
  };

  struct Connection {
    Transfer transfer;
    Ends ends;
    std::uint64_t serial = 0;
    std::uint32_t client_seq = 0;  // Next to send; of a transfer: its first.
    std::uint32_t server_seq = 0;
    std::uint32_t client_tsval_offset = 0;
    std::uint32_t server_tsval_offset = 0;
    std::uint32_t client_tsecr = 0;  // What each side echoes: TSval of the other.
    std::uint32_t server_tsecr = 0;
    std::uint16_t client_ip_id = 0;
    std::uint16_t server_ip_id = 0;
    std::uint16_t last_len = 0;  // Bytes of the transfer's last segment.
    std::uint16_t transfers_left = 0;
    Phase phase = Phase::syn;
    bool uploads = false;
  };

  bool done() const { return file_.frames() >= options_.packets; }
  void begin(Connection& connection);
  /// What is due at `now_ns`; returns when the connection is due again.
  std::uint64_t step(std::uint32_t index, std::uint64_t now_ns);
  std::uint64_t open(Connection& connection, std::uint64_t now_ns);
  std::uint64_t exchange(std::uint32_t index, std::uint64_t now_ns);
  std::uint64_t close(Connection& connection, std::uint64_t now_ns);
  std::uint64_t request(std::uint32_t index, std::uint64_t now_ns);
  std::uint64_t after_exchange(Connection& connection, std::uint64_t now_ns);
  void set_pace();
  std::uint64_t soon(std::uint64_t now_ns, std::uint64_t low_us, std::uint64_t high_us);

  void start_transfer(std::uint32_t index, std::uint64_t now_ns);
  std::uint64_t go_on(std::uint32_t index, std::uint64_t now_ns);
  std::uint64_t next_due(std::uint32_t index, std::uint64_t now_ns);
  std::uint32_t max_window(const Connection& connection) const;
  void send_allowed(std::uint32_t index, std::uint64_t now_ns);
  void send(std::uint32_t index, std::uint32_t number, std::uint64_t now_ns);
  void write_data(Connection& connection, const Flight& flight, std::uint64_t now_ns);
  void write_ack(Connection& connection, std::uint64_t now_ns);

  Segment blank(Connection& connection, bool from_client, std::uint64_t now_ns) const;
  void write(Connection& connection, const Segment& segment, std::uint64_t now_ns);
  void write_small(Connection& connection, bool from_client, std::uint8_t flags, std::uint32_t len,
                   std::uint64_t now_ns);
  std::uint32_t data_len(const Connection& connection, std::uint32_t number) const;
  std::span<Flight> ring(std::uint32_t index) {
    return {flights_.get() + std::size_t{index} * options_.window, options_.window};
  }

  TrafficOptions options_;
  CaptureFile& file_;
  Random random_;
  std::uint32_t mss_;
  PayloadBlocks payload_;
  Wheel wheel_;
  std::vector<Connection> connections_;
  std::unique_ptr<Flight[]> flights_;
  double segment_ns_ = 0;  // Mean time of a segment on the bottleneck.
  double pause_ns_ = 0;    // Mean.
  std::uint64_t serial_ = 0;
  std::uint64_t last_ns_ = 0;  // Time stamp of the last packet.
};

}  // namespace slowpath::bench

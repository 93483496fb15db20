// SPDX-License-Identifier: Apache-2.0
// The ends of transfers: real sockets in two hosts, one process each. Data is a pattern keyed by
// position and seed, so the receiver knows every byte that it should get. What the kernel says of
// itself (TCP_INFO) is sampled while it runs.
//
// Keys of a transfer's table (times "1s", sizes "1MiB", rates "10Mbit/s"):
// - kind = "stream" (default) | "request-response" | "connections" | "datagrams"; client, server =
//   hosts (the client connects); via = a host whose address it connects to instead; port = 5001;
//   connect_port (as port) if a NAT changes it; source_port (0: any); start = delay before the
//   client connects; limit = "10s" ends it early, whatever was reached, without FIN or reset (60 s
//   if none is given); verify = true: compare every byte with the pattern
// - stream: direction = "to-client" (default) | "to-server" | "both"; bytes = how much each way (0:
//   until the limit); warm_up = idle time after connecting
// - sender (stream, request-response): write_size = 128KiB, write_rate (paces writes),
//   write_pause_every (bytes) and write_pause, idle_after (bytes) and idle_for (once), sndbuf,
//   nodelay, cork, keepalive ("1s": probes of an idle connection, whole seconds),
//   congestion_control, nonblocking, mss, notsent_lowat, cpu_share (e.g. "20%": it
//   burns CPU between writes as if it had only this share). Linux lets a sender exceed sndbuf many
//   times over where writes are of 4 to 32 KiB and Nagle's rule holds back their last bytes; the
//   default size, or nodelay, does not show it
// - receiver (stream, request-response): read_size, read_rate, stall_after (bytes) and stall_for,
//   rcvbuf, window_clamp, quickack, abort_after (bytes: it then resets the connection)
// - request-response: request, response (bytes), count, think (server), pause (client), split (a
//   request is two writes of half: Nagle's classic), warm_up, half_close (the client's FIN follows
//   its last request), fastopen (its first request travels in the SYN, where net.ipv4.tcp_fastopen
//   lets it)
// - connections: count, concurrent, interval, hold, backlog, accept (false: never accepts),
//   reuse_port (the same source port again; the server closes first). Each asks once and is
//   answered
// - datagrams: direction, size, rate, count or bytes (UDP, DF off unless df = true)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "lab/settings.h"

namespace slowpath::lab {

class Host;

/// One look at TCP_INFO of a socket. Times since the transfer began; counters are totals.
struct TcpSample {
  Duration at{0};
  std::uint32_t state = 0, retransmits = 0, backoff = 0, rto_us = 0, rtt_us = 0, min_rtt_us = 0,
                cwnd = 0, ssthresh = 0;
  std::uint32_t snd_mss = 0, unacked = 0, total_retrans = 0, total_rto = 0, snd_wnd = 0,
                notsent_bytes = 0;
  std::uint64_t busy_us = 0, rwnd_limited_us = 0, sndbuf_limited_us = 0, bytes_acked = 0,
                delivery_rate_Bps = 0;
  std::uint32_t reordering = 0, dsack_dups = 0, reord_seen = 0, pmtu = 0;
  // What the same socket knows as a receiver.
  std::uint32_t rcv_rtt_us = 0, rcv_space = 0, rcv_wnd = 0, rcv_out_of_order = 0;
  std::uint64_t bytes_received = 0;
  std::uint8_t options = 0, snd_wscale = 0, rcv_wscale = 0, app_limited = 0;
};

/// A run of bytes that arrived other than they were sent.
struct BadRange {
  std::uint64_t offset = 0, length = 0;
  std::string sent_hex, received_hex;  // the first 16 bytes of each
};

/// One direction of one transfer.
struct StreamResult {
  std::string from, to;
  std::uint64_t bytes_sent = 0;      // taken by the sending socket
  std::uint64_t bytes_received = 0;  // read by the receiving application
  double seconds = 0;                // from connecting until the last byte was read (or the limit)
  double goodput_bps = 0;
  bool complete = false;  // all bytes asked for were read
  bool bytes_right = true;
  std::uint64_t bad_bytes = 0;
  std::vector<BadRange> bad;  // the first 32
  std::string sent_sha256,
      received_sha256;            // of the bytes that were received, so that they can be compared
  std::optional<TcpSample> last;  // of the sender
  std::vector<TcpSample>
      receiver_samples;            // of the receiving socket, likewise; empty where it sends too
  std::vector<TcpSample> samples;  // every 20 ms, thinned to at most 4096
};

struct TransferResult {
  std::string name, kind;
  std::string client,
      server;  // "10.0.0.2:40112" as the client's socket says; empty if it never connected
  double connect_seconds = 0;
  std::string error;  // "connect: Connection timed out"; empty if none
  std::vector<StreamResult> streams;
  // connections and request-response
  std::uint64_t attempts = 0, successes = 0;
  double response_median_seconds = 0, response_worst_seconds = 0;
};

/// A transfer under way: its processes. Ends them when destroyed.
class Transfer {
 public:
  virtual ~Transfer() = default;
  /// Readable when all its processes have ended (an eventfd or pidfd joined): for Plane::watch.
  [[nodiscard]] virtual int fd() const = 0;
  /// Called when fd() is readable: true once the transfer is over.
  virtual bool poll() = 0;
  /// After it is over. Valid once.
  virtual TransferResult take_result() = 0;
};

/// Starts both ends. `client` and `server` must outlive it. The server listens before the client
/// connects. Errors: usage (its table), environment (processes, sockets).
Result<std::unique_ptr<Transfer>> start_transfer(const std::string& name, Settings settings,
                                                 const Host& client, const Host& server,
                                                 const std::string& server_address, bool ipv6,
                                                 std::uint64_t seed);

}  // namespace slowpath::lab

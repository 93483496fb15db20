// SPDX-License-Identifier: Apache-2.0
// What a test in iperf3's protocol measured, seen from one of its ends. Plain data; rates follow
// from bytes and seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "facts/test.h"

namespace slowpath {

/// Datagrams, by their numbers: iperf3's own definitions (RFC 1889 section 6.3.1 for jitter).
struct Iperf3Datagrams {
  std::uint64_t packets = 0;  // sent, or the highest number that came
  std::uint64_t lost = 0, out_of_order = 0;
  double jitter_s = 0;
};

struct Iperf3Interval {
  double begin_s = 0, end_s = 0;
  std::uint64_t bytes = 0;
  bool omitted = false;
  // TCP, of the end that sends: since the interval before, and at its end.
  std::uint64_t retransmits = 0, cwnd_bytes = 0, peer_window_bytes = 0;
  double rtt_s = 0, rtt_var_s = 0;
  std::uint32_t pmtu_bytes = 0;
  Iperf3Datagrams datagrams;  // UDP, of this interval
};

struct Iperf3Stream {
  int id = 0;  // 1, 3, 4 ...: iperf3 leaves out 2
  int socket = 0;
  std::string local_host, remote_host;
  std::uint16_t local_port = 0, remote_port = 0;
  bool sends = false;  // this end
  std::vector<Iperf3Interval> intervals;
  double seconds = 0;                                // counted
  std::uint64_t sent_bytes = 0, received_bytes = 0;  // by whichever end does it
  std::uint64_t retransmits = 0;                     // of the sender
  bool knows_retransmits = false;
  double remote_seconds = 0;                            // counted at the other end; 0: not told
  double rtt_min_s = 0, rtt_mean_s = 0, rtt_max_s = 0;  // of this end, while it sends
  std::uint64_t cwnd_max_bytes = 0, peer_window_max_bytes = 0;
  /// TCP, of this end while it sends: its own account; amounts since counting began.
  std::optional<SocketFacts> sender;
  Iperf3Datagrams sent, received;  // UDP
  std::string error;               // what ended it early
};

struct Iperf3Cpu {
  double total_percent = 0, user_percent = 0, system_percent = 0;  // of one processor, this program
};

struct Iperf3Facts {
  bool is_server = false, is_udp = false, reverse = false, bidirectional = false;
  std::string host;  // as it was named; at a server the client's address
  std::uint16_t port = 0;
  std::string cookie, title, extra_data;
  double duration_s = 0, omit_s = 0;
  std::uint64_t bytes = 0, blocks = 0;  // asked for; 0: none
  std::uint32_t block_bytes = 0, window_bytes = 0, mss_bytes = 0, type_of_service = 0;
  double rate_bps = 0;
  std::uint64_t pacing_bps = 0;
  std::uint64_t send_buffer_bytes = 0, receive_buffer_bytes = 0;  // as the kernel made them
  std::int64_t began_unix_s = 0;
  std::vector<Iperf3Stream> streams;
  Iperf3Cpu local, remote;
  TestHost host_cost;                // of this end, over the counted time
  TestRtt rtt;                       // of the streams that this end sends
  std::optional<double> rtt_idle_s;  // before anything was sent
  bool has_remote = false;           // the other end told its results
  std::string sender_congestion, receiver_congestion;
  std::string server_output;  // asked for and got: text, or JSON
  bool server_output_is_json = false;
  bool interrupted = false;  // by a signal here
  std::string error;         // why it ended early
};

}  // namespace slowpath

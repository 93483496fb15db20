// SPDX-License-Identifier: Apache-2.0
// What active tests found out about the path between this host and another: which sizes pass, how
// long an answer takes, what is lost, what boxes on the way change. Made by probe/path/; plain
// data. Sizes are whole IP packets in bytes, times are seconds. Direction::to_server is from this
// host to the tested one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "facts/address.h"
#include "facts/direction.h"
#include "facts/tcp_options.h"

namespace slowpath {

/// What carried the packets of a size sweep, and what counts as arrival.
enum class SizeProbeKind : std::uint8_t {
  icmp_echo,  // the echo reply, which is as large as the request
  udp,  // "port unreachable" of the host itself: a small answer, so the way back does not matter
  udp_peer,  // the far end of the test says that it came
};

/// What became of the probes of one size.
struct SizeResult {
  std::uint32_t ip_bytes = 0;
  std::uint32_t sent = 0, passed = 0;
  std::uint32_t reported = 0;  // an ICMP message said that they are too large
};

/// What one router says about packets that are too large ("fragmentation needed", "packet too
/// big").
struct MtuReport {
  IpAddress from;
  std::uint32_t mtu_bytes = 0;  // 0: it names none
  std::uint32_t count = 0;
  std::uint32_t smallest_refused_bytes = 0, largest_refused_bytes = 0;
  std::optional<std::uint32_t> hop;  // its distance, where the walk along the path met it
};

/// The largest packet with "don't fragment" that passes one way.
struct SizeSweep {
  SizeProbeKind kind = SizeProbeKind::icmp_echo;
  Direction direction = Direction::to_server;
  std::uint32_t ceiling_bytes = 0;          // what the sender's own interface lets out
  std::uint32_t largest_passed_bytes = 0;   // 0: nothing passed
  std::uint32_t smallest_failed_bytes = 0;  // 0: nothing failed up to the ceiling
  std::vector<SizeResult> sizes;            // ascending
  std::vector<MtuReport> reports;
  std::uint32_t control_sent = 0, control_passed = 0;  // small packets, sent beside the large ones
  bool finished = false;                               // the edge is known to the byte
  std::string unable;  // why it tells nothing; empty where it tells something
};

/// One router on the way, or a gap where none answers.
struct PathHop {
  std::uint32_t ttl = 0;
  std::optional<IpAddress> address;
  std::optional<double> rtt_s;  // of the small probe
  bool is_target = false;
  std::optional<bool> large_answered;  // a packet of the size that fails got here; none: not tried
};

/// Packets without "don't fragment" that the sender cuts into fragments.
struct FragmentTest {
  Direction direction = Direction::to_server;
  bool out_of_order = false;  // the last fragment is sent first
  std::uint32_t ip_bytes = 0, fragments = 0;
  std::uint32_t sent = 0, arrived = 0;              // datagrams of several fragments
  std::uint32_t whole_sent = 0, whole_arrived = 0;  // beside them, datagrams of one packet
  bool by_peer = false;  // the far end of the test counted them; otherwise echo replies were
  std::string unable;
};

/// Data over TCP, one segment at a time and then as many at once as the window allows: what large
/// sends suffer.
struct SegmentTest {
  Direction direction = Direction::to_server;
  std::uint32_t mss_bytes = 0;
  std::uint32_t singles_sent = 0, singles_resent = 0;  // full segments, each alone in flight
  double singles_s = 0;
  bool singles_done = false;
  std::uint64_t burst_bytes = 0, burst_acked_bytes = 0;
  std::uint32_t bursts = 0,
                bursts_resent =
                    0;  // each of burst_bytes / bursts; some segment of it was sent again
  double bursts_s = 0;
  bool bursts_done = false;
  std::uint64_t resent_segments = 0, timeouts = 0;  // during the bursts
  double rtt_s = 0;
  /// ICMP "fragmentation needed" that the sending host received meanwhile (its own counter).
  std::optional<std::uint64_t> too_big_in_singles, too_big_in_bursts;
  std::optional<std::uint32_t> kernel_pmtu_before,
      kernel_pmtu_after;  // what the sending kernel believes
  std::string unable;
};

struct PathMtuTest {
  std::uint32_t interface_mtu_bytes = 0;  // of the interface that the route uses; 0 unknown
  std::optional<std::uint32_t>
      kernel_pmtu_bytes;  // what the kernel believed before the test (IP_MTU)
  std::vector<SizeSweep> sweeps;
  std::vector<PathHop> hops;
  std::vector<FragmentTest> fragments;
  std::vector<SegmentTest> segments;
};

/// Round trips, sorted into quantiles.
struct RoundTrips {
  std::uint32_t sent = 0, answered = 0;
  double min_s = 0, median_s = 0, p95_s = 0, max_s = 0;
  double deviation_s = 0;  // mean difference between neighbours
};

/// Connections opened and closed again, one after the other.
struct ConnectTest {
  std::uint16_t port = 0;
  RoundTrips trips;           // SYN to SYN-ACK, or to the refusal
  std::uint32_t refused = 0;  // of the answered
  std::uint32_t slow = 0;     // of the answered: after a SYN was sent again (1 s and more)
  std::string last_error;
};

/// A stream of datagrams at an even rate.
struct DatagramRun {
  Direction direction = Direction::to_server;
  std::uint32_t ip_bytes = 0;
  double offered_bps = 0;  // IP packets, as asked for
  double sent_bps = 0, received_bps = 0;
  std::uint64_t sent = 0, received = 0;  // distinct ones
  std::uint64_t duplicates = 0, reordered = 0;
  std::uint64_t damaged = 0;  // with a wrong checksum, as the receiving host counted; not received
  std::uint64_t loss_runs = 0, longest_loss_run = 0;
  double jitter_s = 0;        // RFC 3550 section 6.4.1
  double delay_growth_s = 0;  // one-way delay, median of the last quarter less the least
  double seconds = 0;
  std::optional<double> rate_share;  // of the TCP rate that was measured before; above 1 on
                                     // purpose, to see whether what is too much waits or is dropped
  std::optional<std::uint64_t> first_lost;  // how many came before the first that did not
  double late_bps = 0;                      // IP packets, over the second half of the arrivals
  /// One-way delay above the least, by the time since the first was sent; a few dozen points.
  std::vector<std::pair<double, double>> course;
  std::string unable;
};

/// Loss by length, sizes interleaved so that all met the same path.
struct LengthLoss {
  struct Size {
    std::uint32_t ip_bytes = 0;
    std::uint64_t sent = 0, received = 0;
  };
  Direction direction = Direction::to_server;
  std::vector<Size> sizes;                       // ascending
  std::optional<std::uint64_t> checksum_errors;  // UDP InCsumErrors of the receiving host meanwhile
  std::string unable;
};

struct LatencyTest {
  std::optional<ConnectTest> connect;
  std::optional<RoundTrips> echo;  // small ICMP echo
  std::optional<RoundTrips>
      idle;  // small datagrams to the far end of the test, nothing else on the way
  struct Loaded {
    Direction direction = Direction::to_server;
    RoundTrips trips;
    double load_bps = 0;        // goodput of the transfer meanwhile
    double own_busy_share = 0;  // of this host's processors, all together; 0: not known
  };
  std::vector<Loaded> loaded;
  std::vector<DatagramRun> runs;
  std::vector<LengthLoss> lengths;
  std::string unable;  // why the parts that need the far end are missing
};

/// How long a silent connection stays usable.
struct IdleTest {
  double longest_survived_s = 0, shortest_lost_s = 0;  // 0: none
  double searched_s = 0;                               // no pause longer than this was tried
  std::uint32_t tried = 0;
  bool reset = false;         // lost ones were answered with RST
  bool control_sound = true;  // a connection kept busy meanwhile lived
  std::string unable;
};

/// Many short connections.
struct ChurnTest {
  std::uint16_t port = 0;
  double offered_cps = 0, seconds = 0;  // connections per second asked for; what the test took
  std::uint64_t attempts = 0, connected = 0, refused = 0, reset = 0, timed_out = 0;
  std::uint64_t no_local_port = 0;  // EADDRNOTAVAIL on this host
  std::uint64_t slow = 0;           // of the connected: a SYN had to be sent again
  double median_s = 0, p99_s = 0, max_s = 0;
  std::uint64_t first_failure_at =
      0;  // how many connections had succeeded before; 0 with no failure
  /// From the far end: the rise of its counters during the test.
  std::optional<std::uint64_t> listen_overflows, listen_drops, syn_cookies, conntrack_drops;
  std::optional<std::uint64_t> local_time_wait,
      local_ports;  // sockets in TIME_WAIT after it; ports there are
  std::string unable;
};

/// The header of a SYN or SYN-ACK at one end.
struct HandshakeHeader {
  bool known = false;
  TcpOptions options;
  std::uint32_t sequence = 0, acknowledgement = 0;
  std::uint16_t window = 0, source_port = 0, destination_port = 0;
  std::uint8_t ttl = 0;  // or hop limit
  std::uint8_t ecn = 0;
  bool dont_fragment = false;  // IPv4
  bool ece = false, cwr = false;
  bool has_ip = false;  // addresses, TTL and DF were seen
  bool has_sequence = false;
  IpAddress source, destination;
};

/// Both packets of a handshake, each as it left one end and as it came to the other.
struct MiddleboxTest {
  HandshakeHeader syn_sent, syn_seen, syn_ack_sent, syn_ack_seen;
  std::string unable;                // why it tells nothing
  std::vector<std::string> missing;  // what could not be seen, and what would allow it
};

struct PathTestFacts {
  std::string host;  // as the user named it
  IpAddress peer, local;
  bool with_peer = false;    // `slowpath serve` answered there
  std::string peer_missing;  // why it did not
  std::optional<PathMtuTest> mtu;
  std::optional<LatencyTest> latency;
  std::optional<MiddleboxTest> middlebox;
  std::optional<IdleTest> idle;
  std::optional<ChurnTest> churn;
  double elapsed_s = 0;
};

}  // namespace slowpath
